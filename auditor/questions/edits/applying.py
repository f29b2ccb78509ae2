"""Edits applied to a snapshot, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.errors import UnknownNameError, UsageError
from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot
from auditor.questions.edits import on_keys, on_organization
from auditor.questions.edits.kinds import Edit, EditKind
from auditor.questions.edits.on_identities import IDENTITY_EDITS


def apply_edits(snapshot: Snapshot, edits: Iterable[Edit]) -> Snapshot:
    """The snapshot after the edits, in their order. Raises UsageError for one that cannot be applied."""
    for edit in edits:
        snapshot = _APPLY[edit.kind](snapshot, edit)
    return snapshot


def try_edits(snapshot: Snapshot, edits: Iterable[tuple[str, Edit]]) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot after the edits that could be applied, and why each of the others could not.

    Each edit comes with the address of whoever wants it, which begins its sentence.
    """
    refused = []
    for address, edit in edits:
        try:
            snapshot = apply_edits(snapshot, (edit,))
        except UsageError as error:
            if not (isinstance(error, UnknownNameError) and _idle(snapshot, edit)):
                refused.append(f"{address}: {error.message}")
    return snapshot, tuple(refused)


def _idle(snapshot: Snapshot, edit: Edit) -> bool:
    """Whether it is about a managed policy of a collected account that is attached nowhere: nobody's access rests on
    it."""
    account = account_of(edit.target)
    collected = {item.id for item in snapshot.accounts if Fact.IDENTITIES not in item.unread}
    return edit.kind is EditKind.MANAGED_POLICY and account in collected


_APPLY: dict[EditKind, Callable[[Snapshot, Edit], Snapshot]] = {
    **IDENTITY_EDITS,
    EditKind.KEY_POLICY: on_keys.key_policy,
    EditKind.KEY_STATE: on_keys.key_state,
    EditKind.SCP: on_organization.organization_policy,
    EditKind.RCP: on_organization.organization_policy,
    EditKind.ATTACH_SCP: on_organization.attach,
    EditKind.ATTACH_RCP: on_organization.attach,
    EditKind.GRANT: on_keys.grant,
    EditKind.REVOKE_GRANT: on_keys.revoke,
    EditKind.ALIAS: on_keys.alias,
    EditKind.DELETE_ALIAS: on_keys.delete_alias,
    EditKind.TAG: on_keys.tag,
}
