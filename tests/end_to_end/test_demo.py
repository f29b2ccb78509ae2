"""``kms-audit demo``, and what can be done with its snapshot afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Answer, Cli, snapshot

pytestmark = pytest.mark.slow


def test_demo_writes_the_four_files_and_says_where(demo: Answer) -> None:
    files = demo.files()
    assert {"report.html", "findings.csv", "access.csv", "result.json"} <= files.keys()
    assert str(files["report.html"]) in demo.out


def test_evaluating_twice_gives_the_same_bytes(demo: Answer, tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        cli = Cli(tmp_path / name, "http://127.0.0.1:9")
        answer = cli("evaluate", str(snapshot(demo)), "--as-of", "2027-01-31")
        assert answer.code == 0, answer.err
        contents.append({file: path.read_bytes() for file, path in answer.files().items()})
    assert contents[0].keys() >= {"report.html", "findings.csv", "access.csv", "result.json"}
    assert contents[0] == contents[1]


def test_tampered_snapshot_is_refused(demo: Answer, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "snapshot"
    shutil.copytree(snapshot(demo), copy)
    shard = next(path for path in sorted(copy.rglob("*")) if path.is_file() and path.name != "manifest.json")
    shard.chmod(0o600)
    shard.write_bytes(shard.read_bytes() + b"\0")
    answer = Cli(tmp_path, "http://127.0.0.1:9")("evaluate", str(copy))
    assert answer.code == 2
    assert shard.name in answer.one_line()
