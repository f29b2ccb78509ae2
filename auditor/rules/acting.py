"""Which actions a statement speaks of, whatever service they belong to; the evaluator knows those of KMS alone."""

from __future__ import annotations

import re

from auditor.evaluator.glob import matches
from auditor.model.policy import Statement

STEM = re.compile(r"[^*?]*")


def acts(statement: Statement, action: str) -> bool:
    """Whether the Action or NotAction element covers an action of any service."""
    lowered = action.lower()
    if statement.actions is not None:
        return any(_names(pattern, lowered) for pattern in statement.actions)
    if statement.not_actions is not None:
        return not any(_names(pattern, lowered) for pattern in statement.not_actions)
    return False


def _names(pattern: str, action: str) -> bool:
    """Whether an action pattern matches a lower-case action; most are ruled out by their first letters."""
    lowered = pattern.lower()
    start = STEM.match(lowered)
    stem = start.group(0) if start else ""
    return action.startswith(stem) and (stem == action or matches(lowered, action))
