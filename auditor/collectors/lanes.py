"""Two sets of daemon threads: one for accounts and Regions, one for keys, so that neither can starve the other.

Daemon threads, unlike a ThreadPoolExecutor's, do not hold up a process that was told to end. The first error of any
job stops the run.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

from auditor.collectors.failures import StoppedError

T = TypeVar("T")
Job = Callable[[], None]
POLL_SECONDS = 0.2


class Lanes:
    """``wide`` jobs (accounts, Regions) may wait for ``narrow`` ones (keys), never the other way round."""

    def __init__(self, wide: int, narrow: int, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._open = 0
        self._idle = threading.Event()
        self._idle.set()
        self._error: BaseException | None = None
        self._wide: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._narrow: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._counts = ((self._wide, wide), (self._narrow, narrow))
        for jobs, count in self._counts:
            for _ in range(count):
                threading.Thread(target=_work, args=(jobs,), daemon=True).start()

    def start(self, job: Job) -> None:
        """Runs a wide job some time; it may start others."""
        with self._lock:
            self._open += 1
            self._idle.clear()
        self._wide.put(lambda: self._watched(job))

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Runs a narrow job some time."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                if self._stop.is_set():
                    raise StoppedError
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

        self._narrow.put(run)
        return future

    def results(self, futures: Iterable[Future[T]]) -> list[T]:
        """The results of narrow jobs, in order. Raises the first error, or StoppedError."""
        return [future.result() for future in futures]

    def join(self) -> None:
        """Waits for every wide job, and raises the first error. An interrupt of the main thread gets through."""
        try:
            while not self._idle.wait(POLL_SECONDS):
                pass
        except BaseException:
            self._stop.set()
            raise
        finally:
            for jobs, count in self._counts:
                for _ in range(count):
                    jobs.put(None)
        if self._error is not None:
            raise self._error

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


def _work(jobs: queue.SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
