"""Where results go: folders, links, pipes and devices, any umask, two runs at once, and an interruption."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.audit.collecting import leave, waiting_room
from auditor.audit.places import make_private
from auditor.audit.staging import write_private
from auditor.audit.times import parse_as_of
from auditor.cli.options import FORMAT_HELP, FORMATS
from auditor.cli.running import CSV_FILES
from auditor.errors import OutputError, UsageError
from auditor.store.files import make_folder
from tests.cli.conftest import Ask


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("make", [make_private, make_folder])
def test_every_new_folder_is_private_under_any_umask(tmp_path: Path, make: Callable[[Path], object]) -> None:
    before = os.umask(0)
    try:
        make(tmp_path / "a" / "b" / "c")
        write_private(tmp_path / "x" / "file", b"")
    finally:
        os.umask(before)
    assert {mode(tmp_path / part) for part in ("a", "a/b", "a/b/c", "x")} == {0o700}
    assert mode(tmp_path / "x" / "file") == 0o600


def test_a_link_is_followed_and_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_private(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_private(tmp_path / "pipe", b"new")
    reader.join()
    assert read == [b"new"]
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="loop"):
        write_private(tmp_path / "loop", b"new")
    write_private(Path("/dev/null"), b"new")
    assert Path("/dev/null").is_char_device()


def test_leaving_a_waiting_room_spares_what_another_run_uses(tmp_path: Path) -> None:
    mine, other = waiting_room(tmp_path, "20261124T070000Z"), tmp_path / ".unfinished" / "other"
    other.mkdir()
    leave(mine)
    assert [path.name for path in (tmp_path / ".unfinished").iterdir()] == ["other"]
    leave(mine)
    leave(other / "snapshot")
    assert not (tmp_path / ".unfinished").exists()


def test_help_names_every_format(ask: Ask) -> None:
    from auditor.audit.publishing import DEFAULT_FORMATS
    from auditor.report import FORMATS as THERE_ARE

    assert set(FORMATS) == set(THERE_ARE)
    assert "default: {}, {} and {}".format(*DEFAULT_FORMATS) in FORMAT_HELP
    assert "ocsf" in ask("evaluate", "--help").out


@pytest.mark.usefixtures("snapshots")
@pytest.mark.parametrize("name", [*CSV_FILES, "mine.csv"])
def test_one_csv_file_is_the_table_of_its_name_or_says_which(ask: Ask, tmp_path: Path, name: str) -> None:
    answer = ask("evaluate", "now", "-o", str(tmp_path / name))
    assert answer.code == 0
    assert (": the findings; the name access.csv" in answer.err) == (name == "mine.csv")
    ask("evaluate", "now", "-f", "csv", "--output-dir", str(tmp_path / "all"))
    (same,) = (tmp_path / "all").glob(f"*/*/{'findings.csv' if name == 'mine.csv' else name}")
    assert (tmp_path / name).read_bytes() == same.read_bytes()
    assert {path.name for path in same.parent.glob("*.csv")} == set(CSV_FILES)


@pytest.mark.usefixtures("snapshots")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "."), "-o .: is a folder. Name a file, or use --output-dir."),
        (("-o", "x.json", "-f", "csv", "-f", "json"), "several formats were asked for"),
        (("-o", "x.bogus"), "no format has this suffix"),
        (("-o", "x.json", "--attest"), "--attest signs a folder"),
        (("-f", "JSON"), "There is no format “JSON”"),
        (("--as-of", ""), "“” is not a date or time"),
        (("--output-dir", __file__), "is no folder"),
        (("--output-dir", "/dev/null"), "is no folder"),
        (("--fail-on", "HIGH"), "'HIGH' is not one of 'none', 'low'"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_any_work(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr("auditor.audit.Auditor.load", load)
    answer = ask("evaluate", "now", *words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


@pytest.mark.usefixtures("snapshots")
@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "now", "-f", "json", "-o", "now/manifest.json"),
        ("evaluate", "now", "-f", "json", "-o", "now/shards/../journal.jsonl"),
        ("evaluate", "now", "-f", "csv", "-o", "now/shards/new.csv"),
        ("evaluate", "now", "-f", "json", "-o", "link.json"),
        ("evaluate", "now", "-f", "json", "-o", "register.yaml", "--suppressions", "register.yaml"),
        ("-c", "config.yaml", "evaluate", "now", "-f", "json", "-o", "./config.yaml"),
        ("report", "result.json", "-f", "html", "-o", "result.json"),
    ],
)
def test_a_result_never_replaces_what_it_is_made_from(ask: Ask, words: tuple[str, ...]) -> None:
    ask("evaluate", "now", "-o", "result.json")
    Path("register.yaml").touch()
    Path("config.yaml").touch()
    Path("link.json").symlink_to("now/manifest.json")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    answer = ask(*words)
    assert (answer.code, answer.out) == (2, "")
    assert "this run reads that file, which would be lost. Name another one." in answer.err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("snapshots")
def test_a_result_may_take_the_place_of_the_last_one(ask: Ask) -> None:
    """As a pipeline keeps its baseline; and the same result again is no loss."""
    assert ask("evaluate", "then", "-o", "result.json").code == 0
    assert ask("evaluate", "now", "-o", "result.json", "--baseline", "result.json").code == 0
    written = Path("result.json").read_bytes()
    assert ask("report", "result.json", "-o", "result.json").code == 0
    assert Path("result.json").read_bytes() == written
    assert ask("evaluate", "now", "-o", "now/report.html").code == 0
    assert ask("evaluate", "now", "-o", "now/report.html").code == 0


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("2026-11-24T12:00+05:30", "2026-11-24T06:30:00Z"),
        ("2026-11-24T10:00:00.999Z", "2026-11-24T10:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59Z"),
    ],
)
def test_times_with_and_without_a_zone(given: str, meant: str) -> None:
    assert parse_as_of(given) == meant
    assert parse_as_of(meant) == meant


@pytest.mark.parametrize("text", ["", "now", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00+14:00", "2026-02-30"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is not a date or time"):
        parse_as_of(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_and_an_impatient_second_one_end_with_130(tmp_path: Path, number: signal.Signals) -> None:
    os.mkfifo(tmp_path / "config")
    words = [sys.executable, "-m", "auditor", "-c", str(tmp_path / "config"), "audit"]

    def heed() -> None:
        """Whoever started the tests may ignore signals, as nohup does."""
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as running:  # noqa: PLW1509
        writing = os.open(tmp_path / "config", os.O_WRONLY)  # waits until the command reads, and so has begun
        for _ in range(2):
            running.send_signal(number)
            time.sleep(0.05)
        _, err = running.communicate(timeout=60)
        os.close(writing)
    assert running.returncode == 130
    assert err.strip() in ("kms-audit: interrupted.", "")


def test_bytes_depend_on_neither_hash_seed_nor_zone_nor_locale(tmp_path: Path) -> None:
    """Every format of one snapshot, in two processes that differ in whatever may leak into an output."""
    from tests.store.test_snapshot import _written

    snapshot = _written(tmp_path / "snapshot")
    found = []
    surroundings = (
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kolkata"},
        {"PYTHONHASHSEED": "2", "COLUMNS": "20", "LC_ALL": "C"},
    )
    for number, variables in enumerate(surroundings):
        words = [
            sys.executable,
            "-m",
            "auditor",
            "evaluate",
            str(snapshot),
            "--output-dir",
            str(tmp_path / str(number)),
        ]
        words += [word for form in FORMATS for word in ("-f", form)]
        subprocess.run(words, env={**os.environ, **variables}, check=True, capture_output=True)
        files = [path for path in (tmp_path / str(number)).rglob("*") if path.is_file()]
        found.append({path.relative_to(tmp_path / str(number)): path.read_bytes() for path in files})
    assert len(found[0]) >= len(FORMATS)
    assert found[0] == found[1]


def test_the_summary_says_what_rests_on_what_could_not_be_read() -> None:
    from dataclasses import replace

    from auditor.cli.summary import summary
    from auditor.model.key import Fact
    from auditor.model.snapshot import Gap
    from tests.report.estates import ordinary

    report = ordinary()
    optional, essential = Gap(fact=Fact.ALARMS), Gap(fact=Fact.KEY_POLICY)
    for gaps, words in {
        (): "Everything that was asked for could be read.",
        (optional,): "1 fact could not be read; no verdict about access rests on it:",
        (essential, essential): "2 facts could not be read; verdicts about access rest on all of them:",
        (essential, optional, optional): "3 facts could not be read; verdicts about access rest on 1 of them:",
    }.items():
        assert words in summary(replace(report, snapshot=replace(report.snapshot, gaps=gaps))).splitlines()
