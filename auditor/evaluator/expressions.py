"""Building residual trees: connectives with their constants folded, and leaves that stand for a missing fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from auditor.model.residual import FALSE, TRUE, AllOf, AnyOf, Constant, Leaf, Not, Residual

UNSETTLED = "Unsettled"
"""Operator of the leaf that stands for a fact that could not be read; a residual that holds one is ``unknown``."""


def all_of(items: Iterable[Residual]) -> Residual:
    """Conjunction: flattened, without duplicates and decided parts."""
    kept = _gather(items, AllOf, decides=False)
    if kept is None:
        return FALSE
    return kept[0] if len(kept) == 1 else (AllOf(tuple(kept)) if kept else TRUE)


def any_of(items: Iterable[Residual]) -> Residual:
    """Disjunction: flattened, without duplicates and decided parts."""
    kept = _gather(items, AnyOf, decides=True)
    if kept is None:
        return TRUE
    return kept[0] if len(kept) == 1 else (AnyOf(tuple(kept)) if kept else FALSE)


def _gather(items: Iterable[Residual], kind: type[AllOf] | type[AnyOf], *, decides: bool) -> list[Residual] | None:
    """The parts that remain; None when a part is the constant ``decides``, which settles the whole."""
    seen: dict[Residual, None] = {}
    for item in items:
        parts = item.items if isinstance(item, kind) else (item,)
        for part in parts:
            if not isinstance(part, Constant):
                seen.setdefault(part)
            elif part.value is decides:
                return None
    return list(seen)


def negate(item: Residual) -> Residual:
    """Negation, pushed down to the leaves (De Morgan)."""
    match item:
        case Constant(value):
            return FALSE if value else TRUE
        case Not(inner):
            return inner
        case AllOf(items):
            return any_of(negate(part) for part in items)
        case AnyOf(items):
            return all_of(negate(part) for part in items)
    return Not(item)


def unsettled(what: str, part: str = "allow") -> Leaf:
    """The leaf of a missing fact; ``part`` keeps apart what it might allow, what it might deny, and the single tests
    that it leaves open."""
    return Leaf(UNSETTLED, what, (part,))


def is_unsettled(leaf: Leaf) -> bool:
    """Whether the leaf stands for a missing fact, or is a test of one."""
    return leaf.operator == UNSETTLED or bool(leaf.unread)


def with_leaves(item: Residual, change: Callable[[Leaf], Residual]) -> Residual:
    """The tree with what ``change`` makes of each leaf, folded anew."""
    match item:
        case Leaf():
            return change(item)
        case Not(inner):
            return negate(with_leaves(inner, change))
        case AllOf(items):
            return all_of(with_leaves(part, change) for part in items)
        case AnyOf(items):
            return any_of(with_leaves(part, change) for part in items)
    return item


def as_shown(item: Residual) -> Residual:
    """The tree as a decision shows it: without what only its simplification needs."""
    return with_leaves(item, _leaf_as_shown)


def _leaf_as_shown(leaf: Leaf) -> Leaf:
    if leaf.unread:
        return unsettled(leaf.unread)
    if leaf.operator == UNSETTLED:
        return leaf if leaf.values == ("deny",) else unsettled(leaf.key)
    return replace(leaf, among=(), places=()) if leaf.among or leaf.places else leaf


def leaves(item: Residual) -> Iterator[Leaf]:
    """All leaves of a tree, left to right."""
    match item:
        case Leaf():
            yield item
        case Not(inner):
            yield from leaves(inner)
        case AllOf(items) | AnyOf(items):
            for part in items:
                yield from leaves(part)


def has_unsettled(item: Residual) -> bool:
    """Whether the tree rests on a missing fact."""
    return any(is_unsettled(leaf) for leaf in leaves(item))


def only_unsettled(item: Residual) -> bool:
    """Whether nothing but missing facts decides the tree."""
    return all(is_unsettled(leaf) for leaf in leaves(item))
