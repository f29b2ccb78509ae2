"""Who asks and where: several profiles, other partitions, filters, and sessions that end before the run does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.errors import UsageError
from tests.aws.estate import OPEN, Account, fill, fill_iam, fill_organization, management, member
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy

FIRST, SECOND = "111122223333", "444455556666"
QUICK = {"evidence": False, "max_attempts": 2}


def _profiles(folder: Path, monkeypatch: pytest.MonkeyPatch, **accounts: Account) -> None:
    """A credentials file with the credentials of each account under a name."""
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in account.credentials.items())
        for name, account in accounts.items()
    )
    (folder / "credentials").write_text(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


def test_several_profiles_are_several_accounts(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {}
    accounts = {"one": member(proxy.url, FIRST), "two": member(proxy.url, SECOND)}
    for (name, account), number in zip(accounts.items(), (FIRST, SECOND), strict=True):
        expected[number] = set(fill(account, keys=1))
        account.client("iam").create_account_alias(AccountAlias=f"alias-{name}")
    _profiles(tmp_path, monkeypatch, **accounts)
    found = collected(proxy, profiles=("one", "two"), **QUICK)
    assert not found.gaps
    assert {key.account: {key.key_id} for key in found.keys} == expected
    assert [item.name for item in found.accounts] == ["alias-one", "alias-two"]
    assert found.provenance.caller.count("arn:aws:sts::") == 2
    only = collected(proxy, profiles=("one", "two"), accounts=(SECOND,), **QUICK)
    assert only.provenance.scope.accounts == (SECOND,)
    with pytest.raises(UsageError, match=f"belong to {FIRST}, {SECOND}"):
        collected(proxy, profiles=("one", "two"), accounts=("999988887777",), **QUICK)


@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_other_partitions_are_read_under_their_own_names(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, partition: str, region: str
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    root = management(proxy.url)
    organizations = root.client("organizations", region)
    organizations.create_organization(FeatureSet="ALL")
    created = organizations.create_account(AccountName="member", Email="m@example.com")["CreateAccountStatus"]
    fill(member(proxy.url, created["AccountId"]), region, keys=1)
    found = collected(proxy, regions=(region[:-1] + "*",), org=True, role_name="audit", **QUICK)
    assert {key.arn.split(":")[1] for key in found.keys} == {partition}
    assert {item.partition for item in found.accounts} == {partition}
    roles = {found for call in proxy.calls if call.operation == "AssumeRole" for found in _roles(call.body)}
    assert f"arn:{partition}:iam::{created['AccountId']}:role/audit" in roles
    assert all(item.startswith(region[: region.index("-")]) for item in found.provenance.scope.regions)


def test_a_profile_of_a_partition_that_no_region_was_asked_for_in(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys were not looked for, which the Regions asked for do not say."""
    accounts = {"one": member(proxy.url, FIRST), "two": member(proxy.url, SECOND)}
    for account, region in zip(accounts.values(), ("eu-west-1", "us-gov-west-1"), strict=True):
        fill(account, region, keys=1)
    _profiles(tmp_path, monkeypatch, **accounts)
    (tmp_path / "config").write_text("[profile one]\nregion = eu-west-1\n[profile two]\nregion = us-gov-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    found = collected(proxy, profiles=("one", "two"), regions=("eu-*",), **QUICK)
    assert {key.account for key in found.keys} == {FIRST}
    assert [(gap.account, gap.fact, gap.code) for gap in found.gaps] == [(SECOND, "regions", "OtherPartition")]
    both = collected(proxy, profiles=("one", "two"), regions=("eu-*", "us-gov-*"), **QUICK)
    assert ({key.account for key in both.keys}, both.gaps) == ({FIRST, SECOND}, ())


def _roles(body: bytes) -> list[str]:
    return [text.replace("%3A", ":").replace("%2F", "/") for text in re.findall(r"RoleArn=([^&]+)", body.decode())]


@pytest.mark.slow
def test_a_session_near_its_end_is_renewed_before_it_ends(proxy: Proxy) -> None:
    (account,) = fill_organization(proxy.url, 1)
    fill(member(proxy.url, account), keys=2)
    forwarded = proxy._forwarded
    soon = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def short(path, headers, call, method):
        status, kinds, body = forwarded(path, headers, call, method)
        if call.operation == "AssumeRole":
            body = re.sub(rb"<Expiration>[^<]+<", f"<Expiration>{soon}<".encode(), body)
        return status, kinds, body

    proxy._forwarded = short  # type: ignore[method-assign]
    before = len(proxy.calls)
    found = collected(proxy, org=True, role_name="audit", **QUICK)
    assert not found.gaps
    assert len(found.keys) == 2
    assert sum(call.operation == "AssumeRole" for call in proxy.calls[before:]) > 1


@pytest.mark.slow
def test_units_accounts_and_regions_can_be_left_out(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 4)
    in_production = {account for number, account in enumerate(members) if number % 2}
    options = {"org": True, "role_name": "audit", **QUICK}
    found = collected(
        proxy, exclude_organizational_units=("prod*",), regions=("eu-*",), exclude_regions=("eu-west-*",), **options
    )
    accounts = set(found.provenance.scope.accounts)
    assert accounts & set(members) == set(members) - in_production
    assert found.provenance.scope.regions
    assert all(region.startswith("eu-") for region in found.provenance.scope.regions)
    assert not any(region.startswith("eu-west-") for region in found.provenance.scope.regions)
    with pytest.raises(UsageError, match="No Region that is enabled matches"):
        collected(proxy, regions=("eu-west-1",), exclude_regions=("eu-*",), **QUICK)


def test_names_that_are_not_ascii_and_huge_policies_come_back_as_they_are(proxy: Proxy) -> None:
    kms = management(proxy.url).client("kms")
    name = "Grün 鍵 \u2028 \u0085 \U0001f511"
    policy = OPEN.replace('"Version"', f'"Id": "{"x" * 32000}", "Version"')
    key_id = kms.create_key(Description=name, Policy=policy, Tags=[{"TagKey": name, "TagValue": name}])["KeyMetadata"]
    fill_iam(management(proxy.url))
    (key,) = collected(proxy, **QUICK).keys
    assert (key.key_id, key.description, key.tags) == (key_id["KeyId"], name, ((name, name),))
    assert key.policies[0].policy.text == policy
