"""Evidence records → the dataclasses that rules read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from auditor.model import evidence as model
from auditor.model.key import Fact
from auditor.model.key_events import EventWindow, KeyCalls
from auditor.model.shard import Kind, Shard
from auditor.store.decode_credentials import root_credentials
from auditor.store.decode_keys import decode_grants
from auditor.store.decode_logs import data_store, trail
from auditor.store.decode_resources import resource
from auditor.store.values import Data, inner, items, maybe, number, text, texts


def evidence_of(shard: Shard) -> model.Evidence:
    """The evidence of one shard, in the order of its records."""
    found: dict[str, list[Any]] = {name: [] for name in _NAMES}
    asked: set[tuple[Fact, str, str]] = set()
    place = (shard.account, shard.region)
    for record in shard.records:
        if record.kind is Kind.ASKED:
            asked.add((Fact(text(record.data, "Fact")), *place))
        elif record.kind in _DECODERS:
            name, decoder = _DECODERS[record.kind]
            found[name].append(decoder(record.data, *place))
    return model.Evidence(
        root_credentials=root_credentials(shard),
        asked=frozenset(asked),
        unread=frozenset((gap.fact, *place) for gap in shard.gaps),
        **{name: tuple(values) for name, values in found.items()},
    )


def join_evidence(parts: Iterable[model.Evidence]) -> model.Evidence:
    """The evidence of several shards in one, sorted; root users in the order of the shards."""
    given = tuple(parts)
    return model.Evidence(
        root_credentials=tuple(root for part in given for root in part.root_credentials),
        asked=frozenset().union(*(part.asked for part in given)),
        unread=frozenset().union(*(part.unread for part in given)),
        **{name: tuple(sorted((item for part in given for item in getattr(part, name)), key=repr)) for name in _NAMES},
    )


def _key_store(data: Data, account: str, region: str) -> model.KeyStore:
    proxy = inner(data, "XksProxyConfiguration")
    return model.KeyStore(
        id=text(data, "CustomKeyStoreId"),
        name=text(data, "CustomKeyStoreName"),
        account=account,
        region=region,
        kind=text(data, "CustomKeyStoreType", "AWS_CLOUDHSM"),
        connection_state=text(data, "ConnectionState"),
        error_code=text(data, "ConnectionErrorCode"),
        created=maybe(data, "CreationDate"),
        cluster_id=maybe(data, "CloudHsmClusterId"),
        proxy_connectivity=maybe(proxy, "Connectivity"),
        proxy_endpoint=maybe(proxy, "UriEndpoint"),
    )


def _key_share(data: Data, account: str, region: str) -> model.KeyShare:
    share = inner(data, "Share")
    return model.KeyShare(
        arn=text(share, "resourceShareArn"),
        name=text(share, "name"),
        account=account,
        region=region,
        owner=text(share, "owningAccountId"),
        inbound=text(data, "Owner") != "SELF",
        status=text(share, "status"),
        allows_external=bool(share.get("allowExternalPrincipals")),
        keys=texts(data, "Keys"),
        principals=texts(data, "Principals"),
    )


def _shared_key(data: Data, account: str, region: str) -> model.SharedKey:
    return model.SharedKey(arn=text(data, "KeyArn"), account=account, region=region)


def _retirable(data: Data, account: str, region: str) -> model.RetirableGrant:
    entry = inner(data, "Grant")
    grant = decode_grants([entry], text(entry, "KeyId"))[0]
    return model.RetirableGrant(principal=text(data, "Principal"), account=account, region=region, grant=grant)


def _saml(data: Data, account: str, region: str) -> model.IdentityProvider:
    return model.IdentityProvider(
        arn=text(data, "Arn"),
        kind="saml",
        account=account,
        created=maybe(data, "CreateDate"),
        valid_until=maybe(data, "ValidUntil"),
    )


def _oidc(data: Data, account: str, region: str) -> model.IdentityProvider:
    return model.IdentityProvider(
        arn=text(data, "Arn"),
        kind="oidc",
        account=account,
        url=text(data, "Url").removeprefix("https://"),
        client_ids=tuple(sorted(texts(data, "ClientIDList"))),
        created=maybe(data, "CreateDate"),
    )


def _analyzer(data: Data, account: str, region: str) -> model.Analyzer:
    return model.Analyzer(
        arn=text(data, "arn"),
        name=text(data, "name"),
        account=account,
        region=region,
        kind=text(data, "type"),
        status=text(data, "status"),
    )


def _rule(data: Data, account: str, region: str) -> model.EventRule:
    return model.EventRule(
        arn=text(data, "Arn"),
        name=text(data, "Name"),
        account=account,
        region=region,
        bus=text(data, "EventBusName", "default"),
        state=text(data, "State"),
        pattern=text(data, "EventPattern"),
        targets=texts(data, "Targets"),
    )


def _filter(data: Data, account: str, region: str) -> model.MetricFilter:
    metrics = {
        (text(item, "metricNamespace"), text(item, "metricName")) for item in items(data, "metricTransformations")
    }
    return model.MetricFilter(
        name=text(data, "filterName"),
        log_group=text(data, "logGroupName"),
        account=account,
        region=region,
        pattern=text(data, "filterPattern"),
        metrics=tuple(sorted(metrics)),
    )


def _alarm(data: Data, account: str, region: str) -> model.MetricAlarm:
    return model.MetricAlarm(
        arn=text(data, "AlarmArn"),
        name=text(data, "AlarmName"),
        account=account,
        region=region,
        namespace=text(data, "Namespace"),
        metric=text(data, "MetricName"),
        actions_enabled=bool(data.get("ActionsEnabled", True)),
        actions=tuple(sorted(texts(data, "AlarmActions"))),
    )


def _event_window(data: Data, account: str, region: str) -> EventWindow:
    return EventWindow(
        account=account,
        region=region,
        asked=text(data, "Asked"),
        start=text(data, "From"),
        end=text(data, "To"),
        events=number(data, "Events") or 0,
        unreadable=number(data, "Unreadable") or 0,
    )


def _key_calls(data: Data, account: str, region: str) -> KeyCalls:
    return KeyCalls(
        key=text(data, "Key"),
        account=account,
        region=region,
        caller=text(data, "Caller"),
        caller_account=text(data, "CallerAccount"),
        operation=text(data, "Operation"),
        count=number(data, "Count") or 0,
        last=text(data, "Last"),
        service=text(data, "Service"),
        error=text(data, "Error"),
        context=tuple(sorted(texts(data, "ContextKeys"))),
    )


_DECODERS: dict[Kind, tuple[str, Callable[[Data, str, str], Any]]] = {
    Kind.KEY_STORE: ("key_stores", _key_store),
    Kind.KEY_SHARE: ("shares", _key_share),
    Kind.SHARED_KEY: ("shared_keys", _shared_key),
    Kind.RETIRABLE_GRANT: ("retirable_grants", _retirable),
    Kind.SAML_PROVIDER: ("providers", _saml),
    Kind.OIDC_PROVIDER: ("providers", _oidc),
    Kind.TRAIL: ("trails", trail),
    Kind.EVENT_DATA_STORE: ("event_data_stores", data_store),
    Kind.ANALYZER: ("analyzers", _analyzer),
    Kind.EVENT_RULE: ("event_rules", _rule),
    Kind.METRIC_FILTER: ("metric_filters", _filter),
    Kind.METRIC_ALARM: ("metric_alarms", _alarm),
    Kind.EVENT_WINDOW: ("event_windows", _event_window),
    Kind.KEY_CALLS: ("key_calls", _key_calls),
    Kind.RESOURCE: ("resources", resource),
}
_NAMES = tuple(dict.fromkeys(name for name, _ in _DECODERS.values()))
