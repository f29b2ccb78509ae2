"""Regions and accounts that cannot be looked into: told apart, named, and never taken for empty."""

from __future__ import annotations

import pytest

from auditor.errors import CollectionError
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot
from tests.aws.estate import fill, fill_organization, management, member
from tests.aws.faults import Fault
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy

QUICK = {"evidence": False, "max_attempts": 2}


def _gaps(snapshot: Snapshot) -> set[tuple[Fact, str, str]]:
    return {(gap.fact, gap.operation, gap.code) for gap in snapshot.gaps}


def test_credentials_that_are_asked_about_too_often_are_no_bad_credentials(proxy: Proxy) -> None:
    proxy.faults.add(Fault("sts:GetCallerIdentity", code="ThrottlingException", status=400))
    with pytest.raises(CollectionError, match="answers no call at the moment: ThrottlingException"):
        collected(proxy, max_attempts=1)


@pytest.mark.parametrize("what", ["half", "empty"])
def test_a_broken_list_of_keys_is_a_gap_and_not_an_empty_region(proxy: Proxy, what: str) -> None:
    regions = ("eu-central-1", "eu-west-1")
    for region in regions:
        fill(management(proxy.url), region, keys=1)
    proxy.faults.add(Fault("kms:ListKeys", region="eu-west-1", what=what))
    found = collected(proxy, regions=regions, **QUICK)
    assert _gaps(found) == {(Fact.KEY_LIST, "kms:ListKeys", "IncompleteAnswer")}
    assert [key.region for key in found.keys] == ["eu-central-1"]


def test_empty_pages_with_a_token_are_followed(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 3)

    def empty_first(name: str):
        def patch(call, data):
            asked = call.json()
            return data if "NextToken" in asked else {name: [], "NextToken": "go-on"}

        return patch

    # moto does not know our tokens: the second request is answered as a first one.
    proxy.strip_tokens = frozenset({"go-on"})
    proxy.patches["organizations:ListAccountsForParent"] = empty_first("Accounts")
    proxy.patches["organizations:ListOrganizationalUnitsForParent"] = empty_first("OrganizationalUnits")
    found = collected(proxy, **QUICK)
    assert not found.gaps
    assert found.organization is not None
    assert set(members) <= {target.id for target in found.organization.targets}


def test_a_refused_parameter_does_not_switch_the_operation_off(proxy: Proxy) -> None:
    regions = ("eu-central-1", "eu-west-1")
    for region in regions:
        fill(management(proxy.url), region, keys=1)
    code = "UnsupportedOperationException"
    proxy.faults.add(Fault("kms:ListKeys", containing="ResourceOwners", code=code, status=400))
    found = collected(proxy, regions=regions, max_attempts=2)
    assert len(found.keys) == 2
    assert {gap.fact for gap in found.gaps if gap.operation == "kms:ListKeys"} == {Fact.SHARES}


@pytest.mark.parametrize(
    ("region", "status", "gaps"),
    [
        ("ap-east-1", "not enabled", set()),
        ("eu-north-1", "partial", {(Fact.KEY_LIST, "kms:ListKeys", "InvalidCredentials")}),
    ],
)
def test_probing_tells_a_disabled_region_from_bad_credentials(
    proxy: Proxy, region: str, status: str, gaps: set[tuple[Fact, str, str]]
) -> None:
    fill(management(proxy.url), keys=1)
    _probing(proxy)
    proxy.faults.add(Fault("kms:ListKeys", region=region, code="UnrecognizedClientException", status=400))
    found = collected(proxy, regions=("eu-central-*", region[:-1] + "*"), **QUICK)
    assert {item.region: item.status for item in found.coverage}[region] == status
    regions_unknown = (Fact.REGIONS, "ec2:DescribeRegions", "AccessDenied")
    assert _gaps(found) == {regions_unknown, *gaps}
    assert len(found.keys) == 1


def test_probing_takes_a_broken_connection_for_what_it_is(proxy: Proxy) -> None:
    fill(management(proxy.url), keys=1)
    _probing(proxy)
    proxy.faults.add(Fault("kms:ListKeys", region="ap-east-1", what="drop"))
    found = collected(proxy, regions=("eu-central-1", "ap-east-1"), **QUICK)
    assert _gaps(found) == {(Fact.KEY_LIST, "kms:ListKeys", "Unreachable")}


def test_a_named_region_that_is_not_enabled_is_a_gap(proxy: Proxy) -> None:
    fill(management(proxy.url), keys=1)
    _probing(proxy)
    proxy.faults.add(Fault("kms:ListKeys", region="ap-east-1", code="UnrecognizedClientException", status=400))
    found = collected(proxy, regions=("eu-central-1", "ap-east-1"), **QUICK)
    assert _gaps(found) == {(Fact.REGIONS, "account:ListRegions", "RegionNotEnabled")}


def _probing(proxy: Proxy) -> None:
    proxy.deny("account:*")
    proxy.deny("ec2:DescribeRegions")


def test_a_region_that_a_scp_closes_to_one_member_is_that_members_gap(proxy: Proxy) -> None:
    first, second = fill_organization(proxy.url, 2)
    for account in (first, second):
        fill(member(proxy.url, account), "eu-west-1", keys=1)
        fill(member(proxy.url, account), "eu-central-1", keys=1)
    message = "is not authorized to perform: kms:ListKeys with an explicit deny in a service control policy"
    closed = {"account": first, "region": "eu-west-1", "code": "AccessDeniedException", "status": 400}
    proxy.faults.add(Fault("kms:*", message=message, **closed))
    found = collected(proxy, org=True, role_name="audit", regions=("eu-central-1", "eu-west-1"), **QUICK)
    assert {(gap.account, gap.region) for gap in found.gaps} == {(first, "eu-west-1")}
    assert all("service control policy denies" in gap.remedy for gap in found.gaps)
    places = {(key.account, key.region) for key in found.keys}
    assert places == {(first, "eu-central-1"), (second, "eu-central-1"), (second, "eu-west-1")}


def test_a_branch_that_cannot_be_walked_does_not_hide_its_accounts(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 2)
    for account in members:
        fill(member(proxy.url, account), keys=1)
    proxy.deny("organizations:ListAccountsForParent", containing="ou-")
    found = collected(proxy, org=True, role_name="audit", **QUICK)
    assert {key.account for key in found.keys} == set(members)
    assert found.organization is not None
    assert not found.organization.tree_read
    assert {gap.fact for gap in found.gaps} == {Fact.ORGANIZATION}
