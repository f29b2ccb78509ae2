"""Groups by name: no caller, but the policies of its members, and what else is said of all of them."""

from __future__ import annotations

from auditor.model.arn import parse_arn
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot


def is_group(text: str) -> bool:
    """Whether somebody means a group: ``group/NAME`` or its ARN."""
    return text.startswith("group/") or ":group/" in text


def members_of(snapshot: Snapshot, text: str) -> list[Principal]:
    """The collected users that belong to a group, by its ARN or ``group/NAME``."""
    name, arn = text.rsplit("/", 1)[-1], parse_arn(text)
    return [
        item for item in snapshot.principals if name in item.groups and (arn is None or item.account == arn.account)
    ]
