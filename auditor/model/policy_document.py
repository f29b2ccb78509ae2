"""A policy document as written → Policy: a lenient reader that keeps the text verbatim and records every mistake.

An element that is missing, misspelt or of the wrong type counts as absent (IAM reference, JSON policy
elements); the intent is never guessed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from auditor.errors import reading_trouble
from auditor.model.arn import is_account_id
from auditor.model.policy import (
    DEFAULT_VERSION,
    VARIABLES_VERSION,
    ConditionTest,
    Policy,
    PolicyProblem,
    PrincipalValue,
    Statement,
)

VERSIONS = (DEFAULT_VERSION, VARIABLES_VERSION)
LONGEST_TEXT = 256 * 1024
"""Characters; AWS takes key policies of at most 32 KB, and no policy of another kind is longer."""
DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


def parse_policy(document: str | Mapping[str, Any]) -> Policy:
    """The document as a Policy; never raises. A mapping is rendered to JSON first."""
    if isinstance(document, str):
        return _parse_text(document)
    return _parse_text(json.dumps(document, ensure_ascii=False))


class _DuplicateKeys:
    """Collects JSON object keys that occur twice: the last one wins, silently, unless somebody says so."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            times = Counter(name for name, _ in pairs)
            self.found.extend(sorted(name for name, number in times.items() if number > 1))
        return result


@lru_cache(maxsize=32768)
def _parse_text(text: str) -> Policy:
    if len(text) > LONGEST_TEXT:
        return _unreadable(text, "", f"The document is longer than {LONGEST_TEXT:,} characters; no AWS policy is.")
    duplicates = _DuplicateKeys()
    try:
        loaded = json.loads(text, object_pairs_hook=duplicates)
    except (ValueError, RecursionError) as error:
        return _unreadable(text, "", f"The document is not JSON: {reading_trouble(error)}.")
    if not isinstance(loaded, dict):
        return _unreadable(text, "", "The document is not a JSON object.")
    statements = loaded.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(entry, dict) for entry in statements):
        return _unreadable(text, "Statement", "The document has no Statement list.")
    problems = [_duplicate(name) for name in duplicates.found]
    problems += _unknown_elements(loaded, DOCUMENT_ELEMENTS, None, None)
    version = loaded.get("Version", DEFAULT_VERSION)
    if version not in VERSIONS:
        problems.append(_unknown_version(version))
    parsed = tuple(_statement(index, entry, problems) for index, entry in enumerate(statements))
    return Policy(
        text=text,
        version=version if isinstance(version, str) else DEFAULT_VERSION,
        id=loaded["Id"] if isinstance(loaded.get("Id"), str) else None,
        statements=_cited_apart(parsed),
        problems=tuple(problems),
    )


