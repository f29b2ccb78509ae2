"""Pairs to work out by hand: a reproducible draw for whoever checks the tool, with denials among them.

The draw depends on the snapshot alone: candidates of each outcome are ordered by the SHA-256 of the snapshot's hash and
their names, and the first ones are taken. It is an aid; which sample an auditor takes is the auditor's choice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from auditor.model.access import Outcome
from auditor.model.actions import ACTIONS, actions_in
from auditor.model.key import usable_on
from auditor.model.report import Report
from auditor.report.grid import Grid

EACH = 3
DRAWS = 400
SMALL = 5_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """One pair: positions of principal and key, the action's name, and the number of its decision."""

    principal: int
    key: int
    action: str
    number: int


def drawn_pairs(report: Report, grid: Grid) -> tuple[Drawn, ...]:
    """Up to ``EACH`` pairs of every outcome that occurs, the outcomes in their order."""
    candidates: dict[Outcome, list[tuple[str, Drawn]]] = {outcome: [] for outcome in Outcome}
    for pair in (*_granting(report, grid), *_anywhere(report)):
        outcome = report.access.decisions[pair.number].outcome
        candidates[outcome].append((_rank(report, pair), pair))
    return tuple(pair for listed in candidates.values() for pair in _first(dict(listed)))


def _first(ranked: dict[str, Drawn]) -> list[Drawn]:
    return [ranked[rank] for rank in sorted(ranked)[:EACH]]


def _rank(report: Report, pair: Drawn) -> str:
    names = (report.principals[pair.principal].arn, report.snapshot.keys[pair.key].arn, pair.action)
    return _digest(report, *names).hex()


def _digest(report: Report, *words: str) -> bytes:
    text = "|".join((report.snapshot.provenance.content_hash, *words))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _granting(report: Report, grid: Grid) -> list[Drawn]:
    """Rows of access: every row of a small estate, a fixed draw of them in a large one."""
    rows = range(len(grid)) if len(grid) <= SMALL else [_number(report, "row", n) % len(grid) for n in range(DRAWS)]
    columns = (grid.principal, grid.key, grid.action, grid.decision)
    drawn = ([int(column[row]) for column in columns] for row in rows)
    return [Drawn(principal, key, ACTIONS[action].short, number) for principal, key, action, number in drawn]


def _anywhere(report: Report) -> list[Drawn]:
    """Pairs and actions from the whole table, where most are denied."""
    principals, keys = len(report.principals), report.snapshot.keys
    if not principals or not keys:
        return []
    pairs = []
    for number in range(DRAWS):
        principal, place = _number(report, "principal", number) % principals, _number(report, "key", number) % len(keys)
        key = keys[place]
        usable = [action for action in actions_in(usable_on(key)) if action.on_key]
        if usable:
            action = usable[_number(report, "action", number) % len(usable)]
            decision = report.access.profiles[int(report.access.cells[principal, place])][action.bit]
            pairs.append(Drawn(principal, place, action.short, decision))
    return pairs


def _number(report: Report, purpose: str, position: int) -> int:
    return int.from_bytes(_digest(report, purpose, str(position))[:8], "big")
