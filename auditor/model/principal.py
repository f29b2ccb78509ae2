"""Principals: who may ask. Collected IAM users and roles, and the ones that only policies and grants mention."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.arn import SERVICE_LINKED_NAME, SERVICE_LINKED_PATH, parse_arn, session_role_name
from auditor.model.key import Fact, Tags
from auditor.model.policy import AttachedPolicy, Policy


class PrincipalKind(StrEnum):
    """What kind of caller; EXTERNAL_* are of accounts that were not collected: an upper bound of what they could do."""

    USER = "user"
    ROLE = "role"
    SERVICE_LINKED_ROLE = "service-linked-role"
    ROOT = "root"
    SESSION = "session"
    FEDERATED_USER = "federated-user"
    SERVICE = "service"
    EXTERNAL_ACCOUNT = "external-account"
    EXTERNAL_PRINCIPAL = "external-principal"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class AccessKeyFact:
    """One access key of a user. Times are ISO 8601 UTC or None."""

    active: bool
    created: str | None = None
    last_used: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """A user's row of the credential report."""

    password_enabled: bool = False
    mfa: bool = False
    password_last_used: str | None = None
    access_keys: tuple[AccessKeyFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAccessed:
    """What IAM recorded of a user's or role's attempts to call KMS (GetServiceLastAccessedDetails), refused ones too.

    ``reported``: when IAM made the report. ``listed``: whether the report names KMS, as it does only where identity
    policies of the principal allow something there; where it is not named, nothing is known. ``kms``: the last
    attempt, None when there was none in the tracking period of at least 400 days; ``region``: where. ``actions``:
    those that IAM tracks one by one (a choice of AWS's), each with its last attempt; of an action that is not among
    them nothing is known. ``latest``: the last attempt to call any service that the report names. Times are ISO 8601
    UTC.
    """

    reported: str
    listed: bool = False
    kms: str | None = None
    region: str | None = None
    actions: tuple[tuple[str, str | None], ...] = ()
    latest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """One caller.

    ``arn`` identifies it in every table: the IAM ARN of a user or role, the assumed-role ARN of a SESSION, the
    ``…:root`` ARN of an account's root user, the service name of a SERVICE, ``*`` for EVERYONE; an EXTERNAL_ACCOUNT is
    written as the bare account id. ``iam_arn`` is the value of ``aws:PrincipalArn`` (the role of a session).
    ``assume_allowed``: stands for a caller whose own side allows everything; used for upper bounds.
    """

    kind: PrincipalKind
    arn: str
    iam_arn: str
    account: str | None
    name: str = ""
    path: str = "/"
    unique_id: str | None = None
    created: str | None = None
    last_used: str | None = None
    tags: Tags = ()
    groups: tuple[str, ...] = ()
    identity_policies: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    session_policies: tuple[AttachedPolicy, ...] | None = None
    trust_policy: Policy | None = None
    credentials: CredentialFacts | None = None
    last_accessed: LastAccessed | None = None
    instance_profiles: tuple[str, ...] = ()
    assume_allowed: bool = False
    unread: frozenset[Fact] = field(default_factory=frozenset)

    @property
    def service_linked(self) -> bool:
        """Whether it is a service-linked role, which neither SCPs nor RCPs bind, also one of another account; a session
        of a role with an unknown path is by its name."""
        if self.kind is PrincipalKind.EXTERNAL_PRINCIPAL and f":role{SERVICE_LINKED_PATH}" in self.iam_arn:
            return True
        named = self.path_unknown and self.iam_arn.rsplit("/", 1)[-1].startswith(SERVICE_LINKED_NAME)
        return named or self.kind is PrincipalKind.SERVICE_LINKED_ROLE

    @property
    def path_unknown(self) -> bool:
        """Whether it is a session of a role that nobody could look up: its ARN does not tell the role's path."""
        unseen = self.kind is PrincipalKind.EXTERNAL_PRINCIPAL or Fact.IDENTITIES in self.unread
        return unseen and session_role_name(self.arn) is not None

    def may_be_session_of(self, role_arn: str) -> bool:
        """Whether a session of a role with an unknown path is one of ``role_arn``: no two roles of an account have the
        same name."""
        if not self.path_unknown:
            return False
        named, session = parse_arn(role_arn), session_role_name(self.arn)
        if named is None or session is None or not named.resource.startswith("role/"):
            return False
        return (named.account, named.name) == (self.account, session[0])

    @property
    def session_name(self) -> str | None:
        """The session name of a role session, else None."""
        named = session_role_name(self.arn)
        return named[1] if named else None
