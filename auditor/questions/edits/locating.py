"""Names that an edit gives without an ARN, looked for where the edit is: elsewhere the same name is something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from auditor.errors import UnknownNameError
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.kinds import Edit, EditKind
from auditor.questions.groups import is_group
from auditor.questions.keys import names_of as names_of_key
from auditor.questions.principals import names_of as names_of_principal

OF_KEYS = (
    EditKind.KEY_POLICY,
    EditKind.KEY_STATE,
    EditKind.KEY_ROTATION,
    EditKind.TAG,
    EditKind.GRANT,
    EditKind.ALIAS,
)
OF_IDENTITIES = (
    EditKind.IDENTITY_POLICY,
    EditKind.ATTACH_POLICY,
    EditKind.DETACH_POLICY,
    EditKind.BOUNDARY,
    EditKind.TRUST_POLICY,
    EditKind.PRINCIPAL_TAG,
    EditKind.ADD_TO_GROUP,
    EditKind.REMOVE_FROM_GROUP,
    EditKind.ONLY_INLINE,
    EditKind.ONLY_ATTACHED,
    EditKind.REMOVE_PRINCIPAL,
)


def located(snapshot: Snapshot, edit: Edit) -> Edit:
    """The edit of a plan with the ARN of what it names in its account and Region, if it has them.

    Raises UnknownNameError where nothing there is called so, and where several accounts could be meant.
    """
    if edit.target.startswith("arn:"):
        return edit
    if edit.kind in OF_KEYS and (edit.account or edit.region):
        return replace(edit, target=_one(edit, "key", _keys(snapshot, edit)))
    if edit.kind in OF_IDENTITIES and not edit.account and len(snapshot.accounts) > 1:
        raise UnknownNameError(f"Nothing says in which account “{edit.target}” is (data.aws_caller_identity would).")
    if edit.kind in OF_IDENTITIES and edit.account:
        if is_group(edit.target):
            return replace(edit, target=f"arn:{_partition(snapshot, edit.account)}:iam::{edit.account}:{edit.target}")
        return replace(edit, target=_one(edit, "principal", _principals(snapshot, edit)))
    return edit


def _one(edit: Edit, kind: str, found: Iterable[str]) -> str:
    arns = tuple(found)
    if len(arns) == 1:
        return arns[0]
    places = (f"account {edit.account}" if edit.account else "", edit.region if kind == "key" else "")
    place = " in ".join(filter(None, places))
    if arns:
        raise UnknownNameError(f"“{edit.target}” means {len(arns)} {kind}s of {place}.")
    raise UnknownNameError(f"No {kind} of {place} is called “{edit.target}”.")


def _keys(snapshot: Snapshot, edit: Edit) -> Iterable[str]:
    return (
        key.arn
        for key in snapshot.keys
        if edit.account in ("", key.account) and edit.region in ("", key.region) and edit.target in names_of_key(key)
    )


def _principals(snapshot: Snapshot, edit: Edit) -> Iterable[str]:
    return (
        item.arn
        for item in snapshot.principals
        if item.account == edit.account and edit.target in names_of_principal(item)
    )


def _partition(snapshot: Snapshot, account: str) -> str:
    return next((item.partition for item in snapshot.accounts if item.id == account), "aws")
