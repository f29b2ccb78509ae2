"""Condition keys by name: whether requests carry one, and what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches

from auditor.evaluator import vocabulary


def nearest_context_keys(name: str) -> tuple[str, ...]:
    """Empty for a condition key that requests may carry, else the nearest ones that they do."""
    if vocabulary.exists(name):
        return ()
    known = {key.lower(): key for key in vocabulary.names()}
    lowered = name.lower()
    short = {key.partition(":")[2]: key for key in known}
    near = get_close_matches(lowered, known, n=3) or [short[one] for one in get_close_matches(lowered, short, n=3)]
    return tuple(known[one] for one in near) or ("kms:ViaService", "aws:SourceIp")


def single_valued(name: str) -> bool:
    """Whether a request can carry no more than one value of a condition key; False for one that nobody knows."""
    return vocabulary.exists(name) and not vocabulary.multi_valued(name)
