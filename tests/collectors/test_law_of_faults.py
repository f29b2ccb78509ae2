"""Every operation failing in every way, end to end: verdicts and findings differ only towards “not known”.

Each account of an organization has a fault of its own; a second collection of the same organization has none.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff

from auditor.collectors import caller, patience
from auditor.collectors.operations import ALL
from auditor.errors import KmsAuditError
from auditor.model.settings import RuleSettings
from tests.aws.collecting import collected
from tests.aws.faulty import KINDS
from tests.aws.fixtures import credentials
from tests.aws.law import Seen, breaches
from tests.aws.serial import spelt
from tests.aws.wire import Call
from tests.aws.written import KEYS, MANAGEMENT, OTHER, REGION, allow, answer, document
from tests.aws.written_server import Wire, WrittenAws
from tests.laws import examples

WIRE = {"accessanalyzer": "access-analyzer", "cloudwatch": "monitoring", "efs": "elasticfilesystem"}
ACTIONS = sorted({f"{WIRE.get(one.service, one.service)}:{one.name}" for one in ALL} - {"sts:GetCallerIdentity"})
OF_THE_CALLER = [action for action in ACTIONS if action.startswith("organizations:")]
IN_ACCOUNTS = [action for action in ACTIONS if action not in OF_THE_CALLER]
PRIMARY = "us-east-1"
Answer = dict[str, Any]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(caller, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(caller, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    with credentials():
        yield


class WeakAws(WrittenAws):
    """An organization with much to find: open keys, a log without KMS, alarms that nobody hears, a lost key store."""

    def good(self, call: Call, asked: Answer) -> Wire:
        found = answer(call, asked, self.accounts)
        weak = _WEAK.get(call.operation)
        if weak is not None:
            weak(call, asked, found)
        kind, content = spelt(call.service, call.operation, found)
        return 200, {"Content-Type": kind}, content


def _metadata(call: Call, asked: Answer, found: Answer) -> None:
    metadata = found["KeyMetadata"]
    metadata["CreationDate"] = "2020-01-02T03:04:05+00:00"
    if asked["KeyId"] == KEYS[1]:
        place = {"Arn": metadata["Arn"].replace(REGION, PRIMARY), "Region": PRIMARY}
        metadata["MultiRegionConfiguration"] = {"MultiRegionKeyType": "REPLICA", "PrimaryKey": place, "ReplicaKeys": []}
        metadata |= {"Origin": "EXTERNAL", "ValidTo": "2025-06-20T00:00:00+00:00"}


def _policy(call: Call, asked: Answer, found: Answer) -> None:
    root = {"AWS": f"arn:aws:iam::{call.account}:root"}
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    statements = {
        KEYS[0]: [
            allow("kms:*", Principal=root),
            allow("kms:Decrypt", Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}),
            allow("kms:Decrypt", Principal="*", Condition=organization),
        ],
        KEYS[1]: [allow("kms:*", Principal=root), allow("kms:Decrypt", Principal="*")],
        KEYS[2]: [allow("kms:Decrypt", Principal={"AWS": f"arn:aws:iam::{call.account}:role/app"})],
    }
    found["Policy"] = document(*statements[asked["KeyId"]])


_WEAK: dict[str, Any] = {
    "DescribeKey": _metadata,
    "GetKeyPolicy": _policy,
    "GetKeyRotationStatus": lambda call, asked, found: found.update(KeyRotationEnabled=False),
    "GetEventSelectors": lambda call, asked, found: found["EventSelectors"][0].update(
        ExcludeManagementEventSources=["kms.amazonaws.com"]
    ),
    "DescribeTrails": lambda call, asked, found: found["trailList"][0].update(HomeRegion=REGION),
    "ListTargetsByRule": lambda call, asked, found: found.update(Targets=[]),
    "DescribeAlarms": lambda call, asked, found: found["MetricAlarms"][0].update(AlarmActions=[]),
    "ListAnalyzers": lambda call, asked, found: found["analyzers"][0].update(status="DISABLED"),
    "DescribeCustomKeyStores": lambda call, asked, found: found["CustomKeyStores"][0].update(
        ConnectionState="DISCONNECTED"
    ),
}
SETTINGS = RuleSettings(reviews=True, approved_regions=(PRIMARY,))
Faults = dict[str, tuple[str, str]]
"""Account → action and kind of fault."""


def seen(accounts: tuple[str, ...], faults: Faults) -> Seen:
    """The organization, where some accounts have a fault each."""

    def garble(call: Call, asked: Answer, good: Wire) -> Wire | None:
        holder = call.account
        if call.action == "sts:AssumeRole":
            holder = str(asked["RoleArn"]).split(":")[4]
        action, kind = faults.get(holder, ("", ""))
        return KINDS[kind](call, good) if action == call.action else None

    with WeakAws(accounts) as aws:
        aws.garble = garble
        return Seen(collected(aws, read_timeout=30.0, resources=True).snapshot, SETTINGS)


def told(faults: Faults) -> list[str]:
    """What breaks the law, of any account."""
    accounts = tuple(sorted(account for account in faults if account != MANAGEMENT))
    try:
        faulted = seen(accounts, faults)
    except KmsAuditError as error:
        assert error.remedy
        return []
    return [f"{json.dumps(faults)}: {one}" for one in breaches(seen(accounts, {}), faulted)]


def test_the_estate_has_much_to_lose() -> None:
    found = seen(("200000000000",), {})
    assert not found.snapshot.gaps
    rules = {one.rule for one in found.report.findings}
    assert rules >= {
        *("public-key-policy", "org-wide-principal", "external-account-access", "no-key-administrator"),
        *("no-kms-change-alarm", "trail-excludes-kms", "access-analyzer-gap", "access-review-overdue"),
        *("custom-key-store-disconnected", "imported-material-expiring", "rotation-disabled", "ram-shared-key"),
        *("aws-managed-key-where-customer-key-expected", "grant-delegable"),
        *("replica-in-unapproved-region", "indirect-key-access-path", "lockout-bypass-allowed"),
    }
    assert len(rules) > 30


def _each(actions: list[str], chosen: random.Random) -> Faults:
    return {f"{200000000000 + n}": (action, chosen.choice(sorted(KINDS))) for n, action in enumerate(actions)}


LOST = (
    ("cloudtrail:GetEventSelectors", "denied"),
    ("events:ListTargetsByRule", "throttled"),
    ("kms:GetKeyPolicy", "gone"),
    ("kms:ListResourceTags", "half"),
)
"""Faults after which findings were once told as resolved, or as new."""


def test_faults_make_nothing_known_that_is_not() -> None:
    assert told({f"{200000000000 + n}": fault for n, fault in enumerate(LOST)}) == []


def test_guardrails_that_an_endpoint_does_not_list_resolve_nothing() -> None:
    """One gap without a subject stands for all levels, and is told by the account that asked."""
    assert told({MANAGEMENT: ("organizations:ListPoliciesForTarget", "not built"), "200000000000": ("", "")}) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(examples(1)))
def test_faults_of_every_operation_make_nothing_known_that_is_not(seed: int) -> None:
    assert told(_each(IN_ACCOUNTS, random.Random(seed))) == []


@pytest.mark.slow
@pytest.mark.parametrize("action", OF_THE_CALLER)
def test_faults_about_the_organization_make_nothing_known_that_is_not(action: str) -> None:
    for kind in random.Random(action).sample(sorted(KINDS), examples(2)):
        assert told({MANAGEMENT: (action, kind), "200000000000": ("", "")}) == []
