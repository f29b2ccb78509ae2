"""Who is inside: the organization, the trust register, administrators and key tiers, as the settings say.

Every answer is about configuration and the organization tree; access itself is the evaluator's business.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cached_property

from auditor.evaluator.glob import matches
from auditor.model.key import Key
from auditor.model.moments import instant
from auditor.model.organization import TargetKind
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings, TrustedAccount
from auditor.model.snapshot import Snapshot
from auditor.rules.catalogue import aws_accounts


class Standing(StrEnum):
    """How an account stands to the audited estate."""

    OWN = "own"
    AWS = "aws"
    ORGANIZATION = "organization"
    TRUSTED = "trusted"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def outside(self) -> bool:
        """Whether the account is neither ours nor a current entry of the register."""
        return self in (Standing.EXPIRED, Standing.UNKNOWN)

    @property
    def foreign(self) -> bool:
        """Whether the account is outside the organization, trusted or not."""
        return self.outside or self is Standing.TRUSTED


def on_day(text: str) -> date | None:
    """The date of an ISO 8601 text, or None."""
    found = instant(text)
    return found.date() if found else None


def _fits(pattern: str, arn: str) -> bool:
    """``matches``, after the cheap look whether the fixed parts of the pattern occur at all."""
    return ("?" in pattern or all(part in arn for part in pattern.split("*"))) and matches(pattern, arn)


def _with_region(arn: str) -> str:
    """The ARN of a role of IAM Identity Center with the Region of its instance, which AWS leaves out in us-east-1."""
    return arn.replace("/sso.amazonaws.com/AWSReservedSSO_", "/sso.amazonaws.com/us-east-1/AWSReservedSSO_")


class Trust:
    """Answers for one run: built from the snapshot, the settings and the day that the run speaks of."""

    def __init__(self, snapshot: Snapshot, settings: RuleSettings, today: date) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.today = today
        self._answers: dict[tuple[str, tuple[str, ...]], bool] = {}

    @cached_property
    def organization_accounts(self) -> frozenset[str]:
        """Member accounts of the organization, as far as its tree was read."""
        organization = self.snapshot.organization
        if organization is None:
            return frozenset()
        members = {target.id for target in organization.targets if target.kind == TargetKind.ACCOUNT}
        return frozenset(members | {organization.management_account})

    @cached_property
    def collected(self) -> frozenset[str]:
        """Accounts that were collected; all are ours."""
        return frozenset(account.id for account in self.snapshot.accounts)

    @property
    def membership_known(self) -> bool:
        """Whether “not a member” can be said of an account: the organization's tree was read."""
        organization = self.snapshot.organization
        return organization is not None and organization.tree_read

    def foreign_organization(self, organization: str) -> bool:
        """Whether an organization id is known to be somebody else's."""
        own = self.snapshot.organization
        return own is not None and own.id != organization

    def organization_of(self, account: str, *, whole_path: bool = False) -> str | None:
        """The id of the organization that an account is in, or its whole path there; empty: in none, None: unknown."""
        organization = self.snapshot.organization
        if organization is None:
            return None if self.snapshot.organization_unread else ""
        if account not in self.organization_accounts or account in organization.unseen:
            return None
        if whole_path:
            return organization.path(account) if organization.placed(account) else None
        return organization.id

    def entry(self, account: str) -> TrustedAccount | None:
        """The register entry of an account, current or not."""
        return next((entry for entry in self.settings.trusted_accounts if entry.account == account), None)

    def standing(self, account: str | None, owner: str = "") -> Standing:
        """How ``account`` stands to the key owner ``owner``."""
        if account is None or account == owner or account in self.collected:
            return Standing.OWN
        if account in self.organization_accounts:
            return Standing.ORGANIZATION
        entry = self.entry(account)
        if entry is None:
            return Standing.AWS if account in aws_accounts() else Standing.UNKNOWN
        expires = on_day(entry.expires)
        current = expires is not None and expires >= self.today and not entry.terminated
        return Standing.TRUSTED if current else Standing.EXPIRED

    def unsure_of(self, account: str | None) -> bool:
        """Whether an account that counts as unknown may be of the organization, whose accounts could not be read."""
        organization = self.snapshot.organization
        hidden = self.snapshot.organization_unread or (organization is not None and not organization.tree_read)
        return hidden and self.standing(account) is Standing.UNKNOWN

    def account_in(self, account: str, listed: tuple[str, ...]) -> bool:
        """Whether an account, or an organizational unit above it, is in ``listed``."""
        if account in listed:
            return True
        organization = self.snapshot.organization
        levels = organization.levels(account) if organization else None
        return any(level.id in listed or level.name in listed for level in levels or ())

    def key_admin(self, principal: Principal) -> bool:
        """Whether the settings name the principal as an administrator of keys, or of its whole account."""
        return self._named(principal, self.settings.key_admins) or self.account_admin(principal)

    def account_admin(self, principal: Principal) -> bool:
        """Whether the settings name the principal as an administrator of its account."""
        return self._named(principal, self.settings.account_admins)

    def key_destroyer(self, principal: Principal) -> bool:
        """Whether the principal may destroy keys by its role: ``key_destroyers``, else ``key_admins``."""
        destroyers = self.settings.key_destroyers
        return self._named(principal, destroyers) if destroyers else self.key_admin(principal)

    def named(self, principal: Principal, patterns: tuple[str, ...]) -> bool:
        """Whether one of ``patterns`` matches the principal's ARN or the ARN of its role."""
        return self._named(principal, patterns)

    def _named(self, principal: Principal, patterns: tuple[str, ...]) -> bool:
        if not patterns:
            return False
        asked = (principal.arn, patterns)
        if asked not in self._answers:
            arns = {arn for one in (principal.arn, principal.iam_arn) for arn in (one, _with_region(one))}
            self._answers[asked] = any(_fits(pattern, arn) for pattern in patterns for arn in arns)
        return self._answers[asked]

    def tier(self, key: Key) -> str:
        """T1 to T4 from the data class tag; a missing or unknown class counts as T2, so it never lowers anything."""
        return self.tier_of(key.tag(self.settings.data_class_tag) or "")

    def tier_of(self, data_class: str) -> str:
        """T1 to T4 of a data class; an unknown one counts as T2."""
        value = data_class.lower()
        return next((tier for name, tier in self.settings.tiers if name.lower() == value), "T2")

    def decommission(self, key: Key) -> str | None:
        """The ticket of an approved deletion of the key, or None."""
        for record in self.settings.decommissions:
            if record.key in (key.arn, key.key_id):
                return record.ticket
        return None
