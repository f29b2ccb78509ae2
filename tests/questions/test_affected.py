"""The law of incremental comparison: deciding only what can differ gives the answer of deciding everything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import Auditor, touched
from auditor.audit.comparing import compare_findings
from auditor.evaluator import Evaluation, evaluate
from auditor.evaluator.matrix import TableBuilder
from auditor.model.access import Outcome
from auditor.model.actions import ACTIONS, ON_KEY, actions_in
from auditor.model.key import LastUsage
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Snapshot
from auditor.questions import carrying_over
from auditor.questions import differences as module
from auditor.questions.affected import Affected, affected, time_counts, world_of
from auditor.questions.carrying_over import evaluate_after, evaluate_both
from auditor.questions.change_kinds import Change
from auditor.questions.differences import Differences, differences
from tests.evaluator.organizations import FULL, KEY_ARNS, ROLES, keys, organizations, principals, snapshots
from tests.laws import examples

OLD, NEW = "2026-11-24T12:00:00Z", "2026-12-24T12:00:00Z"
LAWS = settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
UNUSED = parse_policy(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "kms:ScheduleKeyDeletion",
            "Resource": "*",
            "Condition": {"NumericGreaterThan": {"kms:TrailingDaysWithoutKeyUsage": "20"}},
        },
    }
)


@st.composite
def edited(draw: st.DrawFn, snapshot: Snapshot) -> Snapshot:
    """The snapshot with some of its parts drawn again, most of them untouched."""

    def some(items: Any, one: Any) -> Any:
        return tuple(draw(one(item.arn)) if draw(st.integers(0, 3)) == 0 else item for item in items)

    parts: dict[str, Any] = {"keys": some(snapshot.keys, keys), "principals": some(snapshot.principals, principals)}
    if draw(st.integers(0, 3)) == 0:
        parts["principals"] = tuple(item for item in parts["principals"] if item.arn != ROLES[0])
    if draw(st.integers(0, 3)) == 0:
        parts["keys"] = parts["keys"][:1]
    organization = snapshot.organization
    if organization is not None and draw(st.booleans()):
        parts["organization"] = _one_target(draw(st.integers(0, 4)), organization, draw(organizations()))
    elif draw(st.integers(0, 4)) == 0:
        parts["organization"] = draw(st.one_of(st.none(), organizations()))
    return replace(snapshot, **parts)


def _one_target(place: int, old: Organization, new: Organization) -> Organization:
    return replace(old, targets=(*old.targets[:place], new.targets[place], *old.targets[place + 1 :]))


def whole(old: Any, new: Any) -> Differences:
    """The comparison with everything decided on both sides."""
    rows = frozenset(item.arn for side in (old, new) for item in side.principals)
    columns = frozenset(key.arn for side in (old, new) for key in side.snapshot.keys)
    with mock.patch.object(module, "affected", lambda *_: Affected(rows, columns)):
        return differences(old, new)


@LAWS
@given(st.data())
def test_only_what_can_differ_is_decided_and_nothing_is_missed(data: st.DataObject) -> None:
    snapshot = data.draw(snapshots())
    old, new = world_of(snapshot, as_of=OLD), world_of(data.draw(edited(snapshot)), as_of=NEW)
    assert differences(old, new) == whole(old, new)


@LAWS
@given(st.data())
def test_pairs_that_are_not_affected_have_equal_decisions(data: st.DataObject) -> None:
    """The reason behind the law above, held against two evaluations that know nothing of it."""
    snapshot = data.draw(snapshots())
    old = evaluate(snapshot, as_of=OLD)
    new = evaluate(data.draw(edited(snapshot)), as_of=NEW)
    reached = affected(old, new, old.principals, new.principals)
    for row, caller in enumerate(old.principals):
        for column, key in enumerate(old.snapshot.keys):
            if caller.arn in reached.principals or key.arn in reached.keys:
                continue
            other = new.principals.index(caller), [item.arn for item in new.snapshot.keys].index(key.arn)
            for action in actions_in(ON_KEY):
                assert old.table.decision(row, column, action) == new.table.decision(*other, action)


@LAWS
@given(st.data())
def test_what_is_carried_over_is_what_would_be_decided(data: st.DataObject) -> None:
    snapshot = data.draw(snapshots())
    changed = data.draw(edited(snapshot))
    before = evaluate(snapshot, as_of=OLD)
    with mock.patch.object(carrying_over, "TOO_MUCH", data.draw(st.sampled_from([0.5, 1.0]))):
        found = evaluate_after(before, world_of(changed, as_of=NEW))
    assert_equal_decisions(found, evaluate(changed, as_of=NEW))


@LAWS
@given(st.data())
def test_where_guardrails_alone_differ_only_the_actions_that_they_speak_of_are_decided(data: st.DataObject) -> None:
    snapshot = data.draw(snapshots().filter(lambda facts: facts.organization is not None))
    old = snapshot.organization
    assert old is not None
    place, other = data.draw(st.integers(0, 4)), data.draw(organizations())
    guarded = replace(old.targets[place], scps=other.targets[place].scps, rcps=other.targets[place].rcps)
    changed = replace(snapshot, organization=_one_target(place, old, replace(old, targets=(guarded,) * 5)))
    sides = world_of(snapshot, as_of=OLD), world_of(changed, as_of=OLD)
    assert differences(*sides) == whole(*sides)
    with mock.patch.object(carrying_over, "TOO_MUCH", 0):
        found = evaluate_both(*sides, TableBuilder())[1]
    assert_equal_decisions(found, evaluate(changed, as_of=OLD))


@pytest.mark.parametrize("changed", [{"scps"}, {"rcps"}, {"scps", "rcps"}])
def test_one_action_denied_at_the_root(changed: set[str]) -> None:
    snapshot = replace(_lately_used(UNUSED), organization=_rooted())
    denied = {"scps": _guard(Layer.SCP, "kms:ScheduleKeyDeletion"), "rcps": _guard(Layer.RCP, "kms:Decrypt")}
    now = replace(snapshot, organization=_rooted(**{name: (denied[name],) for name in changed}))
    with mock.patch.object(carrying_over, "TOO_MUCH", 0):
        found = evaluate_both(world_of(snapshot, as_of=NEW), world_of(now, as_of=NEW), TableBuilder())[1]
    assert_equal_decisions(found, evaluate(now, as_of=NEW))
    assert found.table.decisions != evaluate(snapshot, as_of=NEW).table.decisions


def _rooted(**policies: Any) -> Organization:
    home = KEY_ARNS[0].split(":")[4]
    full = AttachedPolicy(Layer.SCP, "FullAWSAccess", "r-1", parse_policy(FULL))
    root = OrgTarget(id="r-1", name="Root", kind=TargetKind.ROOT, parent=None, scps=(full, *policies.get("scps", ())))
    root = replace(root, rcps=policies.get("rcps", ()))
    member = OrgTarget(id=home, name="Home", kind=TargetKind.ACCOUNT, parent="r-1", scps=(full,))
    return Organization(id="o-1", management_account="999999999999", targets=(root, member))


def _guard(layer: Layer, action: str) -> AttachedPolicy:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return AttachedPolicy(layer, "guard", "r-1", parse_policy({"Version": "2012-10-17", "Statement": [statement]}))


def assert_equal_decisions(found: Evaluation, expected: Evaluation) -> None:
    assert (found.principals, found.table.keys) == (expected.principals, expected.table.keys)
    for row in range(len(found.principals)):
        for action in ACTIONS:
            for column in range(len(found.table.keys)):
                assert found.table.decision(row, column, action) == expected.table.decision(row, column, action)
            assert found.table.account_decision(row, action) == expected.table.account_decision(row, action)


@LAWS
@given(st.data())
def test_findings_do_not_see_what_was_carried_over(data: st.DataObject) -> None:
    snapshot = data.draw(snapshots())
    changed = data.draw(edited(snapshot))
    with mock.patch.object(carrying_over, "TOO_MUCH", 1.0), mock.patch.object(touched, "TOO_MUCH", 1.0):
        compared = Auditor().compare(snapshot, changed, OLD)
    auditor = Auditor()
    reports = [auditor.judge(auditor.evaluate(facts, OLD)) for facts in (snapshot, changed)]
    assert compared.findings == compare_findings(*reports, snapshot, changed)
    assert compared.differences == differences(world_of(snapshot, as_of=OLD), world_of(changed, as_of=OLD))


def test_time_counts_only_where_a_policy_asks_for_it() -> None:
    quiet = _lately_used(parse_policy({"Version": "2012-10-17", "Statement": []}))
    assert _reached(quiet).keys == frozenset()
    asking = _lately_used(UNUSED)
    assert _reached(asking).keys == {KEY_ARNS[0]}
    found = differences(world_of(asking, as_of=OLD), world_of(asking, as_of=NEW)).access
    assert {(item.change, item.after.outcome) for item in found if item.after} == {(Change.GAINED, Outcome.ALLOWED)}


@pytest.mark.parametrize("too_much", [0.5, 1.0])
def test_what_was_worked_out_for_another_time_serves_only_where_no_policy_asks_for_it(too_much: float) -> None:
    asking = _lately_used(UNUSED)
    with mock.patch.object(carrying_over, "TOO_MUCH", too_much):
        sides = evaluate_both(world_of(asking, as_of=OLD), world_of(asking, as_of=NEW), TableBuilder())
    for side, as_of in zip(sides, (OLD, NEW), strict=True):
        alone = evaluate(asking, as_of=as_of)
        assert side.surroundings == alone.surroundings
        for row in range(len(alone.principals)):
            decided = [[item.table.decision(row, 0, action) for action in ACTIONS] for item in (side, alone)]
            assert decided[0] == decided[1]


def test_a_variable_may_ask_for_the_time() -> None:
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "kms:*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/days": "${kms:TrailingDaysWithoutKeyUsage}"}},
            },
        }
    )
    assert time_counts(world_of(_lately_used(parse_policy(text)), as_of=OLD))


def _lately_used(policy: Any) -> Snapshot:
    from auditor.model.key import Key

    home = KEY_ARNS[0].split(":")[4]
    attached = AttachedPolicy(Layer.KEY_POLICY, "default", KEY_ARNS[0], policy)
    usage = LastUsage("2026-11-20T00:00:00Z", "Decrypt", "2026-01-01T00:00:00Z")
    key = Key(
        arn=KEY_ARNS[0],
        key_id="k",
        account=home,
        region="eu-west-1",
        policies=(attached,),
        last_usage=usage,
    )
    return Snapshot(keys=(key,))


def _reached(snapshot: Snapshot) -> Affected:
    old, new = world_of(snapshot, as_of=OLD), world_of(snapshot, as_of=NEW)
    return affected(old, new, old.principals, new.principals)


def test_what_no_decision_sees_affects_nothing() -> None:
    snapshot = _lately_used(parse_policy({"Version": "2012-10-17", "Statement": []}))
    (key,) = snapshot.keys
    later = replace(key, description="new words", last_usage=LastUsage("2026-12-20T00:00:00Z"), rotation=None)
    old, new = world_of(snapshot, as_of=OLD), world_of(replace(snapshot, keys=(later,)), as_of=NEW)
    assert affected(old, new, old.principals, new.principals) == Affected(frozenset(), frozenset(), 0)
