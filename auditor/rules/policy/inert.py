"""Rule about statements, or parts of them, that have no effect: names that do not exist, resources and principals that
never match, actions that the policy cannot decide. Each is located and shown as it was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_

from auditor.evaluator.glob import has_wildcard, matches
from auditor.evaluator.mentions import EVERYBODY
from auditor.evaluator.statements import action_mask
from auditor.model.actions import (
    ACCOUNT_LEVEL,
    CROSS_ACCOUNT_EFFECTIVE,
    CRYPTO,
    KEY_POLICY_EFFECTIVE,
    NONEXISTENT,
    RETIRE_GRANT,
    actions_in,
    find_action,
    mask_of,
    match_pattern,
)
from auditor.model.arn import account_of, is_unique_id, parse_arn
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Layer, Statement
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, titled
from auditor.rules.policy.mistakes import missing_elements
from auditor.rules.policy.places import Placed, placed_statements
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

PATTERNS = {"AWS": "a principal; a condition on aws:PrincipalArn does", "Service": "a service; name it in full"}
ADMINISTERS = mask_of(["PutKeyPolicy"])


def _dead_actions(statement: Statement, placed: Placed) -> list[tuple[str, str, str]]:
    """``(name, reason, replacement)`` of the listed actions that do nothing here."""
    found = []
    layer = placed.located.ref.layer
    in_key_policy = layer is Layer.KEY_POLICY
    outside = placed.key is not None and _foreign_alone(statement, placed.key) and _works_outside(statement)
    for name in statement.actions or ():
        if not name.lower().startswith("kms:"):
            if in_key_policy and not match_pattern(name):
                found.append((name, "is not a KMS action", ""))
            continue
        mask = match_pattern(name)
        if not mask:
            meant = _meant(name)
            found.append((name, "is no KMS action" + (f"; meant was probably {meant}" if meant else ""), meant))
        elif in_key_policy and not mask & ~ACCOUNT_LEVEL and "*" not in name:
            found.append((name, "has no key to act on; only identity policies can allow it", ""))
        elif not in_key_policy and not mask & ~ACCOUNT_LEVEL and "*" not in name and _of_keys_alone(statement):
            found.append((name, "has no key to act on; its Resource must be “*”", ""))
        elif mask == RETIRE_GRANT and layer in (Layer.KEY_POLICY, Layer.RCP):
            found.append((name, f"has no effect in {'a key policy' if in_key_policy else 'an RCP'}", ""))
        elif outside and not mask & CROSS_ACCOUNT_EFFECTIVE and "*" not in name:
            found.append((name, "does not work across accounts", ""))
    return found


def _of_keys_alone(statement: Statement) -> bool:
    """Whether every Resource is a key or an alias, which actions without a key never fit."""
    arns = [parse_arn(resource) for resource in statement.resources or ()]
    return bool(arns) and all(
        arn is not None and arn.service == "kms" and arn.resource.startswith(("key/", "alias/")) for arn in arns
    )


def _meant(name: str) -> str:
    if name.lower() == "kms:reencrypt":
        return "kms:ReEncrypt*"
    hint = NONEXISTENT.get(name) or NONEXISTENT.get(name[4:]) or ""
    for word in hint.replace(",", " ").split():
        action = find_action(word.strip("()*.;"))
        if action is not None:
            return action.name + ("*" if word.rstrip(".,;)").endswith("*") else "")
    return ""


def _dead_resources(statement: Statement, placed: Placed) -> list[tuple[str, str]]:
    found = []
    for resource in statement.resources or ():
        arn = parse_arn(resource)
        if placed.key is not None:
            if resource not in ("*", placed.key.arn) and not matches(resource, placed.key.arn):
                found.append((resource, "is not this key; in a key policy write “*”"))
        elif arn is not None and arn.service == "kms" and arn.resource.startswith("alias/"):
            mask = action_mask(statement)
            if any(action.on_key and not action.on_alias for action in actions_in(mask)):
                found.append((resource, "is an alias; key operations are authorized against the key ARN"))
        elif arn is None and not set(resource) & set("*?$") and action_mask(statement):
            found.append((resource, "is no ARN"))
    return found


def _dead_principals(statement: Statement, placed: Placed) -> list[tuple[str, str]]:
    found = []
    for entry in statement.principals or ():
        if placed.key is None:
            break
        if has_wildcard(entry.value) and entry != EVERYBODY:
            found.append(
                (entry.value, f"is a pattern, which never matches {PATTERNS.get(entry.kind, 'as a principal')}")
            )
        elif entry.kind in ("Federated", "CanonicalUser"):
            found.append((entry.value, f"is a {entry.kind} principal, which never matches in a key policy"))
        elif ":group/" in entry.value:
            found.append((entry.value, "is an IAM group, which cannot be a principal"))
        elif entry.kind == "AWS" and not _may_call(entry.value):
            found.append((entry.value, "names no user, role or session"))
    return found


def _may_call(value: str) -> bool:
    """Whether the ARN of a principal is of a sort that signs requests; what is no ARN is another question."""
    arn = parse_arn(value)
    if arn is None:
        return True
    sort, _, name = arn.resource.partition("/")
    if sort == "assumed-role":
        return arn.service == "sts" and "/" in name
    return sort in ("root", "user", "role", "federated-user")


def _foreign_alone(statement: Statement, key: Key) -> bool:
    """Whether the statement allows something to principals of other accounts and to nobody else."""
    accounts = [account_of(entry.value) if entry.kind == "AWS" else None for entry in statement.principals or ()]
    return bool(accounts) and all(account is not None and account != key.account for account in accounts)


def _works_outside(statement: Statement) -> bool:
    return bool(action_mask(statement) & CROSS_ACCOUNT_EFFECTIVE)


def _outside_only(statement: Statement, key: Key) -> bool:
    """Whether every principal is of another account and no action works across accounts."""
    return _foreign_alone(statement, key) and not _works_outside(statement)


def inert_statement(view: View) -> Iterator[Hit]:
    """A statement, or a part of it, has no effect on the key.

    Examples: ``kms:DeleteKey`` or ``kms:ReEncrypt`` (no such actions), ``kms:ListKeys`` in a key policy (no key to act
    on), an alias ARN as Resource of a key operation, a group or a federated provider as principal, ``kms:PutKeyPolicy``
    for another account, ``kms:Sign`` on a symmetric key. A Deny that does nothing is the worst of them.

    Fix: delete the part, or write what was meant; the finding shows the corrected statement.
    """
    for placed in placed_statements(view):
        statement = placed.located.statement
        if statement.effect is None or missing_elements(statement, placed.located.ref.layer):
            continue
        hit = _inert_hit(view, placed, statement)
        if hit is not None:
            yield hit


def _inert_hit(view: View, placed: Placed, statement: Statement) -> Hit | None:
    actions = _dead_actions(statement, placed)
    resources = _dead_resources(statement, placed)
    principals = _dead_principals(statement, placed)
    reasons = [f"{name} {why}" for name, why, *_ in (*actions, *resources, *principals)]
    mask = action_mask(statement)
    if placed.key is not None:
        usable = view.reach.usable[view.reach.key_at[placed.key.arn]]
        listed = {match_pattern(name) for name in statement.actions or () if "*" not in name}
        unusable = [one for one in listed if one & CRYPTO and not one & usable]
        names = [action.name for one in unusable for action in actions_in(one)]
        reasons += [f"{name} does not apply to a key of spec {placed.key.spec}" for name in sorted(names)]
        if _outside_only(statement, placed.key):
            reasons.append("principals of another account cannot use these actions on the key")
        effective = mask & KEY_POLICY_EFFECTIVE & usable
    else:
        dead = [match_pattern(name) for name, *_ in actions]
        effective = mask & ~reduce(or_, dead, 0)
    if not reasons or (placed.key is None and not mask and not actions):
        return None
    works = (
        bool(effective)
        and len(resources) < len(statement.resources or ("*",))
        and (not principals or len(principals) < len(statement.principals or ()))
    )
    works = works and not (placed.key is not None and _outside_only(statement, placed.key))
    return placed.hit(
        f"{titled(statement)} of {placed.name}: {reasons[0]}.",
        more=tuple(Evidence("no effect", reason) for reason in reasons),
        raised=given(
            (statement.effect == "Deny" and not works, "the inert statement is a Deny"),
            (not works and _sole_administrator(view, placed, statement), "only statement meant to give"),
        ),
        lowered=given((works, "also grants something effective")),
        identity=(meaning(statement),),
        remedy=_repaired(placed, actions, resources, principals),
        advice="Delete it, or write what was meant: key ARN for alias ARN, role for group, IAM policy for key policy.",
        bare=True,
    )


def _sole_administrator(view: View, placed: Placed, statement: Statement) -> bool:
    if placed.key is None or statement.effect != "Allow" or not action_mask(statement) & ADMINISTERS:
        return False
    return not any(
        other.statement.effect == "Allow"
        and other.statement.index != statement.index
        and action_mask(other.statement) & ADMINISTERS
        and any(not is_unique_id(entry.value) for entry in other.statement.principals or ())
        for other in view.statements(placed.key)
    )


def _repaired(
    placed: Placed,
    actions: list[tuple[str, str, str]],
    resources: list[tuple[str, str]],
    principals: list[tuple[str, str]],
) -> str:
    """The statement without its dead parts, or with what was probably meant; empty when nothing is left to say."""
    written = as_written(placed.policy, placed.located.statement.index)
    dead = {name: replacement for name, _, replacement in actions}
    names = placed.located.statement.actions or ()
    if dead:
        kept = [dead.get(name, name) for name in names if dead.get(name, name)]
        if not kept:
            return ""
        written["Action"] = kept[0] if len(kept) == 1 else list(dict.fromkeys(kept))
    if resources:
        written |= placed.resource_repair([name for name, _ in resources])
    return "" if principals else render(written)
