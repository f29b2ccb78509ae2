"""Answers as AWS documents them, as its SDKs take them, or as local endpoints send them: none of them leaves a gap.

One organization, whose accounts tell of themselves in several of these forms at once, one for each action.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.dom import minidom

import pytest

from tests.aws.breaking import MEMBER, QUICK, changed
from tests.aws.collecting import Found, collected
from tests.aws.wire import Call, error_answer
from tests.aws.written import KEYS, MANAGEMENT, STORE
from tests.aws.written_server import Wire, WrittenAws

REFERENCE = "299999999999"
Change = Callable[[dict[str, Any]], Any]
Rewrite = Callable[[bytes], bytes]

pytestmark = pytest.mark.usefixtures("local_credentials")


@dataclass(frozen=True)
class Form:
    """The answers to one action, in another form. ``same``: it is only another spelling, and the facts are equal."""

    action: str
    write: Rewrite
    same: bool = True


def _json(action: str, change: Change, *, same: bool = True) -> Form:
    def write(body: bytes) -> bytes:
        data = json.loads(body)
        change(data)
        return json.dumps(data).encode()

    return Form(action, write, same)


def _xml(pattern: str, replacement: str, *, same: bool = True, action: str = "GetAccountAuthorizationDetails") -> Form:
    return Form(f"iam:{action}", lambda body: re.sub(pattern.encode(), replacement.encode(), body), same)


def _key(*gone: str, same: bool = False, **members: Any) -> Form:
    def change(data: dict[str, Any]) -> None:
        data["KeyMetadata"].update(members)
        for name in gone:
            del data["KeyMetadata"][name]

    return _json("kms:DescribeKey", change, same=same)


def _encoded(body: bytes) -> bytes:
    documents = rb"(<(?:PolicyDocument|Document|AssumeRolePolicyDocument)>)(.*?)(?=</)"
    return re.sub(documents, lambda found: found[1] + quote(found[2].replace(b"&quot;", b'"')).encode(), body)


def _grants(**grant: Any) -> Form:
    return _json("kms:ListGrants", lambda data: data.update(Grants=[{"GrantId": "g", **grant}]), same=False)


def _all(name: str, items: list[Any]) -> Change:
    return lambda data: data.update({name: items})


SELECTOR = {"Field": "eventCategory", "Equals": ["Management"]}
FORMS = {
    "marker on the last page": _json("kms:ListGrants", lambda data: data.update(NextMarker="m", Truncated=False)),
    "no marker, as null": _json("kms:ListKeys", lambda data: data.update(NextMarker=None)),
    "no marker, as nothing": _json("kms:ListKeys", lambda data: data.update(NextMarker="")),
    "no word on more": _json("kms:ListKeys", lambda data: data.pop("Truncated")),
    "member that no SDK knows": _json("kms:ListKeys", lambda data: data["Keys"][0].update(Colour={"Of": ["it"]})),
    "tag without a value": _json("kms:ListResourceTags", _all("Tags", [{"TagKey": "a", "TagValue": ""}]), same=False),
    "AWS managed key": _key(KeyManager="AWS"),
    "key in creation": _key(KeyState="Creating", Enabled=False),
    "key of tomorrow": _key(KeySpec="NEW_1", CustomerMasterKeySpec="NEW_1", KeyUsage="NEW", KeyState="Frozen"),
    "key in an external store": _key(
        Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=STORE, XksKeyConfiguration={"Id": "k"}
    ),
    "key about to be deleted": _key(KeyState="PendingDeletion", Enabled=False, DeletionDate=1.8e9),
    "no material yet": _key(Origin="EXTERNAL", KeyState="PendingImport", Enabled=False),
    "bare description": _key("Enabled", "Description", "CreationDate", "AWSAccountId", "CustomerMasterKeySpec"),
    "name of the spec of before": _key("KeySpec", same=True),
    "time as text": _key(CreationDate="2025-01-02T03:04:05.678+01:00"),
    "time as of a header": _key(same=True, CreationDate="Thu, 02 Jan 2025 03:04:05 GMT"),
    "time as text of a number": _key(same=True, CreationDate="1735787045.123"),
    "bare grant": _grants(GranteePrincipal="arn:aws:iam::111122223333:role/r", Operations=["Decrypt", "Dance"]),
    "grant of a service": _grants(
        GranteeServicePrincipal="s.amazonaws.com",
        RetiringServicePrincipal="s.amazonaws.com",
        Operations=["Decrypt"],
        Constraints={"SourceArn": "arn:aws:s3:::b"},
    ),
    "alias of AWS without a key": _json(
        "kms:ListAliases", _all("Aliases", [{"AliasName": "alias/aws/s3"}]), same=False
    ),
    "policy without its name": _json("kms:GetKeyPolicy", lambda data: data.pop("PolicyName")),
    "rotation, only whether": _json(
        "kms:GetKeyRotationStatus",
        lambda data: [data.pop(name) for name in list(data) if name != "KeyRotationEnabled"],
        same=False,
    ),
    "never used": _json("kms:GetKeyLastUsage", lambda data: data.update(KeyLastUsage={}), same=False),
    "store that failed": _json(
        "kms:DescribeCustomKeyStores",
        lambda data: data["CustomKeyStores"][0].update(ConnectionState="FAILED", ConnectionErrorCode="NEW_ERROR"),
        same=False,
    ),
    "selector without its default": _json(
        "cloudtrail:GetEventSelectors", _all("EventSelectors", [{"IncludeManagementEvents": True}])
    ),
    "selectors of both kinds, none": _json(
        "cloudtrail:GetEventSelectors",
        lambda data: data.update(EventSelectors=[], AdvancedEventSelectors=[]),
        same=False,
    ),
    "advanced selectors": _json(
        "cloudtrail:GetEventSelectors",
        lambda data: data.update(EventSelectors=None, AdvancedEventSelectors=[{"FieldSelectors": [SELECTOR]}]),
        same=False,
    ),
    "no event data store": _json("cloudtrail:ListEventDataStores", _all("EventDataStores", []), same=False),
    "no share": _json("ram:ListResources", _all("resources", []), same=False),
    "analyzer of tomorrow": _json(
        "access-analyzer:ListAnalyzers",
        lambda data: data["analyzers"][0].update(type="NEW", status="NEW", configuration={"new": {}}),
        same=False,
    ),
    "state of a rule": _json(
        "events:ListRules",
        lambda data: data["Rules"][0].update(State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
        same=False,
    ),
    "encoded documents": Form("iam:GetAccountAuthorizationDetails", _encoded),
    "encoded document": Form("iam:GetPolicyVersion", _encoded),
    "indented XML": Form(
        "iam:GetAccountAuthorizationDetails", lambda body: minidom.parseString(body).toprettyxml().encode()
    ),
    "marker on the last page of IAM": _xml("</IsTruncated>", "</IsTruncated><Marker>m</Marker>"),
    "no word on more in XML": _xml("<IsTruncated>false</IsTruncated>", "<Marker/>"),
    "truth in a capital": _xml("<IsTruncated>false<", "<IsTruncated>\n False\n<"),
    "no policies at all": _xml("<Policies>.*</Policies>", ""),
    "no policies of a user": _xml("<UserPolicyList>.*?</UserPolicyList>", "", same=False),
    "tag without a value in XML": _xml("<Value>.*?</Value>", "<Value/>", same=False),
    "never used role": _xml("<RoleLastUsed>.*?</RoleLastUsed>", "<RoleLastUsed/>", same=False),
    "older version first": _xml(
        "<PolicyVersionList>",
        "<PolicyVersionList><member><VersionId>v0</VersionId><IsDefaultVersion>false</IsDefaultVersion></member>",
    ),
    "no provider": _xml(
        "<SAMLProviderList>.*</SAMLProviderList>", "<SAMLProviderList/>", same=False, action="ListSAMLProviders"
    ),
    "account without an alias": _xml("<member>name</member>", "", same=False, action="ListAccountAliases"),
}


def _by_account() -> dict[str, dict[tuple[str, str], str]]:
    """Account → action and key → the form of the answer: spellings beside spellings, so that facts can be compared."""
    accounts: dict[str, dict[tuple[str, str], str]] = {}
    for name, form in FORMS.items():
        first = 200000000000 if form.same else 300000000000
        keys = KEYS if form.action == "kms:DescribeKey" else ("",)
        free = ((str(number), (form.action, key)) for number in range(first, first + 100) for key in keys)
        account, place = next((here, place) for here, place in free if place not in accounts.get(here, ()))
        accounts.setdefault(account, {})[place] = name
    return accounts


@pytest.fixture(scope="module")
def found() -> Found:
    forms = _by_account()

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        key = asked["KeyId"] if call.action == "kms:DescribeKey" else ""
        name = forms.get(call.account, {}).get((call.action, key))
        if name is None or asked.get("ResourceOwners"):
            return None
        body = FORMS[name].write(good[2])
        assert body != good[2], name
        return good[0], good[1], body

    with WrittenAws((*forms, REFERENCE)) as aws:
        aws.garble = garble
        return collected(aws, retirable_grants=False, quota_share=10.0)


@pytest.mark.parametrize("account", _by_account())
def test_a_healthy_answer_leaves_no_gap(found: Found, account: str) -> None:
    assert found.gaps(account) == []
    if account < REFERENCE:
        assert found.facts(account) == found.facts(REFERENCE)


def test_the_management_account_may_be_named_by_its_arn_alone() -> None:
    def by_arn(data: dict[str, Any]) -> None:
        arn = (
            f"arn:aws:organizations::{data['Organization'].pop('MasterAccountId')}:account/o-exampleorgid/{MANAGEMENT}"
        )
        data["Organization"]["MasterAccountArn"] = arn

    result = changed("organizations:DescribeOrganization", by_arn, MANAGEMENT)
    assert not result.snapshot.gaps
    assert result.snapshot.organization is not None
    assert result.snapshot.organization.management_account == MANAGEMENT


def test_an_operation_that_a_local_endpoint_calls_not_implemented_is_asked_for_once() -> None:
    asked_for = []

    def lacking(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if (call.action, call.account) != ("kms:ListKeyRotations", MEMBER):
            return None
        asked_for.append(call)
        return error_answer(call, "InternalFailure", "no handler for operation 'ListKeyRotations'", 501)

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = lacking
        result = collected(aws, **QUICK)
    assert [(gap.operation, gap.code, gap.subject) for gap in result.snapshot.gaps] == [
        ("kms:ListKeyRotations", "NotSupported", "")
    ]
    assert len(asked_for) <= 2  # keys are read side by side: a second may be on its way
