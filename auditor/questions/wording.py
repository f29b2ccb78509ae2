"""Decisions in plain words."""

from __future__ import annotations

from auditor.evaluator.reasons import cause_words, condition_words
from auditor.model.access import Decision, Outcome, Role
from auditor.model.actions import Action
from auditor.model.key import Fact, Key, usable_on

REASON_WORDS = {
    "no_allow": "nothing allows it",
    "action_not_cross_account": "the action works inside the key's own account only",
    "unknown_action": "there is no such action",
}
FLAG_WORDS = {
    "boundary_not_applied_to_grant": "whether the permissions boundary, which lacks it, limits grants is undocumented",
    "session_policy_not_applied_to_grant": "whether the session policy, which lacks it, limits grants is undocumented",
    "forallvalues_empty_set": "a ForAllValues test holds here because the request has nothing to compare",
    "key_state_blocks_call": "who is allowed does not change, but the call fails in the state that the key is in",
    "ram_policy": "the key policy that AWS RAM wrote takes part, and AWS does not document how it is evaluated",
    "orphaned_principal": "the key policy names a principal that was deleted",
}
"""What the flags of a decision mean, for people."""
_MULTI_REGION = {"ReplicateKey": ("PRIMARY",), "UpdatePrimaryRegion": ("PRIMARY", "REPLICA")}
"""Actions that only multi-Region keys of these types do (AWS KMS API reference)."""


def blocked_by(decision: Decision) -> str:
    """What takes access away or is missing, in words; empty where access is given."""
    if not decision.outcome.denied:
        return ""
    wanted = (Role.DENIES, Role.MISSING)
    found = "; ".join(cause_words(cause) for cause in decision.causes if cause.role in wanted)
    return found or REASON_WORDS.get(decision.reason, decision.reason.replace("_", " "))


def flag_words(flag: str) -> str:
    """What a flag of a decision means."""
    return FLAG_WORDS.get(flag, flag.replace("_", " "))


def cannot_do(key: Key, action: Action) -> tuple[str, ...]:
    """A sentence where no key of this type does the action, whoever is allowed to ask for it; none elsewhere."""
    if not action.on_key or Fact.KEY_METADATA in key.unread:
        return ()
    if action.short in _MULTI_REGION and key.multi_region_key_type not in _MULTI_REGION[action.short]:
        kind = "multi-Region replica" if key.multi_region else "single-Region key"
        return (f"{action.name} fails on a {kind}",)
    if usable_on(key) >> action.bit & 1:
        return ()
    return (f"{action.name} fails on a key of {key.spec} for {key.usage}, with material of {key.origin}",)


def decision_words(decision: Decision) -> str:
    """Outcome, condition and blocking layer in one line."""
    match decision.outcome:
        case Outcome.ALLOWED:
            return "allowed"
        case Outcome.CONDITIONAL:
            return f"conditional: {condition_words(decision)}"
        case Outcome.UNKNOWN:
            unread = [cause.note for cause in decision.causes if cause.role is Role.UNREAD and cause.note]
            return f"unknown: {', '.join(unread) or 'a needed fact'} could not be read"
    kind = "denied explicitly" if decision.outcome is Outcome.EXPLICITLY_DENIED else "denied"
    return f"{kind}: {blocked_by(decision)}"
