"""Folded changes: what is told in one line is equal in everything that the line says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model.access import Decision, Outcome
from auditor.model.actions import Capability
from auditor.questions.change_kinds import Change
from auditor.questions.differences import AccessChange
from auditor.questions.folding import fold_changes

ALLOWED, UNKNOWN = Decision(Outcome.ALLOWED, "grant"), Decision(Outcome.UNKNOWN, "grant")
ONE = AccessChange(Change.GAINED, "p1", "k1", Capability.DECRYPT, ("kms:Decrypt",), None, ALLOWED, "because")


def changes(*places: str) -> list[AccessChange]:
    """A change for each ``principal key``."""
    return [replace(ONE, principal=place.split()[0], key=place.split()[1]) for place in places]


def told(found: list[AccessChange]) -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]]:
    return [(item.principals, item.keys, item.capabilities, item.first.cause) for item in fold_changes(found)]


def test_a_block_of_callers_and_keys_is_one_line() -> None:
    decrypt = "decrypt (kms:Decrypt)"
    assert told(changes("p1 k1", "p1 k2", "p2 k1", "p2 k2")) == [(("p1", "p2"), ("k1", "k2"), (decrypt,), "because")]
    encrypt = [replace(item, capability=Capability.GRANT, actions=("kms:CreateGrant",)) for item in changes("p1 k1")]
    assert told([*changes("p1 k1"), *encrypt]) == [(("p1",), ("k1",), (decrypt, "grant (kms:CreateGrant)"), "because")]


def test_what_is_no_block_stays_apart() -> None:
    assert [item[:2] for item in told(changes("p1 k1", "p1 k2", "p2 k2"))] == [
        (("p1",), ("k1",)),
        (("p1", "p2"), ("k2",)),
    ]


@pytest.mark.parametrize(
    "other",
    [{"cause": "for another reason"}, {"change": Change.LOST}, {"after": UNKNOWN}, {"before": UNKNOWN}],
)
def test_unequal_changes_are_never_folded(other: dict[str, object]) -> None:
    first, second = changes("p1 k1", "p2 k1")
    unequal = replace(second, **other)  # type: ignore[arg-type]
    found = fold_changes([first, unequal])
    assert [item.principals for item in found] == [("p1",), ("p2",)]
    assert [item.first for item in found] == [first, unequal]


def test_every_change_is_in_exactly_one_line() -> None:
    found = changes("p1 k1", "p3 k3", "p1 k2", "p2 k1", "p3 k1")
    pairs = [(who, key) for item in fold_changes(found) for who in item.principals for key in item.keys]
    assert sorted(pairs) == sorted((item.principal, item.key) for item in found)
