"""What to say of a name that a snapshot does not know."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.model.arn import parse_arn
from auditor.model.inventory import Inventory
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot

NAMES_OF_KEYS = {
    Fact.ACCOUNT: "accounts",
    Fact.REGIONS: "Regions",
    Fact.KEY_LIST: "lists of keys",
    Fact.ALIASES: "aliases",
}
NAMES_OF_PRINCIPALS = {Fact.ACCOUNT: "accounts", Fact.IDENTITIES: "identities"}
"""Facts without which something may be called what the snapshot does not know, in words."""


LONG = 300
"""Characters of a name that a message quotes."""


def quoted(text: str) -> str:
    """A name in quotes, cut where it is too long for a message."""
    return f"“{text}”" if len(text) <= LONG else f"“{text[:LONG]}…”"


def may_exist(snapshot: Snapshot, facts: Mapping[Fact, str]) -> str:
    """A sentence for an unknown name where one of ``facts`` could not be read somewhere; empty where all were."""
    missing = [words for fact, words in facts.items() if any(gap.fact is fact for gap in snapshot.gaps)]
    return f" It may exist all the same: some {' and '.join(missing)} could not be read." if missing else ""


def key_may_exist(snapshot: Snapshot, text: str) -> str:
    """The same for the name of a key; an ARN says where somebody would have had to look."""
    arn = parse_arn(text)
    if arn is not None and arn.service == "kms" and not Inventory(snapshot).keys_read(arn.account, arn.region):
        return f" It may exist all the same: the keys of account {arn.account} in {arn.region} were not read."
    return may_exist(snapshot, NAMES_OF_KEYS)
