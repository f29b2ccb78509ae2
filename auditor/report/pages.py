"""What the key pages and principal pages of the HTML report show, in both directions, up to stated limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from auditor.evaluator.reasons import condition_words
from auditor.model.access import Decision, Outcome
from auditor.model.actions import ACTIONS
from auditor.model.finding import SEVERITY_RANK, Finding, FindingState, Severity
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.model.score import Score
from auditor.report.counts import LISTED_STATES
from auditor.report.grid import CAPABILITIES, Grid
from auditor.report.located import key_places, principal_places

KEY_PAGES = 60
PRINCIPAL_PAGES = 120
ROWS = 800
"""Pairs of principal and key up to which the pages of one direction hold every one of them."""
FEW_ROWS = 250
"""Pairs that they hold where there are more than ``ROWS``; the rest is built on demand, and is in access.csv."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One capability of a pair: ``number`` is the position of the decision of ``action``, the strongest one."""

    outcome: Outcome
    action: str
    number: int


@dataclass(frozen=True, slots=True)
class Pair:
    """What a page says in one direction: ``other`` is the position of the principal or key on the far side.

    ``cells`` has one entry for each capability, ``conditions`` (titles of capabilities, what must hold) in words.
    """

    other: int
    cells: tuple[Cell | None, ...]
    conditions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A key with who can use it; ``pairs`` is None when the limit was reached."""

    place: int
    key: Key
    pairs: tuple[Pair, ...] | None
    findings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PrincipalPage:
    """A principal with what it can use; ``pairs`` is None when the limit was reached."""

    place: int
    principal: Principal
    pairs: tuple[Pair, ...] | None
    findings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A decision that the pages refer to, told once: ``condition`` in words, empty when there is none."""

    number: int
    decision: Decision
    condition: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One line of keys × capabilities: outcome → number of principals, for each capability."""

    place: int
    key: Key
    counts: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A key or principal with its score and its open findings by severity, worst first."""

    place: int
    arn: str
    label: str
    detail: str
    score: Score | None
    severities: tuple[tuple[Severity, int], ...]


def key_pages(report: Report, grid: Grid) -> tuple[KeyPage, ...]:
    """The pages of the first keys."""
    pairs = _pairs(report, grid, grid.key, grid.principal, range(min(KEY_PAGES, len(report.snapshot.keys))))
    findings = findings_by_place(report, "keys")
    return tuple(
        KeyPage(place, key, pairs.get(place, ()), tuple(findings.get(place, ())))
        for place, key in enumerate(report.snapshot.keys[:KEY_PAGES])
    )


def principal_pages(report: Report, grid: Grid) -> tuple[PrincipalPage, ...]:
    """The pages of the principals with the greatest power, among those that hold anything or that a finding names."""
    findings = findings_by_place(report, "principals")
    with_access = set(grid.principal.tolist())
    powers = {entry.principal: entry.power for entry in report.powers}
    named = sorted(with_access | findings.keys())
    chosen = sorted(named, key=lambda place: (-powers.get(report.principals[place].arn, 0), place))[:PRINCIPAL_PAGES]
    pairs = _pairs(report, grid, grid.principal, grid.key, chosen)
    return tuple(
        PrincipalPage(place, report.principals[place], pairs.get(place, ()), tuple(findings.get(place, ())))
        for place in chosen
    )


def reasons(report: Report, *pages: Iterable[KeyPage | PrincipalPage]) -> tuple[Reason, ...]:
    """Every decision that the pages refer to, once, in the order of its number."""
    numbers = {
        cell.number for listed in pages for page in listed for pair in page.pairs or () for cell in pair.cells if cell
    }
    decisions = report.access.decisions
    return tuple(Reason(number, decisions[number], condition_words(decisions[number])) for number in sorted(numbers))


def _pairs(
    report: Report, grid: Grid, near: Any, far: Any, chosen: Iterable[int]
) -> dict[int, tuple[Pair, ...] | None]:
    """Page → its pairs, or None when the pages before it have used up the rows."""
    import numpy as np

    rows = np.flatnonzero(np.isin(near, list(chosen)))
    order = rows[np.lexsort((grid.capability[rows], far[rows], near[rows]))]
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in order.tolist():
        found[int(near[row])][int(far[row])].append(row)
    pages: dict[int, tuple[Pair, ...] | None] = {}
    left = ROWS if sum(map(len, found.values())) <= ROWS else FEW_ROWS
    for place, others in found.items():
        fits = len(others) <= left
        left -= len(others) if fits else 0
        pages[place] = tuple(_pair(report, grid, other, held) for other, held in others.items()) if fits else None
    return pages


