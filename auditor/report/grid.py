"""Access by capability: the strongest outcome of each capability for every principal and key, computed in bulk.

Reads the access table, decides nothing. A capability that no usable action of a key has is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from auditor.model.actions import ACTIONS, CAPABILITY_MASKS, Capability, actions_in
from auditor.model.key import usable_on
from auditor.model.report import Report

CAPABILITIES = tuple(Capability)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of access, columnar and sorted by principal, key and capability; every array has one entry per row.

    ``principal``, ``key`` and ``decision`` are positions in the report's tables, ``capability`` in ``CAPABILITIES``,
    ``action`` is the bit of the action that decided. Only rows that are not denied, or that something allows and
    another layer takes away again (latent), are here.
    """

    principal: Any
    key: Any
    capability: Any
    action: Any
    decision: Any

    def __len__(self) -> int:
        return len(self.principal)


def grid_of(report: Report) -> Grid:
    """The rows of access of a report; see ``Grid``."""
    keep = np.array([not d.outcome.denied or d.latent for d in report.access.decisions], dtype=bool)
    ranks = np.array([decision.strength for decision in report.access.decisions])
    profiles = np.array(report.access.profiles, dtype=np.int64).reshape(-1, len(ACTIONS))
    parts = []
    for mask, columns in _key_classes(report).items():
        best = _best(mask, ranks, profiles)
        held = [keep[decision] for _, _, decision in best]
        if not held:
            continue
        principal, key, profile = _cells_with(np.logical_or.reduce(held), report, columns)
        for (capability, action, decision), holds in zip(best, held, strict=True):
            rows = np.flatnonzero(holds[profile])
            some = profile[rows]
            number = np.full(len(rows), capability)
            parts.append((principal[rows], key[rows], number, action[some], decision[some]))
    return _sorted(parts)


def _best(mask: int, ranks: Any, profiles: Any) -> list[tuple[int, Any, Any]]:
    """Capability, and for each profile the action of ``mask`` in it with the strongest decision, and that decision."""
    found = []
    for number, capability in enumerate(CAPABILITIES):
        bits = [action.bit for action in actions_in(CAPABILITY_MASKS[capability] & mask)]
        if bits:
            action = np.array(bits)[ranks[profiles[:, bits]].argmin(axis=1)]
            found.append((number, action, profiles[np.arange(len(profiles)), action]))
    return found


def _cells_with(wanted: Any, report: Report, columns: list[int]) -> tuple[Any, Any, Any]:
    """Principal, key and profile of the cells of some columns whose profile is ``wanted``: few of many."""
    table = report.access
    cells = table.cells if len(columns) == len(table.keys) else table.cells[:, columns]
    principal, place = np.nonzero(wanted[cells])
    return principal, np.array(columns)[place], cells[principal, place]


def _key_classes(report: Report) -> dict[int, list[int]]:
    classes: dict[int, list[int]] = {}
    for position, key in enumerate(report.snapshot.keys):
        classes.setdefault(usable_on(key), []).append(position)
    return classes


def _sorted(parts: list[tuple[Any, ...]]) -> Grid:
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return Grid(empty, empty, empty, empty, empty)
    columns = [np.concatenate([part[place] for part in parts]) for place in range(5)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return Grid(*(column[order] for column in columns))
