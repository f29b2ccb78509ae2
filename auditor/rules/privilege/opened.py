"""Whose power over which keys: what identities have today, and what any identity policy would open to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluator.matrix import build_table
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.synthetic import FULL_ACCESS
from auditor.model.actions import CREATE_GRANT, CREATE_KEY, POWER
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.rules.privilege.power import REPLICATE, creators, limited_grants, power
from auditor.rules.privilege.steps import denying
from auditor.rules.reach import Openness, Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVERYTHING = AttachedPolicy(Layer.IDENTITY, "any policy it likes", "", parse_policy(FULL_ACCESS))
Held = tuple[tuple[bool, frozenset[str]], ...]
"""Whether it is certain, and the keys (ARNs) over which there is power then."""
_SURE, _PERHAPS = (Openness.GUARDED, Openness.OPEN), (Openness.MAYBE,)


@dataclass(frozen=True, slots=True)
class Opened:
    """Keys (ARNs) that any policy would open to each of the targets, and whether that is certain."""

    keys: frozenset[str]
    certain: bool
    targets: tuple[Principal, ...]


def powers(view: View, least: Openness = Openness.MAYBE) -> dict[str, frozenset[str]]:
    """Principal ARN → ARNs of the keys over which it has power today, at least as open as asked for."""
    own, found = power(view), dict[str, frozenset[str]]()
    for row, pairs in own.pairs.select(own.powerful() >= int(least)).by_principal():
        arns = frozenset(view.reach.keys[position].arn for position in pairs.keys.tolist())
        found[view.reach.principals[row].arn] = arns
    return found


def powers_with_roots(
    view: View, roots: Sequence[Principal], least: Openness = Openness.MAYBE
) -> dict[str, frozenset[str]]:
    """``powers``, and those of root users, at whom other rules do not look."""
    import numpy as np

    own, reach, found = power(view), view.reach, powers(view, least)
    levels = [level for level in Openness if level >= least]
    columns = np.flatnonzero([key.customer_managed for key in reach.keys])
    for row in (reach.principal_at[root.arn] for root in roots if root.arn in reach.principal_at):
        pairs = Pairs(np.full(len(columns), row), columns, reach.table.cells[row, columns].astype(np.int64))
        having = columns[own.held_each(pairs, *levels) & np.uint64(POWER) != 0]
        if len(having):
            found[reach.principals[row].arn] = frozenset(reach.keys[column].arn for column in having.tolist())
    return found


def opened_by_any_policy(
    view: View, targets: Sequence[Principal], asked: frozenset[str], own: dict[str, frozenset[str]]
) -> list[Opened]:
    """What the targets would come to among the keys ``asked``, beyond the power that they have (``own``: ARN → keys);
    those that would come to the same keys together."""
    alike: dict[tuple[frozenset[str], bool], list[Principal]] = {}
    keys = tuple(key for key in view.reach.keys if key.arn in asked)
    bigger = tuple(replace(who, identity_policies=(*_that_may_deny(who), EVERYTHING)) for who in targets)
    each = held_by_each(view, bigger, keys, view.evaluation.surroundings)
    for who, held in zip(targets, each, strict=True):
        for certain, arns in held:
            gained = arns - own.get(who.arn, frozenset())
            if gained:
                alike.setdefault((gained, certain), []).append(who)
    return [Opened(gained, certain, tuple(found)) for (gained, certain), found in alike.items()]


def held_by_each(
    view: View, callers: tuple[Principal, ...], keys: tuple[Key, ...], world: Surroundings
) -> Iterator[Held]:
    """What each of the callers would have among the keys in a world, in their order."""
    reach = Reach(build_table(callers, keys, world, POWER | CREATE_KEY), callers, keys, view.as_of.timestamp())
    limited, makers = limited_grants(reach), creators(reach)
    known: dict[tuple[bytes, bool], Held] = {}
    for row in range(len(callers)):
        alike = reach.table.cells[row].tobytes(), bool(makers[row])
        if alike not in known:
            known[alike] = _held(reach, row, limited, POWER if makers[row] else POWER & ~REPLICATE)
        yield known[alike]


def _that_may_deny(who: Principal) -> tuple[AttachedPolicy, ...]:
    """The identity policies that count beside one that allows everything; without the others most callers are alike."""
    unreadable = (one for one in who.identity_policies if not one.policy.readable)
    return (*denying(who), *unreadable)


def _held(reach: Reach, row: int, limited: NDArray[np.bool_], mask: int) -> Held:
    """The keys over which a row has power of a mask for certain, and those over which it may have it."""
    held: dict[bool, set[str]] = {True: set(), False: set()}
    for _, column, profile in reach.pairs_of([row]).rows():
        counted = mask & ~CREATE_GRANT if limited[profile] else mask
        for certain, levels in ((True, _SURE), (False, _PERHAPS)):
            if reach.held(profile, column, *levels) & counted:
                held[certain].add(reach.keys[column].arn)
    return (True, frozenset(held[True])), (False, frozenset(held[False] - held[True]))
