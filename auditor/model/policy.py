"""Policy documents and the places they stand in; ``policy_document`` reads them.

A document that cannot be read at all has ``readable`` False, and its layer is then unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_VERSION = "2008-10-17"
"""A document without Version has this one: policy variables are then literal text (IAM reference, Version)."""
VARIABLES_VERSION = "2012-10-17"


class Layer(StrEnum):
    """Where a policy takes part in the decision."""

    KEY_POLICY = "key-policy"
    IDENTITY = "identity-policy"
    BOUNDARY = "permissions-boundary"
    SESSION = "session-policy"
    SCP = "scp"
    RCP = "rcp"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """A mistake in a document: ``index`` is the statement's position or None, ``element`` the JSON name concerned."""

    index: int | None
    sid: str | None
    element: str
    code: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """One ``{operator: {key: values}}`` entry, values as strings. ``operator`` keeps its qualifier and suffix."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrincipalValue:
    """One entry of a Principal element: ``kind`` is AWS, Service, Federated or CanonicalUser; ``*`` is AWS ``*``."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; an absent element is None (``conditions``: empty). ``effect`` is Allow, Deny or None.

    ``sid`` is None as well where another statement of the document has the same: it would not find the statement.
    """

    index: int
    sid: str | None
    effect: str | None
    principals: tuple[PrincipalValue, ...] | None
    not_principals: tuple[PrincipalValue, ...] | None
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    conditions: tuple[ConditionTest, ...]
    condition_readable: bool = True

    @property
    def label(self) -> str:
        """``Sid`` if there is one, else ``statement N`` counted from 1."""
        return self.sid or f"statement {self.index + 1}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed document and its verbatim text."""

    text: str
    version: str
    id: str | None
    statements: tuple[Statement, ...]
    problems: tuple[PolicyProblem, ...]
    readable: bool = True

    @property
    def has_variables(self) -> bool:
        """Whether ``${…}`` is a policy variable in this document."""
        return self.version == VARIABLES_VERSION


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A document in its place: which layer, what it is called, and what it is attached to.

    ``name`` is what a person calls it (``default``, an inline name, a managed policy ARN, an SCP name);
    ``owner`` is the key, principal, group, organizational unit or account that carries it.
    """

    layer: Layer
    name: str
    owner: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class StatementRef:
    """A citation: enough to find the statement again."""

    layer: Layer
    policy: str
    owner: str
    index: int
    sid: str | None

    def __str__(self) -> str:
        statement = f"“{self.sid}”" if self.sid else f"{self.index + 1}"
        return f"{self.layer} {self.policy} statement {statement}"
