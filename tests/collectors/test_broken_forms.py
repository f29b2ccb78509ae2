"""Answers that are not what they should be, one kind at a time: lists without an end, foreign names, odd dates."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from auditor.collectors import paging
from auditor.errors import CollectionError
from auditor.model.key import Fact
from tests.aws.breaking import MEMBER, QUICK, changed, found, gaps
from tests.aws.collecting import collected
from tests.aws.wire import Call, error_answer
from tests.aws.written import MANAGEMENT, REGION
from tests.aws.written_server import Wire, WrittenAws

pytestmark = pytest.mark.usefixtures("local_credentials")


def test_a_list_that_always_names_one_more_empty_page_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "EMPTY_PAGES", 5)
    turns = iter(range(10_000))
    body = lambda *_: json.dumps({"Keys": [], "Truncated": True, "NextMarker": f"m{next(turns)}"}).encode()  # noqa: E731
    result = found("kms:ListKeys", body)
    assert gaps(result) == {(MEMBER, REGION, Fact.KEY_LIST, "IncompleteAnswer")}
    assert next(turns) < 10, "begun again, although it has no end"


def test_a_list_that_always_names_the_same_items_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "EMPTY_PAGES", 5)
    turns = iter(range(10_000))

    def same(data: dict[str, Any]) -> None:
        data.update(Truncated=True, NextMarker=f"m{next(turns)}")

    result = changed("kms:ListKeys", same)
    assert gaps(result) == {(MEMBER, REGION, Fact.KEY_LIST, "IncompleteAnswer")}
    assert len([key for key in result.snapshot.keys if key.account == MEMBER]) == 3


def test_a_marker_without_a_word_on_more_is_no_end() -> None:
    result = changed("kms:ListGrants", lambda data: data.update(NextMarker="m2", Truncated=None))
    assert gaps(result) == {(MEMBER, REGION, Fact.GRANTS, "IncompleteAnswer")}
    assert all(len(key.grants) == 2 for key in result.snapshot.keys)


@pytest.mark.parametrize("refusals", [1, 100])
def test_a_marker_that_is_refused_begins_the_list_again(refusals: int) -> None:
    left = iter(range(refusals))

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if (call.action, call.account) != ("kms:ListKeys", MEMBER):
            return None
        keys = json.loads(good[2])["Keys"]
        if "Marker" not in asked:
            return 200, good[1], json.dumps({"Keys": keys[:2], "Truncated": True, "NextMarker": "m"}).encode()
        if next(left, None) is not None:
            return error_answer(call, "InvalidMarkerException", "The marker has expired", 400)
        return 200, good[1], json.dumps({"Keys": keys[2:], "Truncated": False}).encode()

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        result = collected(aws, **QUICK)
    lasting = {(MEMBER, REGION, Fact.KEY_LIST, "IncompleteAnswer")}
    assert gaps(result) == (lasting if refusals > 1 else set())
    assert len(result.snapshot.keys) == (5 if refusals > 1 else 6)


@pytest.mark.parametrize("item", [None, "text", 5, {}, {"GrantId": "c"}])
def test_one_bad_item_takes_nothing_from_the_others(item: object) -> None:
    result = changed("kms:ListGrants", lambda data: data["Grants"].append(item))
    assert gaps(result) == {(MEMBER, REGION, Fact.GRANTS, "IncompleteAnswer")}
    assert all(len(key.grants) == 2 for key in result.snapshot.keys)
    assert {key.account for key in result.snapshot.keys if Fact.GRANTS in key.unread} == {MEMBER}


def test_a_grant_told_twice_and_differently_counts_as_not_read() -> None:
    result = changed(
        "kms:ListGrants", lambda data: data["Grants"].append({**data["Grants"][0], "Operations": ["Sign"]})
    )
    assert gaps(result) == {(MEMBER, REGION, Fact.GRANTS, "IncompleteAnswer")}
    assert {len(key.grants) for key in result.snapshot.keys if key.account == MEMBER} == {1}


def test_the_same_grant_told_twice_is_one() -> None:
    result = changed("kms:ListGrants", lambda data: data["Grants"].append(data["Grants"][0]))
    assert not result.snapshot.gaps
    assert all(len(key.grants) == 2 for key in result.snapshot.keys)


def test_a_text_is_not_the_list_of_its_letters() -> None:
    result = changed("kms:ListGrants", lambda data: data["Grants"][0].update(Operations="Decrypt"))
    assert gaps(result) == {(MEMBER, REGION, Fact.GRANTS, "IncompleteAnswer")}


def test_a_selector_of_a_trail_that_says_nothing_is_a_gap() -> None:
    result = changed("cloudtrail:GetEventSelectors", lambda data: data.update(EventSelectors=[{}]), evidence=True)
    assert gaps(result) == {(MEMBER, REGION, Fact.TRAILS, "IncompleteAnswer")}


def test_a_date_at_the_edge_of_the_calendar_is_a_gap() -> None:
    edge = "0001-01-01T00:00:00+14:00"
    result = changed("kms:DescribeKey", lambda data: data["KeyMetadata"].update(CreationDate=edge))
    assert {(fact, code) for _, _, fact, code in gaps(result)} == {(Fact.KEY_METADATA, "IncompleteAnswer")}
    assert len(result.snapshot.keys) == 6


def test_a_description_of_another_accounts_key_says_nothing() -> None:
    def foreign(data: dict[str, Any]) -> None:
        data["KeyMetadata"]["Arn"] = data["KeyMetadata"]["Arn"].replace(MEMBER, MANAGEMENT)

    result = changed("kms:DescribeKey", foreign)
    assert {gap.account for gap in result.snapshot.gaps} == {MEMBER}
    assert {key.account for key in result.snapshot.keys if key.unread} == {MEMBER}
    assert len(result.snapshot.keys) == 6


def test_a_listed_key_of_another_account_is_none_of_this_one() -> None:
    result = changed(
        "kms:ListKeys",
        lambda data: data["Keys"][0].update(KeyArn=data["Keys"][0]["KeyArn"].replace(MEMBER, MANAGEMENT)),
    )
    assert gaps(result) == {(MEMBER, REGION, Fact.KEY_METADATA, "IncompleteAnswer")}
    assert len(result.snapshot.keys) == 5
    assert not any(key.unread for key in result.snapshot.keys)


@pytest.mark.parametrize("name", ["../../x", "eu-central-1\n", "", "EU"])
def test_what_is_no_region_names_no_file(name: str) -> None:
    result = changed("account:ListRegions", lambda data: data["Regions"].append({"RegionName": name}))
    assert {item.region for item in result.snapshot.coverage if item.account == MEMBER} == {"", REGION}


def test_a_region_listed_twice_is_read_once() -> None:
    result = changed("account:ListRegions", lambda data: data["Regions"].append(data["Regions"][0]))
    assert not result.snapshot.gaps
    assert len(result.snapshot.keys) == 6


def test_without_any_list_of_regions_probing_says_so() -> None:
    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        broken = {"account:ListRegions": b'{"Regions": [null]}', "ec2:DescribeRegions": b"<html>Sign in</html>"}
        if call.action == "kms:ListKeys" and call.region != REGION:
            return error_answer(call, "InvalidSignatureException", "Signature not yet current", 400)
        return (good[0], good[1], broken[call.action]) if call.action in broken else None

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        result = collected(aws, regions=(REGION, "ap-east-*"), **QUICK)
    facts = {(gap.region, gap.fact) for gap in result.snapshot.gaps}
    assert ("", Fact.REGIONS) in facts
    assert ("ap-east-1", Fact.KEY_LIST) in facts, "a wrong clock is no disabled Region"


def test_half_an_answer_with_credentials_leaves_none_in_the_snapshot() -> None:
    half = b"<AssumeRoleResponse><AssumeRoleResult><Credentials><SecretAccessKey>hidden</SecretAccessKey>"
    result = found("sts:AssumeRole", lambda *_: half, MANAGEMENT)
    assert [(gap.account, gap.fact) for gap in result.snapshot.gaps] == [(MEMBER, Fact.ACCOUNT)]
    assert "hidden" not in repr(result.snapshot)


def test_credentials_that_are_past_their_end_tell_of_the_clock() -> None:
    past = (
        b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s"
        b"</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2001-01-01T00:00:00Z</Expiration>"
        b"</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
    result = found("sts:AssumeRole", lambda *_: past, MANAGEMENT)
    assert [(gap.account, gap.code) for gap in result.snapshot.gaps] == [(MEMBER, "InvalidCredentials")]
    assert "clock" in result.snapshot.gaps[0].message


@pytest.mark.parametrize("account", [b"../x", b"12345678901", b""])
def test_a_caller_without_an_account_id_stops_the_run(account: bytes) -> None:
    result = b"<GetCallerIdentityResult><Account>%b</Account></GetCallerIdentityResult>"
    body = b"<GetCallerIdentityResponse>%b</GetCallerIdentityResponse>" % result
    with pytest.raises(CollectionError, match="does not answer as AWS does"):
        found("sts:GetCallerIdentity", lambda *_: body % account, MANAGEMENT)


def test_a_group_that_is_not_listed_is_a_gap() -> None:
    def without(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if (call.action, call.account) != ("iam:GetAccountAuthorizationDetails", MEMBER):
            return None
        start, end = good[2].index(b"<GroupDetailList>"), good[2].index(b"</GroupDetailList>")
        return good[0], good[1], good[2][:start] + b"<GroupDetailList>" + good[2][end:]

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = without
        result = collected(aws, **QUICK)
    assert [(gap.account, gap.fact, gap.subject) for gap in result.snapshot.gaps] == [
        (MEMBER, Fact.IDENTITY_POLICY, "team")
    ]
    unread = {(caller.account, caller.name) for caller in result.snapshot.principals if caller.unread}
    assert unread == {(MEMBER, "ada")}


@pytest.mark.parametrize(
    "table",
    [
        "",
        "nothing of the sort",
        "user,arn,mfa_active\nada",
        "user,arn,mfa_active\nada,arn,true,more",
        'user,arn,mfa_active\n"ada" b,arn,true',
    ],
    ids=["nothing", "text", "short", "wide", "quotes"],
)
def test_a_credential_report_that_is_no_table_is_a_gap(table: str) -> None:
    content = base64.b64encode(table.encode())
    inside = b"<GetCredentialReportResult><Content>%b</Content></GetCredentialReportResult>"
    body = b"<GetCredentialReportResponse>%b</GetCredentialReportResponse>" % inside
    result = found("iam:GetCredentialReport", lambda *_: body % content, evidence=True)
    assert gaps(result) == {(MEMBER, "", Fact.CREDENTIALS, "IncompleteAnswer")}


def test_a_credential_report_without_anybody_is_no_gap() -> None:
    content = base64.b64encode(b"user,arn,mfa_active\n")
    inside = b"<GetCredentialReportResult><Content>%b</Content></GetCredentialReportResult>" % content
    body = b"<GetCredentialReportResponse>%b</GetCredentialReportResponse>" % inside
    assert gaps(found("iam:GetCredentialReport", lambda *_: body, evidence=True)) == set()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (400, b"[]"),
        (400, b'{"__type": 5, "message": {}}'),
        (401, b"<html>Sign in</html>"),
        (302, b"<html>Moved</html>"),
        (403, b"<html>Blocked</html>"),
        (403, b"null"),
        (429, b""),
        (503, b"<html>Busy</html>"),
        (599, b"\xff\xfe"),
        (200, b'{"__type": "AccessDeniedException", "message": "no"}'),
    ],
)
@pytest.mark.parametrize(
    "action", ["kms:ListGrants", pytest.param("iam:GetAccountAuthorizationDetails", marks=pytest.mark.slow)]
)
def test_any_error_in_any_form_is_a_gap_of_what_was_asked(action: str, status: int, body: bytes) -> None:
    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        return (status, good[1], body) if (call.action, call.account) == (action, MEMBER) else None

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        result = collected(aws, **QUICK)
    assert {(gap.account, gap.operation) for gap in result.snapshot.gaps} == {(MEMBER, action)}
    assert len(result.snapshot.keys) == 6


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("[]", False),
        ("null", False),
        ("a\x00b", False),
        ("[" * 100_000, False),
        (json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt"}] * 10_000}), False),
        (json.dumps({"Statement": [{"Sid": "a\x00\ud800", "Effect": "Allow"}]}), True),
    ],
    ids=["list", "null", "nul", "deep", "10,000 statements", "odd Sid"],
)
def test_a_key_policy_of_any_text_is_kept_and_judged_only_where_it_can_be_read(text: str, readable: bool) -> None:
    result = changed("kms:GetKeyPolicy", lambda data: data.update(Policy=text))
    assert {gap.code for gap in result.snapshot.gaps} == (set() if readable else {"Unreadable"})
    own = [key for key in result.snapshot.keys if key.account == MEMBER]
    assert [key.policies[0].policy.text for key in own] == [text] * 3
    outcomes = {told.split()[0] for told in result.verdicts([MEMBER])[MEMBER].values()}
    assert ("unknown" in outcomes) != readable
