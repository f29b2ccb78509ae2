"""The causes of a decision in plain words, the same in every output: layer, policy, statement and owner."""

from __future__ import annotations

from auditor.evaluator.words import in_words
from auditor.model.access import CONTRADICTED, NOT_ON_ALIAS, NOT_ON_KEY, Cause, Decision, Role
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
ROLE_WORDS = {
    Role.ALLOWS: "allowed by",
    Role.DENIES: "denied by",
    Role.LIMITS: "limited by",
    Role.MISSING: "nothing allows it in the",
    Role.UNREAD: "could not be read:",
}


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


def chain_words(decision: Decision) -> str:
    """The whole why chain in one line."""
    return "; ".join(map(cause_words, decision.causes))


def condition_words(decision: Decision) -> str:
    """The residual condition in words; empty without one."""
    return in_words(decision.residual) if decision.residual is not None else ""
