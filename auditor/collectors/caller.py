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

from auditor.collectors.failures import Cause, Failure, RefusedError, StoppedError, classify, gap_of
from auditor.collectors.identity import Identity
from auditor.collectors.meter import Meter
from auditor.collectors.operations import Operation
from auditor.collectors.pacing import Pacer
from auditor.collectors.session import AwsSession
from auditor.model.key import Fact
from auditor.model.snapshot import Gap

LOG = logging.getLogger(__name__)
T = TypeVar("T")
Answer = dict[str, Any]
TOKENS = ("NextToken", "nextToken")


@dataclass(frozen=True, slots=True)
class Listing:
    """The items of all pages that could be read; ``complete`` False: a later page was refused or is missing."""

    items: tuple[Any, ...]
    complete: bool


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
        self.calls = 0
        self._label_region = region if label_region is None else label_region
        self._redact = redact
        self._lock = threading.Lock()

    def call(self, operation: Operation, **params: Any) -> Answer:
        """One answer. Raises RefusedError."""

        def once() -> Answer:
            client = self.session.client(operation.service, self.region)
            self._before(operation)
            answer: Answer = getattr(client, _method(operation))(**params)
            return answer

        return self.guarded(operation, once)

    def pages(self, operation: Operation, **params: Any) -> Listing:
        """The items of every page; a page may be empty. Raises RefusedError when the first page is refused."""
        found: list[Any] = []

        def once() -> bool:
            found.clear()
            closing: Answer = {}
            for page in self.each_page(operation, **params):
                found.extend(page.get(operation.items) or ())
                closing = page
            return not _cut_short(closing)

        complete = self.guarded(operation, once)
        return Listing(tuple(found), complete)

    def each_page(self, operation: Operation, **params: Any) -> Iterator[Answer]:
        """The pages as they come, paced. Raises what boto3 raises."""
        client = self.session.client(operation.service, self.region)
        method = _method(operation)
        if client.can_paginate(method):
            config = {"PageSize": operation.page_size} if operation.page_size else {}
            pages = client.get_paginator(method).paginate(PaginationConfig=config, **params)
            self._before(operation)
            for page in pages:
                yield page
                if _more(page):
                    self._before(operation)
            return
        yield from self._by_token(operation, getattr(client, method), params)

    def _by_token(self, operation: Operation, send: Callable[..., Answer], params: Answer) -> Iterator[Answer]:
        """Pages of an operation that the SDK has no paginator for."""
        token: Answer = {}
        while True:
            self._before(operation)
            page = send(**params, **token)
            yield page
            name = next((name for name in TOKENS if page.get(name)), None)
            if name is None or token.get(name) == page[name]:
                return
            token = {name: page[name]}

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
            return Listing((), False)
        if not listing.complete:
            self.note(CUT_SHORT, fact, operation, subject)
        return listing

    def note(self, failure: Failure, fact: Fact, operation: Operation, subject: str = "") -> None:
        """Notes a Gap; one "not supported" stands for the whole account and Region."""
        subject = "" if failure.cause is Cause.NOT_SUPPORTED else subject
        gap = gap_of(failure, fact, operation.action, account=self.account, region=self._label_region, subject=subject)
        with self._lock:
            if gap in self.gaps:
                return
            self.gaps.append(gap)
            self.meter.add(gaps=1)
        place = " ".join(part for part in (self.account, self._label_region, subject) if part)
        LOG.info("%s: %s refused: %s %s", place, operation.action, failure.code, failure.message)

    def _before(self, operation: Operation) -> None:
        if self.stop.is_set():
            raise StoppedError
        self.pacer.wait(self.account, self.region, operation.action)
        with self._lock:
            self.calls += 1
        self.meter.add(calls=1)

    def guarded(self, operation: Operation, once: Callable[[], T]) -> T:
        """What ``once`` returns; it makes calls of ``operation`` and may be run twice. Raises RefusedError."""
        known = self.switches.off.get(str(operation))
        if known is not None:
            raise RefusedError(known)
        try:
            return self._renewing(once)
        except StoppedError:
            raise
        except Exception as error:
            failure = self._clean(classify(error))
            if failure.cause is Cause.NOT_SUPPORTED:
                self.switches.off[str(operation)] = failure
            if failure.cause is Cause.THROTTLED:
                self.pacer.throttled(self.account, self.region, operation.action)
            raise RefusedError(failure) from error

    def _renewing(self, once: Callable[[], T]) -> T:
        """Runs ``once``; when the token has expired, gets another and runs it again."""
        with self.identity.active():
            used = self.identity.frozen_key()
            try:
                return once()
            except StoppedError:
                raise
            except Exception as error:
                if classify(error).cause is not Cause.EXPIRED or not self.identity.renew(used):
                    raise
            return once()

    def _clean(self, failure: Failure) -> Failure:
        if not self._redact or self._redact not in failure.message:
            return failure
        return Failure(failure.cause, failure.code, failure.message.replace(self._redact, "***"), failure.status)


CUT_SHORT = Failure(Cause.OTHER, "IncompleteAnswer", "AWS said that there is more, without a marker to ask for it.")


def _method(operation: Operation) -> str:
    from botocore import xform_name

    return str(xform_name(operation.name))


def _more(page: Answer) -> bool:
    """Whether the paginator will make another call after this page."""
    return bool(page.get("Truncated") or page.get("IsTruncated") or any(page.get(name) for name in TOKENS))


def _cut_short(page: Answer) -> bool:
    """Whether the last page claims another one but does not say where."""
    more = page.get("Truncated") or page.get("IsTruncated")
    return bool(more) and not (page.get("NextMarker") or page.get("Marker"))
