"""AWS's answers about trails, alarms, shares, stores, providers and credentials, decoded; odd answers never crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model import evidence as model
from auditor.model.grant import Grant
from auditor.model.key import Fact
from auditor.model.principal import AccessKeyFact, CredentialFacts
from auditor.model.shard import Kind, Record, Shard
from auditor.model.snapshot import Gap, Provenance, ShardCoverage
from auditor.store import decode
from auditor.store.decode_credentials import credentials_by_arn
from auditor.store.decode_evidence import evidence_of
from tests.laws import examples

ACCOUNT, REGION = "111122223333", "eu-central-1"
HERE = {"account": ACCOUNT, "region": REGION}
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
SHARE = f"arn:aws:ram:{REGION}:{ACCOUNT}:resource-share/1"

CASES: dict[str, tuple[Kind, dict[str, Any], str, object]] = {
    "basic selectors that leave KMS out": (
        Kind.TRAIL,
        {
            "TrailARN": TRAIL,
            "Name": "audit",
            "HomeRegion": "eu-west-1",
            "IsMultiRegionTrail": True,
            "KmsKeyId": KEY,
            "S3BucketName": "logs",
            "LogFileValidationEnabled": True,
            "IncludeGlobalServiceEvents": True,
            "Status": {"IsLogging": False},
            "Selectors": {
                "EventSelectors": [
                    {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["rdsdata", "kms.amazonaws.com"]}
                ]
            },
        },
        "trails",
        model.Trail(
            arn=TRAIL,
            name="audit",
            home_account=ACCOUNT,
            home_region="eu-west-1",
            multi_region=True,
            logging=False,
            kms_key_id=KEY,
            bucket="logs",
            global_events=True,
            validated=True,
            selectors=(model.EventSelector(read_write="WriteOnly", excluded_sources=("kms.amazonaws.com", "rdsdata")),),
            **HERE,
        ),
    ),
    "advanced selectors": (
        Kind.TRAIL,
        {
            "TrailARN": TRAIL,
            "Name": "audit",
            "Status": {"IsLogging": True},
            "Selectors": {
                "AdvancedEventSelectors": [
                    {
                        "Name": "no KMS",
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"], "NotStartsWith": ["rds"]},
                            {"Field": "readOnly", "StartsWith": ["t"], "EndsWith": ["e"], "NotEndsWith": ["x"]},
                        ],
                    }
                ]
            },
        },
        "trails",
        model.Trail(
            arn=TRAIL,
            name="audit",
            home_account=ACCOUNT,
            home_region=REGION,
            logging=True,
            advanced=(
                model.AdvancedSelector(
                    "no KMS",
                    (
                        model.FieldTest(field="eventCategory", equals=("Management",)),
                        model.FieldTest(
                            field="eventSource", not_equals=("kms.amazonaws.com",), not_starts_with=("rds",)
                        ),
                        model.FieldTest(field="readOnly", starts_with=("t",), ends_with=("e",), not_ends_with=("x",)),
                    ),
                ),
            ),
            **HERE,
        ),
    ),
    "an organization trail of another account": (
        Kind.TRAIL,
        {
            "TrailARN": "arn:aws:cloudtrail:us-east-1:999988887777:trail/org",
            "Name": "org",
            "IsOrganizationTrail": True,
            "Foreign": True,
        },
        "trails",
        model.Trail(
            arn="arn:aws:cloudtrail:us-east-1:999988887777:trail/org",
            name="org",
            home_account="999988887777",
            home_region="us-east-1",
            organization=True,
            selectors_read=False,
            **HERE,
        ),
    ),
    "an event data store": (
        Kind.EVENT_DATA_STORE,
        {
            "EventDataStoreArn": "arn:aws:eds",
            "Name": "lake",
            "Status": "ENABLED",
            "MultiRegionEnabled": True,
            "OrganizationEnabled": True,
            "RetentionPeriod": 2557,
            "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}],
        },
        "event_data_stores",
        model.EventDataStore(
            arn="arn:aws:eds",
            name="lake",
            status="ENABLED",
            multi_region=True,
            organization=True,
            retention_days=2557,
            advanced=(model.AdvancedSelector("", (model.FieldTest(field="eventCategory", equals=("Management",)),)),),
            **HERE,
        ),
    ),
    "an external key store": (
        Kind.KEY_STORE,
        {
            "CustomKeyStoreId": "cks-1",
            "CustomKeyStoreName": "hsm",
            "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "ConnectionState": "FAILED",
            "ConnectionErrorCode": "XKS_PROXY_TIMED_OUT",
            "XksProxyConfiguration": {"Connectivity": "PUBLIC_ENDPOINT", "UriEndpoint": "https://xks.example.com"},
        },
        "key_stores",
        model.KeyStore(
            id="cks-1",
            name="hsm",
            kind="EXTERNAL_KEY_STORE",
            connection_state="FAILED",
            error_code="XKS_PROXY_TIMED_OUT",
            proxy_connectivity="PUBLIC_ENDPOINT",
            proxy_endpoint="https://xks.example.com",
            **HERE,
        ),
    ),
    "a share with another account": (
        Kind.KEY_SHARE,
        {
            "Owner": "OTHER-ACCOUNTS",
            "Keys": [KEY],
            "Principals": ["444455556666"],
            "Share": {
                "resourceShareArn": SHARE,
                "name": "keys",
                "owningAccountId": "999988887777",
                "status": "ACTIVE",
                "allowExternalPrincipals": True,
            },
        },
        "shares",
        model.KeyShare(
            arn=SHARE,
            name="keys",
            owner="999988887777",
            inbound=True,
            status="ACTIVE",
            allows_external=True,
            keys=(KEY,),
            principals=("444455556666",),
            **HERE,
        ),
    ),
    "a key shared to the account": (
        Kind.SHARED_KEY,
        {"KeyArn": "arn:aws:kms:eu-central-1:999988887777:key/2", "KeyId": "2"},
        "shared_keys",
        model.SharedKey(arn="arn:aws:kms:eu-central-1:999988887777:key/2", **HERE),
    ),
    "a grant that a role may retire": (
        Kind.RETIRABLE_GRANT,
        {
            "Principal": f"arn:aws:iam::{ACCOUNT}:role/app",
            "Grant": {
                "KeyId": KEY,
                "GrantId": "g",
                "GranteeServicePrincipal": "rds.amazonaws.com",
                "RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:role/app",
                "Operations": ["Encrypt", "Decrypt"],
                "Constraints": {"SourceArn": "arn:aws:rds:*:*:db:x", "EncryptionContextEquals": {"b": "2", "a": "1"}},
            },
        },
        "retirable_grants",
        model.RetirableGrant(
            principal=f"arn:aws:iam::{ACCOUNT}:role/app",
            grant=Grant(
                grant_id="g",
                key_arn=KEY,
                grantee_service="rds.amazonaws.com",
                retiring=f"arn:aws:iam::{ACCOUNT}:role/app",
                operations=("Decrypt", "Encrypt"),
                context_equals=(("a", "1"), ("b", "2")),
                source_arn="arn:aws:rds:*:*:db:x",
            ),
            **HERE,
        ),
    ),
    "an OIDC provider": (
        Kind.OIDC_PROVIDER,
        {"Arn": "arn:oidc", "Url": "https://token.example.com", "ClientIDList": ["z", "a"]},
        "providers",
        model.IdentityProvider(
            arn="arn:oidc", kind="oidc", account=ACCOUNT, url="token.example.com", client_ids=("a", "z")
        ),
    ),
    "a SAML provider": (
        Kind.SAML_PROVIDER,
        {"Arn": "arn:saml", "ValidUntil": "2030-01-01T00:00:00Z"},
        "providers",
        model.IdentityProvider(arn="arn:saml", kind="saml", account=ACCOUNT, valid_until="2030-01-01T00:00:00Z"),
    ),
    "an analyzer": (
        Kind.ANALYZER,
        {"arn": "arn:analyzer", "name": "outside", "type": "ORGANIZATION", "status": "ACTIVE"},
        "analyzers",
        model.Analyzer(arn="arn:analyzer", name="outside", kind="ORGANIZATION", status="ACTIVE", **HERE),
    ),
    "an event rule": (
        Kind.EVENT_RULE,
        {"Arn": "arn:rule", "Name": "kms", "State": "ENABLED", "EventPattern": "{}", "Targets": ["arn:topic"]},
        "event_rules",
        model.EventRule(arn="arn:rule", name="kms", state="ENABLED", pattern="{}", targets=("arn:topic",), **HERE),
    ),
    "a metric filter": (
        Kind.METRIC_FILTER,
        {
            "filterName": "f",
            "logGroupName": "trail",
            "filterPattern": "{ $.eventSource = kms.amazonaws.com }",
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n"}],
        },
        "metric_filters",
        model.MetricFilter(
            name="f",
            log_group="trail",
            pattern="{ $.eventSource = kms.amazonaws.com }",
            metrics=(("n", "m"),),
            **HERE,
        ),
    ),
    "an alarm that is switched off": (
        Kind.METRIC_ALARM,
        {
            "AlarmArn": "arn:alarm",
            "AlarmName": "a",
            "Namespace": "n",
            "MetricName": "m",
            "ActionsEnabled": False,
            "AlarmActions": ["arn:z", "arn:a"],
        },
        "metric_alarms",
        model.MetricAlarm(
            arn="arn:alarm",
            name="a",
            namespace="n",
            metric="m",
            actions_enabled=False,
            actions=("arn:a", "arn:z"),
            **HERE,
        ),
    ),
}
ROWS = [
    {"user": "<root_account>", "arn": f"arn:aws:iam::{ACCOUNT}:root", "mfa_active": "false"}
    | {"access_key_1_active": "true", "access_key_2_active": "false", "password_last_used": "no_information"},
    {"user": "ada", "arn": f"arn:aws:iam::{ACCOUNT}:user/ada", "password_enabled": "true", "mfa_active": "true"}
    | {"password_last_used": "2026-01-02T00:00:00+00:00", "access_key_1_active": "true"}
    | {"access_key_1_last_rotated": "2024-01-02T00:00:00+00:00", "access_key_1_last_used_date": "N/A"}
    | {"access_key_2_active": "false", "access_key_2_last_rotated": "N/A"},
]


def _shard(*records: Record, gaps: tuple[Gap, ...] = (), region: str = REGION) -> Shard:
    return Shard(
        account=ACCOUNT, region=region, records=records, gaps=gaps, coverage=ShardCoverage(ACCOUNT, region, "read")
    )


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_decoded_member_by_member(name: str) -> None:
    kind, data, field, expected = CASES[name]
    assert getattr(evidence_of(_shard(Record(kind, data))), field) == (expected,)


def test_the_credential_report_gives_ages_mfa_and_the_root_user() -> None:
    shard = _shard(*(Record(Kind.CREDENTIAL_ROW, row) for row in ROWS), region="")
    assert evidence_of(shard).root_credentials == (model.RootCredentials(account=ACCOUNT, access_keys_active=1),)
    assert credentials_by_arn(shard) == {
        f"arn:aws:iam::{ACCOUNT}:user/ada": CredentialFacts(
            password_enabled=True,
            mfa=True,
            password_last_used="2026-01-02T00:00:00Z",
            access_keys=(AccessKeyFact(True, "2024-01-02T00:00:00Z", None),),
        )
    }


def test_nothing_there_is_told_from_not_looked_and_from_refused() -> None:
    asked = Record(Kind.ASKED, {"Fact": "trails"})
    looked = evidence_of(_shard(asked))
    assert looked.read(Fact.TRAILS, ACCOUNT, REGION)
    assert not looked.read(Fact.ALARMS, ACCOUNT, REGION)
    refused = evidence_of(_shard(asked, gaps=(Gap(fact=Fact.TRAILS, account=ACCOUNT, region=REGION),)))
    assert not refused.read(Fact.TRAILS, ACCOUNT, REGION)


NAMES = sorted(
    {name for _, data, _, _ in CASES.values() for name in data}
    | {"KeyId", "KeyArn", "Metadata", "Policies", "Grants", "Tags", "Rotation", "Rotations", "LastUsage", "Arn"}
    | {"AliasName", "TargetKeyId", "GroupList", "UserPolicyList", "AttachedManagedPolicies", "PermissionsBoundary"}
    | {"PolicyVersionList", "AssumeRolePolicyDocument", "RoleLastUsed", "InstanceProfileList", "Attached", "Content"}
    | {"MultiRegionConfiguration", "Constraints", "Operations", "Id", "Parent", "Kind", "PolicySummary", "user"}
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
ODD = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)
OURS = (Kind.ASKED,)


@settings(max_examples=examples(75), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([kind for kind in Kind if kind not in OURS]), st.dictionaries(st.sampled_from(NAMES), ODD)
        ),
        max_size=6,
    )
)
def test_odd_answers_never_crash_the_decoding(answers: list[tuple[Kind, dict[str, Any]]]) -> None:
    shards = [
        Shard(account=account, region=region, records=records, coverage=ShardCoverage(account, region, "read"))
        for account, region in ((ACCOUNT, ""), (ACCOUNT, REGION), ("organization", ""))
        for records in (tuple(Record(kind, data) for kind, data in answers),)
    ]
    decode(Provenance(), shards)
