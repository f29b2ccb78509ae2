"""The bulk table as rules read it: who holds which actions on which key, as masks per profile and arrays of pairs.

Decisions are classified once each, profiles once each; rules then select among the few pairs of an inside principal and
a customer managed key where anything at all is open. No rule walks the matrix triple by triple.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.strength import Owner, Strength, strength
from auditor.model.access import AccessTable, Decision, Outcome, Role
from auditor.model.actions import ACTIONS, ALL, BY_NAME, mask_of
from auditor.model.key import DEFAULT_POLICY, RAM_POLICY, Fact, Key, usable_on
from auditor.model.policy import Layer
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.clock import by_now
from auditor.rules.conditions import demands

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSIDE = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)


class Openness(IntEnum):
    """What a decision is worth to a rule, least access first.

    LATENT: something allows and another layer takes it away. BLIND: unknown, and nothing is known to allow: a
    delegation alone gives nothing. MAYBE: allowed unless a fact that could not be read says otherwise, or as far as the
    policy of AWS RAM counts. GUARDED: conditional on S2 or stronger. OPEN: allowed, or behind a condition that proves
    nothing.
    """

    CLOSED = 0
    LATENT = 1
    BLIND = 2
    MAYBE = 3
    GUARDED = 4
    OPEN = 5


POSSIBLE = (Openness.OPEN, Openness.GUARDED, Openness.MAYBE, Openness.BLIND)
"""What somebody has or may have: who has none of it certainly has nothing."""
CERTAIN = (Openness.OPEN, Openness.GUARDED)
LIVE = (*CERTAIN, Openness.MAYBE)
COUNTED = (Openness.LATENT, *LIVE)
"""What a certain holder has, one that perhaps is one, and one that is stopped today."""
NOWHERE = Owner("", None)
MATERIAL_ONLY = mask_of(["ImportKeyMaterial", "DeleteImportedKeyMaterial"])
MULTI_REGION_ONLY = mask_of(["ReplicateKey", "UpdatePrimaryRegion"])
PRIMARY_ONLY = mask_of(["ReplicateKey"])
PUT_POLICY_BIT = BY_NAME["kms:putkeypolicy"].bit
GUARDRAILS = (Layer.SCP, Layer.RCP, Layer.BOUNDARY)
"""Layers that give nothing: an Allow that is missing there stops what the others allow."""


def openness(decision: Decision, owner: Owner = NOWHERE) -> Openness:
    """The class of one decision."""
    outcome = decision.outcome
    if outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) and _by_ram_alone(decision):
        return Openness.MAYBE
    if outcome is Outcome.ALLOWED:
        return Openness.OPEN
    if outcome is Outcome.CONDITIONAL:
        weak = decision.residual is None or strength(decision.residual, owner) < Strength.S2
        return Openness.OPEN if weak else Openness.GUARDED
    allowing = {cause.layer for cause in decision.causes if cause.role is Role.ALLOWS}
    allows = bool(allowing)
    if outcome is Outcome.UNKNOWN:
        delegation_only = decision.path == "iam-delegated" and allowing <= {Layer.KEY_POLICY}
        return Openness.MAYBE if allows and not delegation_only else Openness.BLIND
    stopped = any(
        cause.role in (Role.DENIES, Role.LIMITS) or (cause.role is Role.MISSING and cause.layer in GUARDRAILS)
        for cause in decision.causes
    )
    return Openness.LATENT if allows and stopped else Openness.CLOSED


def _by_ram_alone(decision: Decision) -> bool:
    """Whether nothing on the key's side allows it but the policy that AWS RAM writes: AWS does not document how that
    one is evaluated."""
    sides = [cause for cause in decision.causes if cause.role is Role.ALLOWS and cause.layer is not Layer.IDENTITY]
    return bool(sides) and all(
        cause.statement is not None and cause.layer is Layer.KEY_POLICY and cause.statement.policy == RAM_POLICY
        for cause in sides
    )


def usable(key: Key) -> int:
    """The actions that can succeed on a key: of its type and origin, and replication of primaries of multi-Region keys
    alone, and with their material: imported material stays behind (API reference, ReplicateKey). Where those could not
    be read, all but what imported material alone allows: rules about that list the key as not seen."""
    if Fact.KEY_METADATA in key.unread:
        return usable_on(key) & ~MATERIAL_ONLY
    if not key.multi_region:
        return usable_on(key) & ~MULTI_REGION_ONLY
    copied = key.multi_region_key_type != "REPLICA" and key.origin != "EXTERNAL"
    return usable_on(key) if copied else usable_on(key) & ~PRIMARY_ONLY


def _of_ram_alone(decision: Decision) -> bool:
    """Whether a PutKeyPolicy decision leaves only the policy named AWS_RAM, which nobody can put (API reference)."""
    return decision.residual is not None and demands(decision.residual, _not_the_default)


def _not_the_default(leaf: Leaf, negated: bool) -> bool:
    operator = parse_operator(leaf.operator)
    named = operator is not None and leaf.key.lower() == "kms:policyname"
    return operator is not None and named and satisfied(operator, leaf.values, (DEFAULT_POLICY,)) is negated


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions of principals and keys, side by side, with the profile of each pair."""

    principals: NDArray[np.int64]
    keys: NDArray[np.int64]
    profiles: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.principals)

    def select(self, flags: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """The pairs whose flag is set, or the pairs at the given positions in that order."""
        return Pairs(self.principals[flags], self.keys[flags], self.profiles[flags])

    def part(self, start: int, end: int) -> Pairs:
        """The pairs from ``start`` to before ``end``."""
        return Pairs(self.principals[start:end], self.keys[start:end], self.profiles[start:end])

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """``(principal, key, profile)`` of every pair."""
        yield from zip(self.principals.tolist(), self.keys.tolist(), self.profiles.tolist(), strict=True)

    def by_principal(self) -> Iterator[tuple[int, Pairs]]:
        """Principal position → its pairs, in the order of the principals."""
        yield from self._grouped(self.principals)

    def by_key(self) -> Iterator[tuple[int, Pairs]]:
        """Key position → its pairs, in the order of the keys."""
        yield from self._grouped(self.keys)

    def _grouped(self, column: NDArray[np.int64]) -> Iterator[tuple[int, Pairs]]:
        import numpy as np

        if not len(column):
            return
        order = np.argsort(column, kind="stable")
        ordered, values = self.select(order), column[order]
        ends = (np.flatnonzero(np.diff(values)) + 1).tolist()
        for start, end in pairwise((0, *ends, len(values))):
            yield int(values[start]), ordered.part(start, end)


class Reach:
    """Masks per profile, and the pairs worth looking at; ``now``, in POSIX seconds, decides tests of the clock."""

    def __init__(
        self, table: AccessTable, principals: tuple[Principal, ...], keys: tuple[Key, ...], now: float = 0.0
    ) -> None:
        self.table = table
        self.principals = principals
        self.keys = keys
        self.now = now
        self.principal_at = {principal.arn: position for position, principal in enumerate(principals)}
        self.key_at = {key.arn: position for position, key in enumerate(keys)}
        self.usable = tuple(usable(key) for key in keys)
        self._masks_at: dict[tuple[Openness, ...], list[int]] = {}

    @cached_property
    def classes(self) -> NDArray[np.int8]:
        """Openness per decision number."""
        import numpy as np

        return np.array([openness(by_now(decision, self.now)) for decision in self.table.decisions], dtype=np.int8)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Profile × action bit → decision number."""
        import numpy as np

        return np.array(self.table.profiles, dtype=np.int64).reshape(-1, len(ACTIONS))

    @cached_property
    def masks(self) -> dict[Openness, NDArray[np.uint64]]:
        """Per class: profile → the mask of its actions that are of exactly this class."""
        import numpy as np

        graded = self.classes[self.rows] if self.rows.size else np.zeros((0, len(ACTIONS)), dtype=np.int8)
        idle = [n for n in set(self.rows[:, PUT_POLICY_BIT].tolist()) if _of_ram_alone(self.table.decisions[n])]
        graded[np.isin(self.rows[:, PUT_POLICY_BIT], idle), PUT_POLICY_BIT] = int(Openness.CLOSED)
        bits = np.left_shift(np.uint64(1), np.arange(len(ACTIONS), dtype=np.uint64))
        return {
            level: np.bitwise_or.reduce(np.where(graded == level, bits, np.uint64(0)), axis=1)
            if len(graded)
            else np.zeros(0, dtype=np.uint64)
            for level in Openness
        }

    @cached_property
    def open_cells(self) -> NDArray[np.bool_]:
        """principals × keys: whether an action is at least LATENT, on keys of any manager."""
        import numpy as np

        closed = self.masks[Openness.CLOSED] == np.uint64(ALL)
        found: NDArray[np.bool_] = ~closed[self.table.cells]
        return found

    @cached_property
    def _usable_array(self) -> NDArray[np.uint64]:
        import numpy as np

        return np.array(self.usable, dtype=np.uint64)

    def pairs(self, mask: int, *, inside: bool = True) -> Pairs:
        """All pairs on customer managed keys where an action of ``mask`` is at least LATENT."""
        import numpy as np

        interesting = np.zeros(len(self.table.profiles), dtype=bool)
        for level in (Openness.LATENT, Openness.MAYBE, Openness.GUARDED, Openness.OPEN):
            interesting |= (self.masks[level] & np.uint64(mask)) != 0
        rows = np.array([(not inside) or who.kind in INSIDE for who in self.principals], dtype=bool)
        columns = np.array([key.customer_managed for key in self.keys], dtype=bool)
        row, column = np.nonzero(interesting[self.table.cells])
        wanted = rows[row] & columns[column]
        row, column = row[wanted], column[wanted]
        return Pairs(row, column, self.table.cells[row, column].astype(np.int64))

    @cached_property
    def all_pairs(self) -> Pairs:
        """The pairs of inside principals where any action is at least LATENT; computed once."""
        return self.pairs(ALL)

    @cached_property
    def _by_row(self) -> dict[int, Pairs]:
        return dict(self.all_pairs.by_principal())

    def pairs_of(self, rows: list[int]) -> Pairs:
        """Those of ``all_pairs`` whose principal is one of ``rows``."""
        import numpy as np

        found = [self._by_row[row] for row in rows if row in self._by_row]
        if not found:
            return self.all_pairs.select(np.zeros(0, dtype=np.int64))
        return Pairs(
            *(np.concatenate([getattr(one, name) for one in found]) for name in ("principals", "keys", "profiles"))
        )

    @cached_property
    def usable_kinds(self) -> tuple[int, ...]:
        """The different masks of usable actions among the keys."""
        return tuple(sorted(set(self.usable)))

    @cached_property
    def usable_kind(self) -> NDArray[np.int64]:
        """Key position → position in ``usable_kinds``."""
        import numpy as np

        places = {mask: place for place, mask in enumerate(self.usable_kinds)}
        return np.array([places[mask] for mask in self.usable], dtype=np.int64)

    def mask_at(self, profile: int, *levels: Openness) -> int:
        """The actions of the given levels in a profile, whatever the key can serve."""
        known = self._masks_at.get(levels)
        if known is None:
            known = self._masks_at[levels] = self._joined(levels).tolist()
        return known[profile]

    def _joined(self, levels: tuple[Openness, ...]) -> NDArray[np.uint64]:
        """Profile → the mask of its actions of any of the levels."""
        import numpy as np

        none = np.zeros(len(self.table.profiles), dtype=np.uint64)
        joined: NDArray[np.uint64] = np.bitwise_or.reduce([none, *(self.masks[level] for level in levels)])
        return joined

    def held_by(self, pairs: Pairs, *levels: Openness) -> NDArray[np.uint64]:
        """``held`` of every pair."""
        return self._joined(levels)[pairs.profiles] & self._usable_array[pairs.keys]

    def having(self, pairs: Pairs, mask: int, *levels: Openness) -> NDArray[np.bool_]:
        """Per pair: whether an action of ``mask`` that the key can serve is of one of the ``levels``."""
        import numpy as np

        wanted = np.uint64(mask) & self._usable_array[pairs.keys]
        found = np.zeros(len(pairs), dtype=bool)
        for level in levels:
            found |= (self.masks[level][pairs.profiles] & wanted) != 0
        return found

    def held(self, profile: int, key: int, *levels: Openness) -> int:
        """The mask of the actions of the given levels that one pair holds and the key can serve."""
        return self.mask_at(profile, *levels) & self.usable[key]

    def profile(self, principal: int, key: int) -> int:
        """The profile number of one pair."""
        return int(self.table.cells[principal, key])

    def decision(self, profile: int, bit: int) -> Decision:
        """The decision of a profile for the action with this bit."""
        return self.table.decisions[self.table.profiles[profile][bit]]

    def account_level(self, principal: int, mask: int, *levels: Openness) -> int:
        """The mask of account-level actions of ``mask`` that a principal holds at one of the ``levels``."""
        profile = int(self.table.account_level[principal])
        held = 0
        for level in levels:
            held |= int(self.masks[level][profile])
        return held & mask
