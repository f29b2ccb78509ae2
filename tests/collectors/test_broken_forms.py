"""Answers that are not what they should be, one kind at a time: lists without an end, foreign names, odd dates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auditor.collectors import paging
from auditor.errors import CollectionError
from auditor.model.key import Fact
from tests.aws.collecting import Found, collected
from tests.aws.fixtures import credentials
from tests.aws.wire import Call, error_answer
from tests.aws.written import MANAGEMENT, REGION
from tests.aws.written_server import Wire, WrittenAws

MEMBER = "200000000000"
QUICK = {"evidence": False, "last_usage": False, "retirable_grants": False}
Change = Callable[[dict[str, Any]], Any]
Made = Callable[[Call, dict[str, Any]], bytes | None]


@pytest.fixture(autouse=True)
def local_credentials() -> Iterator[None]:
    with credentials():
        yield


def found(action: str, made: Made, account: str = MEMBER, **options: object) -> Found:
    """A collection in which calls of an action by one account are answered with what ``made`` makes."""

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        body = made(call, asked) if (call.action, call.account) == (action, account) else None
        return None if body is None else (good[0], good[1], body)

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        return collected(aws, **{**QUICK, **options})


def changed(action: str, change: Change, account: str = MEMBER, **options: object) -> Found:
    """The same with the good answer, changed in place."""

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if (call.action, call.account) != (action, account):
            return None
        data = json.loads(good[2])
        change(data)
        return good[0], good[1], json.dumps(data).encode()

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        return collected(aws, **{**QUICK, **options})


def gaps(result: Found) -> set[tuple[str, str, Fact, str]]:
    return {(gap.account, gap.region, gap.fact, gap.code) for gap in result.snapshot.gaps}


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


@pytest.mark.parametrize("more", [False, None])
def test_a_marker_without_more_is_no_end(more: bool | None) -> None:
    result = changed("kms:ListGrants", lambda data: data.update(NextMarker="m2", Truncated=more))
    assert gaps(result) == {(MEMBER, REGION, Fact.GRANTS, "IncompleteAnswer")}
    assert all(len(key.grants) == 2 for key in result.snapshot.keys)


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


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("organizations:ListRoots", lambda data: data["Roots"][0].pop("Id")),
        ("organizations:ListRoots", lambda data: data["Roots"][0].pop("PolicyTypes")),
        ("organizations:ListRoots", lambda data: data["Roots"][0]["PolicyTypes"].append(None)),
        ("organizations:ListRoots", lambda data: data["Roots"].clear()),
        ("organizations:ListRoots", lambda data: data["Roots"].append({**data["Roots"][0], "Name": "other"})),
        ("organizations:ListAccountsForParent", lambda data: data["Accounts"].append(None)),
        ("organizations:ListAccountsForParent", lambda data: data["Accounts"].append({"Id": "../../x"})),
        ("organizations:ListAccountsForParent", lambda data: data["Accounts"].append({"Id": "1234"})),
        ("organizations:ListOrganizationalUnitsForParent", lambda data: data["OrganizationalUnits"].append({})),
        (
            "organizations:ListOrganizationalUnitsForParent",
            lambda data: data.update(OrganizationalUnits=[{"Id": "ou-root-unit"}]),
        ),
    ],
)
def test_a_tree_that_is_not_understood_is_not_read(action: str, change: Change) -> None:
    result = changed(action, change, MANAGEMENT)
    assert {gap.fact for gap in result.snapshot.gaps} == {Fact.ORGANIZATION}
    assert result.snapshot.organization is not None
    assert not result.snapshot.organization.tree_read
    assert len(result.snapshot.keys) == 6
    verdicts = result.verdicts([MEMBER])[MEMBER]
    assert "allowed None" not in verdicts.values()


@pytest.mark.parametrize("member", ["Id", "MasterAccountId"])
def test_an_organization_without_its_names_stops_a_run_over_it_in_plain_words(member: str) -> None:
    with pytest.raises(CollectionError, match=f"Organization has no {member}"):
        changed("organizations:DescribeOrganization", lambda data: data["Organization"].pop(member), MANAGEMENT)


def test_a_level_without_any_policy_is_no_level_without_limits() -> None:
    result = changed("organizations:ListPoliciesForTarget", lambda data: data["Policies"].clear(), MANAGEMENT)
    assert {gap.fact for gap in result.snapshot.gaps} == {Fact.RCP}  # without an SCP, nothing is allowed: no gap
    assert "allowed None" not in result.verdicts([MEMBER])[MEMBER].values()


def test_the_document_of_another_policy_is_not_taken_for_it() -> None:
    result = changed(
        "organizations:DescribePolicy", lambda data: data["Policy"]["PolicySummary"].update(Id="p-rcp"), MANAGEMENT
    )
    assert {(gap.fact, gap.subject) for gap in result.snapshot.gaps} == {(Fact.SCP, "p-scp")}


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


@pytest.mark.parametrize(
    "table",
    [
        "",
        "nothing of the sort",
        "user,arn,mfa_active\nada",
        "user,arn,mfa_active\nada,arn,true,more",
        "user,arn,mfa_active\nada,arn," + "x" * 200_000,
        'user,arn,mfa_active\n"ada" b,arn,true',
    ],
    ids=["nothing", "text", "short", "wide", "long cell", "quotes"],
)
def test_a_credential_report_that_is_no_table_is_a_gap(table: str) -> None:
    content = base64.b64encode(table.encode())
    inside = b"<GetCredentialReportResult><Content>%b</Content></GetCredentialReportResult>"
    body = b"<GetCredentialReportResponse>%b</GetCredentialReportResponse>" % inside
    result = found("iam:GetCredentialReport", lambda *_: body % content, evidence=True)
    assert gaps(result) == {(MEMBER, "", Fact.CREDENTIALS, "IncompleteAnswer")}
