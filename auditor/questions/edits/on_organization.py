"""Edits of SCPs and RCPs: documents replaced or removed, and attached to or detached from a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditor.errors import UnknownNameError, UsageError
from auditor.model.organization import Organization, OrgTarget
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.documents import FULL_RCP, document, known_document
from auditor.questions.edits.kinds import Edit, EditKind

Policies = tuple[AttachedPolicy, ...]


def organization_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Replaces or removes an SCP or RCP: at the target that ``name`` says, else wherever it is attached.

    A document for a target that does not carry the policy yet is attached there.
    """
    layer = Layer.SCP if edit.kind is EditKind.SCP else Layer.RCP
    organization = _organization(snapshot)
    if layer is Layer.RCP and edit.target == FULL_RCP:
        raise UsageError(f"{FULL_RCP} is on every root, OU and account.", "Nobody can change or detach it.")
    places = {_place(organization, edit.name).id} if edit.name else _carriers(organization, layer, edit.target)
    if not places:
        raise UnknownNameError(
            f"No {layer.upper()} “{edit.target}” is attached anywhere.",
            f"Attach a new one with {edit.target}@TARGET=FILE. There are: {_names(organization, layer)}.",
        )
    hits = 0

    def change(target: OrgTarget, items: Policies) -> Policies:
        nonlocal hits
        kept = tuple(item for item in items if item.name != edit.target)
        hits += len(items) - len(kept) if edit.text is None else 1
        if edit.text is None:
            return kept
        return _sorted((*kept, document(layer, edit.target, target.id, edit.text)))

    edited = _at(snapshot, organization, layer, frozenset(places), change)
    if not hits:
        raise UnknownNameError(f"{layer.upper()} “{edit.target}” is not attached to {edit.name}.")
    return edited


def attach(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Attaches an SCP or RCP to one more target: its text is given, or known because it is attached elsewhere."""
    layer = Layer.SCP if edit.kind is EditKind.ATTACH_SCP else Layer.RCP
    organization = _organization(snapshot)
    place = _place(organization, edit.name)
    text = edit.text if edit.text is not None else known_document(snapshot, (layer,), edit.target).policy.text

    def change(target: OrgTarget, items: Policies) -> Policies:
        kept = tuple(item for item in items if item.name != edit.target)
        return _sorted((*kept, document(layer, edit.target, target.id, text)))

    return _at(snapshot, organization, layer, frozenset({place.id}), change)


def _sorted(items: Policies) -> Policies:
    return tuple(sorted(items, key=lambda item: item.name))


def _organization(snapshot: Snapshot) -> Organization:
    if snapshot.organization is None:
        raise UsageError("The snapshot has no organization.", "Collect with --org to try SCPs and RCPs.")
    return snapshot.organization


def _carriers(organization: Organization, layer: Layer, name: str) -> set[str]:
    return {target.id for target in organization.targets if any(item.name == name for item in _of(target, layer) or ())}


def _names(organization: Organization, layer: Layer) -> str:
    found = sorted({item.name for target in organization.targets for item in _of(target, layer) or ()})
    return ", ".join(found) or "none"


def _place(organization: Organization, name: str) -> OrgTarget:
    """The root, OU or account called ``name``, by id or name. Raises UnknownNameError."""
    found = [target for target in organization.targets if target.id == name] or [
        target for target in organization.targets if target.name == name
    ]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{target.name or target.kind} ({target.id})" for target in (found or organization.targets)[:10])
    if found:
        raise UnknownNameError(f"“{name}” means {len(found)} targets.", f"Choose one by its id: {listed}.")
    raise UnknownNameError(f"The organization has no target “{name}”.", f"It has {listed}.")


def _of(target: OrgTarget, layer: Layer) -> Policies | None:
    return target.scps if layer is Layer.SCP else target.rcps


def _at(
    snapshot: Snapshot,
    organization: Organization,
    layer: Layer,
    places: frozenset[str],
    change: Callable[[OrgTarget, Policies], Policies],
) -> Snapshot:
    def one(target: OrgTarget) -> OrgTarget:
        if target.id not in places:
            return target
        items = _of(target, layer)
        if items is None:
            raise UsageError(f"{layer.upper()}s are switched off in the organization: none can take effect.")
        changed = change(target, items)
        return replace(target, scps=changed) if layer is Layer.SCP else replace(target, rcps=changed)

    targets = tuple(one(target) for target in organization.targets)
    return replace(snapshot, organization=replace(organization, targets=targets))
