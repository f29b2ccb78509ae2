"""What an edit is: its kinds, and what target, name and text mean for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.grant import Grant


class EditKind(StrEnum):
    """What is changed; ``Edit`` says what its members mean for each."""

    KEY_POLICY = "key-policy"
    KEY_STATE = "key-state"
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
    REMOVE_PRINCIPAL = "remove-principal"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    ``target``: the key for KEY_POLICY, KEY_STATE, TAG, GRANT and ALIAS (the key that the alias shall name); the user or
    role for BOUNDARY, TRUST_POLICY, PRINCIPAL_TAG, ADD_PRINCIPAL (its ARN) and REMOVE_PRINCIPAL; the user, role or
    ``group/NAME`` for IDENTITY_POLICY, ATTACH_POLICY and DETACH_POLICY; the policy's name or ARN for MANAGED_POLICY and
    the organization policies; the grant's id or name; the alias for DELETE_ALIAS.

    ``name``: the inline policy; the managed policy to attach, detach or set as boundary; the tag; the alias; the
    organizational target (root, OU or account, by id or name) of an SCP or RCP, empty for everywhere it is attached.

    ``text``: the new document, tag value or key state; None deletes. AWS lets no key be without a policy: None gives it
    the default key policy. For ATTACH_* and a BOUNDARY with a ``name``, None takes the document that the snapshot knows
    by that name. ``grant``: the new grant.
    """

    kind: EditKind
    target: str
    name: str = ""
    text: str | None = None
    grant: Grant | None = None
