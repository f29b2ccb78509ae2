"""What an authorization case is: the parsed form, and the codes that a case file may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.evaluator.surroundings import Context, Surroundings
from auditor.model.key import Fact, Key
from auditor.model.principal import Principal
from auditor.model.residual import Residual

DECISIONS = ("allowed", "conditional", "unknown", "denied", "implicitly-denied", "explicitly-denied")
"""``denied`` is satisfied by both kinds of denial."""

ALLOWING_REASONS = frozenset(
    {
        "key_policy_direct",
        "iam_via_key_policy_delegation",
        "grant",
        "grant_retiring_principal",
        "cross_account_both_sides",
        "identity_policy_only",
        "root_user_account_principal",
        "service_principal_key_policy",
    }
)
DENYING_REASONS = frozenset(
    {
        "explicit_deny_key_policy",
        "explicit_deny_identity",
        "explicit_deny_boundary",
        "explicit_deny_session",
        "explicit_deny_scp",
        "explicit_deny_rcp",
        "no_allow",
        "no_delegation",
        "no_identity_allow",
        "boundary_no_allow",
        "session_no_allow",
        "scp_no_allow",
        "cross_account_no_key_policy_allow",
        "cross_account_no_identity_allow",
        "action_not_cross_account",
        "action_not_authorized_by_key_policy",
        "unknown_action",
    }
)
REASONS = ALLOWING_REASONS | DENYING_REASONS

KEY_FACTS = {
    "key_policy": Fact.KEY_POLICY,
    "grants": Fact.GRANTS,
    "tags": Fact.TAGS,
    "aliases": Fact.ALIASES,
    "key_metadata": Fact.KEY_METADATA,
    "last_usage": Fact.LAST_USAGE,
}
PRINCIPAL_FACTS = {"identity": Fact.IDENTITY_POLICY, "boundary": Fact.BOUNDARY}
ORGANIZATION_FACTS = {"scp": Fact.SCP, "rcp": Fact.RCP}
UNREAD = (*KEY_FACTS, *PRINCIPAL_FACTS, *ORGANIZATION_FACTS, "organization")
"""What the field ``unread`` of a case may list: facts that were asked for and not obtained.

``key_policy``: a key policy is missing beside those given; ``boundary``: there is one, its document was refused;
``identity``: an identity policy is missing beside those given; ``scp`` / ``rcp``: every level of the caller's / the
key's account (one level: write ``unread`` in its place); ``organization``: nobody could look who belongs to it.
"""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the author of a case expects; an empty reason or a residual of None is not compared."""

    decision: str
    reason: str = ""
    residual: Residual | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request with everything that decides it. ``file`` is the path as given; ``sources`` are AWS page paths."""

    id: str
    file: str
    title: str = ""
    area: str = ""
    key: Key
    principal: Principal
    surroundings: Surroundings
    action: str
    context: Context = field(default_factory=dict)
    expect: Expectation
    sources: tuple[str, ...] = ()
    confidence: str = ""
    note: str = ""
