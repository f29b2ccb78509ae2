"""Shares of AWS RAM: each that holds a key, with its keys and principals, seen from either side."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from auditor.collectors.operation import Operation
from auditor.collectors.operations import RAM_PRINCIPALS, RAM_RESOURCES, RAM_SHARES
from auditor.collectors.sharing import read_shares
from auditor.model.key import Fact

KEY = "arn:aws:kms:eu-west-1:111111111111:key/"
MINE, THEIRS, LOST = (f"arn:aws:ram:eu-west-1:{owner * 12}:resource-share/{owner}" for owner in "123")
RESOURCES = {
    "SELF": [
        (MINE, f"{KEY}b"),
        (MINE, f"{KEY}a"),
        (MINE, "arn:aws:ec2:eu-west-1:111111111111:subnet/s"),
        (LOST, f"{KEY}c"),
    ],
    "OTHER-ACCOUNTS": [(THEIRS, f"{KEY}d")],
}
PEOPLE = {"SELF": [(MINE, "333333333333"), (MINE, "222222222222")], "OTHER-ACCOUNTS": [(THEIRS, "111111111111")]}


@dataclass
class Ram:
    """Answers as the API does: shares and principals of the shares that are asked for, but nothing of one share."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def ask_pages(self, operation: Operation, fact: Fact, resourceOwner: str, **given: Any) -> SimpleNamespace:  # noqa: N803
        assert fact is Fact.SHARES
        self.asked.append((operation.action, resourceOwner))
        wanted = given.get("resourceShareArns", ())
        if operation is RAM_RESOURCES:
            assert given == {"resourceType": "kms:Key"}
            found: list[Any] = [{"resourceShareArn": share, "arn": arn} for share, arn in RESOURCES[resourceOwner]]
        elif operation is RAM_SHARES:
            found = [{"resourceShareArn": arn, "name": f"share of {resourceOwner}"} for arn in wanted if arn != LOST]
        else:
            assert operation is RAM_PRINCIPALS
            found = [{"resourceShareArn": share, "id": who} for share, who in PEOPLE[resourceOwner] if share in wanted]
        return SimpleNamespace(items=tuple(found))


def test_shares_of_both_sides_with_their_keys_and_principals() -> None:
    records = read_shares(Ram())  # type: ignore[arg-type]
    assert [record.data for record in records] == [
        {
            "Share": {"resourceShareArn": MINE, "name": "share of SELF"},
            "Owner": "SELF",
            "Keys": [f"{KEY}a", f"{KEY}b"],
            "Principals": ["222222222222", "333333333333"],
        },
        {"Share": {"resourceShareArn": LOST}, "Owner": "SELF", "Keys": [f"{KEY}c"], "Principals": []},
        {
            "Share": {"resourceShareArn": THEIRS, "name": "share of OTHER-ACCOUNTS"},
            "Owner": "OTHER-ACCOUNTS",
            "Keys": [f"{KEY}d"],
            "Principals": ["111111111111"],
        },
    ]


def test_where_no_key_is_shared_nothing_more_is_asked(monkeypatch: Any) -> None:
    monkeypatch.setitem(RESOURCES, "OTHER-ACCOUNTS", [])
    ram = Ram()
    assert {record.data["Owner"] for record in read_shares(ram)} == {"SELF"}  # type: ignore[arg-type]
    assert [action for action, owner in ram.asked if owner == "OTHER-ACCOUNTS"] == [RAM_RESOURCES.action]
