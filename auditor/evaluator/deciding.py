"""One principal, one key, one action; and all actions of a pair at once. Both go through the same layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import ALIAS_ACTIONS, caller_side
from auditor.evaluator.contributions import CallerSide, Contribution, KeySide
from auditor.evaluator.key_side import key_side
from auditor.evaluator.layers import Layers, Relation, relation_of
from auditor.evaluator.statements import split
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.evaluator.verdict import decide_group
from auditor.model.access import Decision, Outcome
from auditor.model.actions import (
    ACTIONS,
    ALL,
    CROSS_ACCOUNT,
    ON_KEY,
    RETIRE_GRANT,
    actions_in,
    find_action,
    state_blocks,
)
from auditor.model.key import Key
from auditor.model.principal import Principal

UNKNOWN_ACTION = Decision(Outcome.IMPLICITLY_DENIED, "unknown_action")
STATE_FLAG = "key_state_blocks_call"
Memo = dict[object, Decision]
_CLASSES = [ON_KEY, CROSS_ACCOUNT, RETIRE_GRANT, ALIAS_ACTIONS]


def decide(
    surroundings: Surroundings, principal: Principal, key: Key, action: str, context: Context | None = None
) -> Decision:
    """The decision for one action name (``kms:Decrypt`` or ``Decrypt``, any case).

    ``context`` holds known request facts; see ``Surroundings``. An unknown action name matches nothing.
    """
    found = find_action(action)
    if found is None:
        return UNKNOWN_ACTION
    pair = Pair(surroundings, principal, key, 1 << found.bit, context or {})
    caller, keyside = caller_side(pair), key_side(pair)
    relation = relation_of(principal.kind, pair.same_account, caller)
    decision = decide_group(Layers.of(relation, pair.mask, (*caller.contributions, *keyside.contributions)))
    return with_flags(decision, keyside.flags, state_blocks(found, key.state))


def with_flags(decision: Decision, flags: tuple[str, ...], blocked: bool) -> Decision:
    """The decision with the flags of its key; state never changes who is authorized (section 13)."""
    if blocked and not decision.outcome.denied:
        flags = (*flags, STATE_FLAG)
    return replace(decision, flags=tuple(sorted({*decision.flags, *flags}))) if flags else decision


def decide_all(
    relation: Relation,
    caller: CallerSide,
    keyside: KeySide,
    state: str = "",
    mask: int = ALL,
    memo: Memo | None = None,
) -> tuple[Decision | None, ...]:
    """The decisions for every action of ``mask``, by bit (None elsewhere). Actions that all contributions treat alike
    share one decision; ``memo`` carries decisions over to other pairs with the same contributions."""
    contributions = (*caller.contributions, *keyside.contributions)
    result: list[Decision | None] = [None] * len(ACTIONS)
    for group in groups_of(mask, contributions):
        decision = _remembered(relation, group, contributions, {} if memo is None else memo)
        for action in actions_in(group):
            result[action.bit] = with_flags(decision, keyside.flags, state_blocks(action, state))
    return tuple(result)


def _remembered(relation: Relation, group: int, contributions: tuple[Contribution, ...], memo: Memo) -> Decision:
    present = tuple(
        (item.slot, item.residual, item.source, item.grant, item.level, item.flags)
        for item in contributions
        if item.mask & group
    )
    identity = (relation, tuple(bool(group & kind) for kind in _CLASSES), present)
    found = memo.get(identity)
    if found is None:
        found = decide_group(Layers.of(relation, group, contributions))
        memo[identity] = found
    return found


def groups_of(mask: int, contributions: Iterable[Contribution]) -> tuple[int, ...]:
    """The partition of ``mask`` into actions that no contribution and no class of actions tells apart."""
    return split([mask], [*_CLASSES, *{contribution.mask for contribution in contributions}])
