"""The numbers that every format shows, counted once so that they agree. Counts facts; judges nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from auditor.evaluator import only_unsettled
from auditor.model.access import Decision, Outcome, Role
from auditor.model.actions import Capability
from auditor.model.finding import Confidence, FindingState, Severity
from auditor.model.key import Fact
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.report import Report
from auditor.model.residual import TRUE
from auditor.model.score import coverage_grade
from auditor.report.grid import CAPABILITIES, Grid, grid_of

LISTED_STATES = (FindingState.OPEN, FindingState.UNVERIFIED)
PUBLIC_RULE = "public-key-policy"
OUTSIDERS = (PrincipalKind.EXTERNAL_ACCOUNT, PrincipalKind.EXTERNAL_PRINCIPAL, PrincipalKind.EVERYONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """``open_findings`` are those open or unverified; ``readers`` principals that may decrypt at least one customer
    managed key, under a condition or not; ``unknown_cells`` principal, key and capability with an unknown outcome;
    ``public_keys`` those that everyone in AWS may use without a condition, or that an open finding calls public;
    ``unknown_…`` are those besides of which it is unknown whether they belong there."""

    customer_keys: int
    aws_keys: int
    accounts: int
    regions: int
    principals: int
    readers: int
    outsiders: int
    public_keys: int
    unknown_readers: int
    unknown_outsiders: int
    unknown_public_keys: int
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


def outside(one: Principal) -> bool:
    """Whether it is of no collected account; one whose principals could not be read is collected all the same."""
    return one.kind in OUTSIDERS and Fact.IDENTITIES not in one.unread


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

    order = list(Outcome)
    outcome = np.array([order.index(one.outcome) for one in report.access.decisions], dtype=np.int64)[grid.decision]
    held, unknown = outcome <= order.index(Outcome.CONDITIONAL), outcome == order.index(Outcome.UNKNOWN)
    mine = np.array([key.customer_managed for key in report.snapshot.keys], dtype=bool)[grid.key]
    decrypts = mine & (grid.capability == CAPABILITIES.index(Capability.DECRYPT))
    far = mine & np.array([outside(one) for one in report.principals], dtype=bool)[grid.principal]
    administers = (held | unknown) & (grid.capability == CAPABILITIES.index(Capability.ADMINISTER))
    administered = set(grid.key[administers].tolist())
    readers, outsiders = (set(grid.principal[held & rows].tolist()) for rows in (decrypts, far))
    public, maybe_public = _public(report, grid)
    return {
        "readers": len(readers),
        "outsiders": len(outsiders),
        "public_keys": len(public),
        "unknown_readers": len(set(grid.principal[unknown & decrypts].tolist()) - readers),
        "unknown_outsiders": len(set(grid.principal[unknown & far].tolist()) - outsiders),
        "unknown_public_keys": len(maybe_public),
        "unadministered_keys": sum(
            1 for place, key in enumerate(report.snapshot.keys) if key.customer_managed and place not in administered
        ),
        "unknown_cells": int(unknown.sum()),
    }


def _public(report: Report, grid: Grid) -> tuple[set[str], set[str]]:
    """(ARNs of public keys, of those that are unless what could not be read closes them)."""
    import numpy as np

    keys = report.snapshot.keys
    everyone = np.array([one.kind is PrincipalKind.EVERYONE for one in report.principals], dtype=bool)[grid.principal]
    pairs = set(zip(grid.key[everyone].tolist(), grid.decision[everyone].tolist(), strict=True))
    held = [(keys[key].arn, report.access.decisions[number]) for key, number in pairs if keys[key].customer_managed]
    public = {arn for arn, decision in held if decision.outcome is Outcome.ALLOWED}
    open_otherwise = {arn for arn, decision in held if _open_but_for_gaps(decision)}
    public |= _called_public(report, Confidence.CONFIRMED)
    return public, (open_otherwise | _called_public(report, Confidence.POTENTIAL)) - public


def _open_but_for_gaps(decision: Decision) -> bool:
    """Whether something allows, and only what could not be read may close it."""
    allows = any(cause.role is Role.ALLOWS for cause in decision.causes)
    unknown = decision.outcome is Outcome.UNKNOWN and decision.residual is not None
    return allows and unknown and only_unsettled(decision.residual or TRUE)


def _called_public(report: Report, confidence: Confidence) -> set[str]:
    return {
        arn
        for finding in report.findings
        if finding.rule == PUBLIC_RULE and finding.state in LISTED_STATES and not finding.latent
        if finding.confidence is confidence
        for arn in finding.keys
    }


def grade_of(report: Report, unknown: int) -> str:
    """The coverage grade A to D of a report with ``unknown`` undecided cells."""
    unevaluated = any(not rule.evaluated for rule in report.rules)
    return coverage_grade(report.snapshot, undecided=bool(unknown), unevaluated=unevaluated).value
