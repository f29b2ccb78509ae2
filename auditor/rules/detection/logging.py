"""Rules about logs and alarms: whether KMS activity is kept, and whether anybody is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditor.evaluator.glob import matches
from auditor.model.actions import DESTROY, TAKEOVER
from auditor.model.evidence import Evidence as Facts
from auditor.model.finding import Evidence
from auditor.model.key import Fact, Key
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.detection.sinks import keeps_kms, log_resources, store_covers, store_keeps_kms, trail_covers
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.principals import service_linked
from auditor.rules.privilege.power import power
from auditor.rules.reach import INSIDE, Openness
from auditor.rules.view import View

CORE_EVENTS = ("DisableKey", "ScheduleKeyDeletion")
MORE_EVENTS = (
    "PutKeyPolicy",
    "CreateGrant",
    "DeleteImportedKeyMaterial",
    "ImportKeyMaterial",
    "ReplicateKey",
    "UpdateAlias",
    "DisconnectCustomKeyStore",
)


def places(view: View, fact: Fact) -> dict[tuple[str, str], list[Key]]:
    """Account and Region → customer managed keys, for places where ``fact`` was fully read."""
    found: dict[tuple[str, str], list[Key]] = {}
    facts: Facts = view.snapshot.evidence
    for key in view.keys:
        if facts.read(fact, key.account, key.region) or facts.read(fact, key.account):
            found.setdefault((key.account, key.region), []).append(key)
    return dict(sorted(found.items()))


def _sinks(view: View, account: str, region: str) -> list[tuple[str, bool | None, bool | None]]:
    """``(name, keeps KMS writes, keeps KMS reads)`` of every active sink for the place."""
    evidence = view.snapshot.evidence
    trails = {trail.arn: trail for trail in evidence.trails if trail_covers(trail, account, region, view.trust)}
    stores = {
        store.arn: store for store in evidence.event_data_stores if store_covers(store, account, region, view.trust)
    }
    found = [(trail.arn, keeps_kms(trail, False), keeps_kms(trail, True)) for trail in trails.values()]
    found += [(store.arn, store_keeps_kms(store, False), store_keeps_kms(store, True)) for store in stores.values()]
    return sorted(found)


def _place_hit(
    place: tuple[str, str], keys: list[Key], summary: str, evidence: tuple[Evidence, ...], **clauses: tuple[str, ...]
) -> Hit:
    account, region = place
    return Hit(
        subject=f"{account}/{region}",
        kind="account-region",
        summary=summary,
        account=account,
        region=region,
        keys=tuple(key.arn for key in keys),
        evidence=evidence,
        raised=clauses.get("raised", ()),
        lowered=clauses.get("lowered", ()),
    )


def trail_excludes_kms(view: View) -> Iterator[Hit]:
    """KMS events are filtered out of the audit log of an account and Region.

    Looks at every active trail and event data store: one that keeps KMS events is enough. When only write events are
    kept, Encrypt, Decrypt and GenerateDataKey are missing, because CloudTrail counts them as reads. A trail that
    excludes KMS while another covers it is information.

    Fix: remove the exclusion, and restrict who may change event selectors.
    """
    for place, keys in places(view, Fact.TRAILS).items():
        sinks = _sinks(view, *place)
        if not sinks or any(write is None for _, write, _ in sinks):
            continue
        writes = [name for name, write, _ in sinks if write]
        reads = [name for name, _, read in sinks if read]
        partial = [name for name, write, read in sinks if not (write and read)]
        if not partial:
            continue
        evidence = tuple(
            Evidence("sink", f"{name}: writes {'kept' if w else 'dropped'}, reads {'kept' if r else 'dropped'}")
            for name, w, r in sinks
        )
        lost = "all KMS events" if not writes else "KMS read events, which include Decrypt"
        summary = f"The audit log of {place[0]} in {place[1]} drops {lost}: see {listing(partial)}."
        if writes and reads:
            summary = f"{listing(partial)} drops KMS events of {place[0]} in {place[1]}, which another log keeps."
        yield _place_hit(
            place,
            keys,
            summary,
            evidence,
            lowered=given((writes and not reads, "only read events"), (writes and reads, "covered elsewhere")),
        )


def no_active_trail(view: View) -> Iterator[Hit]:
    """No trail and no event data store keeps what happens to the keys of an account and Region.

    The event history of the console does not count: it ends after 90 days and cannot be kept.

    Fix: create an organization trail for all Regions with log file validation.
    """
    for place, keys in places(view, Fact.TRAILS).items():
        if not _sinks(view, *place):
            summary = f"No log keeps KMS activity of account {place[0]} in {place[1]}."
            yield _place_hit(place, keys, summary, (Evidence("sinks", "none active"),))


def _told_events(view: View, account: str, region: str) -> set[str]:
    evidence = view.snapshot.evidence
    told: set[str] = set()
    for rule in evidence.event_rules:
        if rule.account == account and rule.region == region and rule.state == "ENABLED" and rule.targets:
            told |= _events_of(rule.pattern)
    for alarm in evidence.metric_alarms:
        if alarm.account != account or not alarm.actions_enabled or not alarm.actions:
            continue
        for item in evidence.metric_filters:
            if item.account == account and (alarm.namespace, alarm.metric) in item.metrics:
                told |= {name for name in (*CORE_EVENTS, *MORE_EVENTS) if name in item.pattern}
    return told


def _events_of(pattern: str) -> set[str]:
    """The KMS events that an EventBridge pattern takes."""
    try:
        detail = json.loads(pattern).get("detail", {})
    except (ValueError, AttributeError):
        return set()
    if not isinstance(detail, dict) or "kms.amazonaws.com" not in detail.get("eventSource", ["kms.amazonaws.com"]):
        return set()
    if "kms" not in pattern:
        return set()
    names = detail.get("eventName")
    wanted = (*CORE_EVENTS, *MORE_EVENTS)
    return set(wanted) if names is None else {name for name in wanted if any(_takes(item, name) for item in names)}


def _takes(item: object, name: str) -> bool:
    """Whether one entry of an EventBridge filter takes an event name."""
    if not isinstance(item, dict):
        return item == name
    if isinstance(item.get("prefix"), str):
        return name.startswith(item["prefix"])
    if isinstance(item.get("suffix"), str):
        return name.endswith(item["suffix"])
    if isinstance(item.get("wildcard"), str):
        return matches(item["wildcard"], name)
    refused = item.get("anything-but")
    return refused is not None and name not in (refused if isinstance(refused, list) else [refused])


def no_kms_change_alarm(view: View) -> Iterator[Hit]:
    """Nobody is told when a key is disabled, scheduled for deletion or re-permissioned.

    Counts metric filters with an alarm that notifies, and EventBridge rules with a target, per account and Region. The
    wider set (PutKeyPolicy, CreateGrant, …) is listed as missing parts. A SIEM that the settings name in
    ``external_detection`` turns the finding into information, because it cannot be checked.

    Fix: one EventBridge rule for the full set.
    """
    for place, keys in places(view, Fact.ALARMS).items():
        told = _told_events(view, *place)
        core = [name for name in CORE_EVENTS if name not in told]
        missing = [name for name in (*CORE_EVENTS, *MORE_EVENTS) if name not in told]
        if not missing:
            continue
        outside = view.settings.external_detection
        what = "is disabled or deleted" if core else f"sees {listing(missing, 3)}"
        yield _place_hit(
            place,
            keys,
            f"Nobody is alerted when a key of {place[0]} in {place[1]} {what}.",
            (Evidence("events covered", listing(told) or "none"), Evidence("events missing", listing(missing, 9))),
            lowered=given((not core, "only parts of the extended set"), (outside, "`external_detection`")),
        )


def access_analyzer_gap(view: View) -> Iterator[Hit]:
    """No external access analyzer watches the Region of a key, or it cannot read the key.

    Looks for an active analyzer of the account or of the organization, and asks whether the analyzer's service-linked
    role may read the key's metadata. Where analyzers were not collected, only the second part is told.

    Fix: create an organization analyzer, and let its role read the metadata in every key policy.
    """
    from auditor.evaluator.synthetic import analyzer_role

    analyzers = [item for item in view.snapshot.evidence.analyzers if item.status == "ACTIVE"]
    for place, keys in places(view, Fact.ANALYZERS).items():
        account, region = place
        watching = [
            item
            for item in analyzers
            if item.region == region
            and (
                (item.kind == "ORGANIZATION" and account in view.trust.organization_accounts | view.trust.collected)
                or (item.kind == "ACCOUNT" and item.account == account)
            )
        ]
        role = analyzer_role(account)
        blind = [
            key
            for key in keys
            if Fact.KEY_POLICY not in key.unread
            and any(
                view.decide(role, key, name).outcome.denied for name in ("DescribeKey", "GetKeyPolicy", "ListGrants")
            )
        ]
        if watching and not blind:
            continue
        what = "cannot read some keys" if watching else "is missing"
        yield _place_hit(
            place,
            blind if watching else keys,
            f"Access Analyzer {what} in account {account}, {region}.",
            (
                Evidence("active analyzers", listing(item.arn for item in watching) or "none"),
                Evidence("blind keys", listing(key.arn for key in blind) or "none"),
            ),
            raised=given((any(view.tier(key) == "T1" for key in keys), "T1 keys")),
        )


def audit_log_key_at_risk(view: View) -> Iterator[Hit]:
    """The key that protects the audit log can be stopped by those whom the log watches.

    A trail whose key is disabled or deleted writes nothing any more. Told when the key is not enabled, when somebody
    outside ``log_admins`` may destroy it or take it over.

    Fix: keep a dedicated key in the log account, administered there.
    """
    for key in view.keys:
        logs = log_resources(view, key)
        if not logs:
            continue
        able = _stoppers(view, key)
        stopped = key.state != "Enabled"
        if not stopped and not able:
            continue
        summary = f"{key.label} protects {listing(logs)} and "
        summary += f"is {key.state}." if stopped else f"{count(len(able), 'principal')} outside log_admins can stop it."
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=summary,
            keys=(key.arn,),
            principals=tuple(able),
            evidence=(
                Evidence("log", listing(logs)),
                Evidence("state", key.state),
                Evidence("can stop it", listing(able) or "nobody outside log_admins"),
            ),
            raised=given((key.state in ("Disabled", "PendingDeletion", "PendingReplicaDeletion"), "state is Disabled")),
            identity=tuple(logs),
            remedy=_restart(key) if stopped else _for_log_admins(view, key),
            remedy_kind="cli" if stopped else "policy",
            advice="Bring the key back now." if stopped else "Leave the key of the log to those who administer logs.",
        )


def _restart(key: Key) -> str:
    """The commands that make a stopped key usable again."""
    lines = [f"aws kms cancel-key-deletion --key-id {key.arn}"] if key.state.startswith("Pending") else []
    return "\n".join([*lines, f"aws kms enable-key --key-id {key.arn}"])


def _for_log_admins(view: View, key: Key) -> str:
    """A Deny for the key policy that leaves stopping and re-permissioning to the log administrators."""
    root = f"arn:{key.arn.split(':')[1]}:iam::{key.account}:root"
    actions = ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateGrant")
    condition = {"ArnNotLike": {"aws:PrincipalArn": one_or_many([*view.settings.log_admins, root])}}
    return deny("LogAdministratorsOnly", actions, condition, in_key_policy=True)


def _stoppers(view: View, key: Key) -> list[str]:
    position = view.reach.key_at[key.arn]
    own = power(view)
    return [
        who.arn
        for row, who in enumerate(view.reach.principals)
        if who.kind in INSIDE
        and not service_linked(who)
        and not view.trust.named(who, view.settings.log_admins)
        and own.held(row, view.reach.profile(row, position), position, Openness.OPEN, Openness.GUARDED)
        & (DESTROY | TAKEOVER)
    ]
