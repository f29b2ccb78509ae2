"""What a snapshot looked at: which accounts, Regions and identities it can speak of."""

from __future__ import annotations

from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot


class Coverage:
    """Answers whether a missing key or principal was looked for at all."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._regions = {account.id: frozenset(account.regions) for account in snapshot.accounts}
        self._regions_unread = {account.id for account in snapshot.accounts if Fact.REGIONS in account.unread}
        self._no_identities = {account.id for account in snapshot.accounts if Fact.IDENTITIES in account.unread}
        self._unlisted = {(gap.account, gap.region) for gap in snapshot.gaps if gap.fact is Fact.KEY_LIST}

    def keys_read(self, account: str, region: str) -> bool:
        """Whether the keys of this account and Region were listed."""
        regions = self._regions.get(account)
        if regions is None or (regions and region not in regions):
            return False
        return (account, region) not in self._unlisted and (account, "") not in self._unlisted

    def identities_read(self, principal: str) -> bool:
        """Whether the principal's account was read, or does not have to be (services, outsiders, everyone)."""
        account = account_of(principal)
        if account is None or account not in self._regions:
            return True
        return account not in self._no_identities
