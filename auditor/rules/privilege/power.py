"""Who holds which power over which keys, once for all rules of this room: reading, takeover, destruction.

A pair counts with the openness of the power as a whole: CreateGrant only when nothing limits it, ReplicateKey only
with CreateKey, key store actions only for keys in a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.model.access import Decision
from auditor.model.actions import CREATE_GRANT, CREATE_KEY, DESTROY, STORE_BREAKERS, USE, actions_in, mask_of
from auditor.rules.conditions import grant_constrained, grant_limited
from auditor.rules.principals import service_linked
from auditor.rules.privilege.holding import Holding
from auditor.rules.reach import CERTAIN, COUNTED, INSIDE, LIVE, Openness, Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUT_POLICY = mask_of(["PutKeyPolicy"])
REPLICATE = mask_of(["ReplicateKey"])
STORE_POWER = STORE_BREAKERS | mask_of(["UpdateCustomKeyStore"])


def _grants_where(reach: Reach, test: Callable[[Decision], bool]) -> NDArray[np.bool_]:
    """Profile → whether its decision on CreateGrant passes a test; every decision is asked once."""
    import numpy as np

    bit = CREATE_GRANT.bit_length() - 1
    column = np.array([row[bit] for row in reach.table.profiles], dtype=np.int64)
    found = np.zeros(len(reach.table.decisions), dtype=bool)
    found[[number for number in set(column.tolist()) if test(reach.table.decisions[number])]] = True
    passed: NDArray[np.bool_] = found[column]
    return passed


def limited_grants(reach: Reach) -> NDArray[np.bool_]:
    """Profile → whether its CreateGrant is limited to services, fixed grantees or harmless operations."""
    return _grants_where(reach, grant_limited)


def constrained_grants(reach: Reach) -> NDArray[np.bool_]:
    """Profile → whether its CreateGrant is limited, or makes only grants that carry a constraint."""
    return _grants_where(reach, grant_constrained)


def creators(reach: Reach, levels: tuple[Openness, ...] = LIVE) -> NDArray[np.bool_]:
    """Row of the table → whether the principal may create keys."""
    import numpy as np

    able = np.zeros(len(reach.table.profiles), dtype=bool)
    for level in levels:
        able |= (reach.masks[level] & np.uint64(CREATE_KEY)) != 0
    found: NDArray[np.bool_] = able[reach.table.account_level]
    return found


class Power:
    """The powers of one view, each as a level per pair of ``pairs`` (inside principals, customer managed keys)."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.reach = view.reach
        self.pairs = self._own_principals(self._with_stores(view.reach.all_pairs))
        self.limited = limited_grants(view.reach)
        self.creators = creators(view.reach)
        self._samples: dict[tuple[int, int, Openness], Decision] = {}

    def _with_stores(self, pairs: Pairs) -> Pairs:
        """The pairs, and those of a principal with power over a key store and the keys in it: no key policy asks."""
        import numpy as np

        reach = self.reach
        stored = [
            at for at, key in enumerate(reach.keys) if key.custom_key_store_id is not None and key.customer_managed
        ]
        if not stored:
            return pairs
        known = set(zip(pairs.principals.tolist(), pairs.keys.tolist(), strict=True))
        more = [
            (row, key)
            for row, who in enumerate(reach.principals)
            if who.kind in INSIDE and reach.account_level(row, STORE_POWER, *COUNTED)
            for key in stored
            if who.account == reach.keys[key].account and (row, key) not in known
        ]
        rows, keys = (np.array([pair[side] for pair in more], dtype=np.int64) for side in (0, 1))
        added = Pairs(rows, keys, reach.table.cells[rows, keys].astype(np.int64))
        columns = ("principals", "keys", "profiles")
        return Pairs(*(np.concatenate([getattr(one, name) for one in (pairs, added)]) for name in columns))

    def _own_principals(self, pairs: Pairs) -> Pairs:
        import numpy as np

        ours = np.array(
            [not service_linked(who) and not who.assume_allowed for who in self.reach.principals], dtype=bool
        )
        return pairs.select(ours[pairs.principals]) if len(pairs) else pairs

    def level_of(self, mask: int) -> NDArray[np.int8]:
        """Per pair: the strongest openness among the actions of ``mask`` that the key can serve."""
        import numpy as np

        found = np.zeros(len(self.pairs), dtype=np.int8)
        for level in COUNTED:
            found = np.where(self.reach.having(self.pairs, mask, level), np.int8(level), found)
        return found

    def strongest(self, masks: NDArray[np.uint64]) -> NDArray[np.int8]:
        """Per pair: how open today the strongest of the actions in its own mask is."""
        import numpy as np

        found = np.zeros(len(masks), dtype=np.int8)
        for level in sorted(LIVE):
            found = np.where(self.held_each(self.pairs, level) & masks != 0, np.int8(level), found)
        return found

    def read(self) -> NDArray[np.int8]:
        """Reading plaintext; forging signatures or codes for keys that only do that."""
        return self.level_of(USE)

    def unlimited_grant(self) -> NDArray[np.int8]:
        """CreateGrant that nothing limits to services, fixed grantees or harmless operations."""
        import numpy as np

        level = self.level_of(CREATE_GRANT)
        return np.where(self.limited[self.pairs.profiles], np.int8(0), level)

    def takeover(self) -> NDArray[np.int8]:
        """Rewriting who has access: PutKeyPolicy, unlimited CreateGrant, or ReplicateKey together with CreateKey."""
        import numpy as np

        return np.maximum(np.maximum(self.level_of(PUT_POLICY), self.unlimited_grant()), self.replicating())

    def replicating(self) -> NDArray[np.int8]:
        """ReplicateKey by somebody who may also create keys, and so writes the policy of the replica."""
        import numpy as np

        return np.where(self.creators[self.pairs.principals], self.level_of(REPLICATE), np.int8(0))

    def powerful(self) -> NDArray[np.int8]:
        """Reading, forging or takeover today, behind a condition or not."""
        import numpy as np

        level = np.maximum(self.read(), self.takeover())
        return np.where(level >= int(Openness.MAYBE), level, np.int8(0))

    def destroy(self) -> NDArray[np.int8]:
        """Disabling or destroying the key, or cutting off its key store."""
        import numpy as np

        return np.maximum(self.level_of(DESTROY), self.store_breaking())

    def store_breaking(self) -> NDArray[np.int8]:
        """Disconnecting or changing the custom key store that holds the key."""
        import numpy as np

        stored = np.array([key.custom_key_store_id is not None for key in self.reach.keys], dtype=bool)
        if not stored.any():
            return np.zeros(len(self.pairs), dtype=np.int8)
        by_profile = np.zeros(len(self.reach.table.profiles), dtype=np.int8)
        for level in COUNTED:
            holds = (self.reach.masks[level] & np.uint64(STORE_BREAKERS)) != 0
            by_profile = np.where(holds, np.maximum(by_profile, np.int8(level)), by_profile)
        breakers = by_profile[self.reach.table.account_level]
        own = stored[self.pairs.keys] & self._same_account()
        return np.where(own, breakers[self.pairs.principals], np.int8(0))

    def _same_account(self) -> NDArray[np.bool_]:
        import numpy as np

        who = np.array([principal.account or "" for principal in self.reach.principals])
        whose = np.array([key.account for key in self.reach.keys])
        if not len(self.pairs):
            return np.zeros(0, dtype=bool)
        found: NDArray[np.bool_] = who[self.pairs.principals] == whose[self.pairs.keys]
        return found

    def held(self, row: int, profile: int, key: int, *levels: Openness) -> int:
        """The mask that one pair holds, without CreateGrant that is limited and ReplicateKey without CreateKey."""
        mask = self.reach.held(profile, key, *levels)
        if self.limited[profile]:
            mask &= ~CREATE_GRANT
        return mask if self.creators[row] else mask & ~REPLICATE

    def holdings(self, levels: NDArray[np.int8], mask: int) -> Iterator[Holding]:
        """Per principal with a level above zero: the keys over which it has the power for certain, those over which it
        may have it, and where there are neither, those where it is stopped today."""
        import numpy as np

        best = np.zeros(len(self.reach.principals), dtype=np.int8)
        np.maximum.at(best, self.pairs.principals, levels)
        certain = best > int(Openness.MAYBE)
        stopped = best == int(Openness.LATENT)
        yield from self._told(levels, levels > int(Openness.MAYBE), CERTAIN, mask)
        for holding in self._told(levels, levels == int(Openness.MAYBE), LIVE, mask):
            yield replace(holding, beside=bool(certain[holding.pairs.principals[0]]))
        yield from self._told(levels, (levels > 0) & stopped[self.pairs.principals], COUNTED, mask)

    def _told(
        self, levels: NDArray[np.int8], flags: NDArray[np.bool_], counted: tuple[Openness, ...], mask: int
    ) -> Iterator[Holding]:
        """One holding per principal: its pairs with a flag, and the actions of ``mask`` that are as open as counted."""
        import numpy as np

        own, values = self.pairs.select(flags), levels[flags]
        held = np.zeros(len(self.reach.principals), dtype=np.uint64)
        np.bitwise_or.at(held, own.principals, self.held_each(own, *counted) & np.uint64(mask))
        order = np.lexsort((-values, own.principals))  # of each principal, the strongest pair first
        _, firsts = np.unique(own.principals[order], return_index=True)
        for (position, pairs), first in zip(own.by_principal(), order[firsts].tolist(), strict=True):
            level, profile = Openness(int(values[first])), int(own.profiles[first])
            yield self._holding(
                pairs, level, int(held[position]) | self._of_stores(position, pairs, counted, mask), profile
            )

    def held_each(self, pairs: Pairs, *levels: Openness) -> NDArray[np.uint64]:
        """``held`` of every pair."""
        import numpy as np

        masks = self.reach.held_by(pairs, *levels)
        masks = np.where(self.limited[pairs.profiles], masks & ~np.uint64(CREATE_GRANT), masks)
        found: NDArray[np.uint64] = np.where(self.creators[pairs.principals], masks, masks & ~np.uint64(REPLICATE))
        return found

    def _of_stores(self, position: int, pairs: Pairs, counted: tuple[Openness, ...], mask: int) -> int:
        """The actions of ``mask`` on key stores that a principal holds, where one of the pairs has a key in a store."""
        stored = any(self.reach.keys[key].custom_key_store_id is not None for key in pairs.keys.tolist())
        return self.reach.account_level(position, STORE_BREAKERS & mask, *counted) if stored else 0

    def _holding(self, pairs: Pairs, level: Openness, held: int, profile: int) -> Holding:
        """The holding of the principal of the pairs; ``profile`` is that of the pair which shows the level."""
        position = int(pairs.principals[0])
        keys = tuple(self.reach.keys[key] for key in pairs.keys.tolist())
        if not held & ~STORE_BREAKERS:  # no key policy has a say
            profile = int(self.reach.table.account_level[position])
        return Holding(self.reach.principals[position], keys, level, held, self._sample(profile, held, level), pairs)

    def _sample(self, profile: int, held: int, level: Openness) -> Decision:
        asked = (profile, held, level)
        if asked not in self._samples:
            self._samples[asked] = self.telling(*asked)
        return self._samples[asked]

    def telling(self, profile: int, held: int, level: Openness) -> Decision:
        """The decision of a profile that shows best how the actions of a mask come to be of a level."""
        bits = [action.bit for action in actions_in(held)] or [0]
        classes = self.reach.classes
        row = self.reach.table.profiles[profile]
        best = max(bits, key=lambda bit: (classes[row[bit]] == level, int(classes[row[bit]]), -bit))
        return self.reach.table.decisions[row[best]]


def power(view: View) -> Power:
    """The powers of a view, computed once."""
    return view.once("power", lambda: Power(view))
