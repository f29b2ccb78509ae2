"""How many examples the laws are tried on: ``KMS_AUDIT_LAWS=10 pytest tests/evaluator`` tries ten times as many."""

from __future__ import annotations

import os

TIMES = float(os.environ.get("KMS_AUDIT_LAWS", "1"))


def examples(number: int) -> int:
    """``number``, times what the environment asks for."""
    return max(1, round(number * TIMES))
