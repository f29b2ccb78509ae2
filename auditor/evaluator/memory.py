"""What statements contributed, kept by what they can see: callers and keys that a statement cannot tell apart share it.

For the bulk engine; a single question needs none. Valid for one snapshot: the surroundings stay the same throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from auditor.evaluator.contributions import Contribution
from auditor.evaluator.name_index import GrantIndex
from auditor.evaluator.statements import Compiled
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.traits import caller_sight, key_sight
from auditor.model.key import Key
from auditor.model.principal import Principal


class Memory:
    """Contributions by statement, place and sight. Keys and principals are told apart by object: keep them alive."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._kept: dict[Hashable, tuple[Contribution, ...]] = {}
        self._grants: dict[int, GrantIndex] = {}
        self._of_key: dict[tuple[Compiled, int], Hashable] = {}
        self._of_caller: dict[tuple[Compiled, int], Hashable] = {}

    def recall(
        self,
        compiled: Compiled,
        principal: Principal,
        key: Key,
        place: Hashable,
        make: Callable[[], Iterable[Contribution]],
    ) -> tuple[Contribution, ...]:
        """What ``make`` gives, made once per ``place`` (what it depends on besides the statement, caller and key)."""
        identity = (compiled, place, self._caller_sight(compiled, principal), self._key_sight(compiled, key))
        found = self._kept.get(identity)
        if found is None:
            found = self._kept[identity] = tuple(make())
        return found

    def key_sights(self, statements: tuple[Compiled, ...], key: Key) -> tuple[Hashable, ...]:
        """What the statements can see of the key; equal tuples cannot be told apart by them."""
        return tuple([self._key_sight(one, key) for one in statements])

    def grants(self, key: Key) -> GrantIndex:
        """The index of the key's grants, made once."""
        found = self._grants.get(id(key))
        if found is None:
            found = self._grants[id(key)] = GrantIndex(key.grants)
        return found

    def _caller_sight(self, compiled: Compiled, principal: Principal) -> Hashable:
        if compiled.universal:
            return None
        identity = (compiled, id(principal))
        found = self._of_caller.get(identity)
        if found is None:
            found = self._of_caller[identity] = caller_sight(compiled, principal, self._surroundings)
        return found

    def _key_sight(self, compiled: Compiled, key: Key) -> Hashable:
        if compiled.universal:
            return None
        identity = (compiled, id(key))
        found = self._of_key.get(identity)
        if found is None:
            found = self._of_key[identity] = key_sight(compiled, key)
        return found
