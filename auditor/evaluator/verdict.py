"""From combined layers to a Decision: outcome, reason, residual and the chain of causes.

Source: IAM user guide, policy evaluation logic; KMS developer guide, troubleshooting permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.evaluator.contributions import ALIAS_PART, Slot, layer_of
from auditor.evaluator.expressions import all_of, any_of, as_shown, has_unsettled, leaves, negate
from auditor.evaluator.layers import DENY_SLOTS, DIRECT_SLOTS, Layers, Path, account_level_paths, paths
from auditor.evaluator.simplify import simplify
from auditor.model.access import CONTRADICTED, NOT_ON_ALIAS, NOT_ON_KEY, NOTHING_ALLOWS, Cause, Decision, Outcome, Role
from auditor.model.actions import ALIAS_ACTIONS, CROSS_ACCOUNT, ON_KEY, RETIRE_GRANT
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from auditor.model.residual import FALSE, TRUE, Residual

DENY_REASONS = {
    Slot.IDENTITY_DENY: "explicit_deny_identity",
    Slot.BOUNDARY_DENY: "explicit_deny_boundary",
    Slot.SESSION_DENY: "explicit_deny_session",
    Slot.SCP_DENY: "explicit_deny_scp",
    Slot.RCP_DENY: "explicit_deny_rcp",
    Slot.KEY_DENY: "explicit_deny_key_policy",
}
LIMIT_REASONS = {
    Slot.BOUNDARY_ALLOW: "boundary_no_allow",
    Slot.BOUNDARY_ALIAS: "boundary_no_allow",
    Slot.SESSION_ALLOW: "session_no_allow",
    Slot.SESSION_ALIAS: "session_no_allow",
}
_KEY_ALLOWS = (*DIRECT_SLOTS, Slot.KEY_ACCOUNT, Slot.KEY_SERVICE)
_NO_IDENTITY = ("no_identity_allow", "cross_account_no_identity_allow")
BOUNDARY_FLAG = "boundary_not_applied_to_grant"
SESSION_FLAG = "session_policy_not_applied_to_grant"
_GRANTED = ((Slot.GRANT,), (Slot.GRANT_OF_USER,))
_NOT_APPLIED = {Slot.BOUNDARY_ALLOW: BOUNDARY_FLAG, Slot.SESSION_ALLOW: SESSION_FLAG}
"""What limits other permissions of the caller, and the flag of one that a grant gives: its effect on those is not
documented."""


def decide_group(layers: Layers) -> Decision:
    """The decision for one group of actions that every contribution treats alike."""
    if not layers.mask & ON_KEY:
        return _conclude(layers, account_level_paths(layers))
    foreign = not layers.relation.same_account and layers.relation.kind is not PrincipalKind.SERVICE
    if foreign and not layers.mask & CROSS_ACCOUNT:
        return Decision(Outcome.IMPLICITLY_DENIED, "action_not_cross_account")
    return _conclude(layers, paths(layers))


def _conclude(layers: Layers, ways: list[Path]) -> Decision:
    denies = {slot: layers.any(slot) for slot in DENY_SLOTS if slot in layers.by_slot}
    guard = simplify(layers.scp_allow())
    limited = [simplify(layers.limited(way)) for way in ways]
    open_ways = any_of(limited)
    certain = next((slot for slot, condition in denies.items() if simplify(condition) == TRUE), None)
    if certain is not None:
        return _explicit(layers, certain, ways, limited)
    before_denies = simplify(all_of((open_ways, guard)))
    if before_denies == FALSE:
        return _implicit(layers, ways, limited)
    condition = as_shown(simplify(all_of((before_denies, *(negate(deny) for deny in denies.values())))))
    if condition == FALSE:
        return _explicit(layers, _decisive(before_denies, denies), ways, limited)
    return _open(layers, ways, limited, condition)


def _decisive(before: Residual, denies: dict[Slot, Residual]) -> Slot:
    """The first layer whose denies alone leave nothing of what is allowed, else the first that denies anything."""
    for slot, deny in denies.items():
        if simplify(all_of((before, negate(deny)))) == FALSE:
            return slot
    return next(iter(denies))


def _open(layers: Layers, ways: list[Path], limited: list[Residual], condition: Residual) -> Decision:
    """Allowed, conditional or unknown: something lets the caller through."""
    way = _leading(ways, limited)
    causes = [
        *_causes(layers, _used(ways, limited), Role.ALLOWS),
        *_causes(layers, (slot for slot in DENY_SLOTS if slot in layers.by_slot), Role.LIMITS),
        *_causes(layers, (*LIMIT_REASONS, Slot.SCP_ALLOW, Slot.SCP_ALIAS), Role.LIMITS, conditional=True),
    ]
    flags = _flags(layers, way)
    if condition == TRUE:
        return Decision(Outcome.ALLOWED, way.reason, None, tuple(causes), way.path, flags)
    if has_unsettled(condition):
        missing = dict.fromkeys(leaf.key for leaf in leaves(condition) if leaf.operator == "Unsettled")
        causes = [cause for cause in causes if cause.role is not Role.UNREAD]
        causes += [Cause(_gap_layer(what), Role.UNREAD, note=what) for what in missing]
        return Decision(Outcome.UNKNOWN, way.reason, condition, tuple(causes), way.path, flags)
    return Decision(Outcome.CONDITIONAL, way.reason, condition, tuple(causes), way.path, flags)


def _used(ways: list[Path], limited: list[Residual]) -> dict[Slot, None]:
    """The slots of the paths that hold for some request, each once."""
    return {slot: None for way, residual in zip(ways, limited, strict=True) if residual != FALSE for slot in way.slots}


def _taken_away(layers: Layers, ways: list[Path], limited: list[Residual]) -> list[Cause]:
    """What allows and is taken away again. A path with a half that could not be read allows nothing as far as anybody
    knows: what is there of it is cited as what would count."""
    used = [way for way, residual in zip(ways, limited, strict=True) if residual != FALSE]
    open_ways = [way for way in used if not any(_unread(layers, slot) for slot in way.slots)]
    allowing = {slot: None for way in open_ways for slot in way.slots}
    halves = {slot: None for way in used for slot in way.slots if slot not in allowing}
    return [*_causes(layers, allowing, Role.ALLOWS), *_causes(layers, halves, Role.LIMITS)]


def _unread(layers: Layers, slot: Slot) -> bool:
    """Whether all that is known of a slot is that it could not be read."""
    found = layers.by_slot.get(slot, ())
    return bool(found) and all(one.source is None and one.grant is None and one.residual != TRUE for one in found)


_GAP_LAYERS = (
    ("key policy", Layer.KEY_POLICY),
    ("boundary", Layer.BOUNDARY),
    ("session", Layer.SESSION),
    ("service control", Layer.SCP),
    ("SCP", Layer.SCP),
    ("resource control", Layer.RCP),
    ("RCP", Layer.RCP),
    ("grants", Layer.GRANT),
    ("identity", Layer.IDENTITY),
    ("principal", Layer.IDENTITY),
    ("organization", Layer.SCP),
)


def _gap_layer(what: str) -> Layer:
    return next((layer for word, layer in _GAP_LAYERS if word in what), Layer.KEY_POLICY)


def _leading(ways: list[Path], limited: list[Residual]) -> Path:
    """The path that a decision names: the first that holds without conditions, else the first that may hold."""
    for wanted in (lambda residual: residual == TRUE, lambda residual: not has_unsettled(residual), lambda _: True):
        for way, residual in zip(ways, limited, strict=True):
            if residual != FALSE and wanted(residual):
                return way
    return ways[0]


def _flags(layers: Layers, way: Path) -> tuple[str, ...]:
    slots = (*way.slots, *DENY_SLOTS)
    found = {flag for slot in slots for item in layers.by_slot.get(slot, ()) for flag in item.flags}
    if way.slots in _GRANTED:
        found |= {flag for slot, flag in _NOT_APPLIED.items() if slot not in way.limits and layers.limit(slot) != TRUE}
    return tuple(sorted(found))


def _explicit(layers: Layers, slot: Slot, ways: list[Path], limited: list[Residual]) -> Decision:
    denying = [slot, *(other for other in DENY_SLOTS if other is not slot and other in layers.by_slot)]
    causes = (*_causes(layers, denying, Role.DENIES), *_taken_away(layers, ways, limited))
    flags = tuple(sorted({flag for item in layers.by_slot[slot] for flag in item.flags}))
    return Decision(Outcome.EXPLICITLY_DENIED, DENY_REASONS[slot], None, causes, flags=flags)


def _implicit(layers: Layers, ways: list[Path], limited: list[Residual]) -> Decision:
    """The denial nearest to success: what is missing once everything else is granted."""
    if any(residual != FALSE for residual in limited):
        missing = _missing_scp(layers)
        contradicted = any(cause.note == CONTRADICTED for cause in missing)
        slots = (Slot.SCP_ALLOW, Slot.SCP_ALIAS) if contradicted else ()
        limits = _causes(layers, slots, Role.LIMITS, conditional=True)
        causes = (*missing, *limits, *_taken_away(layers, ways, limited))
        return Decision(Outcome.IMPLICITLY_DENIED, "scp_no_allow", None, causes)
    for way in ways:
        if simplify(way.open) == FALSE:
            continue
        stopping = next((slot for slot in way.limits if _stops(layers, way, slot)), way.limits[0])
        note = _lacking(layers, stopping) if layers.limit(stopping) == FALSE else CONTRADICTED
        missing = (Cause(layer_of(stopping), Role.MISSING, note=note),)
        limits = _causes(layers, (stopping,), Role.LIMITS)
        causes = (*missing, *limits, *_taken_away(layers, [way], [way.open]))
        return Decision(Outcome.IMPLICITLY_DENIED, LIMIT_REASONS[stopping], None, causes)
    return _no_path(layers)


def _stops(layers: Layers, way: Path, slot: Slot) -> bool:
    return simplify(all_of((way.open, layers.limit(slot)))) == FALSE


def _missing_scp(layers: Layers) -> tuple[Cause, ...]:
    """The levels that allow nothing. Where none alone is to blame, those that allow under conditions which no request
    meets together with all others."""
    without = _scp_levels(layers, lambda allowed: allowed == FALSE, "no SCP attached here allows the action")
    return without or _scp_levels(layers, lambda allowed: allowed != TRUE, CONTRADICTED)


def _scp_levels(layers: Layers, chosen: Callable[[Residual], bool], note: str) -> tuple[Cause, ...]:
    slots = (Slot.SCP_ALLOW, Slot.SCP_ALIAS) if layers.mask & ALIAS_ACTIONS else (Slot.SCP_ALLOW,)
    return tuple(
        Cause(
            Layer.SCP,
            Role.MISSING,
            owner=name,
            note=note if note == CONTRADICTED else _lacking(layers, Slot.SCP_ALLOW, note, level),
        )
        for level, name in enumerate(layers.relation.scp_levels or ())
        if any(chosen(layers.scp_level(slot, level)) for slot in slots)
    )


def _lacking(layers: Layers, slot: Slot, whole: str = NOTHING_ALLOWS, level: int = 0) -> str:
    """What a layer does not allow: the ``whole`` action, or of an alias action the half on the key or the alias."""
    on_key = next((half for half, alias in ALIAS_PART.items() if slot in (half, alias)), slot)
    halves = (on_key, ALIAS_PART[on_key])
    key, alias = (any(one.level == level for one in layers.by_slot.get(half, ())) for half in halves)
    if key == alias or not layers.mask & ALIAS_ACTIONS:
        return whole
    return NOT_ON_ALIAS if key else NOT_ON_KEY


def _no_path(layers: Layers) -> Decision:
    """No path is even open: which half is there, which is missing."""
    identity = _holds_sometimes(layers, Slot.IDENTITY_ALLOW)
    key_policy = any(_holds_sometimes(layers, slot) for slot in _KEY_ALLOWS)
    kind = layers.relation.kind
    grants = any(slot in layers.by_slot for slot in (Slot.GRANT_ACCOUNT, Slot.RETIRE_ACCOUNT))
    ungranted = bool(layers.mask & RETIRE_GRANT) and not grants  # no key policy gives RetireGrant
    if not layers.mask & ON_KEY:
        direct = any(slot in layers.by_slot for slot in (*DIRECT_SLOTS, Slot.KEY_SERVICE))
        reason = "action_not_authorized_by_key_policy" if direct and not identity else "no_identity_allow"
    elif kind is PrincipalKind.SERVICE:  # it has no identity policy, which alone gives an alias
        reason = "no_identity_allow" if key_policy and layers.mask & ALIAS_ACTIONS else "no_allow"
    elif ungranted or (kind is PrincipalKind.ROOT and layers.relation.same_account):
        reason = "no_allow"
    elif key_policy or (grants and not identity):
        reason = "no_identity_allow" if layers.relation.same_account else "cross_account_no_identity_allow"
    elif identity or kind is PrincipalKind.ROOT:  # a foreign root user needs no identity policy
        reason = "no_delegation" if layers.relation.same_account else "cross_account_no_key_policy_allow"
    else:
        reason = "no_allow"
    note = _lacking(layers, Slot.IDENTITY_ALLOW) if reason in _NO_IDENTITY else NOTHING_ALLOWS
    if identity and key_policy and note == NOTHING_ALLOWS and reason in _NO_IDENTITY:
        note = CONTRADICTED
    return Decision(Outcome.IMPLICITLY_DENIED, reason, None, _halves(layers, reason, note))


def _holds_sometimes(layers: Layers, slot: Slot) -> bool:
    """Whether something in the slot allows, for some request: statements that contradict themselves do not count."""
    return slot in layers.by_slot and simplify(layers.any(slot)) != FALSE


def _halves(layers: Layers, reason: str, note: str) -> tuple[Cause, ...]:
    if reason == "no_allow":
        return ()
    present = [*_KEY_ALLOWS, Slot.IDENTITY_ALLOW, Slot.GRANT_ACCOUNT]
    wanted = Layer.KEY_POLICY if reason in ("no_delegation", "cross_account_no_key_policy_allow") else Layer.IDENTITY
    missing = Cause(wanted, Role.MISSING, note=note)
    # One half alone allows nothing: it is cited as what would count, not as an allow.
    return (missing, *_causes(layers, present, Role.LIMITS))


def _causes(layers: Layers, slots: Iterable[Slot], role: Role, *, conditional: bool = False) -> list[Cause]:
    """The evidence in ``slots``, each statement once, what holds without conditions first; ``conditional``: only what
    holds under conditions."""
    found: dict[Cause, None] = {}
    for slot in slots:
        for item in sorted(layers.by_slot.get(slot, ()), key=lambda one: one.residual != TRUE):
            if conditional and item.residual == TRUE:
                continue
            unread = item.source is None and item.grant is None
            if unread and item.residual == TRUE:
                continue  # the assumed own side of an uncollected caller
            owner = item.source.owner if item.source else ""
            found.setdefault(Cause(layer_of(slot), Role.UNREAD if unread else role, item.source, item.grant, owner))
    return list(found)
