"""Edits applied to a snapshot, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.errors import UnknownNameError, UsageError
from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot
from auditor.questions.edits import adding, granting, on_groups, on_keys, on_organization
from auditor.questions.edits.documents import with_document
from auditor.questions.edits.kinds import FROM_PLANS, Edit, EditKind
from auditor.questions.edits.locating import located
from auditor.questions.edits.on_identities import IDENTITY_EDITS
from auditor.questions.groups import is_group, members_of


def apply_edits(snapshot: Snapshot, edits: Iterable[Edit]) -> Snapshot:
    """The snapshot after the edits, in their order. Raises UsageError for one that cannot be applied."""
    origin = snapshot
    for edit in edits:
        snapshot = _applied(snapshot, edit, origin)
    return snapshot


def _applied(snapshot: Snapshot, edit: Edit, origin: Snapshot) -> Snapshot:
    """One edit; a policy that an edit before it took off its last carrier is known from the ``origin`` of all edits."""
    try:
        return _APPLY[edit.kind](snapshot, edit)
    except UnknownNameError as error:
        known = with_document(origin, edit)
        if known is None:
            raise error
        return _APPLY[edit.kind](snapshot, known)


def try_edits(snapshot: Snapshot, edits: Iterable[tuple[str, Edit]]) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot after the edits that could be applied, and why each of the others could not.

    Each edit comes with the address of whoever wants it, which begins its sentence.
    """
    refused = []
    origin = snapshot
    for address, wanted in edits:
        edit = wanted
        try:
            edit = located(snapshot, wanted)
            snapshot = _applied(snapshot, edit, origin)
        except UsageError as error:
            if not (isinstance(error, UnknownNameError) and _idle(snapshot, edit)):
                refused.append(f"{address}: {error.message}")
    return snapshot, tuple(dict.fromkeys(refused))


def _idle(snapshot: Snapshot, edit: Edit) -> bool:
    """Whether it is about a managed policy of a collected account, or an SCP or RCP, that is attached nowhere, or about
    the policies of a group that nobody belongs to: nobody's access rests on it."""
    if edit.kind in OF_GROUPS and is_group(edit.target):
        return len(_read(snapshot)) == len(snapshot.accounts) and not members_of(snapshot, edit.target)
    if edit.kind is EditKind.MANAGED_POLICY:
        return account_of(edit.target) in _read(snapshot)
    fact = GUARDRAILS.get(edit.kind)
    organization = snapshot.organization
    if fact is None or edit.name or organization is None or not organization.tree_read:
        return False
    return not any(fact in target.unread for target in organization.targets)


def _read(snapshot: Snapshot) -> set[str]:
    """The accounts whose identities were read."""
    return {item.id for item in snapshot.accounts if item.entered and Fact.IDENTITIES not in item.unread}


OF_GROUPS = (EditKind.IDENTITY_POLICY, EditKind.ATTACH_POLICY, EditKind.DETACH_POLICY, *FROM_PLANS)
GUARDRAILS = {EditKind.SCP: Fact.SCP, EditKind.RCP: Fact.RCP}
_APPLY: dict[EditKind, Callable[[Snapshot, Edit], Snapshot]] = {
    **IDENTITY_EDITS,
    EditKind.ADD_KEY: adding.add_key,
    EditKind.ADD_PRINCIPAL: adding.add_principal,
    EditKind.ADD_TO_GROUP: on_groups.add_to_group,
    EditKind.REMOVE_FROM_GROUP: on_groups.remove_from_group,
    EditKind.ONLY_INLINE: on_groups.only_policies,
    EditKind.ONLY_ATTACHED: on_groups.only_policies,
    EditKind.KEY_POLICY: on_keys.key_policy,
    EditKind.KEY_STATE: on_keys.key_state,
    EditKind.KEY_ROTATION: on_keys.key_rotation,
    EditKind.SCP: on_organization.organization_policy,
    EditKind.RCP: on_organization.organization_policy,
    EditKind.ATTACH_SCP: on_organization.attach,
    EditKind.ATTACH_RCP: on_organization.attach,
    EditKind.GRANT: granting.grant,
    EditKind.REVOKE_GRANT: on_keys.revoke,
    EditKind.ALIAS: on_keys.alias,
    EditKind.DELETE_ALIAS: on_keys.delete_alias,
    EditKind.TAG: on_keys.tag,
}
