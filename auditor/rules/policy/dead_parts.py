"""Parts of a statement that do nothing where they stand: actions, resources and principals, each with why and, for an
action, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from auditor.evaluator.glob import NAME_RUN, has_wildcard, matches, overlap
from auditor.evaluator.mentions import EVERYBODY
from auditor.evaluator.statements import action_mask, covers_everything
from auditor.model.actions import (
    ACCOUNT_LEVEL,
    BY_NAME,
    CROSS_ACCOUNT_EFFECTIVE,
    NONEXISTENT,
    RETIRE_GRANT,
    actions_in,
    find_action,
    match_pattern,
)
from auditor.model.arn import Arn, account_of, is_account_id, is_unique_id, parse_arn
from auditor.model.key import Key
from auditor.model.policy import Layer, PrincipalValue, Statement
from auditor.rules.policy.places import Placed, without_prefix

PATTERNS = {"AWS": "a principal; a condition on aws:PrincipalArn does", "Service": "a service; name it in full"}
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
NAME = re.compile(r"[!-~]+")
SERVICE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
"""What may be one: not all of AWS's services are called after amazonaws.com."""


def dead_actions(statement: Statement, placed: Placed) -> list[tuple[str, str, str]]:
    """``(name, reason, replacement)`` of the listed actions that do nothing here."""
    found = []
    for name in statement.actions or ():
        why, replacement = _dead_action(name, statement, placed)
        if why:
            found.append((name, why, replacement))
    return found


def _dead_action(name: str, statement: Statement, placed: Placed) -> tuple[str, str]:
    """Why an action does nothing here, and what it was probably meant to be; empty texts where it does something."""
    layer = placed.located.ref.layer
    if not name.lower().startswith("kms:"):
        meant = without_prefix(name)
        if meant or (layer is Layer.KEY_POLICY and not match_pattern(name)):
            return "is not a KMS action" + (f"; write {meant}" if meant else ""), meant
        return "", ""
    mask = match_pattern(name)
    if not mask:
        meant = _meant(name)
        return "is no KMS action" + (f"; meant was probably {meant}" if meant else ""), meant
    if "*" in name:
        return "", ""
    return _misplaced(mask, statement, placed), ""


def _misplaced(mask: int, statement: Statement, placed: Placed) -> str:
    """Why the actions do nothing in this policy although they exist; empty where they do something."""
    layer, account_level = placed.located.ref.layer, not mask & ~ACCOUNT_LEVEL
    if account_level and layer is Layer.KEY_POLICY:
        return "has no key to act on; only identity policies can allow it"
    if account_level and layer is Layer.RCP:
        return "has no key to act on; RCPs do not reach it"
    if account_level and _of_keys_alone(statement):
        return "has no key to act on; its Resource must be “*”"
    if mask == RETIRE_GRANT and layer in (Layer.KEY_POLICY, Layer.RCP):
        return f"has no effect in {'a key policy' if layer is Layer.KEY_POLICY else 'an RCP'}"
    outside = placed.key is not None and foreign_alone(statement, placed.key) and works_outside(statement)
    return "does not work across accounts" if outside and not mask & CROSS_ACCOUNT_EFFECTIVE else ""


def _of_keys_alone(statement: Statement) -> bool:
    """Whether every Resource is about single resources, which actions without a key never fit."""
    resources = statement.resources or ()
    return bool(resources) and not any("${" in one or covers_everything(one, _account(one)) for one in resources)


def _account(resource: str) -> str | None:
    arn = parse_arn(resource)
    return arn.account if arn else None


def _meant(name: str) -> str:
    """The action that a ``kms:`` name which is none was probably meant to be; empty where nothing is close."""
    lowered = name.lower()
    if lowered == "kms:reencrypt":
        return "kms:ReEncrypt*"
    hints = {known.lower().removeprefix("kms:"): hint for known, hint in NONEXISTENT.items()}
    for word in hints.get(lowered[4:], "").replace(",", " ").split():
        action = find_action(word.strip("()*.;"))
        if action is not None:
            return action.name + ("*" if word.rstrip(".,;)").endswith("*") else "")
    close = get_close_matches(lowered, BY_NAME, 1, 0.88) if not has_wildcard(name) else []
    return BY_NAME[close[0]].name if close else ""


def dead_resources(statement: Statement, placed: Placed, partitions: frozenset[str]) -> list[tuple[str, str]]:
    """``(resource, reason)`` of those that reach no key; ``partitions``: where the keys of the organization are."""
    resources = statement.resources or ()
    if placed.key is not None:
        arn = placed.key.arn
        return [(one, "is not this key; in a key policy write “*”") for one in resources if not _is_key(one, arn)]
    mask = action_mask(statement)
    if not mask:
        return []
    found = [(one, why) for one in resources if (why := _dead_resource(one, mask, placed, partitions))]
    meant = any(action.lower().startswith("kms:") for action in statement.actions or ())
    if found or not meant or any(_may_be_kms(one, partitions) for one in resources):
        return found
    return [(one, "is neither a key nor an alias, so the actions of KMS have nothing to act on") for one in resources]


