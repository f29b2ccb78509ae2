"""What stands around the keys: key stores, shares, logs, alarms, analyzers, identity providers, credentials.

Each reader takes a Caller and returns records; a refusal is a Gap of its fact. ``ASKED`` records tell "none there"
from "not looked".
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.collectors.caller import Caller
from auditor.collectors.detection import read_alarms, read_trails
from auditor.collectors.failures import Cause, Failure
from auditor.collectors.federation import read_credentials, read_providers
from auditor.collectors.operations import DESCRIBE_KEY_STORES, LIST_ANALYZERS, LIST_KEYS, LIST_RETIRABLE_GRANTS
from auditor.collectors.plain import plain
from auditor.collectors.sharing import read_shares
from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

NO_OWNER = Failure(Cause.MALFORMED, "", "ListKeys named a shared key without the account that owns it.")
Reader = Callable[[Caller], list[Record]]


def read_account_evidence(caller: Caller) -> list[Record]:
    """Evidence that belongs to the whole account."""
    return _read_all(caller, {Fact.CREDENTIALS: read_credentials, Fact.PROVIDERS: read_providers})


def read_region_evidence(caller: Caller, *, keys_here: bool) -> list[Record]:
    """Evidence of one Region; where it holds no key, nobody asks how its keys are watched."""
    found = _read_all(caller, {Fact.SHARES: _shares})
    if keys_here:
        found += _read_all(caller, {Fact.TRAILS: read_trails, Fact.ANALYZERS: _analyzers, Fact.ALARMS: read_alarms})
    return found


def read_key_stores(caller: Caller, keys: list[Record]) -> list[Record]:
    """The custom key stores of a Region that has a key in one; a store without keys protects nothing."""
    if not any((key.data.get("Metadata") or {}).get("CustomKeyStoreId") for key in keys):
        return []
    listing = caller.ask_pages(DESCRIBE_KEY_STORES, Fact.KEY_STORES)
    asked = Record(Kind.ASKED, {"Fact": str(Fact.KEY_STORES)})
    return [asked, *(Record(Kind.KEY_STORE, plain(store)) for store in listing.items)]


def read_retirable_grants(caller: Caller, principals: tuple[str, ...]) -> list[Record]:
    """The grants that each of ``principals`` (ARNs) may retire, on keys of whatever account."""
    found = [Record(Kind.ASKED, {"Fact": str(Fact.RETIRABLE_GRANTS)})]
    for principal in principals:
        listing = caller.ask_pages(LIST_RETIRABLE_GRANTS, Fact.RETIRABLE_GRANTS, principal, RetiringPrincipal=principal)
        found += [
            Record(Kind.RETIRABLE_GRANT, {"Principal": principal, "Grant": plain(grant)}) for grant in listing.items
        ]
    return found


def _read_all(caller: Caller, readers: dict[Fact, Reader]) -> list[Record]:
    found = []
    for fact, read in readers.items():
        found.append(Record(Kind.ASKED, {"Fact": str(fact)}))
        found += read(caller)
    return found


def _analyzers(caller: Caller) -> list[Record]:
    listing = caller.ask_pages(LIST_ANALYZERS, Fact.ANALYZERS)
    return [Record(Kind.ANALYZER, plain(analyzer)) for analyzer in listing.items]


def _shares(caller: Caller) -> list[Record]:
    found = read_shares(caller)
    client = caller.session.client(LIST_KEYS.service, caller.region)
    # An SDK from before keys could be shared does not know the parameter and would refuse it.
    if "ResourceOwners" in client.meta.service_model.operation_model(LIST_KEYS.name).input_shape.members:
        listing = caller.ask_pages(LIST_KEYS, Fact.SHARES, ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])
        owners = [account_of(key.get("KeyArn", "")) for key in listing.items]
        if None in owners:
            caller.note(NO_OWNER, Fact.SHARES, LIST_KEYS)
        # Endpoints that ignore ResourceOwners answer with the account's own keys.
        found += [
            Record(Kind.SHARED_KEY, plain(key))
            for key, owner in zip(listing.items, owners, strict=True)
            if owner not in (None, caller.account)
        ]
    return found
