"""What the rules need to be told: who administers, whom to trust, which tags and thresholds count.

Every field is a parameter of the rule catalogue with its default; ``config.py`` fills it from YAML. Lists are tuples,
maps with fixed names are small dataclasses. No rule reads anything else that a user could have configured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SSO_ADMINISTRATORS = "arn:*:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_AdministratorAccess_*"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedAccount:
    """One entry of the trust register: an account outside the organization that may use keys.

    ``expires`` is an ISO 8601 date; an entry without one is invalid. ``single_tenant``: a vendor's account that serves
    this customer alone. ``terminated``: the contract has ended, so any remaining access is an emergency.
    """

    account: str
    expires: str
    owner: str = ""
    purpose: str = ""
    single_tenant: bool = False
    terminated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedShare:
    """An approved AWS RAM share: its ARN, who answers for it, and the ISO 8601 date of the next review."""

    share: str
    owner: str
    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """A key (ARN, id or alias) that is meant for the whole organization, its owner, and the date of the next review."""

    key: str
    owner: str
    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingGrant:
    """A grant (id or name) that lives long on purpose, its owner, and the date of the next review."""

    grant: str
    owner: str
    review: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decommission:
    """An approved key deletion. ``key`` is an ARN or id, ``date`` ISO 8601."""

    key: str
    ticket: str
    approver: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedChange:
    """An approved change of access: ARN (or id) of the key, ARN of the principal, and the ticket."""

    key: str
    principal: str
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A signed access review of one key: who reviewed and approved, when, and on which snapshot."""

    key: str
    reviewer: str
    date: str
    approver: str = ""
    snapshot_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceExemption:
    """A service that does not send source condition keys, and the document that says so."""

    service: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierNumbers:
    """One number per key tier, T1 (restricted) to T4 (public or throw-away)."""

    T1: int
    T2: int
    T3: int
    T4: int

    def of(self, tier: str) -> int:
        """The number for ``tier``; an unknown tier counts as T2."""
        numbers = {"T1": self.T1, "T2": self.T2, "T3": self.T3, "T4": self.T4}
        return numbers.get(tier, self.T2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryptoperiods:
    """Days that key material may be used where AWS cannot rotate it; starting values after NIST SP 800-57."""

    symmetric: int = 730
    hmac: int = 730
    sign: int = 1095
    key_agreement: int = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """All parameters of the rule catalogue. ARN patterns use ``*`` and ``?``; periods are in days."""

    key_admins: tuple[str, ...] = ()
    key_destroyers: tuple[str, ...] = ()
    account_admins: tuple[str, ...] = (SSO_ADMINISTRATORS,)
    log_admins: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    trusted_accounts: tuple[TrustedAccount, ...] = ()
    trusted_shares: tuple[TrustedShare, ...] = ()
    trusted_key_accounts: tuple[str, ...] = ()
    shared_keys: tuple[SharedKey, ...] = ()
    shared_service_principals: tuple[str, ...] = ()
    environments: tuple[tuple[str, int], ...] = (("prod", 4), ("staging", 3), ("test", 2), ("dev", 1))
    environment_tag: str = "environment"
    data_class_tag: str = "data-class"
    tiers: tuple[tuple[str, str], ...] = (
        ("restricted", "T1"),
        ("confidential", "T2"),
        ("internal", "T3"),
        ("public", "T4"),
    )
    max_plaintext_principals: TierNumbers = field(default_factory=lambda: TierNumbers(T1=5, T2=10, T3=25, T4=50))
    wide_decrypt_keys: int = 5
    max_assumers: int = 25
    max_hops: int = 2
    unused_window: int = 90
    grant_max_age: int = 90
    grant_name_pattern: str = "^[a-z0-9-]{6,}$"
    standing_grants: tuple[StandingGrant, ...] = ()
    max_rotation_days: int = 365
    cryptoperiod_days: Cryptoperiods = field(default_factory=Cryptoperiods)
    min_deletion_window: int = 30
    in_use_days: int = 90
    idle_days: int = 180
    expiry_warning_days: int = 30
    approved_origins: tuple[str, ...] = ("AWS_KMS",)
    approved_proxies: tuple[str, ...] = ()
    approved_regions: tuple[str, ...] = ()
    regional_principals: tuple[str, ...] = ()
    required_tags: tuple[str, ...] = ("owner", "data-class")
    alias_watch_days: int = 90
    review_days: TierNumbers = field(default_factory=lambda: TierNumbers(T1=180, T2=180, T3=365, T4=365))
    reviews: bool = False
    attestations: tuple[Attestation, ...] = ()
    destroy_exempt_accounts: tuple[str, ...] = ()
    sod_exempt_accounts: tuple[str, ...] = ()
    trusted_session_tags: tuple[str, ...] = ()
    management_key_uses: tuple[str, ...] = ()
    customer_key_classes: tuple[str, ...] = ("restricted",)
    decommissions: tuple[Decommission, ...] = ()
    approved_changes: tuple[ApprovedChange, ...] = ()
    external_detection: str = ""
    source_exempt_services: tuple[SourceExemption, ...] = ()