def _is_key(resource: str, arn: str) -> bool:
    return resource == "*" or matches(resource, arn)


def _dead_resource(resource: str, mask: int, placed: Placed, partitions: frozenset[str]) -> str:
    """Why a Resource outside key policies reaches nothing of KMS although it is meant to; empty where it may."""
    if "${" in resource:
        return "" if placed.located.variables else "is literal text: variables need Version 2012-10-17 in the document"
    if any(action.on_key and not action.on_alias for action in actions_in(mask)) and _aliases_alone(resource):
        return "is an alias; key operations are authorized against the key ARN"
    arn = parse_arn(resource)
    if arn is None:
        return "" if _may_be_kms(resource, partitions) else "is no ARN"
    if arn.service.lower() != "kms":
        return ""
    if not _may_be_kms(resource, partitions) or not _region_exists(arn.region):
        return "is the ARN of no key or alias: arn:aws:kms:REGION:ACCOUNT:key/ID"
    return ""


def _aliases_alone(resource: str) -> bool:
    return _of_sort(resource, "alias/", (NAME_RUN,)) and not _of_sort(resource, "key/", (NAME_RUN,))


def _may_be_kms(resource: str, partitions: Iterable[str]) -> bool:
    """Whether a Resource can be the ARN of a key or an alias."""
    return "${" in resource or any(_of_sort(resource, sort, partitions) for sort in ("key/", "alias/"))


def _of_sort(resource: str, sort: str, partitions: Iterable[str]) -> bool:
    """Whether a Resource can be the ARN of a key (``key/``) or of an alias. Such ARNs have five colons, so a pattern
    with as many is compared part by part."""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        name = NAME_RUN
        return any(overlap(resource, f"arn:{one}:kms:{name}:{name}:{sort}{name}") for one in partitions)
    forms = ("arn", "kms", f"?{NAME_RUN}", "?" * 12, f"{sort}?{NAME_RUN}")
    return any(overlap(parts[1], one) for one in partitions) and all(map(overlap, (parts[0], *parts[2:]), forms))


def _region_exists(region: str) -> bool:
    """Whether a Region of an ARN has the form of one."""
    return has_wildcard(region) or bool(REGION.fullmatch(region))


def dead_principals(statement: Statement, placed: Placed) -> list[tuple[str, str]]:
    """``(value, reason)`` of the principals of a key policy that nobody is."""
    if placed.key is None:
        return []
    found = [(entry.value, _nobody(entry, placed.key)) for entry in statement.principals or ()]
    return [(value, why) for value, why in found if why]


def _nobody(entry: PrincipalValue, key: Key) -> str:
    """Why no caller is the principal; empty where somebody may be."""
    value = entry.value
    if has_wildcard(value) and entry != EVERYBODY:
        return f"is a pattern, which never matches {PATTERNS.get(entry.kind, 'as a principal')}"
    if entry.kind in ("Federated", "CanonicalUser"):
        return f"is a {entry.kind} principal, which never matches in a key policy"
    if "${" in value:
        return "holds a policy variable, which no principal can"
    if entry.kind == "Service":
        return "" if _service(value) else "is no name of a service such as s3.amazonaws.com"
    if ":group/" in value:
        return "is an IAM group, which cannot be a principal"
    return "" if entry == EVERYBODY or is_account_id(value) or is_unique_id(value) else _no_identity(value, key)


def _service(value: str) -> bool:
    nearly = "amazonaws" in value and not value.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"))
    return bool(SERVICE.fullmatch(value)) and not nearly


def _no_identity(value: str, key: Key) -> str:
    arn, own = parse_arn(value), parse_arn(key.arn)
    if arn is None:
        return "is no account, user, role or session"
    if own is not None and arn.partition != own.partition:
        return f"is of another partition than the key ({own.partition})"
    return "" if _may_call(arn) else "names no user, role or session"


def _may_call(arn: Arn) -> bool:
    """Whether the ARN of a principal is of a sort that signs requests."""
    sort, _, name = arn.resource.partition("/")
    if arn.region or not is_account_id(arn.account) or not NAME.fullmatch(arn.resource):
        return False
    if sort == "assumed-role":
        return arn.service == "sts" and name.count("/") == 1 and all(name.split("/"))
    if sort == "federated-user":
        return arn.service == "sts" and bool(name)
    return arn.service == "iam" and (
        arn.resource == "root" or (sort in ("user", "role") and not arn.resource.endswith("/"))
    )


def foreign_alone(statement: Statement, key: Key) -> bool:
    """Whether the statement allows something to principals of other accounts and to nobody else."""
    accounts = [account_of(entry.value) if entry.kind == "AWS" else None for entry in statement.principals or ()]
    return bool(accounts) and all(account is not None and account != key.account for account in accounts)


def works_outside(statement: Statement) -> bool:
    """Whether an action of the statement works across accounts."""
    return bool(action_mask(statement) & CROSS_ACCOUNT_EFFECTIVE)
