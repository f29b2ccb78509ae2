"""A question with what every layer contributes to it, and the same with something taken away or added."""

from __future__ import annotations

from dataclasses import dataclass, replace

from auditor.evaluator.contributions import Contribution, Slot, layer_of
from auditor.evaluator.layers import Layers, Relation
from auditor.evaluator.verdict import decide_group
from auditor.model.access import Cause, Decision
from auditor.model.policy import Layer, StatementRef
from auditor.model.principal import PrincipalKind
from auditor.model.residual import TRUE

NAMED_AS = {
    PrincipalKind.USER: Slot.KEY_USER,
    PrincipalKind.ROLE: Slot.KEY_ROLE,
    PrincipalKind.SERVICE_LINKED_ROLE: Slot.KEY_ROLE,
    PrincipalKind.ROOT: Slot.KEY_ACCOUNT,
    PrincipalKind.SERVICE: Slot.KEY_SERVICE,
    PrincipalKind.SESSION: Slot.KEY_SESSION,
    PrincipalKind.FEDERATED_USER: Slot.KEY_SESSION,
}
"""How a key policy statement for exactly this caller counts; for any other kind like one for everybody."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A question with everything that the layers contribute to it; ``grantable``: the operations that a new grant
    on the key could have."""

    relation: Relation
    mask: int
    contributions: tuple[Contribution, ...]
    grantable: int

    def decide(self) -> Decision:
        """The decision without the flags of the key."""
        return decide_group(Layers.of(self.relation, self.mask, self.contributions))

    def without(self, *causes: Cause) -> Standing:
        """The same without the statements and grants that the causes cite."""
        gone = {(cause.layer, cause.statement, cause.grant) for cause in causes}
        return self._with(tuple(item for item in self.contributions if _place(item) not in gone))

    def holds_always(self, cause: Cause) -> bool:
        """Whether what a cause cites holds for every request."""
        place = (cause.layer, cause.statement, cause.grant)
        return any(item.residual == TRUE for item in self.contributions if _place(item) == place)

    def allowing(self, layer: Layer, owner: str = "") -> Standing:
        """The same with an unconditional allow on a layer: for an SCP at the level called ``owner``, or at all."""
        levels = self.relation.scp_levels or ()
        if layer is Layer.SCP:
            places = [number for number, name in enumerate(levels) if not owner or name == owner]
            both = (Slot.SCP_ALLOW, Slot.SCP_ALIAS)
            added = [Contribution(slot, self.mask, TRUE, level=number) for number in places for slot in both]
        else:
            slots = {
                Layer.IDENTITY: (Slot.IDENTITY_ALLOW, Slot.IDENTITY_ALIAS),
                Layer.BOUNDARY: (Slot.BOUNDARY_ALLOW, Slot.BOUNDARY_ALIAS),
                Layer.SESSION: (Slot.SESSION_ALLOW, Slot.SESSION_ALIAS),
            }
            direct = (NAMED_AS.get(self.relation.kind, Slot.KEY_STAR),)
            added = [Contribution(slot, self.mask, TRUE) for slot in slots.get(layer, direct)]
        return self._with((*self.contributions, *added))

    def delegating(self) -> Standing:
        """The same with a key policy that delegates to the caller's account."""
        return self._with((*self.contributions, Contribution(Slot.KEY_ACCOUNT, self.mask, TRUE)))

    def granted(self) -> Standing:
        """The same with a grant to the caller."""
        return self._with((*self.contributions, Contribution(Slot.GRANT, self.mask, TRUE)))

    def retiring(self) -> Standing:
        """The same with a grant that the caller may retire."""
        return self._with((*self.contributions, Contribution(Slot.RETIRE, self.mask, TRUE)))

    def _with(self, contributions: tuple[Contribution, ...]) -> Standing:
        return replace(self, contributions=contributions)


def _place(item: Contribution) -> tuple[Layer, StatementRef | None, str | None] | None:
    """What a cause would cite; None for a fact that could not be read."""
    if item.source is None and item.grant is None:
        return None
    return layer_of(item.slot), item.source, item.grant
