"""Which keys no answer can be about, because they could not even be listed: an answer over all keys says so."""

from __future__ import annotations

from collections import defaultdict

from auditor.model.key import Fact
from auditor.model.snapshot import Gap, Snapshot

SHOWN = 5
LISTS = (Fact.ACCOUNT, Fact.REGIONS, Fact.KEY_LIST)
"""Facts without which there may be keys that the snapshot does not hold."""


def unlisted_keys(snapshot: Snapshot) -> str:
    """Where keys may be that could not be read, in words such as “account 111122223333 in eu-west-1”; empty: nowhere.

    Also keys that were listed, and of which nothing more could be read.
    """
    known = {name for key in snapshot.keys for name in (key.arn, key.key_id)}
    regions: dict[str, set[str]] = defaultdict(set)
    lost = set()
    for gap in snapshot.gaps:
        if gap.fact in LISTS:
            regions[gap.account or gap.subject].add(_region(gap))
        elif gap.fact is Fact.KEY_METADATA and gap.subject and gap.subject not in known:
            lost.add(gap.subject)
    places = [_place(account, found) for account, found in sorted(regions.items())]
    return _listed([*places, *sorted(lost)])


def _region(gap: Gap) -> str:
    """The Region of a list; that of a whole account is empty."""
    return gap.region or (gap.subject if gap.fact is Fact.REGIONS else "")


def _place(account: str, regions: set[str]) -> str:
    """An account, or some of its Regions."""
    return f"account {account}" if "" in regions else f"account {account} in {', '.join(sorted(regions))}"


def _listed(places: list[str]) -> str:
    more = len(places) - SHOWN
    return "; ".join(places) if more <= 0 else f"{'; '.join(places[:SHOWN])}; and {more} more places"
