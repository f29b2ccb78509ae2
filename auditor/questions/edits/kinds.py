"""What an edit is: its kinds, and what target, name and text mean for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.grant import Grant
from auditor.model.key import Key


class EditKind(StrEnum):
    """What is changed; ``Edit`` says what its members mean for each."""

    ADD_KEY = "add-key"
    KEY_POLICY = "key-policy"
    KEY_STATE = "key-state"
    KEY_ROTATION = "key-rotation"
    IDENTITY_POLICY = "identity-policy"
    MANAGED_POLICY = "managed-policy"
    ATTACH_POLICY = "attach-policy"
    DETACH_POLICY = "detach-policy"
    BOUNDARY = "boundary"
    TRUST_POLICY = "trust-policy"
    SCP = "scp"
    RCP = "rcp"
    ATTACH_SCP = "attach-scp"
    ATTACH_RCP = "attach-rcp"
    GRANT = "grant"
    REVOKE_GRANT = "revoke-grant"
    ALIAS = "alias"
    DELETE_ALIAS = "delete-alias"
    TAG = "tag"
    PRINCIPAL_TAG = "principal-tag"
    ADD_PRINCIPAL = "add-principal"
    ADD_TO_GROUP = "add-to-group"
    REMOVE_FROM_GROUP = "remove-from-group"
    ONLY_INLINE = "only-inline-policies"
    ONLY_ATTACHED = "only-attached-policies"
    REMOVE_PRINCIPAL = "remove-principal"


FROM_PLANS = (EditKind.ONLY_INLINE, EditKind.ONLY_ATTACHED)
"""Kinds that only a Terraform plan asks for."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    ``target``: the key for KEY_POLICY, KEY_STATE, KEY_ROTATION, TAG, GRANT and ALIAS (the key that the alias shall
    name); the ARN of the new one for ADD_KEY (its account may be empty where only one was collected, its Region where
    that has only one) and ADD_PRINCIPAL (or ``role/NAME``, where only one account was collected); the user or role for
    BOUNDARY, TRUST_POLICY, PRINCIPAL_TAG and REMOVE_PRINCIPAL; the user for ADD_TO_GROUP and REMOVE_FROM_GROUP; the
    user, role or ``group/NAME`` for IDENTITY_POLICY, ATTACH_POLICY, DETACH_POLICY and ONLY_*; the policy's name or ARN
    for MANAGED_POLICY and the organization policies; the grant's id or name; the alias for DELETE_ALIAS.

    ``name``: the inline policy; the managed policy to attach, detach or set as boundary; the tag; the alias; the group;
    the organizational target (root, OU or account, by id or name) of an SCP or RCP, empty for all that carry it.

    ``text``: the new document, tag value, key state or days between rotations; None deletes, or ends rotation. AWS lets
    no key be without a policy: None gives it the default key policy. For ATTACH_* and a BOUNDARY with a ``name``, None
    takes the document that the snapshot knows by that name. For ADD_TO_GROUP, "" says that the group is new. ``grant``:
    the new grant; ``key``: what a new key is like beside its policy, by default a symmetric one; ``only``: names or
    ARNs of the policies that ONLY_* leaves.

    ``account`` and ``region``: where the key, user, role or group is that ``target`` names without its ARN; empty for
    anywhere.
    """

    kind: EditKind
    target: str
    name: str = ""
    text: str | None = None
    grant: Grant | None = None
    key: Key | None = None
    only: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
