"""Collection over an organization: twelve members in nested units, four Regions, roles assumed over HTTP."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from auditor.collectors.accounts import _check_units, _wanted
from auditor.collectors.organization import Tree
from auditor.collectors.request import CollectRequest
from auditor.errors import CollectionError, UsageError
from auditor.model.coverage import fact_coverage, key_counts
from auditor.model.key import Fact
from auditor.model.organization import TargetKind
from tests.aws.estate import fill, fill_iam, fill_organization, management, member
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy

REGIONS = ("eu-central-1", "eu-north-1", "eu-west-1", "us-east-1")
SECRET = "external-id-7391"


@pytest.mark.slow
def test_twelve_accounts_in_four_regions_are_read_as_their_own(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 12)
    expected = {}
    for number, account in enumerate(members):
        region = REGIONS[number % 4]
        expected[account] = {(region, key_id) for key_id in fill(member(proxy.url, account), region, keys=1)}
    fill_iam(member(proxy.url, members[0]))
    proxy.deny("sts:AssumeRole", containing=members[3])
    snapshot = collected(proxy, org=True, role_name="audit", external_id=SECRET, regions=REGIONS, evidence=False)
    found: dict[str, set[tuple[str, str]]] = {}
    for key in snapshot.keys:
        found.setdefault(key.account, set()).add((key.region, key.key_id))
    del expected[members[3]]
    assert found == expected
    assert [(gap.fact, gap.account, gap.operation) for gap in snapshot.gaps] == [
        (Fact.ACCOUNT, members[3], "sts:AssumeRole")
    ]
    assert {item.account for item in snapshot.principals if item.name == "app"} == {members[0]}
    assert SECRET not in repr(snapshot)
    assert any(SECRET.encode() in call.body for call in proxy.calls if call.operation == "AssumeRole")


def test_accounts_and_units_narrow_the_scope(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 4)
    in_production = {account for number, account in enumerate(members) if number % 2}
    options = {"org": True, "role_name": "audit", "evidence": False}
    snapshot = collected(proxy, organizational_units=("production",), **options)
    assert set(snapshot.provenance.scope.accounts) == in_production
    snapshot = collected(proxy, accounts=tuple(members[:2]), exclude_accounts=(members[0],), **options)
    assert snapshot.provenance.scope.accounts == (members[1],)
    with pytest.raises(UsageError, match="No active account"):
        collected(proxy, accounts=("000000000000",), **options)
    with pytest.raises(UsageError, match="No organizational unit is called “prodution”"):
        collected(proxy, organizational_units=("production", "prodution"), **options)
    with pytest.raises(UsageError, match="--role-name"):
        collected(proxy, org=True)


@pytest.mark.parametrize(
    ("pattern", "found"), [("Prod [EU]", True), ("Prod [*]", True), ("Prod ?EU?", True), ("Prod [A-Z]*", False)]
)
def test_brackets_in_the_name_of_a_unit_are_brackets(pattern: str, found: bool) -> None:
    levels = [{"Id": "ou-1", "Name": "Prod [EU]", "Kind": TargetKind.UNIT}]
    tree, asked = Tree(targets=levels, complete=True), CollectRequest(organizational_units=(pattern,))
    with nullcontext() if found else pytest.raises(UsageError, match="No organizational unit is called"):
        _check_units(tree, asked)
    assert _wanted("111111111111", ("ou-1", "Prod [EU]"), asked) is found


def test_without_a_list_of_accounts_there_is_nothing_to_do(proxy: Proxy) -> None:
    with pytest.raises(CollectionError, match="belongs to no organization"):
        collected(proxy, org=True, role_name="audit")


def test_a_level_without_any_scp_is_taken_as_told(proxy: Proxy) -> None:
    (account,) = fill_organization(proxy.url, 1)
    client = management(proxy.url).client("organizations", "us-east-1")
    parents = client.get_paginator("list_parents").paginate(ChildId=account).build_full_result()["Parents"]
    unit = parents[0]["Id"]
    client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    found = collected(proxy, org=True, role_name="audit", evidence=False).organization
    assert found is not None
    levels = found.levels(account) or ()
    assert [len(level.scps or ()) for level in levels] == [0 if level.id == unit else 1 for level in levels]
    assert not any(target.unread for target in found.targets)


def test_an_expired_session_of_a_role_is_renewed(proxy: Proxy) -> None:
    from tests.aws.faults import Fault

    (account,) = fill_organization(proxy.url, 1)
    fill(member(proxy.url, account), keys=2)
    before = sum(call.operation == "AssumeRole" for call in proxy.calls)
    proxy.faults.add(Fault("kms:ListKeys", account=account, code="ExpiredTokenException", status=400, times=1))
    snapshot = collected(proxy, org=True, role_name="audit", evidence=False)
    assert len(snapshot.keys) == 2
    assert snapshot.gaps == ()
    assert sum(call.operation == "AssumeRole" for call in proxy.calls) - before == 2


@pytest.mark.slow
def test_every_fact_of_twelve_accounts_in_nested_units_and_four_regions(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 12)
    expected = set()
    for account in members:
        clients = member(proxy.url, account)
        fill_iam(clients)
        for region in REGIONS:
            expected |= {(account, region, key_id) for key_id in fill(clients, region, keys=1)}
    found = collected(proxy, org=True, role_name="audit", external_id=SECRET, regions=REGIONS)
    assert {(key.account, key.region, key.key_id) for key in found.keys} == expected
    for key in found.keys:
        assert (len(key.grants), len(key.tags), len(key.aliases), len(key.policies)) == (3, 3, 1, 1)
        assert key.rotation is not None
        assert not key.unread
    made = ("ada", "app", "OrganizationAccountAccessRole")
    assert {(item.account, item.name) for item in found.principals if item.account in members} == {
        (account, name) for account in members for name in made
    }
    organization = found.organization
    assert organization is not None
    assert organization.tree_read
    levels = {account: [level.name for level in organization.levels(account) or ()] for account in members}
    assert {len(path) for path in levels.values()} == {3, 4}
    # moto has neither Access Analyzer, nor RAM resources, nor a credential report that nobody made.
    assert {gap.fact for gap in found.gaps} <= {Fact.ANALYZERS, Fact.SHARES, Fact.CREDENTIALS, Fact.TRAILS}
    assert {(count.account, count.region) for count in key_counts(found)} >= {
        (account, region) for account in members for region in REGIONS
    }
    assert all(count.reconciled for count in key_counts(found))
    rows = {(row.fact, row.account, row.region): (row.asked, row.refused) for row in fact_coverage(found)}
    for account in members:
        for region in REGIONS:
            for fact in (Fact.KEY_LIST, Fact.ALIASES, Fact.KEY_METADATA, Fact.KEY_POLICY, Fact.GRANTS, Fact.ROTATION):
                assert rows[fact, account, region] == (1, 0)
        assert rows[Fact.IDENTITIES, account, ""] == (1, 0)
    assert SECRET not in repr(found)
