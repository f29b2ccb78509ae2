"""Who loses access and was active lately, and what is known of its calls to KMS."""

from __future__ import annotations

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


def losers(**role: Any) -> tuple[ActiveLoser, ...]:
    lost = AccessChange(Change.LOST, APP, KEY, Capability.DECRYPT, ("kms:Decrypt",), None, None, "")
    return active_losers(estate.snapshot({"roles": [{"name": "app", **role}]}), [lost], estate.AS_OF)


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
