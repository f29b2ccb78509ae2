"""Every kind of refusal, injected over HTTP: the right gap, and every other fact intact."""

from __future__ import annotations

from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot
from tests.aws.estate import fill, fill_iam, fill_organization, management
from tests.aws.faults import Fault
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy


def _gaps(snapshot: Snapshot) -> list[tuple[Fact, str, str]]:
    return [(gap.fact, gap.operation, gap.code) for gap in snapshot.gaps]


def test_a_refused_overview_of_iam_marks_the_account(proxy: Proxy) -> None:
    fill_iam(management(proxy.url))
    proxy.deny("iam:GetAccountAuthorizationDetails")
    snapshot = collected(proxy, evidence=False)
    assert _gaps(snapshot) == [(Fact.IDENTITIES, "iam:GetAccountAuthorizationDetails", "AccessDenied")]
    assert snapshot.accounts[0].unread == {Fact.IDENTITIES}


def test_a_refused_organization_is_unread_and_a_refused_tree_is_not_read(proxy: Proxy) -> None:
    fill_organization(proxy.url, 1)
    proxy.deny("organizations:List*")
    snapshot = collected(proxy, evidence=False)
    assert snapshot.organization is not None
    assert not snapshot.organization.tree_read
    proxy.deny("organizations:*")
    snapshot = collected(proxy, evidence=False)
    assert snapshot.organization is None
    assert snapshot.organization_unread
    assert _gaps(snapshot) == [(Fact.ORGANIZATION, "organizations:DescribeOrganization", "AccessDenied")]


def test_an_unreadable_scp_marks_the_levels_that_carry_it(proxy: Proxy) -> None:
    fill_organization(proxy.url, 2)
    guard = next(call for call in proxy.calls if call.operation == "AttachPolicy").json()["PolicyId"]
    proxy.deny("organizations:DescribePolicy", containing=guard)
    organization = collected(proxy, evidence=False).organization
    assert organization is not None
    assert {target.name for target in organization.targets if Fact.SCP in target.unread} == {"production"}


def test_a_key_deleted_meanwhile_is_a_gap_and_not_a_key(proxy: Proxy) -> None:
    ids = fill(management(proxy.url))
    proxy.faults.add(Fault("kms:DescribeKey", containing=ids[0], code="NotFoundException", status=400))
    snapshot = collected(proxy, evidence=False)
    assert {key.key_id for key in snapshot.keys} == set(ids[1:])
    coverage = next(item for item in snapshot.coverage if item.region)
    assert coverage.listed == coverage.described + len(snapshot.gaps)


def test_a_region_that_a_scp_blocks_is_one_gap_per_list(proxy: Proxy) -> None:
    fill(management(proxy.url), "eu-west-1", keys=1)
    message = "not authorized with an explicit deny in a service control policy"
    proxy.faults.add(Fault("kms:*", region="eu-central-1", code="AccessDeniedException", status=400, message=message))
    snapshot = collected(proxy, regions=("eu-central-1", "eu-west-1"), evidence=False)
    assert {(gap.fact, gap.region) for gap in snapshot.gaps} == {
        (Fact.KEY_LIST, "eu-central-1"),
        (Fact.ALIASES, "eu-central-1"),
    }
    assert "service control policy" in snapshot.gaps[0].remedy
    assert len(snapshot.keys) == 1


def test_an_operation_that_the_endpoint_lacks_is_asked_for_once(proxy: Proxy) -> None:
    fill(management(proxy.url), keys=1)
    snapshot = collected(proxy, last_usage=True)
    codes = {gap.operation: gap.code for gap in snapshot.gaps}
    assert codes["kms:GetKeyLastUsage"] == "NotSupported"
    assert sum(call.operation == "GetKeyLastUsage" for call in proxy.calls) == 1
    assert not [gap for gap in snapshot.gaps if gap.essential]


def test_an_account_that_cannot_be_entered_needs_a_role_or_its_trust(proxy: Proxy) -> None:
    fill_organization(proxy.url, 1)
    fill(management(proxy.url), keys=1)
    proxy.deny("sts:AssumeRole")
    snapshot = collected(proxy, org=True, role_name="audit", evidence=False)
    remedies = {gap.remedy for gap in snapshot.gaps if gap.fact is Fact.ACCOUNT}
    assert remedies == {
        "Make sure that the role exists in the account and trusts the auditor, and allow sts:AssumeRole."
    }
