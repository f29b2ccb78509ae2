"""The law of faults: what could not be read makes verdicts unknown and findings unverified, and nothing else.

Both sides look at the same estate, so whatever differs in another way is a lie about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from auditor.audit import Auditor
from auditor.audit.comparing import compare_findings
from auditor.audit.judged import judged_change
from auditor.config import Config
from auditor.evaluator import Evaluation
from auditor.model.access import Decision, Outcome
from auditor.model.actions import ACTIONS
from auditor.model.finding import Confidence, Finding
from auditor.model.report import Report
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.questions.affected import world_of
from tests.aws.collecting import AS_OF

ABOUT_READING = frozenset({"scope-not-collected", "evaluation-inconclusive", "key-policy-unreadable"})
"""Rules that say what could not be read."""


@dataclass
class Seen:
    """What was seen of an estate, evaluated and judged."""

    snapshot: Snapshot
    settings: RuleSettings
    as_of: str = AS_OF

    @cached_property
    def evaluation(self) -> Evaluation:
        return Auditor().evaluate(self.snapshot, self.as_of)

    @cached_property
    def report(self) -> Report:
        return Auditor(Config(rules=self.settings)).judge(Auditor().evaluate(self.snapshot, self.as_of))

    def subjects(self) -> set[tuple[str, str]]:
        return {(one.rule, one.subject) for one in self.report.findings}


def breaches(clean: Seen, faulted: Seen) -> list[str]:
    """Everything that the faulted side says, or is silent about, against the law."""
    return [*_cells(clean, faulted), *_findings(clean, faulted)]


def _cells(clean: Seen, faulted: Seen) -> Iterator[str]:
    here, there = clean.evaluation, faulted.evaluation
    rows = {who.arn: row for row, who in enumerate(there.principals)}
    columns = {key.arn: column for column, key in enumerate(there.snapshot.keys)}
    for row, who in enumerate(here.principals):
        for column, key in enumerate(here.snapshot.keys):
            if who.arn not in rows or key.arn not in columns:
                if not there.snapshot.gaps:
                    yield f"gone without a gap: {who.arn} {key.arn}"
                continue
            for action in ACTIONS:
                before = here.table.decision(row, column, action)
                after = there.table.decision(rows[who.arn], columns[key.arn], action)
                if not _lawful(before, after):
                    yield f"{before.outcome} → {after.outcome}: {who.arn} {action.name} {key.arn}"


def _lawful(before: Decision, after: Decision) -> bool:
    if after.outcome is Outcome.UNKNOWN or (before.outcome.denied and after.outcome.denied):
        return True
    return (before.outcome, before.residual) == (after.outcome, after.residual)


def _findings(clean: Seen, faulted: Seen) -> Iterator[str]:
    judged = compare_findings(clean.report, faulted.report, clean.snapshot, faulted.snapshot)
    worlds = (world_of(side.snapshot, as_of=side.as_of) for side in (clean, faulted))
    for headed in (judged, judged_change(*worlds, clean.settings).findings or ()):
        found = dict(headed)
        yield from (_told("told as resolved", one) for one in found["resolved"] if one.rule not in ABOUT_READING)
        yield from (_told("new", one) for one in found["new"] if not _allowed(one, clean))
    back = dict(compare_findings(faulted.report, clean.report, faulted.snapshot, clean.snapshot))
    yield from (_told("told as new afterwards", one) for one in back["new"] if one.rule not in ABOUT_READING)


def _allowed(finding: Finding, clean: Seen) -> bool:
    """Whether a finding of the faulted side alone is none of a certain fact, or one of the clean side's in other words:
    of fewer keys or callers."""
    if finding.rule in ABOUT_READING or finding.confidence is Confidence.POTENTIAL:
        return True
    return (finding.rule, finding.subject) in clean.subjects()


def _told(how: str, finding: Finding) -> str:
    return f"{how}: {finding.rule} {finding.severity} {finding.subject}: {finding.summary[:160]}"
