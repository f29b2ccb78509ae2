"""Remediation with real names: fills the placeholders of a catalogue example with what the finding is about.

Works on text only and in one pass, so that a name which looks like a placeholder is never replaced twice. Values are
hostile input: inside a policy they are escaped for JSON, inside a command they are quoted for a POSIX shell.
"""

from __future__ import annotations

import json
import re
import shlex
from functools import lru_cache

from auditor.model.arn import parse_arn
from auditor.model.finding import Remediation
from auditor.rules.catalogue import Example
from auditor.rules.hit import Hit

OWN_ACCOUNT = "111111111111"
EXAMPLE_REGION = "eu-west-1"
EXAMPLE_ORGANIZATION = "o-exampleorg"
PLAIN = re.compile(r"^[A-Za-z0-9_.:/@+=,-]+$")


def substitutions(hit: Hit, organization: str | None) -> dict[str, str]:
    """Placeholder → value for a hit; what the hit itself gives in ``fix`` comes first."""
    found: dict[str, str] = {}
    if hit.account:
        found[OWN_ACCOUNT] = hit.account
    if hit.region:
        found[EXAMPLE_REGION] = hit.region
        found["REGION"] = hit.region
    if organization:
        found[EXAMPLE_ORGANIZATION] = organization
    if hit.keys:
        found["KEY_ARN"] = hit.keys[0]
        found["KEY_ID"] = hit.keys[0].rsplit("/", 1)[-1]
        found["SNAPSHOT"] = "SNAPSHOT"
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


def remediation(example: Example, hit: Hit, organization: str | None) -> Remediation:
    """The remedy of a finding: the hit's own correction if it has one, else the example with real names."""
    summary = hit.advice or example.summary
    if hit.remedy:
        return Remediation(summary, hit.remedy_kind, hit.remedy)
    as_json = example.body.startswith("{")
    return Remediation(summary, example.kind, fill(example.body, substitutions(hit, organization), as_json))
