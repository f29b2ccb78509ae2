"""Differences: what one side did not read or merely does not mention is no change of access."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.evaluator import Evaluation, evaluate
from auditor.model.key import Fact
from auditor.model.snapshot import AccountFacts, Snapshot
from auditor.questions.change_kinds import Change
from auditor.questions.differences import differences
from auditor.questions.folding import fold_changes
from tests.cli.conftest import (
    APP,
    BATCH,
    DENY_OPS,
    HOME,
    KEY,
    OTHER,
    PARTNER,
    ROOT,
    VIA_S3,
    allow,
    estate,
    key,
    role,
    text,
)

EVERYBODY = allow(Sid="Everybody", Principal="*", Action="kms:Decrypt")
AS_OF = "2026-11-24T12:00:00Z"


def evaluated(snapshot: Snapshot) -> Evaluation:
    return evaluate(snapshot, as_of=AS_OF)


def with_public_other(policy: str) -> Snapshot:
    snapshot = estate(policy)
    return replace(snapshot, keys=(snapshot.keys[0], key(OTHER, "alias/other", text(ROOT, EVERYBODY))))


def test_a_caller_that_is_no_longer_mentioned_keeps_its_other_access() -> None:
    found = differences(evaluated(with_public_other(text(ROOT, VIA_S3))), evaluated(with_public_other(text(ROOT))))
    assert [(item.change, item.principal, item.key) for item in found.access] == [(Change.LOST, PARTNER, KEY)]


def test_nothing_changes_against_itself() -> None:
    evaluation = evaluated(estate())
    found = differences(evaluation, evaluation)
    assert (found.access, found.coverage, found.facts) == ((), (), ())


@pytest.mark.parametrize("swap", [False, True])
def test_an_unread_policy_is_a_difference_of_coverage(swap: bool) -> None:
    snapshot = estate()
    unread = replace(snapshot.keys[0], policies=(), unread=frozenset({Fact.KEY_POLICY}))
    blind = evaluated(replace(snapshot, keys=(unread, snapshot.keys[1])))
    pair = (blind, evaluated(snapshot)) if swap else (evaluated(snapshot), blind)
    found = differences(*pair)
    assert found.access == ()
    assert found.coverage


def test_identities_that_were_not_read_are_no_loss() -> None:
    snapshot = estate()
    account = AccountFacts(id=HOME, regions=("eu-west-1",), unread=frozenset({Fact.IDENTITIES}))
    blind = evaluated(replace(snapshot, accounts=(account,), principals=()))
    found = differences(evaluated(snapshot), blind)
    assert [item for item in found.access if item.change is Change.LOST] == []
    assert [item for item in found.facts if item.kind == "principal"] == []


SHUT = AccountFacts(id=HOME, unread=frozenset({Fact.ACCOUNT, Fact.IDENTITIES}))


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("accounts", [(), (SHUT,)])
def test_an_account_that_one_side_did_not_enter_is_no_change(accounts: tuple[AccountFacts, ...], swap: bool) -> None:
    """Nobody asked for it, or its role could not be assumed: that keys and roles are not there says nothing."""
    snapshot = estate()
    (account,) = snapshot.accounts
    blind = evaluated(replace(snapshot, accounts=accounts, keys=(), principals=()))
    found = differences(blind, evaluated(snapshot)) if swap else differences(evaluated(snapshot), blind)
    assert account.id == HOME
    assert (found.access, found.facts) == ((), ())
    assert {item.cause for item in found.coverage} == {f"the keys of {HOME} in eu-west-1 were not read"}


def test_a_caller_that_one_side_only_assumes_is_no_change() -> None:
    """A key of another account names the role: where its own account was not asked for, it may do anything there."""
    foreign = KEY.replace(HOME, "999999999999")
    named = text(allow(Sid="Named", Principal={"AWS": APP}, Action="kms:Encrypt"))
    snapshot = replace(estate(), keys=(replace(key(foreign, "alias/app", named), account="999999999999"),))
    owner = AccountFacts(id="999999999999", regions=("eu-west-1",))
    both = evaluated(replace(snapshot, accounts=(*snapshot.accounts, owner)))
    one = evaluated(replace(snapshot, accounts=(owner,), principals=()))
    found = differences(both, one)
    assert (found.access, found.facts) == ((), ())
    assert {item.cause for item in found.coverage} == {"the identities of its account were read on one side alone"}


def test_a_deleted_role_is_a_loss_with_its_cause() -> None:
    snapshot = estate()
    without = replace(snapshot, principals=tuple(item for item in snapshot.principals if item.arn != APP))
    found = differences(evaluated(snapshot), evaluated(without))
    assert {(item.principal, item.cause) for item in found.access} == {(APP, "the principal is gone")}
    assert [(item.kind, item.subject, item.change) for item in found.facts] == [("principal", APP, "removed")]


def test_one_action_counts_although_its_capability_stays() -> None:
    """Whoever may administer a key already still gains the right to schedule its deletion."""
    stop = {"Sid": "Keep", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
    everything = allow(Sid="All", Action="kms:*")
    snapshot = replace(estate(text(ROOT, stop)), principals=(role(APP, everything),))
    found = differences(evaluated(snapshot), evaluated(replace(estate(text(ROOT)), principals=snapshot.principals)))
    (gained,) = [item for item in found.access if item.principal == APP]
    assert (gained.change, gained.capability, gained.actions) == (
        Change.GAINED,
        "administer",
        ("kms:ScheduleKeyDeletion",),
    )
    assert gained.cause == "no longer denied by key policy default statement “Keep”"


def test_actions_of_one_capability_have_their_own_causes() -> None:
    """Each names the statement that gives it; where the key itself is new, that is the cause of all."""
    two = [allow(Sid=name, Principal={"AWS": BATCH}, Action=f"kms:{name}") for name in ("Decrypt", "ReEncryptFrom")]
    before, opened = estate(), key(OTHER, "alias/other", text(ROOT, DENY_OPS, *two))
    after = replace(before, keys=(before.keys[0], opened))
    found = differences(evaluated(before), evaluated(after)).access
    assert {(item.principal, item.actions, item.cause) for item in found} == {
        (BATCH, ("kms:Decrypt",), "key policy default statement “Decrypt”"),
        (BATCH, ("kms:ReEncryptFrom",), "key policy default statement “ReEncryptFrom”"),
    }
    new = differences(evaluated(replace(before, keys=before.keys[:1])), evaluated(after)).access
    assert [(item.actions, item.cause) for item in new if item.principal == BATCH] == [
        (("kms:Decrypt", "kms:ReEncryptFrom"), "the key is new")
    ]


VIA = {name: f"{name}.eu-west-1.amazonaws.com" for name in ("s3", "ec2", "rds")}


def through(*services: str) -> Evaluation:
    condition = {"StringEquals": {"kms:ViaService": [VIA[name] for name in services]}}
    return evaluated(estate(text(ROOT, {**VIA_S3, "Condition": condition})))


@pytest.mark.parametrize(
    ("was", "now", "change"),
    [
        (("s3",), ("s3", "ec2"), Change.GAINED),
        (("s3", "ec2"), ("s3",), Change.LOST),
        (("s3",), ("ec2",), Change.CONDITION),
        (("s3", "ec2"), ("rds", "ec2"), Change.CONDITION),
        (("s3", "ec2"), ("ec2", "s3"), None),
    ],
)
def test_a_wider_condition_is_a_gain_and_a_narrower_one_a_loss(was: Any, now: Any, change: Change | None) -> None:
    found = {item.change for item in differences(through(*was), through(*now)).access}
    assert found == ({change} if change else set())


@pytest.mark.parametrize("swap", [False, True])
def test_what_neither_side_could_read_is_no_change_of_access(swap: bool) -> None:
    """On one side the grants are missing, on the other the key policy: nobody knows of a change."""
    app, other = estate().keys
    blind = replace(app, unread=frozenset({Fact.GRANTS}))
    closed = replace(app, policies=(), unread=frozenset({Fact.KEY_POLICY}))
    sides = [evaluated(replace(estate(), keys=(key, other))) for key in (blind, closed)]
    found = differences(*(reversed(sides) if swap else sides))
    assert found.access == ()
    assert ("unknown", "unknown") in {(item.was, item.now) for item in found.coverage}


def test_equal_changes_are_told_once() -> None:
    """Every change is in exactly one of the folded ones."""
    found = differences(evaluated(estate()), evaluated(replace(estate(), principals=()))).access
    folded = fold_changes(found)
    told = [
        (who, key, what) for one in folded for who in one.principals for key in one.keys for what in one.capabilities
    ]
    assert sorted(told) == sorted((item.principal, item.key, item.what) for item in found)
    assert len(folded) < len(found)


def test_a_folded_change_says_what_each_of_its_changes_says() -> None:
    unless_s3 = {**VIA_S3, "Effect": "Deny", "Action": "kms:*"}
    free, bound = (f"arn:aws:iam::{HOME}:role/{name}" for name in ("free", "bound"))
    callers = (role(free), role(bound, {name: value for name, value in unless_s3.items() if name != "Principal"}))
    both = allow(Sid="Both", Principal={"AWS": [free, bound]}, Action="kms:Decrypt")
    before, after = (
        evaluated(replace(estate(), keys=(key(OTHER, "alias/other", policy),), principals=callers))
        for policy in (text(ROOT), text(ROOT, both))
    )
    found = {(item.principal, item.key, item.what): item for item in differences(before, after).access}
    assert len({(item.now, item.cause) for item in found.values()}) == 2
    for one in fold_changes(found.values()):
        members = [found[who, arn, what] for who in one.principals for arn in one.keys for what in one.capabilities]
        told = {(item.change, item.was, item.now, item.cause) for item in members}
        assert told == {(one.first.change, one.first.was, one.first.now, one.first.cause)}
