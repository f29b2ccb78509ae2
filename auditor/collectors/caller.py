"""One identity in one account and Region, making calls: paced, counted, renewed, and turned into gaps on refusal.

``call`` and ``pages`` raise RefusedError; ``ask`` and ``ask_pages`` note a Gap instead. Only operations of
``operations`` can be called.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from auditor.collectors.failures import (
    Cause,
    EndlessError,
    Failure,
    RefusedError,
    StoppedError,
    UnsupportedCallError,
    classify,
    gap_of,
)
from auditor.collectors.identity import Identity
from auditor.collectors.meter import Meter
from auditor.collectors.operation import Operation
from auditor.collectors.pacing import Pacer
from auditor.collectors.paging import Gathered, following, to_the_end, token_of
from auditor.collectors.session import AwsSession
from auditor.collectors.shapes import Answer, whole
from auditor.model.key import Fact
from auditor.model.snapshot import Gap

LOG = logging.getLogger(__name__)
"""Operations and places, never parameters: those may hold an external id."""
T = TypeVar("T")
REPEATS = 2
"""How often a call, or a whole list, is begun again after an expired token, a throttle or a cut answer."""
THROTTLED_PAUSE = 1.0
"""Seconds before that, beside what botocore has waited."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The items of all pages that could be read. ``failure``: why a later page could not be."""

    items: tuple[Any, ...]
    failure: Failure | None = None

    @property
    def complete(self) -> bool:
        """Whether this is the whole list."""
        return self.failure is None


