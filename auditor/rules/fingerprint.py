"""Fingerprints: the same finding keeps its number when a policy is reformatted, reordered or its Sids change.

SHA-256 over the canonical JSON list of rule, subject, canonical principal, statement meanings and grant id; severity,
title, Sid, position and time stay out.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from auditor.evaluator.naming import is_account_principal
from auditor.model.arn import account_of
from auditor.model.policy import PrincipalValue, Statement

LENGTH = 20
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_quoted = lru_cache(maxsize=65536)(_canonical)
"""The JSON of a text; principals, keys and meanings come again and again."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def fingerprint(rule: str, subject: str, identity: tuple[str, ...]) -> str:
    """20 hex digits for a rule's finding about ``subject``; the order of ``identity`` does not matter."""
    parts = ",".join([_quoted(part) for part in sorted(set(identity))])
    return _digest(f"[{_quoted(rule)},{_quoted(subject)},[{parts}]]")


def _principals(values: tuple[PrincipalValue, ...] | None) -> list[str] | None:
    return None if values is None else sorted({f"{value.kind}:{_account_or(value.value)}" for value in values})


def _account_or(value: str) -> str:
    """An account principal by its id, however it is written; any other principal as it stands."""
    return account_of(value) or value if is_account_principal(value) else value


def _sorted(values: tuple[str, ...] | None, lower: bool = False) -> list[str] | None:
    if values is None:
        return None
    return sorted({value.lower() if lower else value for value in values})


def meaning(statement: Statement) -> str:
    """A hash of what a statement says, without Sid and position. Action names and condition keys ignore case."""
    conditions = sorted(
        [test.operator.lower(), test.key.lower(), sorted(set(test.values))] for test in statement.conditions
    )
    parts = [
        statement.effect,
        _principals(statement.principals),
        _principals(statement.not_principals),
        _sorted(statement.actions, lower=True),
        _sorted(statement.not_actions, lower=True),
        _sorted(statement.resources),
        _sorted(statement.not_resources),
        conditions,
    ]
    return _digest(_canonical(parts))
