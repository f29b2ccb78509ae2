"""Answers about the organization that are not what they should be: nobody is taken for free of limits, or for alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.errors import CollectionError
from auditor.model.key import Fact
from tests.aws.breaking import MEMBER, QUICK, Change, changed
from tests.aws.collecting import collected
from tests.aws.wire import Call
from tests.aws.written import MANAGEMENT
from tests.aws.written_server import Wire, WrittenAws

STAYS = "200000000001"

pytestmark = pytest.mark.usefixtures("local_credentials")


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


def test_an_organization_without_any_account_is_no_matter_of_permissions() -> None:
    with pytest.raises(CollectionError, match="lists no account"):
        changed("organizations:ListAccountsForParent", lambda data: data["Accounts"].clear(), MANAGEMENT)


def test_a_level_without_any_policy_is_no_level_without_limits() -> None:
    result = changed("organizations:ListPoliciesForTarget", lambda data: data["Policies"].clear(), MANAGEMENT)
    assert {gap.fact for gap in result.snapshot.gaps} == {Fact.RCP}  # without an SCP, nothing is allowed: no gap
    assert "allowed None" not in result.verdicts([MEMBER])[MEMBER].values()


def test_an_account_that_moves_while_the_tree_is_read_is_not_lost() -> None:
    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if call.action != "organizations:ListAccountsForParent":
            return None
        here = [account for account in json.loads(good[2])["Accounts"] if account["Id"] != MEMBER]
        return good[0], good[1], json.dumps({"Accounts": here}).encode()

    with WrittenAws((MEMBER, STAYS)) as aws:
        aws.garble = garble
        result = collected(aws, **QUICK)
    assert [(gap.operation, gap.subject) for gap in result.snapshot.gaps] == [("organizations:ListAccounts", MEMBER)]
    assert len(result.snapshot.keys) == 9
    verdicts = result.verdicts([MEMBER, STAYS])
    assert "allowed None" in verdicts[STAYS].values()
    assert "allowed None" not in verdicts[MEMBER].values()


def test_the_document_of_another_policy_is_not_taken_for_it() -> None:
    result = changed(
        "organizations:DescribePolicy", lambda data: data["Policy"]["PolicySummary"].update(Id="p-rcp"), MANAGEMENT
    )
    assert {(gap.fact, gap.subject) for gap in result.snapshot.gaps} == {(Fact.SCP, "p-scp")}
