"""Small estates from YAML for the rule cases: defaults everywhere, so that a case shows only what matters.

``keys`` may omit the policy (then the default key policy stands), ``roles`` and ``users`` take ``policy`` as a list of
statements, ``users`` also ``groups`` as a map of names to such lists. ``${account}`` is not replaced: write account ids
out. Unknown fields fail loudly in the dataclasses.
"""

from __future__ import annotations

import json
from typing import Any

from auditor.model.evidence import (
    AdvancedSelector,
    Analyzer,
    EventDataStore,
    EventRule,
    EventSelector,
    Evidence,
    FieldTest,
    IdentityProvider,
    KeyShare,
    KeyStore,
    MetricAlarm,
    MetricFilter,
    Trail,
)
from auditor.model.grant import Grant
from auditor.model.key import Alias, Fact, Key, LastUsage, Rotation
from auditor.model.key_events import EventWindow, KeyCalls
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import AccessKeyFact, CredentialFacts, LastAccessed, Principal, PrincipalKind
from auditor.model.resource import Encryption, Resource
from auditor.model.settings import (
    ApprovedChange,
    Attestation,
    Cryptoperiods,
    Decommission,
    RuleSettings,
    SharedKey,
    SourceExemption,
    StandingGrant,
    TierNumbers,
    TrustedAccount,
    TrustedShare,
)
from auditor.model.snapshot import AccountFacts, Gap, Provenance, Scope, Snapshot

OWN = "111111111111"
REGION = "eu-west-1"
AS_OF = "2026-11-22T00:00:00Z"
FULL = {"Sid": "FullAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}
LISTED = {
    "trusted_accounts": TrustedAccount,
    "trusted_shares": TrustedShare,
    "shared_keys": SharedKey,
    "standing_grants": StandingGrant,
    "decommissions": Decommission,
    "approved_changes": ApprovedChange,
    "attestations": Attestation,
    "source_exempt_services": SourceExemption,
}
EVIDENCE: dict[str, Any] = {
    "key_stores": KeyStore,
    "shares": KeyShare,
    "providers": IdentityProvider,
    "trails": Trail,
    "event_data_stores": EventDataStore,
    "analyzers": Analyzer,
    "event_rules": EventRule,
    "metric_filters": MetricFilter,
    "metric_alarms": MetricAlarm,
    "event_windows": EventWindow,
    "key_calls": KeyCalls,
    "resources": lambda **given: _resource(given),
}
EVIDENCE_FACTS = (Fact.TRAILS, Fact.ALARMS, Fact.ANALYZERS, Fact.KEY_STORES, Fact.SHARES, Fact.RESOURCES)


def default_policy(account: str) -> list[dict[str, Any]]:
    root = f"arn:aws:iam::{account}:root"
    return [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}]


def document(layer: Layer, name: str, owner: str, content: Any, version: str = "2012-10-17") -> AttachedPolicy:
    text = content if isinstance(content, str) else json.dumps({"Version": version, "Statement": content})
    return AttachedPolicy(layer, name, owner, parse_policy(text))


def _pairs(data: dict[str, str] | None) -> tuple[tuple[str, str], ...] | None:
    return None if data is None else tuple(sorted((key, str(value)) for key, value in data.items()))


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def key(data: dict[str, Any]) -> Key:
    data = dict(data)
    account, region = str(data.pop("account", OWN)), data.pop("region", REGION)
    key_id = data.pop("id", "orders")
    arn = data.pop("arn", f"arn:aws:kms:{region}:{account}:key/{key_id}")
    policies = data.pop("policies", {"default": data.pop("policy", default_policy(account))})
    data["policies"] = tuple(document(Layer.KEY_POLICY, name, arn, content) for name, content in policies.items())
    data["tags"] = _pairs(data.get("tags", {"owner": "team", "data-class": "confidential"}))
    aliases = data.get("aliases", [key_id])
    data["aliases"] = tuple(_alias(item, account, region, key_id) for item in aliases)
    data["grants"] = tuple(_grant(number, entry, arn) for number, entry in enumerate(data.get("grants", ())))
    if "rotation" in data:
        data["rotation"] = Rotation(**_tuples(data["rotation"]))
    if "last_usage" in data:
        data["last_usage"] = LastUsage(**data["last_usage"])
    data["unread"] = frozenset(Fact(name) for name in data.get("unread", ()))
    data.setdefault("created", "2026-01-01T00:00:00Z")
    return Key(arn=arn, key_id=key_id, account=account, region=region, **_tuples(data))


