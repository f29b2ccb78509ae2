"""``paths`` as a user types it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from auditor.model.key import Fact
from auditor.model.snapshot import Gap, Snapshot
from tests.cli.conftest import BATCH, HOME, OTHER, PARTNER, Ask, allow, role

pytestmark = pytest.mark.usefixtures("snapshots")


def test_paths_to_a_key_and_of_a_principal(ask: Ask, snapshots: dict[str, Snapshot]) -> None:
    writer = role(BATCH, allow(Sid="Own", Action="iam:PutRolePolicy", Resource=BATCH))
    gap = Gap(fact=Fact.IDENTITY_POLICY, account=HOME, operation="iam:GetRolePolicy", code="AccessDenied")
    snapshots["now"] = replace(snapshots["now"], principals=(*snapshots["now"].principals[:1], writer), gaps=(gap,))
    answer = ask("paths", "alias/other", "--from", "now")
    assert answer.code == 0, answer.err
    assert f"{BATCH}\n  → iam:PutRolePolicy → any policy it likes\n" in answer.out
    assert f"alias/other  {OTHER}" in answer.out and "statement “Own”" in answer.out
    assert "1 fact that access rests on could not be read; routes through what is missing are not listed" in answer.err
    (row,) = ask("paths", "role/batch", "--from", "now", "-f", "json").json()
    assert (row["kind"], row["hops"], row["keys"]) == ("identity", 1, [OTHER])  # a grant of its own opens the other key
    (line,) = csv.DictReader(io.StringIO(ask("paths", "batch", "--from", "now", "-f", "csv").out))
    assert line["path"] == row["path"]
    assert ask("paths", "role/app", "--from", "now").out == "no route was found in what could be read\n"
    assert ask("paths", "role/app", "--from", "then").out == "no route was found\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "No principal is called “nobody”. No key is called “nobody”."),
        ("alias/ap", "Did you mean alias/app"),
        ("role/ap", "Did you mean role/app"),
        ("app", "role/app. Name a key as alias/NAME"),
        ("*", "“*” means 2 keys and the principal *. Name a key as alias/NAME"),
        ("mrk-1", "No key is called"),
    ],
)
def test_paths_of_a_name_that_means_nothing_or_two_things(ask: Ask, name: str, message: str) -> None:
    answer = ask("paths", name, "--from", "now")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_no_route_of_somebody_whose_own_account_was_not_read_is_no_proof(ask: Ask) -> None:
    answer = ask("paths", PARTNER, "--from", "now")
    assert "IAM of account 222222222222 was not read" in answer.err
    assert answer.out == "no route was found in what could be read\n"
    assert ask("paths", BATCH, "--from", "now").out == "no route was found\n"
