"""``grants`` as a user types it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.model.key import Fact
from auditor.model.snapshot import Gap
from tests.cli.conftest import BATCH, HOME, OTHER, PARTNER, Ask

pytestmark = pytest.mark.usefixtures("snapshots")


def test_grants(ask: Ask) -> None:
    (row,) = ask("grants", "--from", "now", "--stale", "90", "-f", "json").json()
    assert (row["grantee"], row["age_days"], row["grantee_missing"]) == (BATCH, 176, False)
    assert "app=batch" in row["constraint"]
    assert ask("grants", "--from", "now", "--stale", "365").out.strip() == "0 grants"


def test_grants_by_grantee_issuer_constraint_and_existence(ask: Ask) -> None:
    for words, number in [
        (("--grantee", "role/batch"), 1),
        (("--grantee", "*/batch"), 1),
        (("--grantee", "role/app"), 0),
        (("--issued-by", "333333333333"), 0),
        (("--grantee", HOME), 1),
        (("--missing",), 0),
        (("--unconstrained",), 0),
    ]:
        assert len(ask("grants", "--from", "now", *words, "-f", "json").json()) == number, words


def test_a_grantee_with_a_path_is_found_by_its_name(ask: Ask, snapshots: dict[str, Any]) -> None:
    app, other = snapshots["now"].keys
    grant = replace(app.grants[0], grantee=f"arn:aws:iam::{HOME}:role/team/batch")
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, grants=(grant,)), other))
    for name in ("role/batch", "batch", "role/team/batch"):
        assert len(ask("grants", "--from", "now", "--grantee", name, "-f", "json").json()) == 1


def test_a_gap_elsewhere_is_no_doubt_about_the_grants_of_a_key(ask: Ask, snapshots: dict[str, Any]) -> None:
    gap = Gap(fact=Fact.KEY_METADATA, account=HOME, operation="kms:DescribeKey", code="AccessDenied", subject=OTHER)
    snapshots["now"] = replace(snapshots["now"], gaps=(gap,))
    for words, doubt in (((), True), (("*/app",), True), (("alias/app",), False)):
        assert ("grants may be missing" in ask("grants", *words, "--from", "now").err) == doubt


def test_a_grant_that_was_made_after_the_moment_of_the_question(ask: Ask) -> None:
    assert "  made 31 days later\n" in ask("grants", "--from", "now", "--as-of", "2026-05-01").out


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_grants_that_could_not_be_read_are_named(ask: Ask, snapshots: dict[str, Any], form: str) -> None:
    app, other = snapshots["now"].keys
    blind = replace(other, unread=frozenset({Fact.GRANTS}))
    snapshots["now"] = replace(snapshots["now"], keys=(app, blind))
    answer = ask("grants", "--from", "now", "-f", form, "-q")
    assert answer.err == f"not listed: the grants of {OTHER} (alias/other), which could not be read\n"
    assert ask("grants", "alias/app", "--from", "now", "-f", form, "-q").err == ""


def test_whether_a_grantee_of_another_account_exists_is_not_known(ask: Ask, snapshots: dict[str, Any]) -> None:
    app, other = snapshots["now"].keys
    grants = [replace(app.grants[0], grant_id=name, grantee=name) for name in (PARTNER, f"{BATCH}s")]
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, grants=tuple(grants)), other))
    rows = ask("grants", "--from", "now", "-f", "json").json()
    assert {row["grantee"]: row["grantee_missing"] for row in rows} == {PARTNER: None, f"{BATCH}s": True}
    assert len(ask("grants", "--from", "now", "--missing", "-f", "json").json()) == 1


def test_a_grant_of_somebody_who_is_gone(ask: Ask, snapshots: dict[str, Any]) -> None:
    snapshots["now"] = replace(snapshots["now"], principals=())
    answer = ask("grants", "--from", "now", "--missing")
    assert "(does not exist)" in answer.out
