"""The numbers that every format shows, counted once so that they agree. Counts facts; judges nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from auditor.model.access import Outcome
from auditor.model.actions import Capability
from auditor.model.finding import FindingState, Severity
from auditor.model.principal import PrincipalKind
from auditor.model.report import Report
from auditor.model.score import coverage_grade
from auditor.report.grid import CAPABILITIES, Grid, grid_of

LISTED_STATES = (FindingState.OPEN, FindingState.UNVERIFIED)
PUBLIC_RULE = "public-key-policy"
OUTSIDERS = (PrincipalKind.EXTERNAL_ACCOUNT, PrincipalKind.EXTERNAL_PRINCIPAL, PrincipalKind.EVERYONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """``open_findings`` are those open or unverified; ``readers`` principals that may decrypt at least one customer
    managed key, under a condition or not; ``unknown_cells`` principal, key and capability with an unknown outcome;
    ``public_keys`` those that everyone in AWS may use without a condition, or that an open finding calls public."""

    customer_keys: int
    aws_keys: int
    accounts: int
    regions: int
    principals: int
    readers: int
    outsiders: int
    public_keys: int
    unadministered_keys: int
    grants: int
    gaps: int
    essential_gaps: int
    unknown_cells: int
    access_rows: int
    findings: int
    open_findings: int
    critical: int
    high: int
    medium: int
    low: int
    info: int
    rules_evaluated: int
    rules_not_evaluated: int
    grade: str

    def as_dict(self) -> dict[str, int | str]:
        """Name → number, in the order of the fields."""
        return asdict(self)

    def severity(self, severity: Severity) -> int:
        """Open findings of one severity."""
        number: int = getattr(self, severity.value)
        return number


def counts_of(report: Report, grid: Grid | None = None) -> Counts:
    """The counts of a report; ``grid`` may be passed when it is there already."""
    grid = grid_of(report) if grid is None else grid
    snapshot = report.snapshot
    listed = [item for item in report.findings if item.state in LISTED_STATES]
    severities = Counter(item.severity for item in listed)
    access = _access_counts(report, grid)
    return Counts(
        customer_keys=sum(1 for key in snapshot.keys if key.customer_managed),
        aws_keys=sum(1 for key in snapshot.keys if not key.customer_managed),
        accounts=sum(account.entered for account in snapshot.accounts),
        regions=len(snapshot.regions),
        principals=len(report.principals),
        grants=sum(len(key.grants) for key in snapshot.keys),
        gaps=len(snapshot.gaps),
        essential_gaps=sum(1 for gap in snapshot.gaps if gap.essential),
        access_rows=len(grid),
        findings=len(report.findings),
        open_findings=len(listed),
        critical=severities[Severity.CRITICAL],
        high=severities[Severity.HIGH],
        medium=severities[Severity.MEDIUM],
        low=severities[Severity.LOW],
        info=severities[Severity.INFO],
        rules_evaluated=sum(1 for rule in report.rules if rule.evaluated),
        rules_not_evaluated=sum(1 for rule in report.rules if not rule.evaluated),
        grade=grade_of(report, access["unknown_cells"]),
        **access,
    )


def _access_counts(report: Report, grid: Grid) -> dict[str, int]:
    import numpy as np

    outcomes = np.array([list(Outcome).index(decision.outcome) for decision in report.access.decisions])
    outcome = outcomes[grid.decision] if len(grid) else np.zeros(0, dtype=np.int64)
    held = outcome <= list(Outcome).index(Outcome.CONDITIONAL)
    ours = np.array([key.customer_managed for key in report.snapshot.keys], dtype=bool)
    mine = ours[grid.key] if len(grid) else np.zeros(0, dtype=bool)
    decrypts = held & mine & (grid.capability == CAPABILITIES.index(Capability.DECRYPT))
    outside = np.array([one.kind in OUTSIDERS for one in report.principals], dtype=bool)
    everyone = np.array([one.kind is PrincipalKind.EVERYONE for one in report.principals], dtype=bool)
    rows = held & mine
    far = outside[grid.principal] if len(grid) else rows
    public = everyone[grid.principal] if len(grid) else rows
    unconditional = outcome == list(Outcome).index(Outcome.ALLOWED)
    open_to_all = set(grid.key[rows & public & unconditional].tolist())
    may_administer = (outcome <= list(Outcome).index(Outcome.UNKNOWN)) & (
        grid.capability == CAPABILITIES.index(Capability.ADMINISTER)
    )
    administered = set(grid.key[may_administer].tolist())
    return {
        "readers": len(set(grid.principal[decrypts].tolist())),
        "outsiders": len(set(grid.principal[rows & far].tolist())),
        "public_keys": len(_called_public(report) | {report.snapshot.keys[place].arn for place in open_to_all}),
        "unadministered_keys": sum(
            1 for place, key in enumerate(report.snapshot.keys) if key.customer_managed and place not in administered
        ),
        "unknown_cells": int((outcome == list(Outcome).index(Outcome.UNKNOWN)).sum()),
    }


def _called_public(report: Report) -> set[str]:
    return {
        arn
        for finding in report.findings
        if finding.rule == PUBLIC_RULE and finding.state in LISTED_STATES and not finding.latent
        for arn in finding.keys
    }


def grade_of(report: Report, unknown: int) -> str:
    """The coverage grade A to D of a report with ``unknown`` undecided cells."""
    unevaluated = any(not rule.evaluated for rule in report.rules)
    return coverage_grade(report.snapshot, undecided=bool(unknown), unevaluated=unevaluated).value
