"""One principal, one key, one action: the same sides and layers as in ``deciding_in_bulk``, without its memory."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import caller_side
from auditor.evaluator.key_side import key_side
from auditor.evaluator.layers import Layers, relation_of
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.evaluator.verdict import decide_group
from auditor.model.access import Decision, Outcome
from auditor.model.actions import find_action, state_blocks
from auditor.model.key import Key
from auditor.model.principal import Principal

UNKNOWN_ACTION = Decision(Outcome.IMPLICITLY_DENIED, "unknown_action")
STATE_FLAG = "key_state_blocks_call"


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
    """The decision with the flags of its key; state never changes who is authorized (developer guide, key states)."""
    if blocked and not decision.outcome.denied:
        flags = (*flags, STATE_FLAG)
    return replace(decision, flags=tuple(sorted({*decision.flags, *flags}))) if flags else decision
