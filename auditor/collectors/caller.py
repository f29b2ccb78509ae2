"""One identity in one account and Region, making calls: paced, counted, renewed, and turned into gaps on refusal.

``call`` and ``pages`` raise RefusedError; ``ask`` and ``ask_pages`` note a Gap instead. Only operations of
``operations`` can be called.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from auditor.collectors.failures import (
    Cause,
    EndlessError,
    Failure,
    GivenUpError,
    RefusedError,
    StoppedError,
    UnsupportedCallError,
    classify,
)
from auditor.collectors.gaps import gap_of
from auditor.collectors.identity import Identity
from auditor.collectors.meter import Meter
from auditor.collectors.operation import Operation
from auditor.collectors.pacing import Pacer
from auditor.collectors.paging import Gathered, following, to_the_end, token_of
from auditor.collectors.patience import PATIENCE_SECONDS
from auditor.collectors.session import AwsSession
from auditor.collectors.shapes import Answer, whole
from auditor.model.key import Fact
from auditor.model.snapshot import Gap

LOG = logging.getLogger(__name__)
"""Operations and places, never parameters: those may hold an external id."""
T = TypeVar("T")
PAUSES = (5.0, 1.0)
"""Seconds, the last first, before a call, or a whole list, is begun again after what may pass. botocore's own retries
end within a second or two where nothing was throttled, and are few where many calls fail, in whatever account."""


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
    """Operations that are off for an account after one "not supported", each in its Region: new ones come to Regions
    one after the other. ``ended``: that the credentials have ended was said. Shared by all callers of the account.
    """

    off: dict[tuple[str, str], Failure] = field(default_factory=dict)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


def _without_echo(model: Any, page: Answer) -> Answer:
    """The page without the marker that it was asked for with: EFS tells it beside the next one."""
    echoed = "NextMarker" in model.output_shape.members
    return {name: value for name, value in page.items() if name != "Marker"} if echoed else page


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
            sound = whole(operation, model, page, apart=operation.lists)
            yield _without_echo(model.operation_model(operation.name), sound)

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
        """Notes a Gap; one "not supported", or one for ended credentials, stands for the whole account and Region."""
        subject = "" if failure.of_no_subject else subject
        gap = gap_of(failure, fact, operation.action, account=self.account, region=self._label_region, subject=subject)
        alike = replace(gap, message="")  # which may hold the time of the request
        with self._lock:
            if alike in self._noted:
                return
            self._noted.add(alike)
            self.gaps.append(gap)
        self.meter.add(gaps=1)
        place = " ".join(part for part in (self.account, self._label_region, subject) if part)
        LOG.info("%s: %s refused: %s %s", place, operation.action, gap.code, failure.message)
        if failure.ended:
            self._say_ended()

    def _say_ended(self) -> None:
        with self.switches.lock:
            said, self.switches.ended = self.switches.ended, True
        if not said:
            self.meter.say(f"{self.account}: the credentials have ended and could not be renewed")

    def _before(self, operation: Operation) -> None:
        if self.stop.is_set():
            raise StoppedError
        hopeless = self.session.patience.hopeless((self.account, self.region, operation.action))
        if hopeless is not None:
            raise GivenUpError(hopeless)
        self.pacer.wait(self.account, self.region, operation.action)
        with self._lock:
            self.calls += 1
        self.meter.add(calls=1)
        LOG.debug("call: %s %s %s", operation.action, self.account, self.region)

    def guarded(self, operation: Operation, once: Callable[[], T]) -> T:
        """What ``once`` returns; it makes calls of ``operation`` and may be run again. Raises RefusedError."""
        known = self.switches.off.get((self.region, str(operation)))
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
                self.switches.off[self.region, str(operation)] = failure
            raise RefusedError(failure) from error

    def _repeated(self, once: Callable[[], T]) -> T:
        """Runs ``once`` with a fresh token when the old one has expired, again when an answer was cut short, and again
        after a pause when botocore's retries did not help.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        left = len(PAUSES)
        with self.identity.active():
            while True:
                used = self.identity.frozen_key()
                try:
                    found = once()
                except (StoppedError, EndlessError, GivenUpError):
                    raise
                except Exception as error:
                    if not self._again(classify(error), used, left, until):
                        raise
                else:
                    self.identity.worked()
                    return found
                left -= 1

    def _again(self, failure: Failure, used: str, left: int, until: float) -> bool:
        """Whether to make one more attempt of those ``left``, before ``until``; ``used``: the access key id that
        failed."""
        if failure.cause is Cause.EXPIRED and not self.identity.renew(used):
            self.identity.refused(failure)
        if not left:
            return False
        if self.session.patience.worth_another(failure) and time.monotonic() < until:
            self.pacer.sleep(PAUSES[left - 1])
            return True
        return failure.cause in (Cause.MALFORMED, Cause.EXPIRED)

    def _clean(self, failure: Failure) -> Failure:
        if not self._redact or self._redact not in failure.message:
            return failure
        return replace(failure, message=failure.message.replace(self._redact, "***"))
