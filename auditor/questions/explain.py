"""The whole chain of one decision: per layer the statements that matched or nearly did, and what would turn it."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.evaluator import Context, Evaluation, in_words
from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import caller_side
from auditor.evaluator.contributions import ALIAS_PART, CallerSide, Contribution, layer_of
from auditor.evaluator.grants import grantable_now
from auditor.evaluator.key_side import key_side
from auditor.evaluator.layers import relation_of
from auditor.model.access import Decision
from auditor.model.actions import ALIAS_ACTIONS, Action
from auditor.model.key import Key
from auditor.model.policy import Layer, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import TRUE
from auditor.questions.context_keys import impossible
from auditor.questions.near_misses import near_misses, without_effect
from auditor.questions.standing import Standing
from auditor.questions.turning import turning_points
from auditor.questions.wording import cannot_do, flag_words

ORDER = (Layer.SCP, Layer.RCP, Layer.KEY_POLICY, Layer.GRANT, Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION)
"""The order in which the chain is told: organization, key, caller."""
_HALVES = (tuple(ALIAS_PART), tuple(ALIAS_PART.values()))

WITHOUT_IDENTITY_POLICIES = {
    PrincipalKind.ROOT: "a root user has no identity policies and needs none",
    PrincipalKind.SERVICE: "a service has no identity policies",
}
NOT_LIMITED = {
    "key-policy": "; that does not limit what the key policy gives to this caller itself",
    "grant": "; AWS does not say that it limits a grant",
}
"""Path of an access → why a boundary or session policy without the action leaves it as it is. A denial has no path."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement, grant or gap on a layer.

    ``effect`` is Allow, Deny or empty for a gap. ``match`` is ``matches``, ``matches`` with the condition in words, or
    why it does not; ``matched`` tells the two apart.
    """

    source: str
    effect: str
    matched: bool
    match: str


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer of the chain; ``note`` says what an empty one means."""

    layer: Layer
    evidence: tuple[Evidence, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to why. ``turning`` says what would have to change for the opposite outcome.

    ``notes`` say what authorization does not see; ``impossible`` what was stated of the request and cannot be.
    """

    principal: Principal
    key: Key
    action: Action
    decision: Decision
    layers: tuple[LayerView, ...]
    turning: tuple[str, ...]
    notes: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()


def explain(
    evaluation: Evaluation, principal: Principal, action: Action, key: Key, context: Context | None = None
) -> Explanation:
    """The chain for one principal, action and key under the known request ``context``."""
    decision = evaluation.decide(principal, key, action.name, context)
    pair = Pair(evaluation.surroundings, principal, key, 1 << action.bit, context or {})
    caller, keyside = caller_side(pair), key_side(pair)
    contributions = (*caller.contributions, *keyside.contributions)
    notes = _notes(caller, principal, NOT_LIMITED.get(decision.path, ""))
    idle = without_effect(pair, caller)
    layers = tuple(_layer(layer, pair, contributions, notes[layer], idle.get(layer, "")) for layer in ORDER)
    relation = relation_of(principal.kind, pair.same_account, caller)
    standing = Standing(relation, pair.mask, contributions, grantable_now(key))
    turning = turning_points(standing, decision, action)
    if not key.customer_managed and any("key policy" in sentence for sentence in turning):
        turning = (*turning, "AWS alone can change the key policy of an AWS managed key.")
    unasked = Pair(evaluation.surroundings, principal, key, pair.mask).question(action.bit, Layer.IDENTITY)
    remarks = (*map(flag_words, decision.flags), *cannot_do(key, action))
    return Explanation(
        principal, key, action, decision, layers, turning, remarks, tuple(impossible(unasked, context or {}))
    )


def _notes(caller: CallerSide, principal: Principal, spared: str) -> dict[Layer, str]:
    """What each layer says when it has nothing to show; ``spared``: why a limit that allows nothing does not stop."""
    unseen = "assumed not to limit: the caller's own account was not collected" if principal.assume_allowed else ""
    nothing = f"no statement allows this action{spared}"
    return {
        Layer.SCP: "no SCP speaks of this action",
        Layer.RCP: "no RCP statement denies it",
        Layer.KEY_POLICY: "no statement is about this action",
        Layer.GRANT: "no grant covers this caller and action",
        Layer.IDENTITY: WITHOUT_IDENTITY_POLICIES.get(principal.kind, "no statement is about this action"),
        Layer.BOUNDARY: nothing if caller.boundary else unseen or "no permissions boundary",
        Layer.SESSION: nothing if caller.session else unseen or "no session policy",
    }


def _layer(layer: Layer, pair: Pair, contributions: tuple[Contribution, ...], note: str, idle: str) -> LayerView:
    """The evidence of a layer; ``idle`` says why none of it counts, if so."""
    mine = [item for item in contributions if layer_of(item.slot) is layer and not idle]
    alone = _halves_alone(mine) if pair.mask & ALIAS_ACTIONS else {}
    evidence = list(dict.fromkeys(_matched(item, alone.get((item.source, item.level), "")) for item in mine))
    seen = {item.source for item in mine}
    evidence += [Evidence(*found) for found in near_misses(layer, pair, seen, idle)]
    return LayerView(layer, tuple(evidence), "" if evidence else idle or note)


def _halves_alone(items: list[Contribution]) -> dict[tuple[StatementRef | None, int], str]:
    """Statements, each with its SCP level, that allow one half of an alias action alone."""
    key, alias = ({(one.source, one.level) for one in items if one.slot in slots} for slots in _HALVES)
    return dict.fromkeys(key - alias, " for the key alone") | dict.fromkeys(alias - key, " for the alias alone")


def _matched(item: Contribution, half: str) -> Evidence:
    effect = "Deny" if item.slot.name.endswith("DENY") else "Allow"
    if item.source is None and item.grant is None:
        if item.residual == TRUE:
            return Evidence("the caller's own account", "Allow", True, "assumed: it was not collected")
        return Evidence("a fact that could not be read", "", True, in_words(item.residual))
    match = f"matches{half}" if item.residual == TRUE else f"matches{half} {_if(in_words(item.residual))}"
    source = f"grant {item.grant}" if item.grant else str(item.source)
    owner = f" on {item.source.owner}" if item.source and item.source.owner else ""
    return Evidence(source + owner, effect, True, match)


def _if(words: str) -> str:
    if words.startswith("depends "):
        return f"({words})"
    return words if words.startswith(("only", "unless", "if", "with")) else f"if {words}"
