"""Access: outcomes, decisions with their reasons, and the interned table of the whole matrix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.model.actions import CAPABILITY_MASKS, Action, Capability, actions_in
from auditor.model.policy import Layer, StatementRef
from auditor.model.residual import Residual

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Outcome(StrEnum):
    """The five outcomes, strongest access first (see ``RANK``)."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    IMPLICITLY_DENIED = "implicitly-denied"
    EXPLICITLY_DENIED = "explicitly-denied"

    @property
    def denied(self) -> bool:
        """Whether access is ruled out."""
        return self in (Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED)


RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}
"""0 is the most access: what a capability shows is the outcome with the lowest rank among its actions."""


class Role(StrEnum):
    """What a cited statement, grant or gap did in the decision."""

    ALLOWS = "allows"
    DENIES = "denies"
    LIMITS = "limits"
    MISSING = "missing"
    UNREAD = "unread"


NOTHING_ALLOWS = "no statement allows the action"
NOT_ON_ALIAS = "no statement allows the action on the alias"
NOT_ON_KEY = "no statement allows the action on the key"
"""Notes of a missing allow; alias actions need one on the key and one on the alias, and may lack either."""
CONTRADICTED = "no request meets its conditions and all others"
"""Note of a missing allow that is there under conditions which the other layers, or other levels, rule out."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of the why chain.

    ``statement`` or ``grant`` (a grant id) is the evidence; for MISSING (a layer that had no allow) and UNREAD (a gap)
    both may be None and ``note`` says what was looked for. ``owner`` names where: key, principal, OU, account.
    """

    layer: Layer
    role: Role
    statement: StatementRef | None = None
    grant: str | None = None
    owner: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one principal, key and action.

    ``reason`` is a code of the path that allows or of the denial (worked cases, ``reason_codes``). ``residual`` is set
    for CONDITIONAL. ``path``: ``key-policy``, ``iam-delegated``, ``cross-account``, ``grant``, ``identity`` or empty.
    ``flags`` are codes such as ``key_state_blocks_call``. ``latent``: an allow path exists that another layer blocks.
    """

    outcome: Outcome
    reason: str
    residual: Residual | None = None
    causes: tuple[Cause, ...] = ()
    path: str = ""
    flags: tuple[str, ...] = ()

    @property
    def latent(self) -> bool:
        """Whether something allows and another layer takes it away again."""
        return self.outcome.denied and any(cause.role is Role.ALLOWS for cause in self.causes)

    @property
    def strength(self) -> int:
        """Lower is more access; among denials a latent one comes first."""
        behind = len(RANK) if self.outcome.denied and not self.latent else 0
        return RANK[self.outcome] + behind


@dataclass(frozen=True, slots=True)
class AccessTable:
    """principals × keys × actions, interned.

    ``cells[p, k]`` (int32) is a profile number; ``profiles[n][action.bit]`` is a decision number;
    ``decisions[m]`` is the Decision. Actions without a key are decided per principal in ``account_level[p]``
    (a profile number as well). Principals and keys are ARNs in the snapshot's order.
    """

    principals: tuple[str, ...]
    keys: tuple[str, ...]
    decisions: tuple[Decision, ...]
    profiles: tuple[tuple[int, ...], ...]
    cells: NDArray[np.int32]
    account_level: NDArray[np.int32]

    def decision(self, principal: int, key: int, action: Action) -> Decision:
        """The decision for positions ``principal`` and ``key``."""
        if not action.on_key:
            return self.account_decision(principal, action)
        return self.decisions[self.profiles[int(self.cells[principal, key])][action.bit]]

    def account_decision(self, principal: int, action: Action) -> Decision:
        """The decision for an action that is about no key."""
        return self.decisions[self.profiles[int(self.account_level[principal])][action.bit]]

    def best(self, profile: int, mask: int) -> tuple[Action, Decision] | None:
        """The action of ``mask`` with the strongest decision in a profile, and that; None for an empty mask."""
        row = self.profiles[profile]
        found: tuple[Action, Decision] | None = None
        for action in actions_in(mask):
            decision = self.decisions[row[action.bit]]
            if found is None or decision.strength < found[1].strength:
                found = (action, decision)
        return found

    def capability(
        self, principal: int, key: int, capability: Capability, usable: int
    ) -> tuple[Action, Decision] | None:
        """The strongest decision of a capability, over the actions in ``usable`` (see ``actions.usable_mask``)."""
        return self.best(int(self.cells[principal, key]), CAPABILITY_MASKS[capability] & usable)
