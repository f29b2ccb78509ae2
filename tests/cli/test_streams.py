"""Standard streams as users leave them: closed, full, unable to write a name; logs as JSON lines."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli import streams
from auditor.cli.asking import as_csv
from auditor.cli.progress import Lines, Moving, Silent
from auditor.cli.terminal import Terminal, document, error_line, result_bytes
from auditor.collectors import Tally
from auditor.errors import CredentialsError
from tests.cli.conftest import Ask


def shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("kms-audit", f"{sys.executable} -m auditor")
    environment = {**os.environ, **more}
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("kms-audit config schema >&-", 1, "Standard output cannot be written: Bad file descriptor."),
        ("kms-audit config schema >/dev/full", 1, "Standard output cannot be written: No space left on device."),
        ("kms-audit --help >/dev/full", 1, "No space left on device."),
        ("kms-audit --version >&-", 1, "Bad file descriptor."),
        ("kms-audit config schema >/dev/null 2>&-", 0, ""),
        ("kms-audit config check none 2>/dev/full", 2, ""),
        ("kms-audit config schema <&- >&- 2>&-", 1, ""),
        ("kms-audit config schema 2>&1 | head -c 1 >/dev/null", 0, ""),
    ],
)
def test_streams_that_cannot_be_used(line: str, code: int, message: str) -> None:
    done = shell(line)
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == (1 if message else 0)


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("command", ["config schema", "rules list", "rules list -f json", "--help"])
def test_a_disk_that_takes_only_the_beginning_is_told(command: str, buffered: str, tmp_path: Path) -> None:
    """Without a buffer, as containers like it, Python itself would drop the rest and say nothing."""
    done = shell(f"ulimit -f 1; kms-audit {command} > {tmp_path}/out", PYTHONUNBUFFERED=buffered)
    assert (done.returncode, (tmp_path / "out").stat().st_size) == (1, 1024)
    assert "File too large" in done.stderr


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_pipe_that_others_made_non_blocking_takes_all(buffered: str) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    program = "import os; from auditor.cli import streams; streams.open_streams(); print('x' * 300_000)"
    environment = {**os.environ, "PYTHONUNBUFFERED": buffered}
    with subprocess.Popen([sys.executable, "-c", program], stdout=writer, env=environment) as running:
        os.close(writer)
        with os.fdopen(reader, "rb") as whole:
            assert len(whole.read()) == 300_001
    assert running.returncode == 0


@pytest.mark.parametrize("listener", [Lines, Moving, Silent])
def test_progress_that_nobody_reads_any_more_ends_nothing(
    listener: type[Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        told = listener(Terminal())
        told.update(Tally(accounts=1))
        told.say("a line")
        told.close()
        error_line(Terminal(), "no.")
        streams.silence()


def test_a_name_that_the_terminal_cannot_write_is_escaped() -> None:
    done = shell("kms-audit rules show 'ключ🔑'", PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert r"\u043a\u043b\u044e\u0447\ud83d\udd11" in done.stderr


def test_escapes_are_those_of_json() -> None:
    text = "é\ud800🔑"
    escaped = "".join(streams._escaped(UnicodeEncodeError("ascii", char, 0, 1, "cannot"))[0] for char in text)
    assert json.loads(f'"{escaped}"') == text


def broken() -> None:
    raise CredentialsError("The session\nhas expired.", "Run aws sso login.")


def test_json_logs_are_json_lines_to_the_last_error(ask: Ask) -> None:
    answer = ask("--log-format", "json", "config", "check", "none.yaml")
    assert answer.code == 2
    (line,) = map(json.loads, answer.err.splitlines())
    assert line["level"] == "error"
    assert "none.yaml" in line["message"]


@pytest.mark.parametrize("words", [("--bogus", "--log-format", "json"), ("--log-format=json", "audit", "--bogus")])
def test_even_a_mistake_in_the_options_is_a_json_line(ask: Ask, words: tuple[str, ...]) -> None:
    assert "--bogus" in json.loads(ask(*words).err)["message"]


def test_json_logs_carry_the_traceback_in_the_line(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.config.config_schema", broken)
    answer = ask("config", "schema", "-vv", "--log-format", "json")
    (line,) = map(json.loads, answer.err.splitlines())
    assert line["message"] == "The session has expired. Run aws sso login."
    assert "Traceback" in line["traceback"]


def test_warnings_of_libraries_are_json_lines_too() -> None:
    code = (
        "import logging, warnings; from auditor.cli.logs import start_logging; start_logging(-1, 'json');"
        "logging.getLogger('urllib3.pool').warning('full'); warnings.warn('old'); logging.getLogger('boto3').info('no')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [json.loads(line)["logger"] for line in done.stderr.splitlines()] == ["urllib3.pool", "py.warnings"]


HOSTILE = "a\x1b[2J\x9b31m\u202eb\nallowed  everyone"


def on_a_terminal(code: str) -> str:
    """What a terminal gets from Python ``code`` that writes to it."""
    ours, theirs = os.openpty()
    program = f"import click; from auditor.cli import terminal\nwith click.Context(click.Command('x')):\n    {code}"
    subprocess.run([sys.executable, "-c", program], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, check=True)
    os.close(theirs)
    found = b""
    while not found.endswith(b"END\r\n"):
        found += os.read(ours, 1000)
    os.close(ours)
    return found.decode()


@pytest.mark.parametrize(
    "write",
    [
        "terminal.document({0!r} + 'END')",
        "terminal.result_bytes(({0!r} + 'END').encode() + b'\\n')",
        "terminal.warn({0!r} + 'END')",
        "terminal.note({0!r} + 'END')",
    ],
)
def test_no_text_steers_a_terminal(write: str) -> None:
    found = on_a_terminal(write.format(HOSTILE)).replace("\r\n", "\n")
    assert "a�[2J�31m�b" in found
    assert all(char.isprintable() or char == "\n" for char in found)


def test_a_message_stays_one_line_whatever_is_in_it() -> None:
    assert on_a_terminal(f"terminal.warn({HOSTILE!r} + 'END')").count("\n") == 1


def test_what_programs_read_is_not_changed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    document(HOSTILE)
    result_bytes(b"\xff\x00")
    assert capsysbinary.readouterr().out == HOSTILE.encode() + b"\n\xff\x00"


@pytest.mark.parametrize("text", ["=1", " =1", "\u202e=1", "＝1", "\t1", "\n=1"])
def test_answers_as_csv_are_guarded_as_the_files_of_a_report(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([{"name": text}], ["name"]), newline=""))
    assert row["name"] == f"'{text}"
    assert "\0" not in as_csv([{"name": "a\0b"}], ["name"])