def _alias(item: Any, account: str, region: str, key_id: str) -> Alias:
    data = item if isinstance(item, dict) else {"name": item}
    name = f"alias/{data['name'].removeprefix('alias/')}"
    arn = f"arn:aws:kms:{region}:{account}:{name}"
    return Alias(name, arn, data.get("target_key_id", key_id), data.get("created"), data.get("updated"))


def _grant(number: int, data: dict[str, Any], arn: str) -> Grant:
    data = dict(data)
    for name in ("context_equals", "context_subset"):
        data[name] = _pairs(data.get(name))
    data.setdefault("grant_id", f"grant-{number}")
    data.setdefault("created", "2026-06-01T00:00:00Z")
    return Grant(key_arn=arn, **_tuples(data))


def principal(kind: PrincipalKind, data: dict[str, Any]) -> Principal:
    data = dict(data)
    account = str(data.pop("account", OWN))
    word = "user" if kind is PrincipalKind.USER else "role"
    name = data.pop("name")
    path = data.pop("path", "/")
    arn = f"arn:aws:iam::{account}:{word}{path}{name}"
    statements = data.pop("policy", None)
    managed = data.pop("managed", {})
    attached = [document(Layer.IDENTITY, "inline", arn, statements)] if statements else []
    attached += [document(Layer.IDENTITY, policy, policy, content) for policy, content in managed.items()]
    groups = {group: f"arn:aws:iam::{account}:group/{group}" for group in data.get("groups", ())}
    inherited = data.pop("groups", {})
    attached += [document(Layer.IDENTITY, "inline", owner, inherited[group]) for group, owner in groups.items()]
    boundary = data.pop("boundary", None)
    trust = data.pop("trust", None)
    credentials = data.pop("credentials", None)
    if credentials is not None:
        keys = tuple(AccessKeyFact(**entry) for entry in credentials.get("access_keys", ()))
        credentials = CredentialFacts(**{**credentials, "access_keys": keys})
    accessed = data.pop("last_accessed", None)
    return Principal(
        kind=PrincipalKind.SERVICE_LINKED_ROLE if "/aws-service-role/" in path else kind,
        arn=arn,
        iam_arn=arn,
        account=account,
        name=name,
        path=path,
        unique_id=data.pop("unique_id", f"AROA{name.upper().replace('-', '')}"),
        tags=_pairs(data.pop("tags", {})) or (),
        groups=tuple(groups),
        identity_policies=tuple(attached),
        boundary=document(Layer.BOUNDARY, "boundary", arn, boundary) if boundary is not None else None,
        trust_policy=parse_policy(json.dumps({"Version": "2012-10-17", "Statement": trust})) if trust else None,
        credentials=credentials,
        last_accessed=_last_accessed(accessed) if accessed is not None else None,
        unread=frozenset(Fact(item) for item in data.pop("unread", ())),
        **_tuples(data),
    )


def _last_accessed(data: dict[str, Any]) -> LastAccessed:
    actions = tuple(sorted(data.get("actions", {}).items()))
    return LastAccessed(**{"reported": AS_OF, "listed": True, **data, "actions": actions})


