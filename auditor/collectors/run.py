"""One collection from first to last call: who asks, the organization, the accounts, their Regions and keys."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import auditor
from auditor.collectors.accounts import Self, Target, members, single, unanswered, whoami
from auditor.collectors.caller import Caller
from auditor.collectors.estate import Estate
from auditor.collectors.failures import Cause, Failure, StoppedError
from auditor.collectors.gaps import remedy
from auditor.collectors.lanes import Lanes
from auditor.collectors.meter import Meter
from auditor.collectors.operations import ASSUME_ROLE, LIST_KEYS
from auditor.collectors.organization import Tree, read_details, read_tree
from auditor.collectors.pacing import Pacer
from auditor.collectors.patience import Patience
from auditor.collectors.regions import check_regions
from auditor.collectors.request import CollectRequest, Progress, ShardSink
from auditor.collectors.running import Reached, Run
from auditor.collectors.session import AwsSession
from auditor.errors import CollectionError, UsageError
from auditor.model.key import Fact
from auditor.model.shard import ORGANIZATION_SHARD, Shard
from auditor.model.snapshot import Provenance, ShardCoverage

REGIONS_AT_ONCE = 24
"""Threads that walk accounts and Regions; they mostly wait."""
REGIONS_AT_ONCE_WHEN_SLOW = 96
"""Last usage is read at a few keys a second per Region, and reports of IAM at a few principals a second per account, so
as many of these as possible should overlap."""

BUSY = frozenset({Cause.THROTTLED, Cause.SERVER})
"""AWS answered, and may list the keys at another time; whatever else stops all lists is a mistake in the settings."""


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
    started = clock().astimezone(UTC).replace(microsecond=0)
    run = _run(request, sink, Meter(progress), started)
    sessions: list[AwsSession] = []
    patience = Patience(run.meter.say)
    try:
        for profile in request.profiles or (None,):
            sessions.append(
                AwsSession(request, profile, meter=run.meter, pacer=run.pacer, patience=patience, stop=run.stop)
            )
        profiles = [_profile(session, run) for session in sessions]
        check_regions(request, {name for item in profiles for name in item.session.kms_regions(item.me.partition)})
        asked = Provenance(
            tool_version=auditor.__version__,
            caller=", ".join(item.me.arn for item in profiles),
            started=_text(started),
            scope=request.scope(),
        )
        sink.begin(asked)
        _read(run, _targets(run, profiles))
        run.meter.finish()
    finally:
        run.stop.set()
        run.lanes.close()
        for session in sessions:
            session.close()
    scope = replace(
        request.scope(), accounts=tuple(sorted(run.reached.accounts)), regions=tuple(sorted(run.reached.regions))
    )
    return replace(asked, finished=_text(clock()), scope=scope)


@dataclass(frozen=True, slots=True)
class Profile:
    """A session, who its credentials belong to, and a caller for facts of the organization."""

    session: AwsSession
    me: Self
    caller: Caller


def _run(request: CollectRequest, sink: ShardSink, meter: Meter, started: datetime) -> Run:
    stop = threading.Event()
    slow = request.last_usage or request.last_accessed or request.key_events
    wide = REGIONS_AT_ONCE_WHEN_SLOW if slow else REGIONS_AT_ONCE
    lanes = Lanes(wide, max(1, request.max_workers), stop)
    return Run(request, sink, meter, Pacer(request.quota_share, stop), stop, lanes, Reached(), started)


def _profile(session: AwsSession, run: Run) -> Profile:
    me = whoami(_home(session, run))
    return Profile(session, me, _home(session, run, me.account, ""))


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


def _targets(run: Run, profiles: list[Profile]) -> list[Target]:
    """The accounts to read; has the organization's shard written meanwhile."""
    chosen, tree = _organization(run, profiles)
    if run.request.org:
        return members(tree, run.request, chosen.me, chosen.session, chosen.caller)
    names = {target["Id"]: str(target["Name"]) for target in tree.targets}
    found = {item.me.account: item for item in profiles if single(run.request, item.me)}
    if not found:
        raise UsageError(
            f"The credentials belong to {', '.join(item.me.account for item in profiles)}, which --account does not "
            "name.",
            "Use --org with --role-name to read other accounts, or another profile.",
        )
    return [
        Target(account, item.session, item.session.identity, item.me.partition, names.get(account, ""))
        for account, item in sorted(found.items())
    ]


