"""IAM's last-accessed reports: asked for, waited for within bounds, and told from what no report says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.collectors import last_accessed as collector
from auditor.model.key import Fact
from auditor.model.principal import LastAccessed
from tests.aws.collecting import Found, collected
from tests.aws.serial import spelt
from tests.aws.wire import Call, error_answer
from tests.aws.written import MANAGEMENT, OPEN, REGION, job_of, last_accessed
from tests.aws.written_server import Wire, WithoutKeys, WrittenAws

THEN = "2025-01-02T03:04:05Z"
GENERATE, GET = "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails"
QUICK = {"evidence": False, "last_usage": False, "retirable_grants": False, "org": False, "role_name": None}
APP = f"arn:aws:iam::{MANAGEMENT}:role/app"
ADA = f"arn:aws:iam::{MANAGEMENT}:user/ada"
IDLE = f"arn:aws:iam::{MANAGEMENT}:role/idle"
Data = dict[str, Any]

pytestmark = pytest.mark.usefixtures("local_credentials")


@pytest.fixture
def aws() -> Iterator[WrittenAws]:
    with WithoutKeys() as served:
        yield served


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "PAUSES", (0.01,))


def answering(aws: WrittenAws, action: str, *answers: Data | str) -> None:
    """Has the server give these answers, or errors, to calls of an action in turn; the last one from there on."""
    left = list(answers)

    def garble(call: Call, asked: Data, good: Wire) -> Wire | None:
        if call.action != action:
            return None
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, str):
            return error_answer(call, found, "no", 403)
        kind, body = spelt("iam", call.operation, found)
        return 200, {"Content-Type": kind}, body

    aws.garble = garble


def seen(found: Found) -> dict[str, LastAccessed | None]:
    return {who.arn: who.last_accessed for who in found.snapshot.principals}


def made(aws: WrittenAws) -> Counter[str]:
    return Counter(call.action for call in aws.calls if "LastAccessed" in call.action)


def test_a_report_is_told_and_kept(aws: WrittenAws) -> None:
    found = collected(aws, **QUICK)
    told = LastAccessed(
        reported=THEN,
        listed=True,
        kms=THEN,
        region=REGION,
        actions=(("CreateGrant", THEN), ("DisableKey", None)),
        latest=THEN,
    )
    assert seen(found) == {APP: told, ADA: told, IDLE: told}
    assert found.gaps(MANAGEMENT) == []
    assert found.snapshot.evidence.read(Fact.LAST_ACCESSED, MANAGEMENT)
    assert "last-accessed" in found.snapshot.provenance.scope.filters


def test_it_is_not_asked_for_without_the_option(aws: WrittenAws) -> None:
    found = collected(aws, **QUICK, last_accessed=False)
    assert made(aws) == Counter()
    assert set(seen(found).values()) == {None}
    assert not [fact for fact, *_ in found.snapshot.evidence.asked if fact is Fact.LAST_ACCESSED]


def test_a_report_is_waited_for(aws: WrittenAws) -> None:
    answering(aws, GET, {**last_accessed(), "JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}, last_accessed())
    found = collected(aws, **QUICK)
    assert None not in seen(found).values()
    assert made(aws) == {GENERATE: 3, GET: 4}
    assert found.gaps(MANAGEMENT) == []


def test_a_report_that_never_ends_is_a_gap(aws: WrittenAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "PATIENCE_SECONDS", 0.2)
    answering(aws, GET, {**last_accessed(), "JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []})
    found = collected(aws, **QUICK)
    assert set(seen(found).values()) == {None}
    gaps = found.gaps(MANAGEMENT)
    assert {(gap.fact, gap.code, gap.operation) for gap in gaps} == {(Fact.LAST_ACCESSED, "Timeout", GET)}
    assert {gap.subject for gap in gaps} == {APP, ADA, IDLE}
    assert not any(gap.essential for gap in gaps)
    assert made(aws)[GENERATE] == 3


def test_a_report_that_fails_is_asked_for_with_less_detail(aws: WrittenAws) -> None:
    failed = {"JobStatus": "FAILED", "JobCreationDate": THEN, "Error": {"Code": "Oops", "Message": "no"}}
    answering(aws, GET, failed, last_accessed())
    found = collected(aws, **QUICK)
    assert found.gaps(MANAGEMENT) == []
    assert made(aws) == {GENERATE: 4, GET: 4}
    levels = [b"ACTION_LEVEL" in call.body for call in aws.calls if call.action == GENERATE]
    assert sorted(levels) == [False, True, True, True]


def test_a_report_that_fails_twice_is_a_gap_with_the_reason(aws: WrittenAws) -> None:
    failed = {"JobStatus": "FAILED", "JobCreationDate": THEN, "Error": {"Code": "Oops", "Message": "no"}}
    answering(aws, GET, failed)
    gaps = collected(aws, **QUICK).gaps(MANAGEMENT)
    assert [(gap.code, gap.message) for gap in gaps] == [("ReportFailed", "The report failed: Oops no")] * 3


def test_one_that_was_refused_is_a_gap_and_no_other(aws: WrittenAws) -> None:
    def garble(call: Call, asked: Data, good: Wire) -> Wire | None:
        return error_answer(call, "AccessDenied", "no", 403) if asked.get("Arn") == APP else None

    aws.garble = garble
    found = collected(aws, **QUICK)
    assert [(gap.subject, gap.code, gap.operation) for gap in found.gaps(MANAGEMENT)] == [
        (APP, "AccessDenied", GENERATE)
    ]
    assert seen(found)[APP] is None and seen(found)[ADA] is not None


def test_a_report_that_another_session_asked_for_is_asked_for_again(aws: WrittenAws) -> None:
    answering(aws, GET, "NoSuchEntity", last_accessed())
    found = collected(aws, **QUICK)
    assert found.gaps(MANAGEMENT) == []
    assert made(aws)[GENERATE] == 4


def test_every_page_is_read(aws: WrittenAws) -> None:
    first = {**last_accessed(), "IsTruncated": True, "Marker": "more", "ServicesLastAccessed": []}
    first["ServicesLastAccessed"] = [{"ServiceName": "a", "ServiceNamespace": "a4b", "TotalAuthenticatedEntities": 0}]

    def garble(call: Call, asked: Data, good: Wire) -> Wire | None:
        if call.action != GET or asked.get("Marker") == "more":
            return None
        kind, body = spelt("iam", call.operation, first)
        return 200, {"Content-Type": kind}, body

    aws.garble = garble
    found = collected(aws, **QUICK)
    assert found.gaps(MANAGEMENT) == []
    assert {report.kms for report in seen(found).values() if report} == {THEN}


def test_a_page_without_an_end_is_a_gap(aws: WrittenAws) -> None:
    answering(aws, GET, {**last_accessed(), "IsTruncated": True, "Marker": "round"})
    found = collected(aws, **QUICK)
    assert {gap.code for gap in found.gaps(MANAGEMENT)} == {"IncompleteAnswer"}
    assert set(seen(found).values()) == {None}


def test_a_service_that_is_not_named_is_not_taken_for_unused(aws: WrittenAws) -> None:
    answering(aws, GET, {**last_accessed(), "ServicesLastAccessed": last_accessed()["ServicesLastAccessed"][1:]})
    assert set(seen(collected(aws, **QUICK)).values()) == {LastAccessed(reported=THEN)}


def test_a_use_at_no_time_is_a_gap(aws: WrittenAws) -> None:
    kms, *_ = last_accessed()["ServicesLastAccessed"]
    kms.pop("LastAuthenticated")
    answering(aws, GET, {**last_accessed(), "ServicesLastAccessed": [kms]})
    found = collected(aws, **QUICK)
    assert {gap.code for gap in found.gaps(MANAGEMENT)} == {"IncompleteAnswer"}
    assert set(seen(found).values()) == {None}


def test_when_nobody_has_a_report_the_rest_is_not_asked_about(aws: WrittenAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "HOPELESS", 1)
    answering(aws, GENERATE, "AccessDenied")
    gaps = collected(aws, **QUICK).gaps(MANAGEMENT)
    assert sorted((gap.subject, gap.code) for gap in gaps) == [("", "NotAsked"), (APP, "AccessDenied")]
    assert "the other 2 were not asked about" in gaps[0].message
    assert made(aws) == {GENERATE: 1}


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        (OPEN, True),
        ('{"Statement": {"Effect": "Allow", "Action": "KMS:Decrypt", "Resource": "*"}}', True),
        ('{"Statement": [{"Effect": "Allow", "Action": ["s3:*", "*"], "Resource": "*"}]}', True),
        ('{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}', True),
        ('{"Statement": [{"Effect": "Allow", "Action": "\\u006bms:Decrypt", "Resource": "*"}]}', True),
        ("%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%7D%5D%7D", True),
        ("what is this", True),
        ('{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}', False),
        ('{"Statement": [{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]}', False),
        ('{"Statement": []}', False),
    ],
)
def test_only_those_are_asked_about_whose_policies_may_allow_kms(document: str, asked: bool) -> None:
    from auditor.collectors.kms_policies import may_use_kms
    from auditor.model.shard import Kind, Record

    inline = [{"PolicyName": "p", "PolicyDocument": document}]
    managed = Record(
        Kind.MANAGED_POLICY, {"Arn": "m", "PolicyVersionList": [{"IsDefaultVersion": True, "Document": document}]}
    )
    group = Record(Kind.GROUP, {"Arn": "g", "GroupName": "g", "GroupPolicyList": inline})
    role = {"Path": "/", "RolePolicyList": [], "AttachedManagedPolicies": []}
    records = [
        managed,
        group,
        Record(Kind.ROLE, {**role, "Arn": "1 inline", "RolePolicyList": inline}),
        Record(Kind.ROLE, {**role, "Arn": "2 managed", "AttachedManagedPolicies": [{"PolicyArn": "m"}]}),
        Record(Kind.USER, {"Path": "/", "Arn": "3 group", "GroupList": ["g"]}),
        Record(Kind.ROLE, {**role, "Arn": "4 unread", "AttachedManagedPolicies": [{"PolicyArn": "gone"}]}),
        Record(Kind.ROLE, {**role, "Arn": "5 linked", "Path": "/aws-service-role/x/", "RolePolicyList": inline}),
        Record(Kind.ROLE, {**role, "Arn": "6 nothing"}),
    ]
    found = may_use_kms(records)
    assert found == (("1 inline", "2 managed", "3 group", "4 unread") if asked else ("4 unread",))


def test_job_ids_are_as_long_as_those_of_aws() -> None:
    assert len(job_of(APP)) == 36
