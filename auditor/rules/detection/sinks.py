"""Logs as the rules read them: which trail or event data store keeps KMS events of an account and Region."""

from __future__ import annotations

from auditor.model.evidence import AdvancedSelector, EventDataStore, EventSelector, FieldTest, Trail
from auditor.model.key import Key
from auditor.rules.trust import Trust
from auditor.rules.view import View

KMS_SOURCE = "kms.amazonaws.com"


def trails(view: View) -> tuple[Trail, ...]:
    """Every trail once, as it is seen best: members see an organization trail without its status and selectors."""
    return view.once("trails", lambda: _seen_best(view.snapshot.evidence.trails))


def _seen_best(views: tuple[Trail, ...]) -> tuple[Trail, ...]:
    best: dict[str, Trail] = {}
    for trail in views:
        known = best.get(trail.arn)
        if known is None or _told(trail) > _told(known):
            best[trail.arn] = trail
    return tuple(best[arn] for arn in sorted(best))


def _told(trail: Trail) -> tuple[bool, bool]:
    return trail.logging is not None, trail.selectors_read


def covering(view: View, account: str, region: str) -> list[Trail | EventDataStore]:
    """The trails and event data stores that receive events of this account and Region, as far as is known."""
    stores = {store.arn: store for store in view.snapshot.evidence.event_data_stores}
    found: list[Trail | EventDataStore] = [
        trail for trail in trails(view) if trail_covers(trail, account, region, view.trust)
    ]
    return [*found, *(store for store in stores.values() if store_covers(store, account, region, view.trust))]


def surely_logs(sink: Trail | EventDataStore) -> bool:
    """Whether a sink is known to be active; the status of an organization trail is readable in its own account only."""
    return isinstance(sink, EventDataStore) or sink.logging is True


def trail_covers(trail: Trail, account: str, region: str, trust: Trust) -> bool:
    """Whether a trail receives events of this account and Region, unless it is known to be stopped."""
    if trail.logging is False:
        return False
    same_account = trail.home_account in ("", account) if not trail.organization else _same_organization(account, trust)
    return (same_account or trail.account == account) and (trail.multi_region or trail.home_region == region)


def store_covers(store: EventDataStore, account: str, region: str, trust: Trust) -> bool:
    """Whether an event data store that ingests receives events of this account and Region."""
    if store.status not in ("ENABLED", "STARTING_INGESTION"):
        return False
    same = _same_organization(account, trust) if store.organization else store.account == account
    return same and (store.multi_region or store.region == region)


def _same_organization(account: str, trust: Trust) -> bool:
    return account in trust.organization_accounts or account in trust.collected


def keeps_kms(sink: Trail | EventDataStore, read: bool) -> bool | None:
    """Whether a sink's selectors keep KMS management events (``read``: read events, else write events).

    None when the selectors could not be read. A sink without any selector keeps all management events.
    """
    if sink.advanced:
        return any(_advanced(selector, read) for selector in sink.advanced)
    if isinstance(sink, EventDataStore):
        return True
    if not sink.selectors_read:
        return None
    return not sink.selectors or any(_basic(selector, read) for selector in sink.selectors)


def _basic(selector: EventSelector, read: bool) -> bool:
    kinds = ("All", "ReadOnly") if read else ("All", "WriteOnly")
    return selector.management_events and KMS_SOURCE not in selector.excluded_sources and selector.read_write in kinds


def _advanced(selector: AdvancedSelector, read: bool) -> bool:
    values = {"eventCategory": "Management", "eventSource": KMS_SOURCE, "readOnly": "true" if read else "false"}
    return all(_passes(test, values[test.field]) for test in selector.tests if test.field in values) and any(
        test.field == "eventCategory" and "Management" in test.equals for test in selector.tests
    )


def _passes(test: FieldTest, value: str) -> bool:
    wanted = [value in test.equals] if test.equals else []
    wanted += [any(value.startswith(item) for item in test.starts_with)] if test.starts_with else []
    wanted += [any(value.endswith(item) for item in test.ends_with)] if test.ends_with else []
    refused = value in test.not_equals
    refused = refused or any(value.startswith(item) for item in test.not_starts_with)
    refused = refused or any(value.endswith(item) for item in test.not_ends_with)
    return all(wanted) and not refused


def log_resources(view: View, key: Key) -> list[str]:
    """ARNs of the trails and event data stores that the key encrypts."""
    names = {key.arn, key.key_id, *(alias.name for alias in key.aliases), *(alias.arn for alias in key.aliases)}
    evidence = view.snapshot.evidence
    found = {trail.arn for trail in evidence.trails if trail.kms_key_id in names}
    return sorted(found | {store.arn for store in evidence.event_data_stores if store.kms_key_id in names})
