"""Equal changes told once: the same access, before, after and cause, for many principals, keys or capabilities."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

from auditor.questions.differences import AccessChange


@dataclass(frozen=True, slots=True)
class FoldedChange:
    """A change that every one of ``principals`` meets on every one of ``keys`` for every one of ``capabilities``, which
    name their actions."""

    first: AccessChange
    principals: tuple[str, ...]
    keys: tuple[str, ...]
    capabilities: tuple[str, ...]


def fold_changes(changes: Iterable[AccessChange]) -> tuple[FoldedChange, ...]:
    """The changes, folded; each is in exactly one of the results, and the order of first appearance stays."""
    told: dict[tuple[int, int, str], tuple[str, str, str]] = {}
    found = []
    for item in changes:
        words = told.get(identity := (id(item.before), id(item.after), item.cause))
        if words is None:
            words = told[identity] = (item.was, item.now, item.cause)
        found.append((words, FoldedChange(item, (item.principal,), (item.key,), (item.what,))))
    for merge in (_by_principal, _by_key, _by_capability):
        found = _merged(found, *merge)
    return tuple(folded for _, folded in found)


_Told = tuple[tuple[str, str, str], FoldedChange]
_Merge = tuple[Callable[[FoldedChange], Hashable], Callable[[list[FoldedChange]], FoldedChange]]
_by_principal: _Merge = (
    lambda item: (item.keys, item.capabilities),
    lambda items: replace(items[0], principals=tuple(name for item in items for name in item.principals)),
)
_by_key: _Merge = (
    lambda item: (item.principals, item.capabilities),
    lambda items: replace(items[0], keys=tuple(name for item in items for name in item.keys)),
)
_by_capability: _Merge = (
    lambda item: (item.principals, item.keys),
    lambda items: replace(items[0], capabilities=tuple(name for item in items for name in item.capabilities)),
)


def _merged(
    items: list[_Told],
    alike: Callable[[FoldedChange], Hashable],
    join: Callable[[list[FoldedChange]], FoldedChange],
) -> list[_Told]:
    groups: dict[Hashable, list[_Told]] = {}
    for words, folded in items:
        groups.setdefault((folded.first.change, words, alike(folded)), []).append((words, folded))
    return [(group[0][0], join([folded for _, folded in group])) for group in groups.values()]
