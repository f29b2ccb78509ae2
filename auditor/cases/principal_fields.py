"""The caller of a case: kind, ARNs, and the policies on its own side."""

from __future__ import annotations

from auditor.cases.fields import Field
from auditor.cases.schema import PRINCIPAL_FACTS
from auditor.model.arn import SERVICE_LINKED_PATH, parse_arn, session_role_name
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.principal import Principal, PrincipalKind

PRINCIPAL = (
    "type",
    "arn",
    "iam_arn",
    "account",
    "unique_id",
    "tags",
    "identity_policies",
    "groups",
    "permissions_boundary",
    "session_policies",
    "trust_policy",
)
TYPES = {
    "iam_user": PrincipalKind.USER,
    "role": PrincipalKind.ROLE,
    "role_session": PrincipalKind.SESSION,
    "service_linked_role": PrincipalKind.SERVICE_LINKED_ROLE,
    "service_linked_role_session": PrincipalKind.SERVICE_LINKED_ROLE,
    "federated_user": PrincipalKind.FEDERATED_USER,
    "root": PrincipalKind.ROOT,
    "service": PrincipalKind.SERVICE,
}
"""Types in a case file. ``role`` asks for a session of the role whose name is not known."""


_ROLES = (PrincipalKind.ROLE, PrincipalKind.SESSION)
_OF_ANOTHER = (PrincipalKind.SERVICE_LINKED_ROLE, PrincipalKind.FEDERATED_USER)
"""Kinds whose caller may be a session of the role or user in ``iam_arn``."""


def read_principal(field: Field, unread: frozenset[str]) -> Principal:
    """The principal that the field describes; ``unread`` are the case's unread facts."""
    field.mapping(PRINCIPAL)
    kind = TYPES[field["type"].choice(tuple(TYPES))]
    arn, iam_arn = _arns(field, kind)
    parsed = parse_arn(iam_arn)
    account = None if kind is PrincipalKind.SERVICE or parsed is None else parsed.account
    if kind is not PrincipalKind.SERVICE and field["account"].default(Field.account_id, account) != account:
        field["account"].fail(f"contradicts the ARN {iam_arn}.")
    resource = parsed.resource if parsed else iam_arn
    linked = kind in _ROLES and _path(resource).startswith(SERVICE_LINKED_PATH)
    return Principal(
        kind=PrincipalKind.SERVICE_LINKED_ROLE if linked else kind,
        arn=arn,
        iam_arn=iam_arn,
        account=account,
        name=resource.rsplit("/", 1)[-1],
        path=_path(resource),
        unique_id=field["unique_id"].default(Field.text, None),
        tags=field["tags"].pairs(),
        groups=() if field["groups"].absent else tuple(name for name, _ in field["groups"].items()),
        identity_policies=_identity(field, iam_arn, account),
        boundary=field["permissions_boundary"].default(
            lambda f: AttachedPolicy(Layer.BOUNDARY, "boundary", iam_arn, f.policy()), None
        ),
        session_policies=field["session_policies"].default(lambda f: _attached(f, Layer.SESSION, "session", arn), None)
        or None,
        trust_policy=field["trust_policy"].default(Field.policy, None),
        unread=frozenset(PRINCIPAL_FACTS[name] for name in unread if name in PRINCIPAL_FACTS),
    )


def _arns(field: Field, kind: PrincipalKind) -> tuple[str, str]:
    """``(arn, iam_arn)`` as Principal wants them: only a session has two different ones, its own and its role's or
    user's."""
    arn = field["arn"].text()
    if kind is PrincipalKind.SERVICE:
        return arn, arn
    iam_arn = field["iam_arn"].default(Field.text, arn)
    parsed = parse_arn(iam_arn)
    if parsed is None or parsed.service not in ("iam", "sts"):
        field["iam_arn" if not field["iam_arn"].absent else "arn"].fail(f"{iam_arn!r} is no principal's ARN.")
    if kind is PrincipalKind.SESSION:
        if session_role_name(arn) is None:
            field["arn"].fail(f"{arn!r} is no assumed-role ARN.", "Give the session's ARN here, the role's in iam_arn.")
        if not parsed.resource.startswith("role/"):
            field["iam_arn"].fail("must be the ARN of the session's role.")
        return arn, iam_arn
    if arn != iam_arn and kind not in _OF_ANOTHER:
        field["iam_arn"].fail(f"differs from arn ({arn}).", "Only a session has a role whose ARN is another one.")
    return arn, iam_arn


def _path(resource: str) -> str:
    """The IAM path: ``role/team/blue/App`` → ``/team/blue/``."""
    parts = resource.split("/")[1:-1]
    return f"/{'/'.join(parts)}/" if parts else "/"


def _identity(field: Field, owner: str, account: str | None) -> tuple[AttachedPolicy, ...]:
    own = (
        ()
        if field["identity_policies"].absent
        else _attached(field["identity_policies"], Layer.IDENTITY, "identity", owner)
    )
    if field["groups"].absent:
        return own
    partition = owner.split(":")[1]
    inherited = [
        policy
        for name, entry in field["groups"].items()
        for policy in _attached(entry, Layer.IDENTITY, name, f"arn:{partition}:iam::{account}:group/{name}")
    ]
    return (*own, *inherited)


def _attached(field: Field, layer: Layer, name: str, owner: str) -> tuple[AttachedPolicy, ...]:
    """The documents of a list, named ``NAME-1``, ``NAME-2`` …"""
    return tuple(
        AttachedPolicy(layer, f"{name}-{number}", owner, element.policy())
        for number, element in enumerate(field.elements(), 1)
    )
