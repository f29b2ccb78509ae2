"""Remediation with real names: fills the placeholders of a catalogue example with what the finding is about.

Works on text only and in one pass, so that a name which looks like a placeholder is never replaced twice. Values are
hostile input: inside a policy they are escaped for JSON, inside a command they are quoted for a POSIX shell.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.model.arn import parse_arn
from auditor.model.finding import Remediation
from auditor.model.policy import Layer
from auditor.model.settings import RuleSettings
from auditor.rules.catalogue import Example
from auditor.rules.hit import Hit

OWN_ACCOUNT = "111111111111"
EXAMPLE_REGION = "eu-west-1"
EXAMPLE_ORGANIZATION = "o-exampleorg"
WITH_PRINCIPAL = {"key-policy": Layer.KEY_POLICY, "resource-control-policy": Layer.RCP, "role-trust-policy": None}
WITHOUT_PRINCIPAL = {
    "identity-policy": Layer.IDENTITY,
    "permissions-boundary": Layer.BOUNDARY,
    "service-control-policy": Layer.SCP,
}
"""Sorts of policies, whose statements have a Principal or not, and the layer that each is on."""
PLAIN = re.compile(r"^[A-Za-z0-9_.:/@+=,-]+$")


def substitutions(hit: Hit, organization: str | None, place: tuple[str, str] = ("", "")) -> dict[str, str]:
    """Placeholder → value for a hit in an account and Region; what the hit itself gives in ``fix`` comes first."""
    found = {"SNAPSHOT": "snapshot", "NEW_RESULT": "result.json", "RESULT": "result.json"}
    found["OLD_RESULT"] = "baseline.json"
    account, region = place
    if account:
        found[OWN_ACCOUNT] = account
    if region:
        found[EXAMPLE_REGION] = region
        found["REGION"] = region
    if organization:
        found[EXAMPLE_ORGANIZATION] = organization
    if hit.keys:
        found["KEY_ARN"] = hit.keys[0]
        found["KEY_ID"] = hit.keys[0].rsplit("/", 1)[-1]
        found["mrk-ID"] = found["KEY_ID"]
    if hit.principals:
        found |= _principal(hit.principals[0])
    arn = parse_arn(hit.subject) or (parse_arn(hit.keys[0]) if hit.keys else None)
    if arn and arn.partition != "aws":
        found["arn:aws:"] = f"arn:{arn.partition}:"
    return found | dict(hit.fix)


def _principal(arn: str) -> dict[str, str]:
    found = {"PRINCIPAL_ARN": arn, "ROLE_ARN": arn, f"arn:aws:iam::{OWN_ACCOUNT}:role/orders-api": arn}
    name = arn.rsplit("/", 1)[-1]
    if ":user/" in arn:
        found["USER"] = name
        found["user-name USER"] = f"user-name {name}"
    if ":role/" in arn:
        found["role-name ROLE"] = f"role-name {shlex.quote(name)}"
    return found


def fill(text: str, values: dict[str, str], as_json: bool) -> str:
    """``text`` with every placeholder replaced, longest names first, in a single pass."""
    present = tuple(sorted((name for name in values if name in text), key=lambda name: (-len(name), name)))
    if not present:
        return text

    def value(match: re.Match[str]) -> str:
        raw = values[match.group(0)]
        if as_json:
            return json.dumps(raw, ensure_ascii=False)[1:-1]
        return raw if PLAIN.match(raw) or raw.startswith(("user-name ", "role-name ")) else shlex.quote(raw)

    return _any_of(present).sub(value, text)


@lru_cache(maxsize=512)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name) for name in names))


def named_roles(settings: RuleSettings) -> dict[str, tuple[str, ...]]:
    """The roles of the catalogue's examples → those that the settings name for the same duty, where they name any."""
    keys, destroyers = settings.key_admins, settings.key_destroyers or settings.key_admins
    duties = {"key-admin": keys, "key-admin*": keys, "key-pipeline": keys, "tag-pipeline": keys}
    duties |= {"key-decommission": destroyers, "protected/key-decommission": destroyers}
    duties |= {"identity-pipeline": settings.account_admins, "protected/identity-pipeline": settings.account_admins}
    own = {f"arn:aws:iam::{OWN_ACCOUNT}:role/{name}": found for name, found in duties.items() if found}
    return own | {f"arn:aws:iam::*:role/{name}": found for name, found in duties.items() if found}


def _with_roles(value: Any, roles: dict[str, tuple[str, ...]]) -> Any:
    """A policy with the roles of its examples replaced, one by as many as there are."""
    if isinstance(value, dict):
        return {name: _with_roles(item, roles) for name, item in value.items()}
    if isinstance(value, list):
        named = [roles.get(item, (item,)) if isinstance(item, str) else (_with_roles(item, roles),) for item in value]
        return [one for group in named for one in group]
    if isinstance(value, str) and value in roles:
        return roles[value][0] if len(roles[value]) == 1 else list(roles[value])
    return value


@lru_cache(maxsize=512)
def with_named_roles(example: Example, settings: RuleSettings) -> Example:
    """An example whose policy has the roles that the settings name; commands stay as they are."""
    if not example.body.startswith("{"):
        return example
    policy = _with_roles(json.loads(example.body), named_roles(settings))
    return replace(example, body=json.dumps(policy, indent=2, ensure_ascii=False))


def kind_of(hit: Hit, example: Example) -> str:
    """What sort of policy the statements of a hit's own correction belong into."""
    loaded = json.loads(hit.remedy)
    listed = loaded.get("Statement", loaded) if isinstance(loaded, dict) else loaded
    statements = listed if isinstance(listed, list) else [listed]
    named = any(name in one for one in statements if isinstance(one, dict) for name in ("Principal", "NotPrincipal"))
    kinds = WITH_PRINCIPAL if named else WITHOUT_PRINCIPAL
    if example.kind in kinds:
        return example.kind
    cited = {item.statement.layer for item in hit.evidence if item.statement is not None}
    return next((kind for kind, layer in kinds.items() if layer in cited), next(iter(kinds)))


def remediation(
    example: Example,
    hit: Hit,
    organization: str | None,
    place: tuple[str, str] = ("", ""),
) -> Remediation:
    """The remedy of a finding: the hit's own correction if it has one, else the example with real names.

    The roles of the example are those of ``with_named_roles``.
    """
    summary = hit.advice or example.summary
    if hit.remedy:
        return Remediation(summary, hit.remedy_kind or kind_of(hit, example), hit.remedy)
    if hit.bare:
        return Remediation(summary)
    values = substitutions(hit, organization, place)
    return Remediation(summary, example.kind, fill(example.body, values, example.body.startswith("{")))
