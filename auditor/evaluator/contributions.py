"""The common currency of the layers: what one statement, grant or gap contributes to a decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from auditor.model.policy import Layer, StatementRef
from auditor.model.residual import Residual


class Slot(Enum):
    """Where a contribution counts. KEY_* are allows of the key policy by the form in which they name the caller.

    *_ALIAS: the same layer's allow on the alias that an alias action names besides the key.
    *_OF_USER: what a grant gives to the IAM user whose federated session calls.
    """

    IDENTITY_ALLOW = auto()
    IDENTITY_DENY = auto()
    IDENTITY_ALIAS = auto()
    BOUNDARY_ALLOW = auto()
    BOUNDARY_ALIAS = auto()
    BOUNDARY_DENY = auto()
    SESSION_ALLOW = auto()
    SESSION_ALIAS = auto()
    SESSION_DENY = auto()
    SCP_ALLOW = auto()
    SCP_ALIAS = auto()
    SCP_DENY = auto()
    KEY_USER = auto()
    KEY_ROLE = auto()
    KEY_SESSION = auto()
    KEY_STAR = auto()
    KEY_ACCOUNT = auto()
    KEY_SERVICE = auto()
    KEY_DENY = auto()
    RCP_DENY = auto()
    GRANT = auto()
    GRANT_OF_USER = auto()
    GRANT_ACCOUNT = auto()
    RETIRE = auto()
    RETIRE_OF_USER = auto()
    RETIRE_ACCOUNT = auto()
    RETIRE_ISSUER = auto()

    __hash__ = object.__hash__
    """By identity, as for any singleton: ``Enum`` hashes the name, in Python, millions of times."""


LAYER_OF = {
    Slot.IDENTITY_ALLOW: Layer.IDENTITY,
    Slot.IDENTITY_DENY: Layer.IDENTITY,
    Slot.IDENTITY_ALIAS: Layer.IDENTITY,
    Slot.BOUNDARY_ALLOW: Layer.BOUNDARY,
    Slot.BOUNDARY_ALIAS: Layer.BOUNDARY,
    Slot.BOUNDARY_DENY: Layer.BOUNDARY,
    Slot.SESSION_ALLOW: Layer.SESSION,
    Slot.SESSION_ALIAS: Layer.SESSION,
    Slot.SESSION_DENY: Layer.SESSION,
    Slot.SCP_ALLOW: Layer.SCP,
    Slot.SCP_ALIAS: Layer.SCP,
    Slot.SCP_DENY: Layer.SCP,
    Slot.RCP_DENY: Layer.RCP,
    Slot.GRANT: Layer.GRANT,
    Slot.GRANT_OF_USER: Layer.GRANT,
    Slot.GRANT_ACCOUNT: Layer.GRANT,
    Slot.RETIRE: Layer.GRANT,
    Slot.RETIRE_OF_USER: Layer.GRANT,
    Slot.RETIRE_ACCOUNT: Layer.GRANT,
    Slot.RETIRE_ISSUER: Layer.GRANT,
}
"""The layer of a slot; every other slot is of the key policy."""


ALIAS_PART = {
    Slot.IDENTITY_ALLOW: Slot.IDENTITY_ALIAS,
    Slot.BOUNDARY_ALLOW: Slot.BOUNDARY_ALIAS,
    Slot.SESSION_ALLOW: Slot.SESSION_ALIAS,
    Slot.SCP_ALLOW: Slot.SCP_ALIAS,
}
"""Allow on the key → allow on the alias: alias actions need both (developer guide, alias access)."""


def layer_of(slot: Slot) -> Layer:
    """The policy layer that a slot belongs to."""
    return LAYER_OF.get(slot, Layer.KEY_POLICY)


@dataclass(frozen=True, slots=True)
class Contribution:
    """``residual`` holds for every action of ``mask``. ``level`` counts SCP levels from the root, 0 elsewhere.

    ``source`` or ``grant`` is the evidence; neither is set for a fact that could not be read.
    """

    slot: Slot
    mask: int
    residual: Residual
    source: StatementRef | None = None
    grant: str | None = None
    level: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallerSide:
    """What the caller's account brings: identity, boundary, session and SCP contributions.

    ``boundary`` / ``session``: whether that limit exists. ``scp_levels``: the names of the levels that bind the caller,
    from the root; None where SCPs do not bind it.
    """

    contributions: tuple[Contribution, ...]
    boundary: bool = False
    session: bool = False
    scp_levels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class KeySide:
    """What the key's account brings: key policy, RCP and grant contributions. ``flags`` hold for every decision."""

    contributions: tuple[Contribution, ...]
    flags: tuple[str, ...] = ()
