"""Two sets of daemon threads: one for accounts and Regions, one for keys, so that neither can starve the other.

Daemon threads, unlike a ThreadPoolExecutor's, do not hold up a process that was told to end. The first error of any
job stops the run.
"""

from __future__ import annotations

import itertools
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from auditor.collectors.failures import StoppedError
from auditor.errors import CollectionError

T = TypeVar("T")
Job = Callable[[], None]
Entry = tuple[int, int, Job | None]
"""Priority, turn, and the job; None ends a thread."""
FIRST, NEXT, LAST = range(3)
POLL_SECONDS = 0.2


class Lanes:
    """``wide`` jobs (accounts, Regions) may wait for ``narrow`` ones (keys), never the other way round.

    Wide jobs that are ``first`` overtake the others: what an account has begun is finished before the next one, so
    that keys are read from the start and little is held in memory.
    """

    def __init__(self, wide: int, narrow: int, stop: threading.Event) -> None:
        self.wide = wide
        self._stop = stop
        self._lock = threading.Lock()
        self._open = 0
        self._idle = threading.Event()
        self._idle.set()
        self._error: BaseException | None = None
        self._turn = itertools.count()
        self._wide: queue.PriorityQueue[Entry] = queue.PriorityQueue()
        self._narrow: queue.PriorityQueue[Entry] = queue.PriorityQueue()
        self._narrow_count = narrow
        for work, count in zip((self._work_wide, self._work_narrow), (wide, narrow), strict=True):
            _start(work, count)

    def start(self, job: Job, *, first: bool = False) -> None:
        """Runs a wide job some time; it may start others."""
        with self._lock:
            self._open += 1
            self._idle.clear()
        self._wide.put((FIRST if first else NEXT, next(self._turn), lambda: self._watched(job)))

    def rank(self) -> int:
        """A rank for the narrow jobs of one Region: Regions that began earlier are finished first, so that few are
        half read, and held in memory, at a time."""
        return next(self._turn)

    def submit(self, job: Callable[[], T], rank: int) -> Future[T]:
        """Runs a narrow job some time, those of a lower rank first."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                if self._stop.is_set():
                    raise StoppedError
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

        self._narrow.put((rank, next(self._turn), run))
        return future

    def join(self) -> None:
        """Waits for every wide job, and raises the first error. An interrupt of the main thread gets through."""
        try:
            while not self._idle.wait(POLL_SECONDS):
                pass
        except BaseException:
            self._stop.set()
            raise
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Ends the threads when their queues are empty. They are not waited for."""
        for _ in range(self.wide):
            self._wide.put((LAST, next(self._turn), None))
        for _ in range(self._narrow_count):
            self._narrow.put((sys.maxsize, next(self._turn), None))

    def _watched(self, job: Job) -> None:
        try:
            if not self._stop.is_set():
                job()
        except StoppedError:
            pass
        except BaseException as error:
            with self._lock:
                self._error = self._error or error
            self._stop.set()
        finally:
            with self._lock:
                self._open -= 1
                if self._open == 0:
                    self._idle.set()

    def _work_wide(self) -> None:
        while (job := self._wide.get()[2]) is not None:
            job()

    def _work_narrow(self) -> None:
        while (job := self._narrow.get()[2]) is not None:
            job()


def _start(work: Callable[[], None], count: int) -> None:
    """As many threads as there may be, up to ``count``: containers may allow only a few. One is enough."""
    for number in range(count):
        try:
            threading.Thread(target=work, daemon=True).start()
        except RuntimeError as error:  # how Python says that the system starts no more
            if number == 0:
                raise CollectionError(
                    "The system starts no thread for the collection.", "Raise its limit of processes (ulimit -u)."
                ) from error
            return
