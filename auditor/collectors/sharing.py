"""AWS RAM resource shares that hold KMS keys, in both directions."""

from __future__ import annotations

from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.operations import RAM_PRINCIPALS, RAM_RESOURCES, RAM_SHARES
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

OWNERS = ("SELF", "OTHER-ACCOUNTS")
KEY_TYPE = "kms:Key"


def read_shares(caller: Caller) -> list[Record]:
    """One record per share that holds a key: ``Share``, ``Owner`` side, ``Keys`` and ``Principals``."""
    found = []
    for owner in OWNERS:
        resources = caller.ask_pages(RAM_RESOURCES, Fact.SHARES, resourceOwner=owner, resourceType=KEY_TYPE)
        keys = _by_share(resources.items, "arn", ":kms:")
        if not keys:
            continue
        shares = caller.ask_pages(RAM_SHARES, Fact.SHARES, resourceOwner=owner, resourceShareArns=sorted(keys))
        people = caller.ask_pages(RAM_PRINCIPALS, Fact.SHARES, resourceOwner=owner, resourceShareArns=sorted(keys))
        principals = _by_share(people.items, "id", "")
        described = {share["resourceShareArn"]: plain(share) for share in shares.items}
        for arn in sorted(keys):
            data = {
                "Share": described.get(arn, {"resourceShareArn": arn}),
                "Owner": owner,
                "Keys": sorted(keys[arn]),
                "Principals": sorted(principals.get(arn, ())),
            }
            found.append(Record(Kind.KEY_SHARE, data))
    return found


def _by_share(items: tuple[Any, ...], name: str, containing: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item in items:
        if containing in item[name]:
            found.setdefault(item["resourceShareArn"], set()).add(item[name])
    return found
