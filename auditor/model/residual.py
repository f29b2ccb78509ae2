"""Residual conditions: what remains to be true at request time, as a small boolean tree.

The tree is immutable and hashable. ``TRUE`` and ``FALSE`` are the decided ends. Leaves keep the condition operator,
key and values as written, and the statements that asked for them. JSON form as in the authorization cases:
``{"cond": {...}} | {"not": e} | {"all": [...]} | {"any": [...]}``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from auditor.model.policy import StatementRef


@dataclass(frozen=True, slots=True)
class Constant:
    """A decided condition."""

    value: bool


TRUE = Constant(True)
FALSE = Constant(False)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test that only a request can decide. ``source`` does not take part in equality: it is a citation.

    ``among``: the only values that the condition key can have with the KMS key at hand, where these are few (its
    aliases). ``unread``: the fact, never read, that decides the test. ``places``: for accounts among the values, what
    requests of that account say of its organization. They are for simplification alone: a decision's residual has none.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    source: StatementRef | None = field(default=None, compare=False)
    among: tuple[str, ...] = ()
    unread: str = ""
    places: tuple[tuple[str, tuple[Leaf, ...]], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    item: Residual


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conjunction; the items are sorted and distinct after simplification."""

    items: tuple[Residual, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Disjunction; the items are sorted and distinct after simplification."""

    items: tuple[Residual, ...]


Residual = Constant | Leaf | Not | AllOf | AnyOf


def to_json(residual: Residual) -> Any:
    """The JSON form; constants become true and false."""
    match residual:
        case Constant(value):
            return value
        case Leaf(operator, key, values):
            return {"cond": {"operator": operator, "key": key, "values": list(values)}}
        case Not(item):
            return {"not": to_json(item)}
        case AllOf(items):
            return {"all": [to_json(item) for item in items]}
        case AnyOf(items):
            return {"any": [to_json(item) for item in items]}


def from_json(data: Any) -> Residual:
    """The tree of a JSON form. Raises ValueError on anything else."""
    match data:
        case None | True:
            return TRUE
        case False:
            return FALSE
        case {"cond": {"operator": str(operator), "key": str(key), "values": list(values)}}:
            return Leaf(operator, key, tuple(str(value) for value in values))
        case {"not": item}:
            return Not(from_json(item))
        case {"all": list(items)}:
            return AllOf(tuple(from_json(item) for item in items))
        case {"any": list(items)}:
            return AnyOf(tuple(from_json(item) for item in items))
    raise ValueError(f"not a residual expression: {data!r}")
