"""One collection from first to last call: who asks, the organization, the accounts, their Regions and keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import auditor
from auditor.collectors.accounts import Self, Target, members, single, whoami
from auditor.collectors.caller import Caller
from auditor.collectors.estate import Estate, Reached, Run
from auditor.collectors.lanes import Lanes
from auditor.collectors.meter import Meter
from auditor.collectors.organization import read_organization
from auditor.collectors.pacing import Pacer
from auditor.collectors.regions import check_regions
from auditor.collectors.request import CollectRequest, Progress, ShardSink
from auditor.collectors.session import AwsSession
from auditor.errors import CollectionError, UsageError
from auditor.model.shard import ORGANIZATION_SHARD, Kind, Record, Shard
from auditor.model.snapshot import Provenance, ShardCoverage

REGIONS_AT_ONCE = 24
"""Threads that walk accounts and Regions; they mostly wait."""
REGIONS_AT_ONCE_WITH_LAST_USAGE = 96
"""Last usage is read at a few keys a second per Region, so as many Regions as possible should overlap."""


def collect(
    request: CollectRequest,
    sink: ShardSink,
    progress: Progress,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Provenance:
    """Reads everything that ``request`` asks for into ``sink``.

    Refused calls become gaps. Raises UsageError, CredentialsError, CollectionError (nothing at all could be read), or
    what the sink raises; finished shards stay with the sink whatever happens.
    """
    started = _text(clock())
    stop = threading.Event()
    meter = Meter(progress)
    profiles: tuple[str | None, ...] = request.profiles or (None,)
    sessions = [AwsSession(request, profile, meter, stop) for profile in profiles]
    run = _run(request, sink, meter, stop)
    try:
        callers = [_home(session, run) for session in sessions]
        selves = [whoami(caller) for caller in callers]
        for session, me in zip(sessions, selves, strict=True):
            check_regions(request, session.kms_regions(me.partition))
        asked = Provenance(
            tool_version=auditor.__version__,
            caller=", ".join(me.arn for me in selves),
            started=started,
            scope=request.scope(),
        )
        sink.begin(asked)
        targets = _targets(run, sessions, callers, selves)
        _read(run, targets)
        meter.finish()
    finally:
        stop.set()
        for session in sessions:
            session.close()
    scope = replace(
        request.scope(), accounts=tuple(sorted(run.reached.accounts)), regions=tuple(sorted(run.reached.regions))
    )
    return replace(asked, finished=_text(clock()), scope=scope)


def _run(request: CollectRequest, sink: ShardSink, meter: Meter, stop: threading.Event) -> Run:
    wide = REGIONS_AT_ONCE_WITH_LAST_USAGE if request.last_usage else REGIONS_AT_ONCE
    lanes = Lanes(wide, max(1, request.max_workers), stop)
    return Run(request, sink, meter, Pacer(request.quota_share, stop), stop, lanes, Reached())


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _home(session: AwsSession, run: Run, account: str = "", label: str | None = None) -> Caller:
    return Caller(
        session,
        session.identity,
        account,
        session.home_region,
        pacer=run.pacer,
        meter=run.meter,
        stop=run.stop,
        label_region=label,
        redact=run.request.external_id,
    )


def _targets(run: Run, sessions: list[AwsSession], callers: list[Caller], selves: list[Self]) -> list[Target]:
    """The accounts to read; writes the organization's shard on the way."""
    records = _organization(run, sessions, selves)
    if run.request.org:
        return members(records, run.request, selves[0], sessions[0], callers[0])
    names = {str(record.data["Id"]): str(record.data["Name"]) for record in records if record.kind is Kind.ORG_TARGET}
    found = {
        me.account: single(run.request, me, session, names.get(me.account, ""))
        for session, me in zip(sessions, selves, strict=True)
    }
    return [found[account] for account in sorted(found)]


def _organization(run: Run, sessions: list[AwsSession], selves: list[Self]) -> list[Record]:
    """The best view of the organization that any profile has."""
    best: list[Record] = []
    gaps: list[Any] = []
    ids: set[str] = set()
    calls = 0
    for session, me in zip(sessions, selves, strict=True):
        caller = _home(session, run, me.account, "")
        records = read_organization(caller)
        calls += caller.calls
        ids.update(str(record.data.get("Id")) for record in records if record.kind is Kind.ORGANIZATION)
        if not best or (len(records) > len(best)):
            best, gaps = records, list(caller.gaps)
    if len(ids) > 1:
        raise UsageError(
            "The profiles belong to different organizations.", "Collect each organization into a snapshot of its own."
        )
    status = "partial" if gaps else "read"
    coverage = ShardCoverage(ORGANIZATION_SHARD, "", status, calls=calls)
    run.sink.write(
        Shard(account=ORGANIZATION_SHARD, region="", records=tuple(best), gaps=tuple(gaps), coverage=coverage)
    )
    return best


def _read(run: Run, targets: list[Target]) -> None:
    run.meter.add(accounts=len(targets))
    for target in targets:
        run.lanes.start(Estate(run, target).read)
    run.lanes.join()
    if not run.reached.key_lists:
        raise CollectionError(
            "Nothing could be read: every list of keys was refused.",
            "Give the auditor the permissions that `kms-audit permissions` prints; --verbose shows each refusal.",
        )
