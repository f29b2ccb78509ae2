"""Every question asked of AWS itself, with the options of a run and without a snapshot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.end_to_end.conftest import Answer, Cli, StandIn, snapshot
from tests.end_to_end.estate import ACCOUNT, REGIONS

READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
LIVE = ("--profile", "shop", "--region", REGIONS[0], "--region", REGIONS[1], "--no-progress")


def answer(cli: Cli, *words: str) -> Any:
    found = cli(*words, *LIVE, "-f", "json")
    assert found.code == 0, found.err
    assert list(cli.home.rglob("manifest.json")) == []  # a question leaves no facts behind
    return json.loads(found.out)


def test_who_can(cli: Cli, server: StandIn) -> None:
    found = {row["principal"]: row["outcome"] for row in answer(cli, "who-can", "kms:Decrypt", "alias/ledger")}
    assert found[READER] == "allowed"
    assert f"arn:aws:iam::{ACCOUNT}:role/bystander" not in found


def test_what_can(cli: Cli, server: StandIn) -> None:
    found = {(row["key"], row["what"]) for row in answer(cli, "what-can", "role/reader", "--action", "decrypt")}
    assert {(server.keys["ledger"], "decrypt"), (server.keys["far"], "decrypt")} <= found


def test_explain(cli: Cli, server: StandIn) -> None:
    (found,) = answer(cli, "explain", "role/reader", "kms:Decrypt", "alias/far", "--expect", "allowed")
    assert (found["path"], found["key"]) == ("grant", server.keys["far"])


def test_paths(cli: Cli, server: StandIn) -> None:
    (row,) = answer(cli, "paths", "alias/ledger")  # the reader and the administrator have access of their own
    deployer = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    assert row["path"] == f"{deployer} → iam:PassRole + lambda:CreateFunction → {READER}"
    assert row["keys"] == [server.keys["ledger"]]
    (other,) = answer(cli, "paths", "role/deployer")
    assert {server.keys["ledger"], server.keys["far"]} <= set(other["keys"])


def test_grants(cli: Cli, server: StandIn) -> None:
    (found,) = answer(cli, "grants", "--grantee", "*/reader")
    assert (found["name"], found["key"], found["grantee_missing"]) == ("import", server.keys["far"], False)


def test_what_if(cli: Cli, server: StandIn) -> None:
    found = answer(cli, "what-if", "--revoke-grant", "import")
    lost = {(item["change"], item["principal"], item["key"]) for item in found["access"]}
    assert lost == {("lost", READER, server.keys["far"])}


def test_diff_with_what_there_is_now(audited: Answer, cli: Cli, server: StandIn) -> None:
    found = answer(cli, "diff", str(snapshot(audited)), "--as-of", audited.result()["as_of"])
    assert (found["access"], found["facts"]) == ([], [])


@pytest.mark.parametrize("words", [("who-can", "decrypt", "alias/ledger"), ("what-if", "--delete-alias", "ledger")])
def test_an_endpoint_alone_means_live(cli: Cli, server: StandIn, words: tuple[str, ...]) -> None:
    found = cli(*words, "--endpoint-url", server.url, "--profile", "bare", "--region", REGIONS[0])
    assert found.code == 1  # nobody has credentials there, and no snapshot is asked in its place
    assert "credentials" in found.one_line()
