"""Who loses access and was active lately, and what is known of its calls to KMS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.cli.differing import Comparison, active_words, as_plain
from auditor.model.actions import Capability
from auditor.questions.active_losers import ActiveLoser, active_losers
from auditor.questions.change_kinds import Change
from auditor.questions.differences import AccessChange, Differences
from tests.rules import estate

APP = f"arn:aws:iam::{estate.OWN}:role/app"
KEY = f"arn:aws:kms:{estate.REGION}:{estate.OWN}:key/orders"
LATELY, LONG_AGO = "2026-11-02T00:00:00Z", "2026-02-02T00:00:00Z"


LOST = AccessChange(Change.LOST, APP, KEY, Capability.DECRYPT, ("kms:Decrypt",), None, None, "")


def losers(**role: Any) -> tuple[ActiveLoser, ...]:
    return active_losers(estate.snapshot({"roles": [{"name": "app", **role}]}), [LOST], estate.AS_OF)


@pytest.mark.parametrize(
    ("role", "calls"),
    [
        ({"last_used": LATELY}, None),
        ({"last_used": LATELY, "last_accessed": {"kms": LONG_AGO}}, f", last called KMS on {LONG_AGO}"),
        ({"last_accessed": {"kms": LATELY, "latest": LATELY}}, f", last called KMS on {LATELY}"),
        ({"last_used": LATELY, "last_accessed": {}}, ", with no call to KMS on record"),
        ({"last_used": LATELY, "last_accessed": {"listed": False}}, None),
    ],
)
def test_calls_to_kms_are_told_where_they_are_known(role: dict[str, Any], calls: str | None) -> None:
    (loser,) = losers(**role)
    shown = Comparison(Differences(), None, (loser,))
    (words,) = active_words(shown)
    assert words == f"loses access and was active: {APP}, last on {LATELY} (20 days before){calls or ''}: {KEY}"
    (told,) = as_plain(shown)["active_losers"]
    last = role.get("last_accessed", {}).get("kms")
    assert (told["kms_last_called"], told["kms_calls_known"]) == (last, calls is not None)


def test_who_was_not_active_lately_is_not_told() -> None:
    assert losers(last_used=LONG_AGO, last_accessed={"kms": LONG_AGO, "latest": LONG_AGO}) == ()


@pytest.mark.parametrize(
    ("credentials", "last"),
    [
        ({"password_last_used": LATELY}, LATELY),
        ({"password_last_used": LONG_AGO, "access_keys": [{"active": True, "last_used": LATELY}]}, LATELY),
        ({"access_keys": [{"active": False, "last_used": LATELY}, {"active": True, "last_used": LONG_AGO}]}, LATELY),
        ({"access_keys": [{"active": True}, {"active": True, "last_used": LATELY}]}, LATELY),
        ({"access_keys": [{"active": True, "last_used": LONG_AGO}]}, None),
        ({"password_enabled": True}, None),
    ],
)
def test_a_user_was_active_when_any_of_its_credentials_was_used(credentials: dict[str, Any], last: str | None) -> None:
    facts = estate.snapshot({"users": [{"name": "alice", "credentials": credentials}]})
    alice = f"arn:aws:iam::{estate.OWN}:user/alice"
    found = active_losers(facts, [replace(LOST, principal=alice)], estate.AS_OF)
    assert [loser.last_active for loser in found] == ([last] if last else [])


@pytest.mark.parametrize(
    ("last_used", "days"),
    [
        ("2026-08-24T00:00:00Z", 90),
        ("2026-08-23T00:00:00Z", None),
        ("2026-11-22T00:00:00Z", 0),
        ("2026-11-22T09:30:00Z", 0),
        ("2026-11-21T12:00:00Z", 0),
        ("2026-11-21T00:00:00Z", 1),
        ("never", None),
    ],
)
def test_lately_is_ninety_days_and_the_day_that_is_asked_for(last_used: str, days: int | None) -> None:
    assert estate.AS_OF == "2026-11-22T00:00:00Z"
    assert [loser.days for loser in losers(last_used=last_used)] == ([] if days is None else [days])


def test_only_losses_count_and_the_latest_comes_first() -> None:
    """One principal is told once, with all the keys that it loses and when each was last used, and how."""
    used = {"last_used": "2026-11-01T00:00:00Z"}
    keys = [
        {"id": "orders", "last_usage": {**used, "operation": "Decrypt"}},
        {"id": "bills", "last_usage": used},
        {"id": "idle", "last_usage": {"last_used": None}},
    ]
    roles = [{"name": name, "last_used": f"2026-11-{day}T00:00:00Z"} for name, day in (("a", 10), ("b", 12), ("c", 14))]
    facts = estate.snapshot({"keys": keys, "roles": roles})
    arns = {key.key_id: key.arn for key in facts.keys}
    a, b, c = (f"arn:aws:iam::{estate.OWN}:role/{name}" for name in "abc")
    changes = [replace(LOST, principal=a, key=arns[name]) for name in ("orders", "idle", "bills", "orders")]
    changes += [replace(LOST, principal=b, key="gone"), replace(LOST, principal=c, change=Change.GAINED)]
    changes.append(replace(LOST, principal=c, change=Change.CONDITION))
    first, second = active_losers(facts, changes, estate.AS_OF)
    assert (first.principal, first.days, first.keys, first.used) == (b, 10, ("gone",), ())
    assert (second.principal, second.keys) == (a, tuple(sorted((arns["orders"], arns["idle"], arns["bills"]))))
    assert dict(second.used) == {
        arns["orders"]: "2026-11-01T00:00:00Z (Decrypt)",
        arns["bills"]: "2026-11-01T00:00:00Z",
    }
