"""The nouns of the demonstration: what an account, a key, a role or a grant needs to be described as data.

Descriptions only; ``filling.py`` turns them into AWS calls. Keys and accounts are named by short names, documents are
JSON objects as AWS stores them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Statement = dict[str, object]
Document = dict[str, object]
Tags = tuple[tuple[str, str], ...]

FRANKFURT = "eu-central-1"
IRELAND = "eu-west-1"
VIRGINIA = "us-east-1"
REGIONS = (FRANKFURT, IRELAND, VIRGINIA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The account ids of the organization, and its own id; accounts of other parties are in ``others.py``."""

    organization: str
    management: str
    log_archive: str
    payments: str
    shop: str
    analytics: str
    development: str

    def named(self, name: str) -> str:
        """The id of the account called ``name``, such as ``shop``."""
        return str(getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoKey:
    """A KMS key; its alias is ``alias/NAME``. ``state`` is Enabled, Disabled or PendingDeletion.

    ``service`` names the AWS service that manages the key, if one does; its alias is then ``alias/aws/SERVICE``.
    ``rotation_days`` is the period of rotation, ``expires_in_days`` when imported material ends, ``created`` the ISO
    date of creation (empty: now), ``alias_moved_days_ago`` when its alias began to point at it.
    ``replicas`` maps further Regions to the policies of the replicas there (None: AWS's default policy).
    """

    name: str
    account: str
    region: str
    policy: Document | None = None
    description: str = ""
    tags: Tags = ()
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    origin: str = "AWS_KMS"
    rotation: bool = True
    state: str = "Enabled"
    deletion_days: int = 30
    service: str = ""
    rotation_days: int = 365
    expires_in_days: int | None = None
    created: str = ""
    alias_moved_days_ago: int | None = None
    replicas: Mapping[str, Document | None] = field(default_factory=dict)

    @property
    def rotates(self) -> bool:
        """Whether rotation is switched on: only symmetric keys with material from KMS can."""
        return self.rotation and self.spec == "SYMMETRIC_DEFAULT" and self.origin == "AWS_KMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPolicy:
    """A customer managed IAM policy."""

    name: str
    account: str
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRole:
    """An IAM role. ``inline`` maps policy names to documents; ``managed`` and ``boundary`` name policies."""

    name: str
    account: str
    trust: Document
    path: str = "/"
    inline: Mapping[str, Document] = field(default_factory=dict)
    managed: Sequence[str] = ()
    boundary: str | None = None
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoGroup:
    """An IAM group with its policies."""

    name: str
    account: str
    inline: Mapping[str, Document] = field(default_factory=dict)
    managed: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """An IAM user; ``access_key`` and ``password`` say which long-term credentials exist."""

    name: str
    account: str
    groups: Sequence[str] = ()
    inline: Mapping[str, Document] = field(default_factory=dict)
    managed: Sequence[str] = ()
    access_key: bool = False
    password: bool = False
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProvider:
    """An OpenID Connect identity provider of an account."""

    account: str
    url: str
    client_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The IAM content of one or more accounts; ``service_linked`` are (account, service) pairs."""

    policies: tuple[DemoPolicy, ...] = ()
    roles: tuple[DemoRole, ...] = ()
    groups: tuple[DemoGroup, ...] = ()
    users: tuple[DemoUser, ...] = ()
    providers: tuple[DemoProvider, ...] = ()
    service_linked: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoGrant:
    """A grant on the key called ``key``; ``constraints`` as in CreateGrant."""

    key: str
    grantee: str
    operations: tuple[str, ...]
    name: str = ""
    retiring: str | None = None
    constraints: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """An SCP or RCP (``kind``) and the names of the root, units and accounts that it is attached to."""

    name: str
    description: str
    targets: tuple[str, ...]
    document: Document
    kind: str = "SERVICE_CONTROL_POLICY"