def organization(data: dict[str, Any] | None) -> Organization | None:
    if data is None:
        return None
    management = str(data.get("management", "999900000000"))
    accounts = {str(name): entry or {} for name, entry in (data.get("accounts") or {OWN: {}}).items()}
    accounts.setdefault(management, {})
    root, above = _target("r-root", "Root", "root", None, data), data.get("units", {})
    units = sorted({entry.get("ou", "workloads") for entry in accounts.values()})
    targets = [root, *(_target(f"ou-{unit}", unit, TargetKind.UNIT, "r-root", above.get(unit, {})) for unit in units)]
    for name, entry in sorted(accounts.items()):
        targets.append(_target(name, name, "account", f"ou-{entry.get('ou', 'workloads')}", entry))
    return Organization(id="o-example", management_account=management, targets=tuple(targets))


def _target(target: str, name: str, kind: str, parent: str | None, data: dict[str, Any]) -> OrgTarget:
    scps = [document(Layer.SCP, "FullAWSAccess", target, [FULL])]
    scps += [document(Layer.SCP, policy, target, content) for policy, content in data.get("scps", {}).items()]
    rcps = [document(Layer.RCP, "RCPFullAWSAccess", target, [{**FULL, "Principal": "*"}])]
    rcps += [document(Layer.RCP, policy, target, content) for policy, content in data.get("rcps", {}).items()]
    return OrgTarget(
        id=target,
        name=name,
        kind=TargetKind(kind),
        parent=parent,
        tags=_pairs(data.get("tags", {})) or (),
        status=data.get("status", "ACTIVE"),
        scps=tuple(scps),
        rcps=tuple(rcps),
        unread=frozenset(Fact(item) for item in data.get("unread", ())),
    )


def evidence(data: dict[str, Any] | None, places: set[tuple[str, str]], gaps: tuple[Gap, ...]) -> Evidence:
    if data is None:
        return Evidence()
    found: dict[str, Any] = {}
    for name, entries in data.items():
        if name not in EVIDENCE:
            continue
        found[name] = tuple(EVIDENCE[name](**_evidence_fields(name, entry)) for entry in entries)
    facts = [Fact(item) for item in data.get("asked", [fact.value for fact in EVIDENCE_FACTS])]
    asked = frozenset((fact, account, region) for fact in facts for account, region in places)
    asked |= frozenset((fact, account, "") for fact in facts for account, _ in places)
    asked |= frozenset((Fact.KEY_EVENTS, item.account, item.region) for item in found.get("event_windows", ()))
    asked = frozenset(place for place in asked if place[2] not in data.get("nowhere", ()))
    named = {(Fact(fact), str(account)) for fact, accounts in data.get("unread", {}).items() for account in accounts}
    unread = frozenset(place for place in asked if place[:2] in named) | {(*place, "") for place in named}
    unread |= frozenset((gap.fact, gap.account, gap.region) for gap in gaps)
    return Evidence(asked=asked, unread=unread, **found)


SHORT: dict[str, dict[str, Any]] = {
    "event_windows": {"asked": "2026-08-24T00:00:00Z", "start": "2026-08-24T00:00:00Z", "end": AS_OF},
    "key_calls": {"key": "orders", "caller": "role/app", "operation": "Decrypt", "count": 1, "last": AS_OF},
}
"""What stands where an entry leaves it out."""


def _spelt_out(data: dict[str, Any]) -> dict[str, Any]:
    """Calls with the ARNs of a key that is named by its id, and of a role or user that is named without account."""
    place = f"arn:aws:kms:{data['region']}"
    if data["key"] and not data["key"].startswith("arn:"):
        data["key"] = f"{place}:{data['account']}:key/{data['key']}"
    owner = data.setdefault("caller_account", data["account"])
    if data["caller"].startswith(("role/", "user/")):
        data["caller"] = f"arn:aws:iam::{owner}:{data['caller']}"
    return data


