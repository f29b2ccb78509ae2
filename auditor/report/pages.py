"""What the key pages and principal pages of the HTML report show, in both directions, up to stated limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from auditor.model.access import Decision, Outcome
from auditor.model.actions import ACTIONS, CAPABILITY_TITLES
from auditor.model.finding import SEVERITY_RANK, Finding, Severity
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.report.counts import LISTED_STATES
from auditor.report.grid import CAPABILITIES, Grid
from auditor.report.views import condition_words

KEY_PAGES = 60
PRINCIPAL_PAGES = 120
ROWS = 700
"""Rows of access that the pages of one direction hold in all; above it the page points to access.csv."""


@dataclass(frozen=True, slots=True)
class Held:
    """One capability in one direction: ``other`` is the position of the principal or key on the far side."""

    other: int
    capability: str
    action: str
    decision: Decision
    condition: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A key with who can use it; ``held`` is None when the limit was reached."""

    place: int
    key: Key
    held: tuple[Held, ...] | None
    findings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PrincipalPage:
    """A principal with what it can use; ``held`` is None when the limit was reached."""

    place: int
    principal: Principal
    held: tuple[Held, ...] | None
    findings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One line of keys × capabilities: outcome → number of principals, for each capability."""

    place: int
    key: Key
    counts: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A key or principal with its open findings by severity, worst first."""

    place: int
    label: str
    detail: str
    severities: tuple[tuple[Severity, int], ...]


def key_pages(report: Report, grid: Grid) -> tuple[KeyPage, ...]:
    """The pages of the first keys."""
    held = _held(report, grid, grid.key, grid.principal, KEY_PAGES)
    findings = _by_arn(report, "keys")
    return tuple(
        KeyPage(place, key, held.get(place, ()), tuple(findings[key.arn]))
        for place, key in enumerate(report.snapshot.keys[:KEY_PAGES])
    )


def principal_pages(report: Report, grid: Grid) -> tuple[PrincipalPage, ...]:
    """The pages of the first principals that hold anything or that a finding names."""
    findings = _by_arn(report, "principals")
    with_access = set(grid.principal.tolist())
    chosen = [place for place, one in enumerate(report.principals) if place in with_access or one.arn in findings][
        :PRINCIPAL_PAGES
    ]
    held = _held(report, grid, grid.principal, grid.key, (chosen[-1] + 1) if chosen else 0)
    return tuple(
        PrincipalPage(
            place, report.principals[place], held.get(place, ()), tuple(findings.get(report.principals[place].arn, ()))
        )
        for place in chosen
    )


def _held(report: Report, grid: Grid, near: object, far: object, limit: int) -> dict[int, tuple[Held, ...] | None]:
    import numpy as np

    near, far = np.asarray(near), np.asarray(far)
    chosen = np.flatnonzero(near < limit)
    order = chosen[np.lexsort((grid.capability[chosen], far[chosen], near[chosen]))]
    sizes = Counter(near[chosen].tolist())
    shown, total = set(), 0
    for place in sorted(sizes):
        if total + sizes[place] <= ROWS:
            total += sizes[place]
            shown.add(place)
    found: dict[int, list[Held]] = defaultdict(list)
    for row in order.tolist():
        place = int(near[row])
        if place in shown:
            found[place].append(_one(report, grid, row, int(far[row])))
    return {place: tuple(found[place]) if place in shown else None for place in sizes}


def _one(report: Report, grid: Grid, row: int, other: int) -> Held:
    decision = report.access.decisions[int(grid.decision[row])]
    return Held(
        other=other,
        capability=CAPABILITY_TITLES[CAPABILITIES[int(grid.capability[row])]],
        action=ACTIONS[int(grid.action[row])].short,
        decision=decision,
        condition=condition_words(decision),
    )


def _by_arn(report: Report, attribute: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, finding in enumerate(report.findings):
        for arn in sorted({*getattr(finding, attribute), finding.subject}):
            found[arn].append(number)
    return found


def key_rows(report: Report, grid: Grid) -> tuple[KeyRow, ...]:
    """Keys × capabilities: how many principals are allowed, conditional and unknown."""
    import numpy as np

    outcomes = np.array([list(Outcome).index(d.outcome) for d in report.access.decisions], dtype=np.int64)
    numbers = np.zeros((len(report.snapshot.keys), len(CAPABILITIES), len(Outcome)), dtype=np.int64)
    if len(grid):
        np.add.at(numbers, (grid.key, grid.capability, outcomes[grid.decision]), 1)
    return tuple(
        KeyRow(place, key, tuple((int(cell[0]), int(cell[1]), int(cell[2])) for cell in numbers[place]))
        for place, key in enumerate(report.snapshot.keys)
    )


def worst(report: Report, attribute: str, size: int = 10) -> tuple[Ranked, ...]:
    """The keys (``"keys"``) or principals (``"principals"``) with the worst open findings."""
    places: dict[str, tuple[int, str, str]] = {}
    if attribute == "keys":
        places = {key.arn: (n, key.label, f"{key.account} {key.region}") for n, key in enumerate(report.snapshot.keys)}
    else:
        places = {one.arn: (n, one.name or one.arn, str(one.kind)) for n, one in enumerate(report.principals)}
    tally: dict[str, Counter[Severity]] = defaultdict(Counter)
    for finding in report.findings:
        if finding.state in LISTED_STATES and finding.severity is not Severity.INFO:
            for arn in {*getattr(finding, attribute), finding.subject} & places.keys():
                tally[arn][finding.severity] += 1
    order = sorted(tally, key=lambda arn: ([-tally[arn][level] for level in Severity], arn))
    return tuple(
        Ranked(*places[arn], tuple((level, tally[arn][level]) for level in Severity if tally[arn][level]))
        for arn in order[:size]
    )


def worst_severity(findings: tuple[Finding, ...], numbers: tuple[int, ...]) -> Severity | None:
    """The worst open severity among the numbered findings."""
    levels = [findings[number].severity for number in numbers if findings[number].state in LISTED_STATES]
    return min(levels, key=SEVERITY_RANK.__getitem__, default=None)
