"""Who used which key: read over HTTP on request, judged, and never called silence where it was not read whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aws.events import call, entry, role, through
from tests.end_to_end.conftest import Answer, Cli, StandIn, snapshot
from tests.end_to_end.estate import ACCOUNT, REGIONS

DIRECT, UNUSED = "direct-plaintext-without-context", "unused-key-permission"
HERE = ("-c", "own.yaml", "--profile", "shop", "--region", REGIONS[0], "-f", "json")
NOW = datetime.now(UTC)
READER = role(ACCOUNT, "reader")


def ago(days: int) -> str:
    """In the middle of a day: the window ends when the run begins."""
    return (NOW - timedelta(days=days - 0.5)).isoformat()


def served(key: str, number: int = 1) -> list[dict[str, Any]]:
    """Calls that Secrets Manager made on behalf of the reader, one a day."""
    context = {"requestParameters": {"encryptionContext": {"SecretARN": "arn:aws:secretsmanager:::secret:x"}}}
    more = {**through("secretsmanager.amazonaws.com", READER), **context}
    return [entry(call("Decrypt", key, READER, **more), ago(day)) for day in range(1, number + 1)]


@pytest.fixture(autouse=True)
def _nothing_else(cli: Cli) -> None:
    """Without what stands around the keys, which is nothing to this file."""
    (cli.home / "own.yaml").write_text("collection: {evidence: false, key_event_pages: 2}\n")


@pytest.fixture
def ledger(server: StandIn) -> Iterator[str]:
    """The key; what happened is forgotten afterwards."""
    yield server.keys["ledger"]
    server.happened(REGIONS[0])


def found(answer: Answer, rule: str) -> list[dict[str, Any]]:
    assert answer.code == 0, answer.err
    return [one for one in answer.result()["findings"] if one["rule"] == rule]


def status(answer: Answer, rule: str) -> Any:
    return next(one for one in answer.result()["rules"] if one["rule"] == rule)


def gaps(answer: Answer) -> list[tuple[str, str]]:
    return [(one["fact"], one["code"]) for one in answer.result()["snapshot"]["gaps"]]


def test_a_key_that_a_service_alone_uses(cli: Cli, server: StandIn, ledger: str) -> None:
    server.happened(REGIONS[0], *served(ledger, 60), entry(call("Decrypt", ledger, READER), ago(40)))
    answer = cli(*HERE, "--key-events", "30")
    assert "key events: up to 2 s per Region, at 1 requests a second" in answer.err
    reader = next(one for one in found(answer, DIRECT) if one["subject"].endswith("role/reader"))
    told = {item["label"]: item["value"] for item in reader["evidence"]}
    assert told["observed services"] == "secretsmanager.amazonaws.com"
    assert told["observed calls"].startswith("30 calls through services, none directly, in 30 days")
    assert told["names in encryption contexts"] == "SecretARN"
    assert f"secretsmanager.{REGIONS[0]}.amazonaws.com" in reader["remediation"]["body"]
    assert status(answer, DIRECT)["evaluated"] and "skipped" not in status(answer, DIRECT)
    again = cli("evaluate", str(snapshot(answer)), "-f", "json", output_dir=cli.home / "again")
    assert again.result()["findings"] == answer.result()["findings"]


def test_a_direct_call_in_the_window_is_enough(cli: Cli, server: StandIn, ledger: str) -> None:
    server.happened(REGIONS[0], *served(ledger, 60), entry(call("Decrypt", ledger, READER), ago(40)))
    answer = cli(*HERE, "--key-events", "90")
    assert found(answer, DIRECT) == []
    assert not any(ledger in one["keys"] for one in found(answer, UNUSED) if one["subject"].endswith("role/reader"))
    assert status(answer, UNUSED)["evaluated"]


def test_without_the_option_the_rules_say_what_is_missing(audited: Answer) -> None:
    for rule in (DIRECT, UNUSED):
        assert not status(audited, rule)["evaluated"]
        assert "--key-events" in status(audited, rule)["reason"]


@pytest.mark.parametrize("refused", [True, False])
def test_a_history_that_was_not_read_whole_is_told(cli: Cli, server: StandIn, ledger: str, refused: bool) -> None:
    server.happened(REGIONS[0], *served(ledger, 60))
    if refused:
        server.refuse({"operation": "cloudtrail.LookupEvents"})
    (cli.home / "own.yaml").write_text("collection: {evidence: false, key_events: 90, key_event_pages: 1}\n")
    answer = cli(*HERE, "--strict")
    assert found(answer, DIRECT) == [] and status(answer, DIRECT)["evaluated"]
    assert gaps(answer) == [("key-events", "AccessDenied" if refused else "LimitReached")]
    skipped = [tuple(one.values()) for one in status(answer, DIRECT)["skipped"]]
    assert (f"{ACCOUNT}/{REGIONS[0]}", "key-events") in [one[:2] for one in skipped]


def test_days_are_bounded(cli: Cli) -> None:
    answer = cli(*HERE, "--key-events", "91")
    assert answer.code == 2 and "--key-events" in answer.one_line()
