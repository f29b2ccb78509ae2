"""Collect once, then ask the snapshot with no AWS and no credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Answer, Cli, StandIn, snapshot


@pytest.fixture
def offline(tmp_path: Path) -> Cli:
    """The command line where nothing answers and nobody has credentials."""
    cli = Cli(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "credentials").write_text("")
    return cli


def test_collect_writes_only_a_snapshot(cli: Cli, server: StandIn) -> None:
    folder = cli.home / "facts"
    answer = cli("collect", "--profile", "shop", "--region", "eu-central-1", "-o", str(folder))
    assert answer.code == 0, answer.err
    assert (folder / "manifest.json").is_file()
    assert list(cli.home.rglob("report.html")) == []


def test_evaluate_repeats_the_result(audited: Answer, offline: Cli) -> None:
    as_of = audited.result()["as_of"]
    answer = offline("evaluate", str(snapshot(audited)), "--as-of", as_of)
    assert answer.code == 0, answer.err
    online = {name: path.read_bytes() for name, path in audited.files().items()}
    assert {name: path.read_bytes() for name, path in answer.files().items()} == online


@pytest.mark.parametrize(("who", "code"), [("reader", 0), ("bystander", 3)])
def test_explain_expects(audited: Answer, offline: Cli, who: str, code: int) -> None:
    words = ("explain", who, "kms:Decrypt", "alias/ledger", "--expect", "allowed")
    answer = offline(*words, "--from", str(snapshot(audited)))
    assert answer.code == code, answer.err
    assert ("implicitly-denied" in answer.err) == (code == 3)
    assert f"role/{who}" in answer.out


def test_who_can_names_the_reader(audited: Answer, offline: Cli) -> None:
    answer = offline("who-can", "decrypt", "alias/ledger", "--from", str(snapshot(audited)))
    assert answer.code == 0, answer.err
    assert "role/reader" in answer.out
    assert "role/bystander" not in answer.out


def test_unknown_key_is_answered_with_candidates(audited: Answer, offline: Cli) -> None:
    answer = offline("who-can", "decrypt", "alias/legder", "--from", str(snapshot(audited)))
    assert answer.code == 2
    assert "alias/ledger" in answer.one_line()