def _pair(report: Report, grid: Grid, other: int, rows: list[int]) -> Pair:
    cells: list[Cell | None] = [None] * len(CAPABILITIES)
    conditions: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        number, capability = int(grid.decision[row]), int(grid.capability[row])
        decision = report.access.decisions[number]
        cells[capability] = Cell(decision.outcome, ACTIONS[int(grid.action[row])].short, number)
        if words := condition_words(decision):
            conditions[words].append(CAPABILITIES[capability].label)
    return Pair(other, tuple(cells), tuple((", ".join(titles), words) for words, titles in conditions.items()))


def findings_by_place(report: Report, attribute: str) -> dict[int, list[int]]:
    """Position of a key (``"keys"``) or principal (``"principals"``) → numbers of the findings that name it."""
    known = key_places(report) if attribute == "keys" else principal_places(report)
    found: dict[int, list[int]] = {}
    for number, finding in enumerate(report.findings):
        for place in {known[arn] for arn in (*getattr(finding, attribute), finding.subject) if arn in known}:
            found.setdefault(place, []).append(number)
    return found


def open_findings(report: Report, numbers: Iterable[int]) -> int:
    """How many of the numbered findings are open or unverified."""
    return sum(report.findings[number].state in LISTED_STATES for number in numbers)


def held_pairs(report: Report, grid: Grid) -> set[tuple[int, int]]:
    """(principal, key) where a capability is allowed, conditional or unknown; one that is merely blocked is no use."""
    import numpy as np

    denied = np.array([decision.outcome.denied for decision in report.access.decisions], dtype=bool)
    rows = ~denied[grid.decision] if len(grid) else np.zeros(0, dtype=bool)
    return set(zip(grid.principal[rows].tolist(), grid.key[rows].tolist(), strict=True))


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


def worst(report: Report, attribute: str, scores: dict[str, Score], size: int = 10) -> tuple[Ranked, ...]:
    """The keys (``"keys"``) or principals (``"principals"``) to look at first: by score, then by open findings."""
    rows = _named_keys(report) if attribute == "keys" else _named_principals(report)
    tally: dict[int, Counter[Severity]] = defaultdict(Counter)
    for place, numbers in findings_by_place(report, attribute).items():
        for finding in (report.findings[number] for number in numbers):
            if finding.state in LISTED_STATES and finding.severity is not Severity.INFO:
                tally[place][finding.severity] += 1

    def order(place: int) -> tuple[int, list[int], str]:
        arn = rows[place][0]
        return (-scores[arn].residual if arn in scores else 0, [-tally[place][level] for level in Severity], arn)

    return tuple(
        Ranked(place, *rows[place], scores.get(rows[place][0]), tuple((lv, n) for lv in Severity if (n := found[lv])))
        for place in sorted(tally, key=order)[:size]
        for found in [tally[place]]
    )


def _named_keys(report: Report) -> list[tuple[str, str, str]]:
    return [(key.arn, key.label, f"{key.account} {key.region}") for key in report.snapshot.keys]


def _named_principals(report: Report) -> list[tuple[str, str, str]]:
    return [(one.arn, one.name or one.arn, _whose(one)) for one in report.principals]


def _whose(one: Principal) -> str:
    return " ".join(part for part in (str(one.kind).replace("-", " "), one.account) if part)


def worst_severity(findings: tuple[Finding, ...], numbers: tuple[int, ...]) -> Severity | None:
    """The worst open severity among the numbered findings."""
    levels = [findings[number].severity for number in numbers if findings[number].state in LISTED_STATES]
    return min(levels, key=SEVERITY_RANK.__getitem__, default=None)


def alike(findings: tuple[Finding, ...], numbers: tuple[int, ...]) -> list[list[int]]:
    """The numbers in their order, those of one rule, severity and state together."""
    groups: dict[tuple[str, Severity, FindingState], list[int]] = {}
    for number in numbers:
        one = findings[number]
        groups.setdefault((one.rule, one.severity, one.state), []).append(number)
    return list(groups.values())
