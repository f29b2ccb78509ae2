"""What would have to change for the opposite outcome, as sentences that name the statement, grant or layer.

Every answer was tried: what is taken away or added is taken from or added to the contributions of the layers, and the
decision is made again, until it turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditor.evaluator.contributions import Slot
from auditor.evaluator.grants import ANY_GRANT
from auditor.evaluator.reasons import LAYER_WORDS, condition_words, on_half, source_words
from auditor.model.access import Cause, Decision, Outcome, Role
from auditor.model.actions import ALIAS_ACTIONS, CREATE_GRANT, KEY_POLICY_EFFECTIVE, RETIRE_GRANT, Action
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from auditor.questions.standing import Standing

HOPELESS = {
    "action_not_cross_account": "Nothing can allow it: this action works inside the key's own account only.",
    "unknown_action": "Nothing can allow it: there is no such action.",
}
WITH_IDENTITY_POLICIES = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SESSION)
"""Callers whose identity policies are in the hands of who asks."""
STEPS = 40
"""Changes tried one after the other; more than any decision has layers."""


def turning_points(standing: Standing, decision: Decision, action: Action) -> tuple[str, ...]:
    """The changes that give access where it is denied, and take it away where it is given."""
    if decision.reason in HOPELESS:
        return (HOPELESS[decision.reason],)
    if decision.outcome is Outcome.UNKNOWN:
        notes = [cause.note or LAYER_WORDS[cause.layer] for cause in decision.causes if cause.role is Role.UNREAD]
        return tuple(_settling(note) for note in dict.fromkeys(notes))
    return _giving(standing, action) if decision.outcome.denied else _taking(standing, decision, action)


def _settling(note: str) -> str:
    """What would settle an unknown answer: not everything that is unknown can be read."""
    if note.startswith("effect of "):
        return f"AWS does not document the {note}: statements without such a condition would settle it."
    if note.startswith("condition operator "):
        return f"There is no {note}: correct it."
    return f"Correct {note}." if note.startswith("the Condition of ") else f"Read what is missing: {note}."


def _taking(standing: Standing, decision: Decision, action: Action) -> tuple[str, ...]:
    """One statement that is enough by itself where there is one, else all that have to go together."""
    alone = _enough(standing, _allows(decision))
    found = list(dict.fromkeys(_without(action, cause) for cause in alone))
    if not found:
        together = _all_allows(standing)
        found = [f"Take {action.name} away from all of: {'; '.join(together)}."] if together else []
    places = _places_to_deny(standing, action)
    if places:
        found.append(f"{'Or deny' if found else 'Deny'} {action.name} explicitly for this caller, in {places}.")
    return tuple(found) or ("No policy can take it away from this caller.",)


def _enough(standing: Standing, causes: list[Cause]) -> list[Cause]:
    """Those without each of which access is denied. They are looked for in halves, because there may be hundreds: what
    is still given without all of them is given without any one."""
    if not causes or not standing.without(*causes).decide().outcome.denied:
        return []
    half = len(causes) // 2
    return causes if not half else [*_enough(standing, causes[:half]), *_enough(standing, causes[half:])]


def _places_to_deny(standing: Standing, action: Action) -> str:
    """The policies in which an explicit deny would stop this caller, as far as the caller has them."""
    places = {
        "the key policy": bool(KEY_POLICY_EFFECTIVE >> action.bit & 1),
        "an SCP": standing.relation.scp_levels is not None,
        "an identity policy": standing.relation.kind in WITH_IDENTITY_POLICIES,
    }
    *others, last = [place for place, stops in places.items() if stops] or [""]
    return f"{', '.join(others)} or {last}" if others else last


def _all_allows(standing: Standing) -> list[str]:
    """Every statement and grant that has to go before nothing allows any more; empty when that is not enough."""
    words: dict[str, None] = {}
    for _ in range(STEPS):
        decision = standing.decide()
        if decision.outcome.denied:
            return list(words)
        cause = next(iter(sorted(_allows(decision), key=_breadth)), None)
        if cause is None:
            return []
        words.setdefault(source_words(cause) + (" (by revoking it)" if cause.grant else ""))
        standing = standing.without(cause)
    return []


def _without(action: Action, cause: Cause) -> str:
    """How to take an action out of a statement, or away with a grant, which nobody can change."""
    words = source_words(cause)
    return f"Revoke {words}: a grant cannot be changed." if cause.grant else f"Take {action.name} away from {words}."


def _allows(decision: Decision) -> list[Cause]:
    cited = [cause for cause in decision.causes if cause.role is Role.ALLOWS and cause.grant != ANY_GRANT]
    return [cause for cause in cited if cause.statement is not None or cause.grant is not None]


def _breadth(cause: Cause) -> int:
    """What concerns the caller alone goes first: taking it away hurts nobody else."""
    order = (Layer.GRANT, Layer.IDENTITY, Layer.KEY_POLICY)
    return order.index(cause.layer) if cause.layer in order else len(order)


def _giving(standing: Standing, action: Action) -> tuple[str, ...]:
    """Everything that has to change, in an order in which it can be read as a list of things to do."""
    sentences: dict[str, None] = {}
    hopeless = _hopeless(standing, action)
    if hopeless:
        return (hopeless,)
    decision = _settled(standing, action, sentences.setdefault).decide()
    if decision.reason in HOPELESS:
        return (HOPELESS[decision.reason],)
    if decision.outcome.denied:
        return (*sentences, "That alone does not allow it: a fact that could not be read may deny it.")
    return (*sentences, *_remaining(decision))


def _settled(standing: Standing, action: Action, say: Callable[[str], None]) -> Standing:
    """The standing after everything that stops the caller was taken away, and what is missing was added; ``say`` takes
    a sentence for each."""
    for _ in range(STEPS):
        decision = standing.decide()
        if not decision.outcome.denied or decision.reason in HOPELESS:
            break
        denies = _in_the_way(standing, [cause for cause in decision.causes if cause.role is Role.DENIES])
        for cause in denies:
            say(f"Remove or narrow {source_words(cause)}.")
            standing = standing.without(cause)
        if not denies:
            standing = _allowed(standing, decision, action, say)
    return standing


def _in_the_way(standing: Standing, denies: list[Cause]) -> list[Cause]:
    """The denies that have to go: one that lets some request pass, such as those with MFA, may stay."""
    always = [cause for cause in denies if standing.holds_always(cause)]
    sometimes = [cause for cause in denies if cause not in always]
    return [*always, *_needed(standing.without(*always), sometimes)]


def _needed(standing: Standing, denies: list[Cause]) -> list[Cause]:
    """Those of the denies, none too many, without which nothing is denied explicitly any more. They are looked for in
    halves, because there may be hundreds."""
    if not denies or standing.decide().outcome is not Outcome.EXPLICITLY_DENIED:
        return []
    if len(denies) == 1:
        return denies
    first, last = denies[: len(denies) // 2], denies[len(denies) // 2 :]
    of_last = _needed(standing.without(*first), last)
    return [*_needed(standing.without(*of_last), first), *of_last]


def _hopeless(standing: Standing, action: Action) -> str:
    """Why no policy can allow an action to a caller of this kind; empty where one can."""
    kind = standing.relation.kind
    if kind is PrincipalKind.SERVICE and (not action.on_key or ALIAS_ACTIONS >> action.bit & 1):
        return "Nothing can allow it: it takes an identity policy, and a service has none."
    if kind is PrincipalKind.EVERYONE and RETIRE_GRANT >> action.bit & 1:
        return "Nothing can allow it: a grant names who may retire it."
    return ""


def _remaining(decision: Decision) -> tuple[str, ...]:
    """What still stands in the way of an access that is given now."""
    if decision.outcome is Outcome.UNKNOWN:
        return ("Whether it then holds depends on facts that could not be read.",)
    condition = condition_words(decision)
    return (f"It then holds {condition}.",) if condition else ()


def _allowed(standing: Standing, decision: Decision, action: Action, say: Callable[[str], None]) -> Standing:
    """The standing with what the decision misses; ``say`` takes a sentence for each."""
    missing = [cause for cause in decision.causes if cause.role is Role.MISSING]
    if RETIRE_GRANT >> action.bit & 1 and {cause.layer for cause in missing} <= {Layer.KEY_POLICY}:
        return _retiring(standing, action, say)
    if decision.reason == "no_delegation":
        delegate = (
            ", or let the key policy delegate to the account"
            if _as_good(standing, standing.delegating(), action)
            else ""
        )
        say(f"Name the caller for {action.name} in the key policy{delegate}.")
        return standing.allowing(Layer.KEY_POLICY)
    if decision.reason == "action_not_authorized_by_key_policy":
        say(f"Allow {action.name} in an identity policy: key policies cannot give this action.")
        return standing.allowing(Layer.IDENTITY)
    if not missing:
        say(f"Allow {action.name} in {_ways_in(standing, action)}.")
        return standing.allowing(Layer.KEY_POLICY)
    for cause in missing:
        if standing.decide().reason != decision.reason:
            break  # of conditions that rule one another out, one is enough
        place = f"{LAYER_WORDS[cause.layer]}{f' of {cause.owner}' if cause.owner else ''}"
        say(f"Allow {action.name} {on_half(cause)}in the {place}.")
        standing = standing.allowing(cause.layer, cause.owner)
    return standing


def _ways_in(standing: Standing, action: Action) -> str:
    """Where the key's side can let this caller in; other ways than the key policy where they lead as far."""
    kind, ways = standing.relation.kind, ["the key policy"]
    # What a grant lets its holder grant is no more than it has: that is less than what was asked for.
    grantable = standing.grantable & standing.mask & ~CREATE_GRANT and kind is not PrincipalKind.EVERYONE
    if grantable and _as_good(standing, standing.granted(), action):
        # AWS makes no grant to a service without the SourceArn on whose behalf it holds.
        ways.append("or by a grant" + (" on behalf of one resource" if kind is PrincipalKind.SERVICE else ""))
    inside = standing.relation.same_account and kind not in (PrincipalKind.SERVICE, PrincipalKind.ROOT)
    if inside and _as_good(standing, standing.delegating().allowing(Layer.IDENTITY), action):
        ways.append("or delegate to IAM and allow it there")
    return ", ".join(ways)


