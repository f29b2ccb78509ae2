"""What a snapshot looked at: which accounts, Regions and identities it can speak of.

For comparing two snapshots: that something is not there means something only where it was looked for.
"""

from __future__ import annotations

from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.snapshot import NOT_ENABLED, Snapshot


class Inventory:
    """Answers whether a missing key or principal was looked for at all."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._regions = {account.id: frozenset(account.regions) for account in snapshot.accounts if account.entered}
        self._no_identities = {account.id for account in snapshot.accounts if Fact.IDENTITIES in account.unread}
        self._unlisted = {(gap.account, gap.region) for gap in snapshot.gaps if gap.fact is Fact.KEY_LIST}
        self._read = {(one.account, one.region) for one in snapshot.coverage if one.status != NOT_ENABLED}

    def keys_read(self, account: str, region: str) -> bool:
        """Whether the keys of this account and Region were listed."""
        regions = self._regions.get(account)
        if regions is None or (regions and region not in regions):
            return False
        if self._read and (account, region) not in self._read:
            return False  # nobody said which Regions are enabled, and this one was not probed, or is not
        return (account, region) not in self._unlisted and (account, "") not in self._unlisted

    def identities_read(self, principal: str) -> bool:
        """Whether a principal that another snapshot collected was looked for."""
        account = account_of(principal)
        return account is None or (account in self._regions and account not in self._no_identities)
