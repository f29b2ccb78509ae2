"""The layers combined for one group of actions: which paths allow, what limits them, what denies.

Source: IAM user guide, policy evaluation logic (one account, cross-account) and permissions boundaries; KMS developer
guide, key policies and grants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from auditor.evaluator.contributions import ALIAS_PART, CallerSide, Contribution, Slot, layer_of
from auditor.evaluator.expressions import all_of, any_of
from auditor.model.actions import ALIAS_ACTIONS, RETIRE_GRANT
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from auditor.model.residual import FALSE, TRUE, Residual

DENY_SLOTS = (
    Slot.IDENTITY_DENY,
    Slot.BOUNDARY_DENY,
    Slot.SESSION_DENY,
    Slot.SCP_DENY,
    Slot.RCP_DENY,
    Slot.KEY_DENY,
)
"""In the order in which a denial names its reason."""
DIRECT_SLOTS = (Slot.KEY_USER, Slot.KEY_ROLE, Slot.KEY_SESSION, Slot.KEY_STAR)


@dataclass(frozen=True, slots=True)
class Path:
    """One way to be allowed. ``open`` is the condition before boundary and session policy, ``limits`` those two."""

    reason: str
    path: str
    open: Residual
    slots: tuple[Slot, ...]
    limits: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """Who asks about whose key: what the layers' rules depend on besides the policies."""

    kind: PrincipalKind
    same_account: bool
    boundary: bool = False
    session: bool = False
    scp_levels: tuple[str, ...] | None = None


@dataclass(slots=True)
class Layers:
    """All contributions to one group of actions (``mask``), by slot."""

    relation: Relation
    mask: int
    by_slot: dict[Slot, list[Contribution]] = field(default_factory=dict)

    @classmethod
    def of(cls, relation: Relation, mask: int, contributions: Iterable[Contribution]) -> Layers:
        """The layers of one group: every contribution covers the whole group or nothing of it."""
        layers = cls(relation, mask)
        for contribution in contributions:
            if contribution.mask & mask:
                layers.by_slot.setdefault(contribution.slot, []).append(contribution)
        return layers

    def any(self, *slots: Slot) -> Residual:
        """The condition under which at least one contribution in ``slots`` holds."""
        present = [slot for slot in slots if slot in self.by_slot]
        return any_of(item.residual for slot in present for item in self.by_slot[slot]) if present else FALSE

    def limit(self, slot: Slot) -> Residual:
        """What a boundary or session policy lets through: TRUE where there is none."""
        present = self.relation.boundary if layer_of(slot) is Layer.BOUNDARY else self.relation.session
        return self.any(slot) if present else TRUE

    def limited(self, path: Path) -> Residual:
        """The condition of a path within its limits."""
        return all_of([path.open, *(self.limit(slot) for slot in path.limits)])

    def scp_allow(self) -> Residual:
        """An allow at each SCP level; TRUE where SCPs do not bind the caller."""
        slots = (Slot.SCP_ALLOW, Slot.SCP_ALIAS) if self.mask & ALIAS_ACTIONS else (Slot.SCP_ALLOW,)
        return all_of(self.scp_level(slot, level) for slot in slots for level in range(self.scp_depth))

    @property
    def scp_depth(self) -> int:
        """The number of SCP levels that bind the caller."""
        return len(self.relation.scp_levels or ())

    def scp_level(self, slot: Slot, level: int) -> Residual:
        """What the SCPs of one level let through on the key (SCP_ALLOW) or on the alias (SCP_ALIAS)."""
        return any_of(item.residual for item in self.by_slot.get(slot, ()) if item.level == level)

    def identity(self) -> Residual:
        """The identity policies' allow; the root user needs none, and alias actions need the alias as well."""
        if self.relation.kind is PrincipalKind.ROOT:
            return TRUE
        allowed = self.any(Slot.IDENTITY_ALLOW)
        return all_of((allowed, self.alias())) if self.mask & ALIAS_ACTIONS else allowed

    def alias(self) -> Residual:
        """The permission on the alias itself, which only identity policies can give."""
        if self.relation.kind is PrincipalKind.ROOT or not self.mask & ALIAS_ACTIONS:
            return TRUE
        return self.any(Slot.IDENTITY_ALIAS)


BOTH = (Slot.BOUNDARY_ALLOW, Slot.SESSION_ALLOW)
_ALIAS_LIMITS = tuple(ALIAS_PART[slot] for slot in BOTH)


def paths(layers: Layers) -> list[Path]:
    """Every way in which the caller could be allowed, in the order in which a decision names them."""
    if layers.mask & RETIRE_GRANT:
        return [*_grant_paths(layers), *_retire_paths(layers)]
    kind = layers.relation.kind
    if kind is PrincipalKind.SERVICE:
        return [*_service_paths(layers), *_grant_paths(layers)]
    inner = _same_account_paths(layers) if layers.relation.same_account else _cross_account_paths(layers)
    return [*inner, *_grant_paths(layers)]


