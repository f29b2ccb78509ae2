"""Which actions a change of SCPs or RCPs can touch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.evaluator import Surroundings
from auditor.model.actions import ALL, mask_of
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.questions.levels import Levels, differing_actions, seen_of_caller, seen_of_key

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def denies(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


def scp(*statements: dict[str, Any], name: str = "guard", version: str = "2012-10-17") -> AttachedPolicy:
    document = {"Version": version, "Statement": list(statements)}
    return AttachedPolicy(Layer.SCP, name, "r-1", parse_policy(document))


def level(*scps: AttachedPolicy) -> OrgTarget:
    return OrgTarget(id="r-1", name="Root", kind=TargetKind.ROOT, parent=None, scps=scps)


FULL = scp(ALLOW, name="FullAWSAccess")
SCPS = (FULL, scp(denies("kms:Decrypt"), denies("kms:Encrypt")))
OLD = level(*SCPS)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(OLD, 0, id="the same"),
        pytest.param(level(FULL, scp(denies("kms:Decrypt"))), mask_of(["Encrypt"]), id="one statement gone"),
        pytest.param(
            level(FULL, scp(denies("s3:*"), denies("kms:Decrypt"), denies("kms:Encrypt"))),
            mask_of(["Decrypt", "Encrypt"]),
            id="others are cited by another number",
        ),
        pytest.param(
            level(FULL, scp(denies("kms:Decrypt"), denies("kms:Encrypt"), name="renamed")),
            mask_of(["Decrypt", "Encrypt"]),
            id="cited by another name",
        ),
        pytest.param(
            level(FULL, scp(denies("kms:Decrypt"), denies("kms:Encrypt"), version="2008-10-17")),
            mask_of(["Decrypt", "Encrypt"]),
            id="variables are no variables any more",
        ),
        pytest.param(
            level(
                FULL, scp(denies("kms:Decrypt"), denies("kms:Encrypt", Condition={"Bool": {"aws:ViaAWSService": "x"}}))
            ),
            mask_of(["Encrypt"]),
            id="a condition",
        ),
        pytest.param(level(*SCPS, scp(denies("s3:*"), name="more")), 0, id="about another service"),
        pytest.param(
            level(scp(denies("kms:Decrypt"), denies("kms:Encrypt"))), ALL, id="what allowed everything is gone"
        ),
        pytest.param(
            level(*SCPS, scp({"Effect": "Deny", "NotAction": "kms:Decrypt", "Resource": "*"}, name="more")),
            ALL & ~mask_of(["Decrypt"]),
            id="all but one",
        ),
        pytest.param(level(*SCPS[::-1]), ALL, id="in another order"),
        pytest.param(replace(OLD, scps=None), ALL, id="switched off"),
        pytest.param(replace(OLD, unread=frozenset({Fact.SCP})), ALL, id="not all were read"),
        pytest.param(replace(OLD, name="Roof"), ALL, id="the level is called another name"),
        pytest.param(
            replace(OLD, scps=(*SCPS, AttachedPolicy(Layer.SCP, "odd", "r-1", parse_policy("{")))),
            ALL,
            id="a document that cannot be read",
        ),
    ],
)
def test_actions_that_scps_speak_of_differently(new: OrgTarget, expected: int) -> None:
    for sides in ((OLD, new), (new, OLD)):
        assert differing_actions(*map(seen_of_caller, sides)) == expected


def test_the_key_does_not_see_scps() -> None:
    assert differing_actions(seen_of_key(OLD), seen_of_key(level())) == 0


HOME, AWAY = "111111111111", "222222222222"


def surroundings(organization: Organization | None, *, unread: bool = False) -> Surroundings:
    return Surroundings(organization=organization, organization_unread=unread)


def tree(name: str = "o-1", *, home: str = "r-1", members: tuple[str, ...] = (HOME,)) -> Organization:
    unit = OrgTarget(id="ou-1", name="Unit", kind=TargetKind.UNIT, parent="r-1", scps=(FULL,))
    accounts = (OrgTarget(id=one, name=one, kind=TargetKind.ACCOUNT, parent=home, scps=(FULL,)) for one in members)
    return Organization(id=name, management_account="999999999999", targets=(OLD, unit, *accounts))


@pytest.mark.parametrize(
    ("old", "new", "of_home", "of_away"),
    [
        pytest.param(surroundings(tree()), surroundings(tree()), 0, 0, id="the same"),
        pytest.param(surroundings(tree()), surroundings(tree(home="ou-1")), ALL, 0, id="the account moved"),
        pytest.param(surroundings(tree()), surroundings(tree(members=(HOME, AWAY))), 0, ALL, id="an account joined"),
        pytest.param(surroundings(tree()), surroundings(tree("o-2")), ALL, ALL, id="another organization"),
        pytest.param(surroundings(tree()), surroundings(None), ALL, ALL, id="no organization"),
        pytest.param(surroundings(tree()), surroundings(tree(), unread=True), ALL, ALL, id="it could not be read"),
    ],
)
def test_actions_for_an_account(old: Surroundings, new: Surroundings, of_home: int, of_away: int) -> None:
    for sides in ((old, new), (new, old)):
        levels = Levels(*sides, seen_of_caller)
        assert [levels.actions(account) for account in (HOME, AWAY, HOME)] == [of_home, of_away, of_home]


def test_all_levels_of_an_account_count() -> None:
    one, other = (
        replace(tree(), targets=(level(FULL, scp(denies(on_root))), *_members(on_member)))
        for on_root, on_member in (("kms:Decrypt", "kms:Sign"), ("kms:Encrypt", "kms:Verify"))
    )
    levels = Levels(surroundings(one), surroundings(other), seen_of_caller)
    assert levels.actions(HOME) == mask_of(["Decrypt", "Encrypt", "Sign", "Verify"])
    assert levels.actions(AWAY) == mask_of(["Decrypt", "Encrypt"])
    assert levels.actions(None) == 0


def _members(denied: str) -> tuple[OrgTarget, ...]:
    home = OrgTarget(
        id=HOME, name=HOME, kind=TargetKind.ACCOUNT, parent="r-1", scps=(FULL, scp(denies(denied), name="own"))
    )
    return (home, OrgTarget(id=AWAY, name=AWAY, kind=TargetKind.ACCOUNT, parent="r-1", scps=(FULL,)))