def _organization(run: Run, profiles: list[Profile]) -> tuple[Profile, Tree]:
    """The profile that sees most of the organization, and what it sees; its details are read in another thread."""
    views = [(item, read_tree(item.caller, every_account=run.request.org)) for item in profiles]
    if len({tree.described.get("Id") for _, tree in views if tree.described}) > 1:
        raise UsageError(
            "The profiles belong to different organizations.", "Collect each organization into a snapshot of its own."
        )
    # Whether there is an organization is known only when nobody was refused the answer.
    chosen, tree = max(views, key=lambda view: (len(view[1].targets), view[1].described is not None, view[1].in_use))
    for item, view in views:
        if item is not chosen and view.in_use and view.described is None:
            chosen.caller.gaps.extend(item.caller.gaps)
            tree.unseen.add(item.me.account)
    chosen.caller.gaps.extend(unanswered(run.request, tree, {item.me.account for item in profiles}))
    if not run.sink.has(ORGANIZATION_SHARD, ""):
        run.lanes.start(lambda: _write_organization(run, chosen.caller, tree), first=True)
    return chosen, tree


def _write_organization(run: Run, caller: Caller, tree: Tree) -> None:
    records = [*tree.record(), *read_details(caller, tree)]
    if run.stop.is_set():
        raise StoppedError
    gaps = tuple(caller.gaps)
    coverage = ShardCoverage(ORGANIZATION_SHARD, "", "partial" if gaps else "read", calls=caller.calls)
    run.sink.write(Shard(account=ORGANIZATION_SHARD, region="", records=tuple(records), gaps=gaps, coverage=coverage))


def _read(run: Run, targets: list[Target]) -> None:
    run.meter.add(accounts=len(targets))
    for target in targets:
        run.lanes.start(Estate(run, target).read)
    run.lanes.join()
    if not run.reached.key_lists and run.reached.nowhere and not run.reached.stopped:
        raise UsageError(
            "No Region that is enabled matches the Regions asked for.", "Check --region and exclude_regions."
        )
    if not run.reached.key_lists and not _without_keys(run.reached):
        raise _nothing(run.reached.stopped)


def _without_keys(reached: Reached) -> bool:
    """Whether IAM was read, and AWS was only too busy to list any keys: these are gaps, which ``--resume`` fills."""
    lists = [found.cause for action, found in reached.stopped if action == LIST_KEYS.action]
    return reached.identities and bool(lists) and set(lists) <= BUSY


def _nothing(stopped: list[tuple[str, Failure]]) -> CollectionError:
    """What to say when no keys were listed anywhere: what stopped most of it; permissions only where they did."""
    causes = Counter(found.cause for _, found in stopped)
    most = max(sorted(causes), key=lambda cause: causes[cause], default=Cause.DENIED)
    if most is not Cause.DENIED:
        action, message = min((action, found.message) for action, found in stopped if found.cause is most)
        return CollectionError(
            f"Nothing could be read: {action} {most}. {message}".rstrip(),
            remedy(Failure(most, "", message), action, Fact.KEY_LIST),
        )
    if stopped and all(action == ASSUME_ROLE.action for action, _ in stopped):
        return CollectionError(
            "Nothing could be read: the role could not be assumed in any account.",
            "Check --role-name, --external-id, and whom the trust policy of the role names; `kms-audit permissions -f "
            "cloudformation` prints a role for member accounts.",
        )
    return CollectionError(
        "Nothing could be read: every list of keys was refused.",
        "Give the auditor the permissions that `kms-audit permissions` prints; --verbose shows each refusal.",
    )
