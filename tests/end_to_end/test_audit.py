"""``kms-audit --profile X`` against an account that somebody else filled."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Answer, Cli, StandIn
from tests.end_to_end.estate import REGIONS


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_writes_the_four_files(audited: Answer) -> None:
    assert {"report.html", "findings.csv", "access.csv", "result.json"} <= audited.files().keys()


def test_files_are_private(audited: Answer) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in audited.output_dir.rglob("*") if path.is_file()}
    assert modes == {0o600}


def test_terminal_names_the_report_and_the_worst_finding(audited: Answer) -> None:
    assert "report.html" in audited.out
    assert "public" in audited.out.lower() or "critical" in audited.out.lower()


def test_finds_the_public_key(audited: Answer, stand_in: StandIn) -> None:
    found = [row for row in rows(audited.files()["findings.csv"]) if "public-key-policy" in row.values()]
    assert len(found) == 1
    assert stand_in.keys["open"] in found[0].values()


def test_reader_decrypts_and_bystander_does_not(audited: Answer, stand_in: StandIn) -> None:
    text = [
        ",".join(row.values()) for row in rows(audited.files()["access.csv"]) if stand_in.keys["ledger"] in row.values()
    ]
    assert any("role/reader" in row and "allowed" in row for row in text)
    assert not any("role/bystander" in row and "allowed" in row for row in text)


def test_grant_in_the_other_region_counts(audited: Answer, stand_in: StandIn) -> None:
    text = [",".join(row.values()) for row in rows(audited.files()["access.csv"])]
    assert any(stand_in.keys["far"] in row and "role/reader" in row and "allowed" in row for row in text)


def test_report_loads_nothing_from_elsewhere(audited: Answer) -> None:
    html = audited.files()["report.html"].read_text(encoding="utf-8")
    assert "Content-Security-Policy" in html
    assert 'src="http' not in html
    assert "@import" not in html


@pytest.mark.parametrize("words", [("audit", "--profile", "shop"), ("--profile", "shop", "audit"), ()])
def test_three_spellings_are_one_command(cli: Cli, audited: Answer, words: tuple[str, ...]) -> None:
    variables = {} if words else {"AWS_PROFILE": "shop"}
    regions = [word for region in REGIONS for word in ("--region", region)]
    answer = cli(*words, *regions, **variables)
    assert answer.code == 0, answer.err
    first, second = (rows(run.files()["access.csv"]) for run in (audited, answer))
    assert first == second


def test_endpoint_may_be_an_option(cli: Cli, server: StandIn) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "x"}
    answer = cli("--endpoint-url", server.url, "--region", REGIONS[0], "-f", "json", **keys)
    assert answer.code == 0, answer.err
    assert set(answer.files()) == {"result.json"}


@pytest.mark.slow
def test_without_region_all_regions_are_read(cli: Cli, server: StandIn) -> None:
    answer = cli("--profile", "shop", "-f", "csv")
    assert answer.code == 0, answer.err
    keys = {value for row in rows(answer.files()["access.csv"]) for value in row.values()}
    assert set(server.keys.values()) <= keys


def test_fail_on_exits_three(cli: Cli, server: StandIn) -> None:
    answer = cli("--profile", "shop", "--region", REGIONS[0], "--fail-on", "critical", "-f", "json")
    assert answer.code == 3, answer.err
    assert "result.json" in answer.files()
