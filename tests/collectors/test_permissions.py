"""The generated policy is what a full run calls: nothing missing, nothing that a run could not use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from auditor.collectors import permissions
from auditor.collectors.operation import Level, Need
from auditor.collectors.operations import ALL
from auditor.collectors.permissions import operations, policy, render
from tests.aws.estate import fill, fill_iam, fill_organization, management
from tests.aws.faults import Patch
from tests.aws.filled import fill_resources
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy
from tests.aws.wire import Call
from tests.aws.written import job_of, last_accessed


def _everything(proxy: Proxy) -> None:
    """An account in which every operation has something to look at."""
    fill_organization(proxy.url, 1)
    account = management(proxy.url)
    fill_iam(account)
    (key,) = fill(account, keys=1)
    fill_resources(account, f"arn:aws:kms:eu-central-1:123456789012:key/{key}")
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
    cluster = {"DBClusterArn": "arn:aws:rds:eu-central-1:123456789012:cluster:c", "StorageEncrypted": False}
    answers: dict[str, Patch] = {
        "kms:DescribeCustomKeyStores": lambda *_: {"CustomKeyStores": [{"CustomKeyStoreId": "cks-1"}]},
        "kms:GetKeyLastUsage": lambda *_: {"TrackingStartDate": 1700000000},
        "iam:GenerateServiceLastAccessedDetails": lambda *_: {"JobId": job_of("")},
        "iam:GetServiceLastAccessedDetails": lambda *_: last_accessed(),
        "cloudtrail:ListEventDataStores": lambda *_: {"EventDataStores": [{"EventDataStoreArn": "arn:aws:eds"}]},
        "cloudtrail:GetEventDataStore": lambda *_: {"EventDataStoreArn": "arn:aws:eds", "Name": "lake"},
        "cloudtrail:LookupEvents": lambda *_: {"Events": []},
        "rds:DescribeDBClusters": lambda *_: {"DBClusters": [cluster]},
        "ram:ListResources": lambda *_: {"resources": [{"arn": key, "resourceShareArn": share}]},
        "ram:GetResourceShares": lambda *_: {"resourceShares": [{"resourceShareArn": share, "name": "s"}]},
        "ram:ListPrincipals": lambda *_: {"principals": [{"id": "444455556666", "resourceShareArn": share}]},
    }
    proxy.replaced.update(answers)


@pytest.fixture(scope="module")
def filled(shared_proxy: Proxy) -> tuple[Proxy, dict[str, Patch]]:
    _everything(shared_proxy)
    return shared_proxy, dict(shared_proxy.replaced)


@pytest.fixture
def everything(filled: tuple[Proxy, dict[str, Patch]]) -> Iterator[Proxy]:
    """The account, which no test changes, behind a proxy as it was at first."""
    running, replaced = filled
    yield running
    running.replaced.clear()
    running.replaced.update(replaced)
    running.patches.clear()
    running.faults.clear()
    running.page_size, running.allowed = 2, None


def test_the_list_equals_the_calls_of_a_full_run(everything: Proxy) -> None:
    proxy = everything
    before = len(proxy.calls)
    whole = {
        "org": True,
        "role_name": "audit",
        "last_usage": True,
        "last_accessed": True,
        "key_events": 90,
        "retirable_grants": True,
        "resources": True,
    }
    collected(proxy, **whole)
    rotating = _made(proxy, before)
    # What is called only when it is needed: a key in a custom key store, a policy that the overview leaves out, and
    # a branch of the organization that cannot be walked.
    proxy.patches["kms:DescribeKey"] = _in_a_store
    proxy.deny("organizations:ListAccountsForParent", containing="ou-")
    with without_managed_policies(proxy):
        collected(proxy, **whole)
    assert rotating | _made(proxy, before) == {item.action for item in ALL}


def _made(proxy: Proxy, before: int) -> set[str]:
    permitted = {f"{item.prefix or item.service}:{item.name}": item.action for item in ALL}
    made = {call.action.replace("monitoring:", "cloudwatch:") for call in proxy.calls[before:]}
    return {permitted.get(action, action) for action in made}


def _in_a_store(_: Call, data: dict) -> dict:
    return {"KeyMetadata": {**data["KeyMetadata"], "CustomKeyStoreId": "cks-1"}}


@contextmanager
def without_managed_policies(proxy: Proxy) -> Iterator[None]:
    forwarded = proxy._forwarded

    def cut(path: str, headers: dict[str, str], call: Call, method: str):
        status, kinds, body = forwarded(path, headers, call, method)
        if call.action == "iam:GetAccountAuthorizationDetails":
            body = body.replace(b"<Policies>", b"<Ignored>").replace(b"</Policies>", b"</Ignored>")
        return status, kinds, body

    proxy._forwarded = cut  # type: ignore[method-assign]
    yield
    proxy._forwarded = forwarded  # type: ignore[method-assign]


def test_the_core_list_equals_the_core_calls(everything: Proxy) -> None:
    proxy = everything
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


def test_with_exactly_the_listed_permissions_there_is_no_gap(everything: Proxy) -> None:
    proxy = everything
    proxy.allowed = frozenset(item.action for item in ALL if item.need is Need.CORE)
    assert collected(proxy, evidence=False).gaps == ()


def test_what_the_inventory_takes_is_printed_to_those_who_ask() -> None:
    own = {item.action for item in operations(frozenset({Need.RESOURCES}))}
    assert {"s3:ListAllMyBuckets", "s3:GetEncryptionConfiguration", "elasticfilesystem:DescribeFileSystems"} < own
    for form in permissions.FORMS:
        assert not any(f'"{action}"' in render(form) for action in own)
        assert all(f'"{action}"' in render(form, resources=True) for action in own)


def test_the_event_history_of_all_services_is_no_part_of_what_everybody_gets() -> None:
    for form in permissions.FORMS:
        assert "cloudtrail:LookupEvents" not in render(form)
        assert "cloudtrail:LookupEvents" in render(form, key_events=True)
        assert "s3:" not in render(form, key_events=True)


@pytest.mark.parametrize("missing", sorted(item.action for item in operations(frozenset(Need) - {Need.LAST_ACCESSED})))
def test_the_policy_only_reads(missing: str) -> None:
    assert missing.split(":")[1].startswith(("Get", "List", "Describe", "Lookup"))


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
    assert permissions.key_statement()["Resource"] == "*"


@pytest.mark.parametrize("partition", permissions.PARTITIONS)
def test_no_form_names_another_partition(partition: str) -> None:
    for form in permissions.FORMS:
        assert set(re.findall(r"arn:([a-z-]+|\$\{AWS::Partition\}):", render(form, partition))) == {
            "${AWS::Partition}" if form == "cloudformation" else partition
        }
    statement = json.loads(permissions.render_key_statement(partition))
    assert statement["Principal"]["AWS"] == f"arn:{partition}:iam::111122223333:role/{permissions.ROLE}"


def test_the_policies_fit_into_what_iam_allows() -> None:
    """IAM quotas: 6,144 characters for a managed policy, not counting white space."""
    assert len(json.dumps(policy(needs=frozenset(Need)), separators=(",", ":"))) < 6144


def test_the_template_gives_keys_their_statement_in_every_partition() -> None:
    template = json.loads(render("cloudformation"))
    text = template["Outputs"]["KeyPolicyStatement"]["Value"]["Fn::Sub"]
    names = {"AWS::Partition": "aws-cn", "AWS::AccountId": "444455556666", "RoleName": "Auditor"}
    statement = json.loads(re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], text))
    assert statement["Principal"] == {"AWS": "arn:aws-cn:iam::444455556666:role/Auditor"}
    assert {"AuditAccount", "ExternalId", "RoleName"} == set(template["Parameters"])