def _service_paths(layers: Layers) -> list[Path]:
    """What a key policy gives to a service. It has no identity policy, which alone could give it an alias."""
    forms = (("service_principal_key_policy", Slot.KEY_SERVICE), ("key_policy_direct", Slot.KEY_STAR))
    alias = layers.alias()
    return [Path(reason, "key-policy", all_of((layers.any(slot), alias)), (slot,)) for reason, slot in forms]


def _same_account_paths(layers: Layers) -> list[Path]:
    root = layers.relation.kind is PrincipalKind.ROOT
    alias = layers.alias()
    federated = layers.relation.kind is PrincipalKind.FEDERATED_USER
    alias_slots = (Slot.IDENTITY_ALIAS,) if layers.mask & ALIAS_ACTIONS else ()
    # What a key policy gives is limited by the form of its principal; the permission on the alias always is.
    always = _ALIAS_LIMITS if layers.mask & ALIAS_ACTIONS and not root else ()
    found = []
    for slot in DIRECT_SLOTS:
        limited = slot is Slot.KEY_ROLE or (slot is Slot.KEY_USER and federated)
        condition = all_of((layers.any(slot), alias))
        slots = (slot, *alias_slots)
        found.append(Path("key_policy_direct", "key-policy", condition, slots, (*(BOTH if limited else ()), *always)))
    reason = "root_user_account_principal" if root else "iam_via_key_policy_delegation"
    delegated = all_of((layers.any(Slot.KEY_ACCOUNT), layers.identity()))
    slots = (Slot.KEY_ACCOUNT,) if root else (Slot.KEY_ACCOUNT, Slot.IDENTITY_ALLOW, *alias_slots)
    found.append(
        Path(reason, "key-policy" if root else "iam-delegated", delegated, slots, () if root else (*BOTH, *always))
    )
    return found


def _cross_account_paths(layers: Layers) -> list[Path]:
    named = (*DIRECT_SLOTS, Slot.KEY_ACCOUNT)
    condition = all_of((layers.any(*named), layers.identity()))
    return [Path("cross_account_both_sides", "cross-account", condition, (*named, Slot.IDENTITY_ALLOW), BOTH)]


def _grant_paths(layers: Layers) -> list[Path]:
    direct = Path("grant", "grant", layers.any(Slot.GRANT), (Slot.GRANT,))
    member = all_of((layers.any(Slot.GRANT_ACCOUNT), layers.identity()))
    return [
        direct,
        *_of_user(layers, "grant", Slot.GRANT_OF_USER),
        Path("grant", "grant", member, (Slot.GRANT_ACCOUNT, Slot.IDENTITY_ALLOW), _member_limits(layers)),
    ]


def _of_user(layers: Layers, reason: str, slot: Slot) -> tuple[Path, ...]:
    """What a federated session has by a grant to its user: what the policy passed to it allows as well (IAM user
    guide, permissions for GetFederationToken)."""
    if layers.relation.kind is not PrincipalKind.FEDERATED_USER:
        return ()
    return (Path(reason, "grant", layers.any(slot), (slot,), (Slot.SESSION_ALLOW,)),)


def _member_limits(layers: Layers) -> tuple[Slot, ...]:
    return () if layers.relation.kind is PrincipalKind.ROOT else BOTH


def _retire_paths(layers: Layers) -> list[Path]:
    limits = _member_limits(layers)
    identity = layers.identity()
    account = all_of((layers.any(Slot.RETIRE_ACCOUNT), identity))
    issuer = all_of((layers.any(Slot.RETIRE_ISSUER), identity))
    root = layers.relation.kind is PrincipalKind.ROOT
    return [
        Path("grant_retiring_principal", "grant", layers.any(Slot.RETIRE), (Slot.RETIRE,)),
        *_of_user(layers, "grant_retiring_principal", Slot.RETIRE_OF_USER),
        Path("grant_retiring_principal", "grant", account, (Slot.RETIRE_ACCOUNT, Slot.IDENTITY_ALLOW), limits),
        Path(
            "root_user_account_principal" if root else "identity_policy_only",
            "grant",
            issuer,
            (Slot.RETIRE_ISSUER, Slot.IDENTITY_ALLOW),
            limits,
        ),
    ]


def account_level_paths(layers: Layers) -> list[Path]:
    """The one way for an action without a key: identity policies, which the root user does not need. No key policy
    plays a part, whatever its account principal covers."""
    root = layers.relation.kind is PrincipalKind.ROOT
    slots = () if root else (Slot.IDENTITY_ALLOW,)
    return [Path("identity_policy_only", "identity", layers.identity(), slots, () if root else BOTH)]


def relation_of(kind: PrincipalKind, same_account: bool, caller: CallerSide) -> Relation:
    """The relation of a pair, from its caller side."""
    return Relation(kind, same_account, caller.boundary, caller.session, caller.scp_levels)