def _as_good(standing: Standing, other: Standing, action: Action) -> bool:
    """Whether another change leads as far as naming the caller in the key policy, after everything else that this
    needs: a boundary or a session policy limits delegated access alone, and its conditions add to others."""
    named = standing.allowing(Layer.KEY_POLICY)
    done = _settled(named, action, _unsaid)
    left = tuple(item for item in other.contributions if item in done.contributions or item not in named.contributions)
    added = tuple(item for item in done.contributions if item not in named.contributions)
    wanted, found = done.decide(), replace(other, contributions=(*left, *added)).decide()
    return (found.outcome, found.residual) == (wanted.outcome, wanted.residual)


def _unsaid(sentence: str) -> None:
    """Takes what is only tried."""


def _retiring(standing: Standing, action: Action, say: Callable[[str], None]) -> Standing:
    """Retiring: key policies have no effect; a grant names who may, and the account that issued it may as well."""
    if any(item.slot is Slot.RETIRE_ISSUER for item in standing.contributions):
        say(f"Allow {action.name} in the identity policy.")
        return standing.allowing(Layer.IDENTITY)
    later = "" if standing.grantable else ", once the key's state lets somebody make one"
    say(f"Make the caller the retiring principal of a grant of the key{later}.")
    return standing.retiring()