def _cited_apart(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements, without the Sids that several of them have: those are cited by their numbers."""
    sids = Counter(statement.sid for statement in statements)
    return tuple(replace(one, sid=None) if one.sid and sids[one.sid] > 1 else one for one in statements)


def _unknown_version(version: object) -> PolicyProblem:
    message = f"There is no Version {version!r}; without Version {VARIABLES_VERSION} variables are literal text."
    return PolicyProblem(None, None, "Version", "unknown-version", message)


def _unreadable(text: str, element: str, message: str) -> Policy:
    problem = PolicyProblem(None, None, element, "unreadable-document", message)
    return Policy(text, DEFAULT_VERSION, None, (), (problem,), readable=False)


def _duplicate(name: str) -> PolicyProblem:
    message = f"The name “{name}” occurs twice in one JSON object; only the last one counts."
    return PolicyProblem(None, None, name, "duplicate-element", message)


def _unknown_elements(
    entry: Mapping[str, Any], known: tuple[str, ...], index: int | None, sid: str | None
) -> list[PolicyProblem]:
    found = []
    for name in entry:
        if name in known:
            continue
        close = get_close_matches(name.lower(), [k.lower() for k in known], 1, 0.75)
        meant = next((k for k in known if close and k.lower() == close[0]), "")
        hint = f" It was probably meant to be “{meant}”." if meant else ""
        message = f"There is no element “{name}”; it is ignored.{hint}"
        found.append(PolicyProblem(index, sid, name, "unknown-element", message, meant))
    return found


def _statement(index: int, entry: dict[str, Any], problems: list[PolicyProblem]) -> Statement:
    sid = entry["Sid"] if isinstance(entry.get("Sid"), str) and entry["Sid"] else None
    problems.extend(_unknown_elements(entry, STATEMENT_ELEMENTS, index, sid))

    def note(element: str, code: str, message: str) -> None:
        problems.append(PolicyProblem(index, sid, element, code, message))

    def strings(element: str) -> tuple[str, ...] | None:
        if element not in entry:
            return None
        value = entry[element]
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in listed):
            note(element, "wrong-type", f"{element} must be a string or a list of strings; it is ignored.")
            return None
        if not listed:
            note(element, "empty-element", f"{element} is an empty list and matches nothing.")
        return tuple(listed)

    if not isinstance(entry.get("Sid", ""), str):
        note("Sid", "wrong-type", "Sid must be a string; it is ignored.")
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        note("Effect", "missing-effect", "Effect must be exactly Allow or Deny; the statement does nothing.")
        effect = None
    conditions, readable = _conditions(entry["Condition"], note) if "Condition" in entry else ((), True)
    for pair in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if pair[0] in entry and pair[1] in entry:
            note(pair[1], "both-elements", f"{pair[0]} and {pair[1]} exclude each other.")
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        principals=_principals(entry.get("Principal"), "Principal", note),
        not_principals=_principals(entry.get("NotPrincipal"), "NotPrincipal", note),
        actions=strings("Action"),
        not_actions=strings("NotAction"),
        resources=strings("Resource"),
        not_resources=strings("NotResource"),
        conditions=conditions,
        condition_readable=readable,
    )


def _principals(value: object, element: str, note: Any) -> tuple[PrincipalValue, ...] | None:
    if value is None:
        return None
    if value == "*":
        return (PrincipalValue("AWS", "*"),)
    if not isinstance(value, dict):
        note(element, "wrong-type", f"{element} must be “*” or an object; it is ignored.")
        return None
    found: list[PrincipalValue] = []
    for kind, listed in value.items():
        if kind not in PRINCIPAL_TYPES:
            meant = next((f"; meant was “{known}”" for known in PRINCIPAL_TYPES if known.lower() == kind.lower()), "")
            note(element, "unknown-principal-type", f"{element} has no type “{kind}”{meant}; it is ignored.")
            continue
        for item in listed if isinstance(listed, list) else [listed]:
            if isinstance(item, str):
                found.append(PrincipalValue(kind, item))
            elif _is_account_number(item):
                found.append(PrincipalValue(kind, str(item)))
                note(element, "wrong-type", f"{element} values must be strings; the number {item} is read as one.")
            else:
                note(element, "wrong-type", f"{element} values must be strings; {item!r} is ignored.")
    if not any(value.values()):
        note(element, "empty-element", f"{element} is empty and names nobody.")
    return tuple(found)


def _is_account_number(value: object) -> bool:
    """Whether it is an account id without quotes, which a policy may leave out around numbers (IAM user guide, grammar
    of the JSON policy language)."""
    return isinstance(value, int) and not isinstance(value, bool) and is_account_id(str(value))


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


def _conditions(value: object, note: Any) -> tuple[tuple[ConditionTest, ...], bool]:
    """The tests of a Condition block and whether all of it could be read."""
    if not isinstance(value, dict):
        note("Condition", "wrong-type", "Condition must be an object; its effect cannot be decided.")
        return (), False
    tests: list[ConditionTest] = []
    readable = True
    for operator, block in value.items():
        if not isinstance(block, dict):
            note("Condition", "wrong-type", f"Condition operator {operator} must hold an object of keys.")
            readable = False
            continue
        for key, listed in block.items():
            items = [_scalar(item) for item in (listed if isinstance(listed, list) else [listed])]
            if any(item is None for item in items):
                note("Condition", "wrong-type", f"Condition {operator} {key} has a value that is not a scalar.")
                readable = False
                continue
            tests.append(ConditionTest(operator, key, tuple(item for item in items if item is not None)))
    return tuple(tests), readable
