"""Threads, pace and estimates: what keeps a long run gentle, bounded and honest about the time left."""

from __future__ import annotations

import threading
import time

import pytest

from auditor.cli.progress import duration, words
from auditor.collectors import NoProgress, Tally
from auditor.collectors.lanes import Lanes
from auditor.collectors.meter import Meter, _left
from auditor.collectors.pacing import Pacer, TokenBucket
from auditor.errors import CollectionError


def test_regions_overtake_accounts_and_early_regions_late_ones() -> None:
    lanes = Lanes(1, 1, threading.Event())
    ran: list[str] = []
    gate = threading.Event()
    lanes.start(gate.wait)
    lanes.start(lambda: ran.append("second account"))
    lanes.start(lambda: ran.append("Region"), first=True)
    early, late = lanes.rank(), lanes.rank()
    block = lanes.submit(gate.wait, early)
    keys = [lanes.submit(lambda: ran.append("late key"), late), lanes.submit(lambda: ran.append("early key"), early)]
    gate.set()
    for future in (block, *keys):
        future.result(5)
    lanes.join()
    lanes.close()
    assert [name for name in ran if "key" in name] == ["early key", "late key"]
    assert [name for name in ran if "key" not in name] == ["Region", "second account"]


def test_no_thread_outlives_a_run() -> None:
    before = threading.active_count()
    for _ in range(3):
        lanes = Lanes(8, 8, threading.Event())
        lanes.close()
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize("allowed", [0, 6])
def test_a_system_that_starts_few_threads_slows_a_run_down_and_one_that_starts_none_ends_it(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    begin, left = threading.Thread.start, iter(range(allowed))

    def start(thread: threading.Thread) -> None:
        if next(left, None) is None and threading.active_count():
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    if not allowed:
        with pytest.raises(CollectionError, match="no thread"):
            Lanes(4, 4, threading.Event())
        return
    lanes = Lanes(4, 4, threading.Event())
    future = lanes.submit(lambda: "done", lanes.rank())
    assert future.result(5) == "done"
    lanes.close()


def test_the_first_error_of_a_job_ends_the_run() -> None:
    stop = threading.Event()
    lanes = Lanes(2, 1, stop)

    def broken() -> None:
        raise OSError("full")

    lanes.start(broken)
    with pytest.raises(OSError, match="full"):
        lanes.join()
    assert stop.is_set()
    lanes.close()


def test_a_bucket_never_gives_more_than_its_rate_and_halves_when_told() -> None:
    now = [0.0]
    bucket = TokenBucket(50, lambda: now[0])
    waits = [bucket.reserve() for _ in range(110)]
    assert waits[:10] == [0.0] * 10
    assert waits[-1] == pytest.approx(2.0)
    bucket.slow_down()
    now[0] = 2.0
    assert bucket.reserve() > 1 / 50


def test_a_throttle_slows_only_the_call_that_met_it() -> None:
    pacer = Pacer(1.0, threading.Event())
    place, other = ("1", "eu-west-1", "kms:ListGrants"), ("2", "eu-west-1", "kms:ListGrants")
    with pacer.watching(*place):
        pacer.throttled()
    pacer.throttled()
    slowed, free = pacer.bucket(*place), pacer.bucket(*other)
    assert slowed is not None
    assert free is not None
    assert slowed._factor == pytest.approx(0.5, abs=0.05)
    assert free._factor == 1.0


def test_buckets_of_finished_regions_are_dropped() -> None:
    pacer = Pacer(1.0, threading.Event())
    for number in range(1000):
        pacer.wait(str(number), "eu-west-1", "kms:DescribeKey")
        pacer.forget(str(number), "eu-west-1")
    assert not pacer._buckets


@pytest.mark.parametrize(
    ("tally", "opened", "listed", "expected"),
    [
        (Tally(accounts=10), 0, 0, None),
        (Tally(accounts=1, regions=4, keys=100, keys_done=48, regions_done=2), 1, 4, 10.8),
        (Tally(accounts=2, regions=4, keys=100, keys_done=48, regions_done=2), 1, 4, 31.6),
        (Tally(accounts=1, regions=2, regions_done=2), 1, 2, 0.0),
    ],
)
def test_the_time_left_counts_what_is_not_known_yet(
    tally: Tally, opened: int, listed: int, expected: float | None
) -> None:
    assert _left(tally, opened, listed, 10.0) == (None if expected is None else pytest.approx(expected))


def test_the_line_says_what_is_known() -> None:
    assert words(Tally(calls=3)) == "collecting: finding the accounts, 3 calls"
    line = words(Tally(accounts=2, accounts_done=1, regions=8, keys=5, calls=9, throttles=1, gaps=2, left_seconds=600))
    assert line == ("collecting: accounts 1/2, Regions 0/8, keys 0/5, 9 calls, 1 throttled, 2 gaps, about 10 min left")
    assert [duration(seconds) for seconds in (5, 89, 600, 9000)] == ["5 s", "89 s", "10 min", "2.5 h"]


def test_a_closed_terminal_does_not_end_the_run() -> None:
    class Closed(NoProgress):
        told = 0

        def update(self, tally: Tally) -> None:
            Closed.told += 1
            raise BrokenPipeError

    meter = Meter(Closed())
    meter.finish()
    meter.finish()
    assert Closed.told == 1


def test_only_a_longer_wait_is_news() -> None:
    meter = Meter(NoProgress())
    assert [meter.will_take(seconds) for seconds in (0.5, 10, 12, 20, 15)] == [False, True, False, True, False]
