"""One account: its Regions, its IAM, and each Region with its keys, as shards handed to the sink when finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

from auditor.collectors.accounts import Target
from auditor.collectors.caller import Caller, Switches
from auditor.collectors.evidence import (
    read_account_evidence,
    read_key_stores,
    read_region_evidence,
    read_retirable_grants,
)
from auditor.collectors.failures import RefusedError, StoppedError, classify
from auditor.collectors.identities import account_alias, callers_of, read_identities
from auditor.collectors.key_events import read_key_events
from auditor.collectors.keys import last_usage, name_of, read_key
from auditor.collectors.kms_policies import may_use_kms
from auditor.collectors.last_accessed import read_last_accessed
from auditor.collectors.operations import (
    ASSUME_ROLE,
    GENERATE_LAST_ACCESSED,
    GET_LAST_USAGE,
    LIST_ALIASES,
    LIST_KEYS,
    LOOKUP_EVENTS,
)
from auditor.collectors.plain import plain
from auditor.collectors.regions import ALWAYS_ENABLED, DISABLED, Regions, note_disabled, regions_of
from auditor.collectors.resources import read_resources
from auditor.collectors.running import Run
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record, Shard
from auditor.model.snapshot import NOT_ENABLED, Gap, ShardCoverage


class Estate:
    """Reads one account."""

    def __init__(self, run: Run, target: Target) -> None:
        self.run = run
        self.target = target
        self._switches = Switches()

    def caller(self, region: str, label: str) -> Caller:
        """Calls in a Region; gaps name ``label`` (empty for facts of the whole account)."""
        run, target = self.run, self.target
        return Caller(
            target.session,
            target.identity,
            target.account,
            region,
            pacer=run.pacer,
            meter=run.meter,
            stop=run.stop,
            switches=self._switches,
            label_region=label,
            redact=run.request.external_id,
        )

    def read(self) -> None:
        """The account's global facts; its Regions go to other threads as soon as they are known."""
        caller = self.caller(self.target.session.home_region, "")
        if not self._reachable(caller):
            return
        known = self.target.session.kms_regions(self.target.partition)
        regions = regions_of(caller, self.run.request, known)
        if not regions.probed:
            self.run.sink.only(self.target.account, regions.names)
        # Retirable grants are asked for by principal; otherwise IAM is read while the Regions are.
        people = read_identities(caller) if self.run.request.retirable_grants else None
        self.run.meter.opened(len(regions.names))
        self.run.reached.account(self.target.account, regions.names)
        for region in regions.names:
            self.run.lanes.start(lambda region=region: self._region(region, regions, people), first=True)  # type: ignore[misc]
        # A gap about the Regions is one of this attempt, whatever an earlier one knew.
        if not self.run.sink.has(self.target.account, "") or caller.gaps:
            self._global(caller, regions, people)
        self.run.reached.identities |= not any(gap.fact is Fact.IDENTITIES for gap in caller.gaps)
        self.run.pacer.forget(self.target.account, "")
        self.run.meter.add(accounts_done=1)

    def _reachable(self, caller: Caller) -> bool:
        """Whether the role can be assumed; if not, the account is one Gap."""
        if not self.target.by_role:
            return True
        try:
            with self.target.identity.active():
                self.target.identity.frozen_key()
        except Exception as error:
            failure = classify(error)
            caller.note(failure, Fact.ACCOUNT, ASSUME_ROLE)
            self.run.reached.stop(ASSUME_ROLE.action, failure)
            self.run.meter.add(accounts_done=1)
            self.run.meter.opened(0)
            self._write(caller, "", [self._account_record("", Regions(()))], "refused")
            return False
        return True

    def _global(self, caller: Caller, regions: Regions, people: list[Record] | None) -> None:
        records = [
            self._account_record(account_alias(caller), regions),
            *(read_identities(caller) if people is None else people),
        ]
        if self.run.request.evidence:
            records += read_account_evidence(caller)
        if self.run.request.last_accessed:
            records += self._last_accessed(caller, records)
        self._write(caller, "", records)

    def _last_accessed(self, caller: Caller, records: list[Record]) -> list[Record]:
        principals = may_use_kms(records)
        rate = self.run.pacer.rate(GENERATE_LAST_ACCESSED.action)
        if rate and self.run.meter.will_take(len(principals) / rate):
            self.run.meter.say(
                f"last accessed: at least {len(principals) / rate:.0f} s for {len(principals)} principals of one "
                f"account at {rate:g} reports a second"
            )
        return read_last_accessed(caller, principals)

    def _account_record(self, alias: str, regions: Regions) -> Record:
        target = self.target
        names = list(() if regions.probed else regions.names)
        data = {
            "Id": target.account,
            "Alias": alias,
            "Name": target.name,
            "Partition": target.partition,
            "Regions": names,
        }
        return Record(Kind.ACCOUNT, data)

    def _region(self, region: str, regions: Regions, people: list[Record] | None) -> None:
        if self.run.sink.has(self.target.account, region):
            self.run.reached.region(region)
            self.run.meter.listed(0)
        else:
            self._read_region(self.caller(region, region), regions, people)
            self.run.pacer.forget(self.target.account, region)
        self.run.meter.add(regions_done=1)

    def _read_region(self, caller: Caller, regions: Regions, people: list[Record] | None) -> None:
        listed = self._list_keys(caller, probed=regions.probed)
        self.run.meter.listed(len(listed or ()))
        if listed is None:
            self._write(caller, caller.region, [], NOT_ENABLED)
            return
        self._announce(len(listed))
        rank = self.run.lanes.rank()
        around = self.run.lanes.submit(lambda: self._around(caller, people, keys_here=bool(listed)), rank)
        keys = []
        for future in self._start_keys(caller, listed, rank):
            record = future.result()
            keys += [] if record is None else [self._with_last_usage(caller, record)]
            self.run.meter.add(keys_done=1)
        records = [*around.result(), *read_key_stores(caller, keys), *keys]
        records += [*self._resources(caller, rank), *self._key_events(caller)]
        self._write(caller, caller.region, records, listed=len(listed), described=_described(keys))

    def _around(self, caller: Caller, people: list[Record] | None, *, keys_here: bool) -> list[Record]:
        """Everything of a Region but its keys, in a thread of its own while the keys are read."""
        aliases = caller.ask_pages(LIST_ALIASES, Fact.ALIASES)
        records = [Record(Kind.ALIAS, plain(alias)) for alias in aliases.items]
        if self.run.request.evidence:
            records += read_region_evidence(caller, keys_here=keys_here)
        if self.run.request.retirable_grants:
            records += read_retirable_grants(caller, callers_of(people or []))
        return records

    def _resources(self, caller: Caller, rank: int) -> list[Record]:
        if not self.run.request.resources:
            return []
        return read_resources(caller, self.target.partition, lambda job: self.run.lanes.submit(job, rank))

    def _list_keys(self, caller: Caller, *, probed: bool) -> tuple[dict[str, object], ...] | None:
        """The keys of a Region; None when probing shows that the Region is not enabled."""
        try:
            listing = caller.pages(LIST_KEYS)
        except RefusedError as error:
            if probed and error.failure.code in DISABLED and caller.region not in ALWAYS_ENABLED:
                if caller.region in self.run.request.regions:
                    note_disabled(caller, caller.region)
                return None
            caller.note(error.failure, Fact.KEY_LIST, LIST_KEYS)
            self.run.reached.stop(LIST_KEYS.action, error.failure)
            return ()
        if listing.failure is not None:
            caller.note(listing.failure, Fact.KEY_LIST, LIST_KEYS)
        self.run.reached.region(caller.region)
        return tuple({name_of(key): key for key in listing.items}.values())

    def _start_keys(
        self, caller: Caller, listed: tuple[dict[str, object], ...], rank: int
    ) -> Iterator[Future[Record | None]]:
        """Hands the keys out at the pace of the slowest call that each needs, and only so many at a time that workers
        do not gather, and sleep, before the quota of one Region while others have keys to read."""
        admission = self.run.pacer.admission()
        ahead: deque[Future[Record | None]] = deque()
        most = max(1, self.run.request.max_workers // 2)
        for key in listed:
            self.run.pacer.sleep(admission.reserve())
            ahead.append(self.run.lanes.submit(lambda key=key: read_key(caller, key), rank))  # type: ignore[misc]
            while ahead and (len(ahead) >= most or ahead[0].done()):
                yield ahead.popleft()
        yield from ahead

    def _announce(self, keys: int) -> None:
        rate = self.run.pacer.rate(GET_LAST_USAGE.action)
        if self.run.request.last_usage and rate and self.run.meter.will_take(keys / rate):
            self.run.meter.say(
                f"last usage: about {keys / rate:.0f} s for {keys} keys of one Region at {rate:g} a second; "
                f"up to {self.run.lanes.wide} Regions are read at the same time"
            )

    def _with_last_usage(self, caller: Caller, record: Record) -> Record:
        """GetKeyLastUsage has a quota of its own, far below all others: the Region's own thread makes these calls,
        while the keys that follow, and everything else, are read by others."""
        return last_usage(caller, record) if self.run.request.last_usage else record

    def _key_events(self, caller: Caller) -> list[Record]:
        """CloudTrail answers so few requests a second that a Region's own thread makes them, as for the last usage.
        Also in Regions without a key: calls to the keys of other accounts stand in the history of the caller's."""
        request, run = self.run.request, self.run
        if not request.key_events:
            return []
        rate = run.pacer.rate(LOOKUP_EVENTS.action)
        if rate and run.meter.will_take(request.key_event_pages / rate):
            run.meter.say(
                f"key events: up to {request.key_event_pages / rate:.0f} s per Region, at {rate:g} requests a second; "
                f"up to {run.lanes.wide} Regions are read at the same time"
            )
        return read_key_events(
            caller,
            run.started,
            days=request.key_events,
            pages=request.key_event_pages,
            partition=self.target.partition,
        )

    def _write(
        self,
        caller: Caller,
        region: str,
        records: list[Record],
        status: str = "",
        *,
        listed: int = 0,
        described: int = 0,
    ) -> None:
        if self.run.stop.is_set():
            # What failed because the run was ending says nothing about AWS.
            raise StoppedError
        gaps: tuple[Gap, ...] = tuple(caller.gaps)
        coverage = ShardCoverage(
            self.target.account, region, status or ("partial" if gaps else "read"), listed, described, caller.calls
        )
        shard = Shard(account=self.target.account, region=region, records=tuple(records), gaps=gaps, coverage=coverage)
        self.run.sink.write(shard)


def _described(keys: list[Record]) -> int:
    return sum(1 for key in keys if Fact.KEY_METADATA not in key.data["Unread"])
