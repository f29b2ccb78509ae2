"""Judgement: an evaluation → findings. One small file per rule or close family, listed in ``registry.py``.

Rules read; they never call AWS, never print, and never decide access themselves: that is the evaluator's word.
"""

from auditor.rules.judge import Judgement, judge

__all__ = ["Judgement", "judge"]
