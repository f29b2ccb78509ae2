"""When each user and role last called KMS, as IAM recorded it: a report per principal, which IAM makes in its own time.

Several reports are under way at a time, and each is waited for only so long. What IAM counts and what not: IAM user
guide, "Refine permissions using last accessed information", and API reference, GetServiceLastAccessedDetails.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operation import Operation
from auditor.collectors.operations import GENERATE_LAST_ACCESSED, GET_LAST_ACCESSED
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

AHEAD = 50
"""Reports that are under way while the first of them is asked for."""
PATIENCE_SECONDS = 120.0
"""How long a report may take from when it was asked for; most are there in seconds."""
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two looks at a report; the last one from there on."""
HOPELESS = 5
"""So many principals in a row without a report, and none with one: the others of the account are not asked about."""
PAGE = 1000
LEVELS = ("ACTION_LEVEL", "SERVICE_LEVEL")
"""What a report is asked for, and what is enough when that fails."""
KMS = "kms"
LATE = Failure(Cause.TIMEOUT, "", f"IAM did not finish the report in {PATIENCE_SECONDS:.0f} seconds.")
TIMELESS = Failure(Cause.MALFORMED, "", "KMS was called at a time that the report does not tell.")
Data = dict[str, Any]


def read_last_accessed(caller: Caller, principals: tuple[str, ...]) -> list[Record]:
    """What IAM knows of each of ``principals`` (ARNs of the caller's account); whoever has no report has a Gap."""
    asked = Record(Kind.ASKED, {"Fact": str(Fact.LAST_ACCESSED)})
    return [asked, *_Reports(caller).read(principals)]


@dataclass(slots=True)
class _Job:
    """A report that was asked for. ``deadline`` is by the monotonic clock."""

    principal: str
    level: str
    id: str
    deadline: float
    looks: int = 0

    def pause(self) -> float:
        """Seconds until the next look."""
        self.looks += 1
        return PAUSES[min(self.looks, len(PAUSES)) - 1]


class _Reports:
    """The reports of one account, in the order of the principals; nothing here runs in several threads."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._made = 0
        self._failed = 0

    def read(self, principals: tuple[str, ...]) -> Iterator[Record]:
        waiting: deque[_Job] = deque()
        for position, principal in enumerate(principals):
            if not self._made and self._failed >= HOPELESS:
                self._give_up(len(principals) - position)
                break
            waiting.extend(self._started(principal, LEVELS[0]))
            if len(waiting) > AHEAD:
                yield from self._finished(waiting.popleft())
        for job in waiting:
            yield from self._finished(job)

    def _started(self, principal: str, level: str) -> Iterator[_Job]:
        try:
            job = self._caller.call(GENERATE_LAST_ACCESSED, Arn=principal, Granularity=level)["JobId"]
        except RefusedError as error:
            self._lost(principal, error.failure, GENERATE_LAST_ACCESSED)
            return
        yield _Job(principal, level, str(job), time.monotonic() + PATIENCE_SECONDS)

    def _finished(self, job: _Job) -> Iterator[Record]:
        """The record of a report, waited for; nothing but a Gap when there is none."""
        try:
            answer = self._waited_for(job)
        except RefusedError as error:
            yield from self._second_try(job, error.failure)
            return
        entries = [plain(item) for item in answer.get("ServicesLastAccessed") or () if item["ServiceNamespace"] == KMS]
        if any(item.get("TotalAuthenticatedEntities") and not item.get("LastAuthenticated") for item in entries):
            self._lost(job.principal, TIMELESS, GET_LAST_ACCESSED)
            return
        self._made += 1
        times = [item["LastAuthenticated"] for item in answer["ServicesLastAccessed"] if item.get("LastAuthenticated")]
        data = {
            "Arn": job.principal,
            "JobCreationDate": answer["JobCreationDate"],
            "JobType": answer.get("JobType", job.level),
            "Kms": entries,
            "Latest": max(times, default=None),
        }
        yield Record(Kind.LAST_ACCESSED, plain(data))

    def _waited_for(self, job: _Job) -> Data:
        """The whole report. Raises RefusedError."""
        while True:
            answer = self._caller.call(GET_LAST_ACCESSED, JobId=job.id, MaxItems=PAGE)
            status = answer["JobStatus"]
            if status == "COMPLETED":
                return {**answer, "ServicesLastAccessed": self._services(job, answer)}
            if status == "FAILED":
                raise RefusedError(_why(answer))
            if time.monotonic() >= job.deadline:
                raise RefusedError(LATE)
            self._caller.pacer.sleep(job.pause())

    def _services(self, job: _Job, answer: Data) -> list[Data]:
        if not answer.get("IsTruncated"):
            return list(answer.get("ServicesLastAccessed") or ())
        gathered, failure = self._caller.gather(GET_LAST_ACCESSED, JobId=job.id, MaxItems=PAGE)
        if failure is not None:
            raise RefusedError(failure)
        return list(gathered.items(GET_LAST_ACCESSED.items))

    def _second_try(self, job: _Job, failure: Failure) -> Iterator[Record]:
        """With less detail, and in the session of now: a report is told only to the session that asked for it, and
        credentials are renewed now and then."""
        if job.level == LEVELS[-1] or failure is LATE:
            self._lost(job.principal, failure, GET_LAST_ACCESSED)
            return
        for again in self._started(job.principal, LEVELS[-1]):
            yield from self._finished(again)

    def _lost(self, principal: str, failure: Failure, operation: Operation) -> None:
        self._failed += 1
        self._caller.note(failure, Fact.LAST_ACCESSED, operation, principal)

    def _give_up(self, left: int) -> None:
        words = f"There was no report on any of {self._failed} principals; the other {left} were not asked about."
        self._caller.note(Failure(Cause.OTHER, "NotAsked", words), Fact.LAST_ACCESSED, GENERATE_LAST_ACCESSED)


def _why(answer: Data) -> Failure:
    error = answer.get("Error") or {}
    words = " ".join(filter(None, (error.get("Code"), error.get("Message")))) or "IAM does not say why."
    return Failure(Cause.OTHER, "ReportFailed", f"The report failed: {words}")
