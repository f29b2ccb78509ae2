"""The access table ↔ JSON: columnar, every decision, cause, residual and row stored once.

A row is its most frequent profile and the positions that differ, so that the many principals without access cost
almost nothing. Judges nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from auditor.model.access import AccessTable, Cause, Decision, Outcome
from auditor.model.actions import ACTIONS
from auditor.model.policy import StatementRef
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual
from auditor.report.codec import Texts, decode, encode


class _Interned:
    """JSON values, each stored once."""

    def __init__(self) -> None:
        self._texts = Texts()

    def put(self, value: Any) -> int:
        return self._texts.put(json.dumps(value, ensure_ascii=False, sort_keys=True))

    @property
    def values(self) -> list[Any]:
        return [json.loads(text) for text in self._texts.listed]


@dataclass(slots=True)
class _Writing:
    statements: _Interned = field(default_factory=_Interned)
    causes: _Interned = field(default_factory=_Interned)
    residuals: _Interned = field(default_factory=_Interned)
    unused: Texts = field(default_factory=Texts)

    def decision(self, decision: Decision) -> dict[str, Any]:
        data: dict[str, Any] = {"outcome": str(decision.outcome), "reason": decision.reason}
        if decision.residual is not None:
            data["residual"] = self.residuals.put(self.residual(decision.residual))
        if decision.causes:
            data["causes"] = [self.causes.put(self.cause(cause)) for cause in decision.causes]
        if decision.path:
            data["path"] = decision.path
        if decision.flags:
            data["flags"] = list(decision.flags)
        return data

    def cause(self, cause: Cause) -> dict[str, Any]:
        data: dict[str, Any] = encode(cause, self.unused)
        if cause.statement is not None:
            data["statement"] = self.statements.put(encode(cause.statement, self.unused))
        return data

    def residual(self, residual: Residual) -> Any:
        match residual:
            case Constant(value):
                return value
            case Leaf(operator, key, values, source):
                leaf = {"operator": operator, "key": key, "values": list(values)}
                if source is not None:
                    return {"cond": leaf, "source": self.statements.put(encode(source, self.unused))}
                return {"cond": leaf}
            case Not(item):
                return {"not": self.residual(item)}
            case AllOf(items):
                return {"all": [self.residual(item) for item in items]}
            case AnyOf(items):
                return {"any": [self.residual(item) for item in items]}


def write_access(table: AccessTable) -> dict[str, Any]:
    """The table as JSON-compatible data; its principals and keys are those of the result, in its order."""
    writing = _Writing()
    decisions = [writing.decision(decision) for decision in table.decisions]
    places: dict[bytes, int] = {}
    rows = [places.setdefault(cells.tobytes(), len(places)) for cells in table.cells]
    return {
        "rows": rows,
        "distinct_rows": [_row(np.frombuffer(cells, table.cells.dtype)) for cells in places],
        "account_level": [int(number) for number in table.account_level],
        "profiles": [list(map(int, profile)) for profile in table.profiles],
        "decisions": decisions,
        "causes": writing.causes.values,
        "residuals": writing.residuals.values,
        "statements": writing.statements.values,
    }


def _row(cells: Any) -> list[Any]:
    """``[usual profile, positions that differ as gaps, their profiles]``."""
    if not len(cells):
        return [0, [], []]
    numbers, counts = np.unique(cells, return_counts=True)
    usual = int(numbers[counts.argmax()])
    places = np.flatnonzero(cells != usual)
    return [usual, np.diff(places, prepend=0).tolist(), cells[places].tolist()]


def read_access(data: dict[str, Any], principals: tuple[str, ...], keys: tuple[str, ...]) -> AccessTable:
    """The table that ``write_access`` wrote. Raises KeyError, IndexError, ValueError or TypeError on anything else."""
    refs = [decode(StatementRef, entry, []) for entry in data["statements"]]
    causes = [_cause(entry, refs) for entry in data["causes"]]
    residuals = [_residual(entry, refs) for entry in data["residuals"]]
    decisions = tuple(_decision(entry, causes, residuals) for entry in data["decisions"])
    profiles = tuple(_profile(entry, len(decisions)) for entry in data["profiles"])
    distinct = [_cells(row, len(keys)) for row in data["distinct_rows"]]
    rows = [_place(row, len(distinct)) for row in data["rows"]]
    table = AccessTable(
        principals=principals,
        keys=keys,
        decisions=decisions,
        profiles=profiles,
        cells=np.array([distinct[row] for row in rows], dtype=np.int32).reshape(len(rows), len(keys)),
        account_level=np.array(data["account_level"], dtype=np.int32),
    )
    _check_table(table)
    return table


def _check_table(table: AccessTable) -> None:
    if len(table.cells) != len(table.principals) or table.account_level.shape != (len(table.principals),):
        raise ValueError("access: it has not one row for each principal")
    for cells in (table.cells, table.account_level):
        if cells.size and not 0 <= cells.min() <= cells.max() < len(table.profiles):
            raise ValueError("access: there is no profile of some number")


def _profile(numbers: list[Any], decisions: int) -> tuple[int, ...]:
    if len(numbers) != len(ACTIONS):
        raise ValueError("access: profiles: one has not a decision for each action")
    return tuple(_place(number, decisions) for number in numbers)


def _place(number: Any, size: int) -> int:
    if type(number) is not int or not 0 <= number < size:
        raise ValueError(f"access: {str(number)[:20]} is no position of {size}")
    return number


def _cells(row: list[Any], width: int) -> Any:
    usual, gaps, profiles = row
    if any(type(number) is not int for number in (usual, *gaps, *profiles)):
        raise ValueError("access: distinct_rows: not of whole numbers")
    cells = np.full(width, usual, dtype=np.int32)
    cells[np.cumsum(gaps, dtype=np.int64)] = profiles
    return cells


def _cause(data: dict[str, Any], refs: list[StatementRef]) -> Cause:
    if data.get("statement") is None:
        cause: Cause = decode(Cause, data, [])
        return cause
    rest = {name: value for name, value in data.items() if name != "statement"}
    bare: Cause = decode(Cause, rest, [])
    return Cause(bare.layer, bare.role, refs[_place(data["statement"], len(refs))], bare.grant, bare.owner, bare.note)


def _residual(data: Any, refs: list[StatementRef]) -> Residual:
    match data:
        case bool():
            return Constant(data)
        case {"cond": {"operator": str(operator), "key": str(key), "values": list(values)}}:
            source = data.get("source")
            texts = decode(tuple[str, ...], values, [])
            return Leaf(operator, key, texts, None if source is None else refs[_place(source, len(refs))])
        case {"not": item}:
            return Not(_residual(item, refs))
        case {"all": list(items)}:
            return AllOf(tuple(_residual(item, refs) for item in items))
        case {"any": list(items)}:
            return AnyOf(tuple(_residual(item, refs) for item in items))
    raise ValueError(f"access: not a residual condition: {str(data)[:40]}")


def _decision(data: dict[str, Any], causes: list[Cause], residuals: list[Residual]) -> Decision:
    residual = data.get("residual")
    return Decision(
        outcome=Outcome(data["outcome"]),
        reason=decode(str, data["reason"], []),
        residual=None if residual is None else residuals[_place(residual, len(residuals))],
        causes=tuple(causes[_place(place, len(causes))] for place in data.get("causes", ())),
        path=decode(str, data.get("path", ""), []),
        flags=decode(tuple[str, ...], data.get("flags", []), []),
    )
