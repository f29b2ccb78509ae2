"""What a change does to access and findings: decided and judged where the change can touch them, else everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from auditor.audit.comparing import Compared, as_they_were, compare_findings
from auditor.audit.sight import Judged
from auditor.audit.touched import touched_parts
from auditor.evaluator import Evaluation
from auditor.evaluator.matrix import TableBuilder
from auditor.heap import collector_at_rest
from auditor.model.settings import RuleSettings
from auditor.questions.affected import World
from auditor.questions.carrying_over import evaluate_both
from auditor.questions.differences import differences
from auditor.rules import judge
from auditor.rules.judge import Judgement
from auditor.rules.parts import Pair, Parts, judge_parts


def judged_change(old: World, new: World, settings: RuleSettings) -> Compared:
    """Access, facts and findings from ``old`` to ``new``, as comparing two whole evaluations and judgements gives."""
    with collector_at_rest():
        return _judged_change(old, new, settings)


def _judged_change(old: World, new: World, settings: RuleSettings) -> Compared:
    whole = Whole(old, new, settings)
    before: Judged
    after: Judged
    parts = touched_parts(old, new, settings)
    if parts is None:
        found = differences(*whole.evaluations)
        before, after = whole.judgements()
    else:
        found = differences(_with_tables(old, parts[0]), _with_tables(new, parts[1]))
        before, after = judge_parts(*parts, whole.findings)
    headed = compare_findings(before, after, old.snapshot, new.snapshot)
    return Compared(found, headed, as_they_were(before, headed))


def _with_tables(side: World, parts: Parts) -> World:
    return replace(side, tables=(parts.keys.evaluation.table, parts.callers.evaluation.table))


class Whole:
    """Both sides evaluated and judged as a whole, when somebody asks for it."""

    def __init__(self, old: World, new: World, settings: RuleSettings) -> None:
        self._sides = (old, new)
        self._settings = settings

    @cached_property
    def evaluations(self) -> tuple[Evaluation, Evaluation]:
        """The whole matrices."""
        return evaluate_both(*self._sides, TableBuilder())

    def judgements(self, rules: Iterable[str] | None = None) -> tuple[Judgement, Judgement]:
        """The judgements of both sides, of all rules or of the listed ones."""
        before, after = (
            judge(side, self._settings, as_of=side.surroundings.as_of, only=rules) for side in self.evaluations
        )
        return before, after

    def findings(self, rules: tuple[str, ...]) -> Pair:
        """The findings of some rules on both sides."""
        before, after = self.judgements(rules)
        return before.findings, after.findings
