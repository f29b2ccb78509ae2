"""The generated policy is what a full run calls: nothing missing, nothing that a run could not use."""

from __future__ import annotations

import json

import pytest

from auditor.collectors import permissions
from auditor.collectors.operations import ALL, Level, Need
from auditor.collectors.permissions import operations, policy, render
from tests.aws.estate import fill, fill_iam, fill_organization, management
from tests.aws.faults import Patch
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy


def _everything(proxy: Proxy) -> None:
    """An account in which every operation has something to look at."""
    fill_organization(proxy.url, 1)
    account = management(proxy.url)
    fill_iam(account)
    fill(account, keys=1)
    trail = {"Name": "audit-trail", "S3BucketName": "logs"}
    account.client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    account.client("cloudtrail").create_trail(**trail)
    events = account.client("events")
    events.put_rule(Name="kms", EventPattern=json.dumps({"source": ["aws.kms"]}))
    logs = account.client("logs")
    logs.create_log_group(logGroupName="trail")
    logs.put_metric_filter(
        logGroupName="trail",
        filterName="kms",
        filterPattern="{ $.eventSource = kms.amazonaws.com }",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
    )
    iam = account.client("iam")
    iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["c"], ThumbprintList=["a" * 40])
    share = "arn:aws:ram:eu-central-1:123456789012:resource-share/1"
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    answers: dict[str, Patch] = {
        "kms:DescribeCustomKeyStores": lambda *_: {"CustomKeyStores": [{"CustomKeyStoreId": "cks-1"}]},
        "kms:GetKeyLastUsage": lambda *_: {"TrackingStartDate": 1700000000},
        "cloudtrail:ListEventDataStores": lambda *_: {"EventDataStores": [{"EventDataStoreArn": "arn:aws:eds"}]},
        "cloudtrail:GetEventDataStore": lambda *_: {"EventDataStoreArn": "arn:aws:eds", "Name": "lake"},
        "ram:ListResources": lambda *_: {"resources": [{"arn": key, "resourceShareArn": share}]},
        "ram:listresources": lambda *_: {"resources": [{"arn": key, "resourceShareArn": share}]},
        "ram:/getresourceshares": lambda *_: {"resourceShares": [{"resourceShareArn": share, "name": "s"}]},
        "ram:/listprincipals": lambda *_: {"principals": [{"id": "444455556666", "resourceShareArn": share}]},
    }
    proxy.replaced.update(answers)
    proxy.patches["kms:DescribeKey"] = lambda call, data: {
        "KeyMetadata": {**data["KeyMetadata"], "Description": "patched"}
    }


def test_every_call_of_a_full_run_is_permitted(proxy: Proxy) -> None:
    _everything(proxy)
    before = len(proxy.calls)
    collected(proxy, last_usage=True, retirable_grants=True)
    permitted = {item.action for item in ALL}
    for call in proxy.calls[before:]:
        name = call.operation.strip("/").lower()
        service = {"access-analyzer": "access-analyzer", "monitoring": "cloudwatch"}.get(call.service, call.service)
        candidates = {action for action in permitted if action.split(":")[0] == service}
        assert any(action.split(":")[1].lower() == name or name in ("analyzer",) for action in candidates), call.action


def test_the_core_list_equals_the_core_calls(proxy: Proxy) -> None:
    _everything(proxy)
    proxy.page_size = 1000
    before = len(proxy.calls)
    collected(proxy, evidence=False)
    made = {call.action for call in proxy.calls[before:]}
    core = {item.action for item in ALL if item.need is Need.CORE}
    only_on_need = {
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "kms:DescribeCustomKeyStores",
        "organizations:ListAccounts",
    }
    assert made - core == set()
    assert core - made == only_on_need


def test_with_exactly_the_listed_permissions_there_is_no_gap(proxy: Proxy) -> None:
    _everything(proxy)
    proxy.allowed = frozenset(item.action for item in ALL if item.need is Need.CORE)
    assert collected(proxy, evidence=False).gaps == ()


@pytest.mark.parametrize("missing", sorted(item.action for item in operations(frozenset({Need.CORE}))))
def test_the_policy_only_reads(missing: str) -> None:
    assert missing.split(":")[1].startswith(("Get", "List", "Describe"))


def test_the_forms_are_what_they_say() -> None:
    document = json.loads(render("json"))
    keys = next(item for item in document["Statement"] if item["Sid"] == "KmsAuditKeys")
    assert keys["Resource"] == "arn:aws:kms:*:*:key/*"
    assert set(keys["Action"]) == {item.action for item in ALL if item.level is Level.KEY}
    template = json.loads(render("cloudformation"))
    role = template["Resources"]["AuditRole"]["Properties"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] == keys["Action"]
    assert "sts:AssumeRole" not in json.dumps(role["Policies"])
    assert 'resource "aws_iam_policy"' in render("terraform")
    assert policy("aws-cn")["Statement"][0]["Resource"].startswith("arn:aws-cn:")
    assert permissions.key_statement()["Resource"] == "*"
