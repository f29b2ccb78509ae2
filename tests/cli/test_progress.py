"""Progress of a collection: the numbers in words, how often they are written, and what is left of them."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from auditor.cli import progress
from auditor.cli.progress import Lines, Moving, Silent, duration, showing_progress, words
from auditor.cli.terminal import Terminal
from auditor.collectors import Tally


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (Tally(), "collecting: finding the accounts, 0 calls"),
        (
            Tally(accounts=3, accounts_done=1, regions=6, regions_done=2, keys=40, keys_done=5, calls=77),
            "collecting: accounts 1/3, Regions 2/6, keys 5/40, 77 calls",
        ),
        (Tally(calls=1, throttles=2, gaps=3), "collecting: finding the accounts, 1 calls, 2 throttled, 3 gaps"),
        (Tally(left_seconds=0.4), "collecting: finding the accounts, 0 calls"),
        (Tally(left_seconds=1), "collecting: finding the accounts, 0 calls, about 1 s left"),
    ],
)
def test_the_numbers_in_words(tally: Tally, told: str) -> None:
    assert words(tally) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (89.4, "89 s"), (90, "2 min"), (150, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (9000, "2.5 h")],
)
def test_seconds_as_people_say_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def test_lines_come_every_few_seconds_and_at_the_end(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(Terminal())
    for calls, later in ((1, 0.0), (2, 4.9), (3, 0.2), (4, 0.0)):
        clock.now += later
        lines.update(Tally(calls=calls))
    lines.close()
    told = [line.split(", ")[1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["1 calls", "3 calls", "4 calls"]
    Lines(Terminal()).close()
    assert capsys.readouterr().err == ""


def test_json_lines_carry_the_numbers(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "auditor")
    Lines(Terminal(log_format="json")).update(Tally(calls=7, gaps=1))
    (record,) = caplog.records
    fields = record.__dict__["fields"]
    assert (record.getMessage(), fields["calls"], fields["gaps"]) == (words(Tally(calls=7, gaps=1)), 7, 1)
    assert "left_seconds" not in fields
    assert json.dumps(fields)
    Silent(Terminal(log_format="json")).say("a word")
    assert caplog.records[-1].getMessage() == "a word"


def test_the_moving_line_is_rewritten_and_cleared(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    moving = Moving(Terminal())
    first, second = words(Tally(calls=1_000)), words(Tally(calls=2))
    for tally, later in ((Tally(calls=1_000), 0.0), (Tally(calls=5), 0.05), (Tally(calls=2), 0.1)):
        clock.now += later
        moving.update(tally)
    assert written.getvalue() == f"\r{first}\r{second.ljust(len(first))}"
    moving.close()
    assert written.getvalue().endswith("\r" + " " * len(second) + "\r")


def test_quiet_says_nothing_aside(capsys: pytest.CaptureFixture[str]) -> None:
    for verbosity, told in ((0, "a word\n"), (-1, "")):
        Silent(Terminal(verbosity=verbosity)).say("a word")
        assert capsys.readouterr().err == told


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "stream", "kind"),
    [
        (Terminal(), Screen(), Moving),
        (Terminal(), io.StringIO(), Lines),
        (Terminal(log_format="json"), Screen(), Lines),
        (Terminal(progress=False), Screen(), Silent),
        (Terminal(verbosity=-1), Screen(), Silent),
    ],
)
def test_the_listener_fits_the_terminal(
    terminal: Terminal, stream: io.StringIO, kind: type[Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "current", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    with showing_progress() as listener:
        assert type(listener) is kind


@pytest.mark.parametrize(
    ("color", "variables", "stream", "colored"),
    [
        ("auto", {}, Screen(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1"}, Screen(), False),
        ("auto", {"TERM": "dumb"}, Screen(), False),
        ("always", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("never", {}, Screen(), False),
    ],
)
def test_colours_where_they_are_wanted(
    color: str, variables: dict[str, str], stream: io.StringIO, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Terminal(color=color).colored(stream) is colored
