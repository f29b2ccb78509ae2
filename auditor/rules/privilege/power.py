"""Who holds which power over which keys, once for all rules of this room: reading, takeover, destruction.

A pair counts with the openness of the power as a whole: CreateGrant only when nothing limits it, ReplicateKey only
with CreateKey, key store actions only for keys in a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.access import Decision
from auditor.model.actions import (
    CREATE_GRANT,
    CREATE_KEY,
    DESTROY,
    FORGE,
    READ_PLAINTEXT,
    STORE_BREAKERS,
    actions_in,
    mask_of,
)
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.conditions import for_services, grant_constrained, grant_limited
from auditor.rules.hit import listing
from auditor.rules.principals import service_linked
from auditor.rules.reach import INSIDE, Openness, Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUT_POLICY = mask_of(["PutKeyPolicy"])
REPLICATE = mask_of(["ReplicateKey"])
STORE_POWER = STORE_BREAKERS | mask_of(["UpdateCustomKeyStore"])
USE = READ_PLAINTEXT | FORGE
LIVE = (Openness.OPEN, Openness.GUARDED, Openness.MAYBE)
COUNTED = (Openness.LATENT, *LIVE)


@dataclass(frozen=True, slots=True)
class Holding:
    """One principal and the keys over which it holds a power, at the strongest openness found.

    ``mask`` are the actions that make the power; ``sample`` the decision that shows the path.
    """

    principal: Principal
    keys: tuple[Key, ...]
    level: Openness
    mask: int
    sample: Decision
    pairs: Pairs

    @property
    def latent(self) -> bool:
        """Whether something outside the allow path stops it today."""
        return self.level is Openness.LATENT

    @property
    def confidence(self) -> Confidence:
        """Potential where a fact that could not be read may still forbid it."""
        return Confidence.POTENTIAL if self.level is Openness.MAYBE else Confidence.CONFIRMED

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of the keys."""
        return tuple(key.arn for key in self.keys)

    @property
    def on_what(self) -> str:
        """The keys in words: the label of one, the number of many."""
        return self.keys[0].label if len(self.keys) == 1 else f"{len(self.keys)} keys"

    def identity(self, view: View) -> tuple[str, ...]:
        """Fingerprint parts: the principal's unique id and what gives it the power."""
        return (self.principal.unique_id or self.principal.arn, *view.meanings(self.sample.causes, self.principal))

    def evidence(self) -> tuple[Evidence, ...]:
        """Principal, keys, actions, and the path of one of them."""
        why = tuple(
            Evidence(
                f"path: {cause.role}",
                cause.note or str(cause.statement or cause.grant or cause.layer),
                cause.statement,
                cause.grant,
            )
            for cause in self.sample.causes
        )
        return (
            Evidence("keys", listing(self.arns)),
            Evidence("actions", listing((action.name for action in actions_in(self.mask)), 12)),
            *why,
        )


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
    return _grants_where(reach, lambda decision: grant_limited(decision, for_services))


def constrained_grants(reach: Reach) -> NDArray[np.bool_]:
    """Profile → whether its CreateGrant is limited, or makes only grants that carry a constraint."""
    return _grants_where(reach, grant_constrained)


def creators(reach: Reach) -> NDArray[np.bool_]:
    """Row of the table → whether the principal may create keys."""
    import numpy as np

    able = np.zeros(len(reach.table.profiles), dtype=bool)
    for level in LIVE:
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
        """One holding per principal with a level above zero: its live keys, or its latent ones when none is live."""
        import numpy as np

        chosen, values = self.pairs.select(levels > 0), levels[levels > 0]
        if not len(chosen):
            return
        best = np.zeros(len(self.reach.principals), dtype=np.int8)
        np.maximum.at(best, chosen.principals, values)
        chosen = chosen.select((values > int(Openness.LATENT)) | (best[chosen.principals] == int(Openness.LATENT)))
        latent = best[chosen.principals] == int(Openness.LATENT)
        held = np.zeros(len(best), dtype=np.uint64)
        per_pair = np.where(latent, self.held_each(chosen, *COUNTED), self.held_each(chosen, *LIVE))
        np.bitwise_or.at(held, chosen.principals, per_pair & np.uint64(mask))
        for position, own in chosen.by_principal():
            yield self._holding(position, own, Openness(int(best[position])), int(held[position]), mask)

    def held_each(self, pairs: Pairs, *levels: Openness) -> NDArray[np.uint64]:
        """``held`` of every pair."""
        import numpy as np

        masks = self.reach.held_by(pairs, *levels)
        masks = np.where(self.limited[pairs.profiles], masks & ~np.uint64(CREATE_GRANT), masks)
        found: NDArray[np.uint64] = np.where(self.creators[pairs.principals], masks, masks & ~np.uint64(REPLICATE))
        return found

    def _holding(self, position: int, pairs: Pairs, level: Openness, held: int, mask: int) -> Holding:
        keys = tuple(self.reach.keys[key] for key in pairs.keys.tolist())
        profile = int(pairs.profiles[0])
        if any(key.custom_key_store_id is not None for key in keys):
            held |= self.reach.account_level(position, STORE_BREAKERS & mask, *LIVE)
            profile = profile if held & ~STORE_BREAKERS else int(self.reach.table.account_level[position])
        sample = self._sample(profile, held, level)
        return Holding(self.reach.principals[position], keys, level, held, sample, pairs)

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
