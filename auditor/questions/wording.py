"""Decisions and their causes in plain words, with the layer, the policy and the statement named."""

from __future__ import annotations

from auditor.evaluator import in_words
from auditor.model.access import CONTRADICTED, NOT_ON_ALIAS, NOT_ON_KEY, Cause, Decision, Outcome, Role
from auditor.model.actions import Action
from auditor.model.key import Fact, Key, usable_on
from auditor.model.policy import Layer

LAYER_WORDS = {
    Layer.KEY_POLICY: "key policy",
    Layer.IDENTITY: "identity policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
    Layer.SCP: "SCP",
    Layer.RCP: "RCP",
    Layer.GRANT: "grant",
}
REASON_WORDS = {
    "no_allow": "nothing allows it",
    "action_not_cross_account": "the action works inside the key's own account only",
    "unknown_action": "there is no such action",
}
ROLE_WORDS = {
    Role.ALLOWS: "allowed by",
    Role.DENIES: "denied by",
    Role.LIMITS: "limited by",
    Role.MISSING: "nothing allows it in the",
    Role.UNREAD: "could not be read:",
}
_MULTI_REGION = {"ReplicateKey": ("PRIMARY",), "UpdatePrimaryRegion": ("PRIMARY", "REPLICA")}
"""Actions that only multi-Region keys of these types do (AWS KMS API reference)."""


def cause_words(cause: Cause) -> str:
    """One link of the why chain: ``denied by SCP DenyOutsideEU statement “Region” on Prod``."""
    layer = LAYER_WORDS[cause.layer]
    if cause.role is Role.UNREAD:
        return f"could not be read: {cause.note or layer}"
    if cause.role is Role.MISSING:
        place = f"{layer} of {cause.owner}" if cause.owner else layer
        if cause.note == CONTRADICTED:
            return f"the {place} allows it under conditions that others rule out"
        return f"nothing allows it {on_half(cause)}in the {place}"
    return f"{ROLE_WORDS[cause.role]} {source_words(cause)}"


def on_half(cause: Cause) -> str:
    """Which half of an alias action is missing, with a blank behind it; empty where it is the whole action."""
    return {NOT_ON_ALIAS: "on the alias ", NOT_ON_KEY: "on the key "}.get(cause.note, "")


def source_words(cause: Cause) -> str:
    """Where a cause stands: layer, policy, statement, owner."""
    layer = LAYER_WORDS[cause.layer]
    if cause.grant is not None:
        return f"grant {cause.grant}"
    if cause.statement is None:
        return layer
    ref = cause.statement
    statement = f"statement “{ref.sid}”" if ref.sid else f"statement {ref.index + 1}"
    owner = ref.owner or cause.owner
    return f"{layer} {ref.policy} {statement}{f' on {owner}' if owner else ''}"


def blocked_by(decision: Decision) -> str:
    """What takes access away or is missing, in words; empty where access is given."""
    if not decision.outcome.denied:
        return ""
    wanted = (Role.DENIES, Role.MISSING)
    found = "; ".join(cause_words(cause) for cause in decision.causes if cause.role in wanted)
    return found or REASON_WORDS.get(decision.reason, decision.reason.replace("_", " "))


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


def condition_words(decision: Decision) -> str:
    """The residual condition in words; empty without one."""
    return in_words(decision.residual) if decision.residual is not None else ""


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