def _evidence_fields(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    data = {"account": OWN, "region": REGION, **SHORT.get(name, {}), **entry}
    data |= {place: str(data[place]) for place in ("account", "caller_account") if place in data}
    data = _spelt_out(data) if name == "key_calls" else data
    if "selectors" in data:
        data["selectors"] = tuple(EventSelector(**_tuples(item)) for item in data["selectors"])
    if "advanced" in data:
        data["advanced"] = tuple(
            AdvancedSelector("", tuple(FieldTest(**_tuples(test)) for test in item)) for item in data["advanced"]
        )
    if "metrics" in data:
        data["metrics"] = tuple(tuple(pair) for pair in data["metrics"])
    if isinstance(data.get("pattern"), dict):
        data["pattern"] = json.dumps(data["pattern"])
    return _tuples(data)


def _resource(data: dict[str, Any]) -> Resource:
    """A bucket that is read whole, under alias/aws/s3, unless it says otherwise; ``policy``: statements or text."""
    policy, key = data.pop("policy", None), data.pop("key", "alias/aws/s3")
    text = json.dumps({"Version": "2012-10-17", "Statement": list(policy)}) if isinstance(policy, tuple) else policy
    encryption = data.pop("encryption", "kms")
    return Resource(
        arn=data.pop("arn", "arn:aws:s3:::ledger"),
        kind=data.pop("kind", "AWS::S3::Bucket"),
        encryption=Encryption(encryption) if encryption else None,
        key=key if encryption == "kms" else None,
        tags=_pairs(data.pop("tags", {})),
        policy=parse_policy(text) if text is not None else None,
        policy_read=True,
        **data,
    )


def settings(data: dict[str, Any] | None) -> RuleSettings:
    found: dict[str, Any] = {}
    for name, value in (data or {}).items():
        if name in LISTED:
            found[name] = tuple(
                LISTED[name](**{k: str(v) if k == "account" else v for k, v in e.items()}) for e in value
            )
        elif name in ("max_plaintext_principals", "review_days"):
            found[name] = TierNumbers(**value)
        elif name == "cryptoperiod_days":
            found[name] = Cryptoperiods(**value)
        elif isinstance(value, dict):
            found[name] = tuple(value.items())
        else:
            found[name] = tuple(str(item) for item in value) if isinstance(value, list) else value
    return RuleSettings(**found)


def _unread(account: str, gaps: tuple[Gap, ...]) -> frozenset[Fact]:
    """The facts of a whole account that could not be read, as the store decodes them."""
    return frozenset(gap.fact for gap in gaps if gap.account == account and not gap.subject)


def snapshot(data: dict[str, Any]) -> Snapshot:
    keys = tuple(sorted((key(entry) for entry in data.get("keys", [{}])), key=lambda item: item.arn))
    principals = [principal(PrincipalKind.ROLE, entry) for entry in data.get("roles", ())]
    principals += [principal(PrincipalKind.USER, entry) for entry in data.get("users", ())]
    ids = {str(name) for name in data.get("collected", ())} or {item.account for item in keys} | {OWN}
    regions = tuple(sorted({item.region for item in keys} | {REGION}))
    gaps = tuple(Gap(**{**entry, "fact": Fact(entry["fact"])}) for entry in data.get("gaps", ()))
    accounts = tuple(AccountFacts(id=name, regions=regions, unread=_unread(name, gaps)) for name in sorted(ids))
    return Snapshot(
        provenance=Provenance(
            caller="arn:aws:iam::111111111111:role/auditor", scope=Scope(accounts=tuple(sorted(ids)), regions=regions)
        ),
        accounts=accounts,
        keys=keys,
        principals=tuple(sorted(principals, key=lambda item: item.arn)),
        organization=organization(data.get("organization")),
        organization_unread=bool(data.get("organization_unread", False)),
        gaps=gaps,
        evidence=evidence(data.get("evidence"), {(item.account, item.region) for item in keys} | {(OWN, REGION)}, gaps),
    )
