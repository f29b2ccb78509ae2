"""In which account and Region a plan works: told by its providers, and never guessed between several."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor.model.snapshot import AccountFacts, Snapshot
from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, HOME, KEY, OTHER, PARTNER, ROOT, text
from tests.questions.estate import USE, change, organization_estate, plan, second_region
from tests.questions.terraform.plans import ROLE, ROOT_POLICY, configuration, resource


def test_where_a_new_key_will_be_is_told_by_its_provider() -> None:
    """Else by what the plan knows of others, and never guessed between several."""
    new = change("aws_kms_key.new", None, {"policy": text(ROOT, {**ROOT, "Principal": {"AWS": PARTNER}})})
    west = resource("aws_kms_key.new", "aws.west", policy={})
    region = {"provider_config": {"aws.west": {"expressions": {"region": {"constant_value": "eu-west-1"}}}}}
    there = change("aws_kms_key.old", {"arn": KEY}, {"arn": KEY}, actions=["no-op"])
    for told in (
        plan(new, there),
        plan(new, there, **configuration(west, resource("aws_kms_key.old", "aws.west"), **region)),
    ):
        assert edits_of_plan(json.loads(told)).edits[0][1].target.startswith(f"arn:aws:kms:eu-west-1:{HOME}:key/")
    elsewhere = plan(new, there, **configuration(west, resource("aws_kms_key.old", "aws.east"), **region))
    assert edits_of_plan(json.loads(elsewhere)).edits[0][1].target.startswith("arn::kms:eu-west-1::key/")
    other = change("aws_kms_key.far", {"arn": KEY.replace(HOME, "222222222222")}, {}, actions=["no-op"])
    assert edits_of_plan(json.loads(plan(new, there, other))).edits[0][1].target.startswith("arn:aws:kms:eu-west-1::")


FAR = HOME.replace("1", "2")
"""Another collected account, with a key of the same id in another Region and a role of the same name."""


def two_accounts() -> Snapshot:
    snapshot = second_region(organization_estate())
    (app,) = (item for item in snapshot.principals if item.arn == APP)
    twins = tuple(
        replace(app, arn=arn, iam_arn=arn, account=FAR, name=arn.rsplit("/", 1)[1])
        for arn in (f"arn:aws:iam::{FAR}:role/app", f"arn:aws:iam::{FAR}:role/only-there")
    )
    accounts = (*snapshot.accounts, AccountFacts(id=FAR, regions=("eu-west-1",)))
    return replace(snapshot, principals=(*snapshot.principals, *twins), accounts=accounts)


@pytest.mark.parametrize(
    ("role", "region", "refused"),
    [
        ("app", "us-east-1", ()),
        ("only-there", "us-east-1", (f"No principal of account {HOME} is called “role/only-there”.",)),
        ("app", "eu-north-1", (f"No key of account {HOME} in eu-north-1 is called “{OTHER.rsplit('/', 1)[1]}”.",)),
    ],
)
def test_names_are_looked_for_in_the_account_and_region_of_their_provider(
    role: str, region: str, refused: tuple[str, ...]
) -> None:
    """Role names repeat in every account of an organization, ids of multi-Region keys in every Region."""
    there = change("aws_iam_role.app", ROLE, ROLE, actions=["no-op"])
    policy = change("aws_iam_role_policy.p", None, {"role": role, "name": "New", "policy": USE})
    key = change(
        "aws_kms_key_policy.k", None, {"key_id": OTHER.rsplit("/", 1)[1], "policy": ROOT_POLICY, "region": region}
    )
    before = two_accounts()
    after, told = try_edits(before, edits_of_plan(json.loads(plan(there, policy, key))).edits)
    assert tuple(text.partition(": ")[2] for text in told) == refused
    was = {item.arn: item for item in (*before.keys, *before.principals)}
    changed = {item.arn for item in (*after.keys, *after.principals) if item != was[item.arn]}
    expected = {APP, OTHER.replace("eu-west-1", "us-east-1")}
    assert changed == {
        arn for arn in expected if (role in arn or ":key/" in arn) and (region in arn or ":role/" in arn)
    }


def test_of_several_accounts_the_plan_must_tell_which_one_a_name_is_in() -> None:
    """One that is not configured any more has the provider that is left, if that is one alone."""
    was = {"role": "app", "name": "inline", "policy": USE}
    gone = {**change("aws_iam_role_policy.p", was, None), "provider_name": "aws"}
    there = {**change("aws_iam_role.app", ROLE, ROLE, actions=["no-op"]), "provider_name": "aws"}
    one, other = {"main": {"full_name": "aws"}}, {"far": {"full_name": "aws"}}
    written = resource("aws_iam_role.app", "main")
    for providers, refused in ((one, 0), ({**one, **other}, 1)):
        told = plan(there, gone, **configuration(written, provider_config=providers))
        after, open_ones = try_edits(two_accounts(), edits_of_plan(json.loads(told)).edits)
        lost = [item.arn for item in after.principals if item.name == "app" and not item.identity_policies]
        assert (lost, len(open_ones)) == ([APP] * (1 - refused), refused)


@pytest.mark.parametrize(
    "written",
    [
        {"assume_role": [{"role_arn": {"constant_value": f"arn:aws:iam::{HOME}:role/deploy"}}]},
        {"allowed_account_ids": {"constant_value": [HOME]}},
    ],
)
def test_the_configuration_of_a_provider_says_where_it_works(written: dict[str, Any]) -> None:
    policy = change("aws_iam_role_policy.p", None, {"role": "app", "name": "New", "policy": USE})
    providers = {"provider_config": {"aws": {"expressions": written}}}
    told = plan(policy, **configuration(resource("aws_iam_role_policy.p", role={}), **providers))
    ((_, edit),) = edits_of_plan(json.loads(told)).edits
    assert edit.account == HOME