@dataclass(slots=True)
class Switches:
    """Operations that are off for an account after one "not supported". Shared by all its callers."""

    off: dict[str, Failure] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller:
    """Calls as ``identity``; ``gaps`` collects what was refused. Safe for several threads at once."""

    def __init__(
        self,
        session: AwsSession,
        identity: Identity,
        account: str,
        region: str,
        *,
        pacer: Pacer,
        meter: Meter,
        stop: threading.Event,
        switches: Switches | None = None,
        label_region: str | None = None,
        redact: str | None = None,
    ) -> None:
        self.session = session
        self.identity = identity
        self.account = account
        self.region = region
        self.pacer = pacer
        self.meter = meter
        self.stop = stop
        self.switches = switches or Switches()
        self.gaps: list[Gap] = []
        self._noted: set[Gap] = set()
        self.calls = 0
        self._label_region = region if label_region is None else label_region
        self._redact = redact
        self._lock = threading.Lock()

    def call(self, operation: Operation, **params: Any) -> Answer:
        """One answer. Raises RefusedError."""

        def once() -> Answer:
            send = self._method(operation)
            self._before(operation)
            return whole(operation, self._model(operation), send(**params))

        return self.guarded(operation, once)

    def pages(self, operation: Operation, **params: Any) -> Listing:
        """The items of every page; a page may be empty. Raises RefusedError when not a single item could be read."""
        gathered, failure = self.gather(operation, **params)
        if failure is not None and gathered.empty:
            raise RefusedError(failure)
        return Listing(gathered.items(operation.items), failure)

    def gather(self, operation: Operation, **params: Any) -> tuple[Gathered, Failure | None]:
        """Every list of every page as far as it was understood, and why the rest was not, if there is a rest."""
        gathered = Gathered(operation)

        def once() -> None:
            nonlocal gathered
            gathered = Gathered(operation, self._model(operation))
            to_the_end(self._pages(operation, params), gathered)

        try:
            self.guarded(operation, once)
        except RefusedError as error:
            return gathered, error.failure
        return gathered, None

    def _pages(self, operation: Operation, params: Answer) -> Iterator[Answer]:
        """The pages as they come, paced. Raises what boto3 raises, and MalformedError."""
        model = self._model(operation)
        for page in self._raw_pages(operation, params):
            yield whole(operation, model, page, apart=operation.lists)

    def _raw_pages(self, operation: Operation, params: Answer) -> Iterator[Any]:
        client = self.session.client(operation.service, self.region)
        send = self._method(operation)
        if not client.can_paginate(send.__name__):
            yield from self._by_token(operation, send, params)
            return
        config = {"PageSize": operation.page_size} if operation.page_size else {}
        self._before(operation)
        for page in client.get_paginator(send.__name__).paginate(PaginationConfig=config, **params):
            yield page
            # Only here when the caller wants another page; the paginator stops by itself after the last one.
            if token_of(page):
                self._before(operation)

    def _by_token(self, operation: Operation, send: Callable[..., Any], params: Answer) -> Iterator[Any]:
        """Pages of an operation that the SDK has no paginator for."""
        token: Answer = {}
        while True:
            self._before(operation)
            page = send(**params, **token)
            yield page
            token = following(page)
            if not token:
                return

    def _model(self, operation: Operation) -> Any:
        """The SDK's model of the service. Raises UnsupportedCallError where it does not know the operation."""
        self._method(operation)
        return self.session.client(operation.service, self.region).meta.service_model

    def _method(self, operation: Operation) -> Callable[..., Answer]:
        """The client's method. Raises UnsupportedCallError where the installed SDK has none."""
        from botocore import xform_name

        client = self.session.client(operation.service, self.region)
        method: Callable[..., Answer] | None = getattr(client, xform_name(operation.name), None)
        if method is None:
            raise UnsupportedCallError("The installed AWS SDK does not know this operation.")
        return method

    def ask(self, operation: Operation, fact: Fact, subject: str = "", **params: Any) -> Answer | None:
        """One answer, or None and a Gap."""
        try:
            return self.call(operation, **params)
        except RefusedError as error:
            self.note(error.failure, fact, operation, subject)
            return None

    def ask_pages(self, operation: Operation, fact: Fact, subject: str = "", **params: Any) -> Listing:
        """All items; refused or cut short: incomplete, with a Gap."""
        try:
            listing = self.pages(operation, **params)
        except RefusedError as error:
            self.note(error.failure, fact, operation, subject)
            return Listing((), error.failure)
        if listing.failure is not None:
            self.note(listing.failure, fact, operation, subject)
        return listing

    def note(self, failure: Failure, fact: Fact, operation: Operation, subject: str = "") -> None:
        """Notes a Gap; one "not supported" stands for the whole account and Region."""
        subject = "" if failure.lasting else subject
        gap = gap_of(failure, fact, operation.action, account=self.account, region=self._label_region, subject=subject)
        with self._lock:
            if gap in self._noted:
                return
            self._noted.add(gap)
            self.gaps.append(gap)
        self.meter.add(gaps=1)
        place = " ".join(part for part in (self.account, self._label_region, subject) if part)
        LOG.info("%s: %s refused: %s %s", place, operation.action, gap.code, failure.message)

    def _before(self, operation: Operation) -> None:
        if self.stop.is_set():
            raise StoppedError
        self.pacer.wait(self.account, self.region, operation.action)
        with self._lock:
            self.calls += 1
        self.meter.add(calls=1)
        LOG.debug("call: %s %s %s", operation.action, self.account, self.region)

    def guarded(self, operation: Operation, once: Callable[[], T]) -> T:
        """What ``once`` returns; it makes calls of ``operation`` and may be run again. Raises RefusedError."""
        known = self.switches.off.get(str(operation))
        if known is not None:
            raise RefusedError(known)
        try:
            with self.pacer.watching(self.account, self.region, operation.action):
                return self._repeated(once)
        except (StoppedError, MemoryError):
            raise
        except Exception as error:
            failure = self._clean(classify(error))
            if failure.lasting:
                self.switches.off[str(operation)] = failure
            raise RefusedError(failure) from error

    def _repeated(self, once: Callable[[], T]) -> T:
        """Runs ``once`` with a fresh token when the old one has expired, again when an answer was cut short, and again
        at the slower pace when even botocore's retries were throttled.

        All other failures that may pass are retried by botocore, call by call.
        """
        with self.identity.active():
            for _ in range(REPEATS):
                used = self.identity.frozen_key()
                try:
                    return once()
                except (StoppedError, EndlessError):
                    raise
                except Exception as error:
                    cause = classify(error).cause
                    if cause is Cause.THROTTLED:
                        self.pacer.sleep(THROTTLED_PAUSE)
                    elif cause is not Cause.MALFORMED and not (cause is Cause.EXPIRED and self.identity.renew(used)):
                        raise
            return once()

    def _clean(self, failure: Failure) -> Failure:
        if not self._redact or self._redact not in failure.message:
            return failure
        return Failure(failure.cause, failure.code, failure.message.replace(self._redact, "***"), failure.status)
