"""The law of the questions: who-can, what-can, explain and the access table give the same answers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import Auditor
from auditor.errors import UnknownNameError
from auditor.evaluator import Evaluation, evaluate
from auditor.evaluator.matrix import build_table
from auditor.model.access import Decision
from auditor.model.actions import ACTIONS, CAPABILITY_MASKS, ON_KEY, Action, Capability, actions_in, usable_mask
from auditor.model.snapshot import Snapshot
from auditor.questions import Answer, explain, find_keys, principal_named, what_can, who_can, who_can_folded
from auditor.questions.answers import asked, mask_asked
from tests.evaluator.organizations import snapshots
from tests.laws import examples

AS_OF = "2026-11-24T12:00:00Z"
SOME = [
    action for action in actions_in(ON_KEY) if action.short in ("Decrypt", "CreateGrant", "GetKeyPolicy", "Encrypt")
]
LAWS = settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))


@LAWS
@given(snapshots(), st.sampled_from(SOME))
def test_who_can_what_can_explain_and_the_table_agree(snapshot: Snapshot, action: Action) -> None:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    answers = who_can(evaluation, action, snapshot.keys, include_denied=True)
    assert len(answers) == len(evaluation.principals) * len(snapshot.keys)
    allowed = set()
    for answer in answers:
        row = evaluation.principals.index(answer.principal)
        column = snapshot.keys.index(answer.key)
        assert answer.decision == evaluation.table.decision(row, column, answer.action)
        assert (
            explain(evaluation, answer.principal, answer.action, answer.key).decision.outcome == answer.decision.outcome
        )
        if not answer.decision.outcome.denied or answer.decision.latent:
            allowed.add((answer.principal.arn, answer.key.arn, answer.decision))
    found = what_can(evaluation, evaluation.principals, action)
    assert {(item.principal.arn, item.key.arn, item.decision) for item in found} == allowed


@LAWS
@given(snapshots(), st.sampled_from([*SOME, *Capability]), st.booleans(), st.randoms(use_true_random=False))
def test_folded_answers_are_the_answers(
    snapshot: Snapshot, what: Action | Capability, denied: bool, any_: Random
) -> None:
    whole = evaluate(snapshot, as_of=AS_OF)
    callers = tuple(any_.sample(whole.principals, len(whole.principals)))
    table = build_table(callers, snapshot.keys, whole.surroundings, mask_asked(what))
    evaluation = Evaluation(snapshot, whole.surroundings, callers, table)
    answers = who_can(whole, what, snapshot.keys, include_denied=denied)
    assert who_can(evaluation, what, snapshot.keys, include_denied=denied) == answers
    groups: dict[tuple[str, str, Decision], list[Answer]] = {}
    for answer in answers:
        groups.setdefault((answer.key.arn, answer.action.name, answer.decision), []).append(answer)
    folded = list(who_can_folded(evaluation, what, snapshot.keys, include_denied=denied))
    assert [key for key, _ in folded] == list(snapshot.keys)
    assert [(one.first, one.principals) for _, found in folded for one in found] == [
        (group[0], tuple(answer.principal for answer in group)) for group in groups.values()
    ]


@LAWS
@given(snapshots(), st.sampled_from(list(Capability)))
def test_a_capability_is_its_strongest_action(snapshot: Snapshot, capability: Capability) -> None:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    for answer in who_can(evaluation, capability, snapshot.keys):
        mask = CAPABILITY_MASKS[capability] & usable_mask(answer.key.spec, answer.key.usage, answer.key.origin)
        assert mask >> answer.action.bit & 1
        one_by_one = who_can(evaluation, answer.action, [answer.key], include_denied=True)
        assert any(other.principal == answer.principal and other.decision == answer.decision for other in one_by_one)


@LAWS
@given(snapshots())
def test_every_row_and_key_is_found_by_its_arn(snapshot: Snapshot) -> None:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    for principal in evaluation.principals:
        assert principal_named(evaluation, principal.arn) == principal
    for key in snapshot.keys:
        assert key in find_keys(snapshot, key.arn, several=False)


def test_names_of_actions_and_capabilities() -> None:
    assert asked("decrypt") is Capability.DECRYPT
    assert asked("kms:Decrypt").name == "kms:Decrypt"  # type: ignore[union-attr]
    assert {asked(one.label) for one in Capability} == {asked(str(one)) for one in Capability} == set(Capability)
    assert {asked(action.name) for action in ACTIONS} == set(ACTIONS)
    with pytest.raises(UnknownNameError, match="Did you mean kms:Decrypt"):
        asked("kms:Decypt")


@LAWS
@given(snapshots(), st.data())
def test_a_part_of_the_matrix_is_decided_as_the_whole(snapshot: Snapshot, data: st.DataObject) -> None:
    """What the commands evaluate: one column, one row, or a caller that is no row."""
    auditor, whole = Auditor(), evaluate(snapshot, as_of=AS_OF)
    key = data.draw(st.sampled_from(snapshot.keys))
    caller = data.draw(st.sampled_from(whole.principals))
    column = auditor.evaluate_part(snapshot, AS_OF, keys=[key])
    assert column.principals == whole.principals
    row = auditor.evaluate_part(snapshot, AS_OF, principals=[caller])
    place = snapshot.keys.index(key)
    for action in actions_in(ON_KEY):
        for number in range(len(whole.principals)):
            assert column.table.decision(number, 0, action) == whole.table.decision(number, place, action)
        expected = whole.table.decision(whole.principals.index(caller), place, action)
        assert row.table.decision(0, place, action) == expected


@LAWS
@given(snapshots(), st.sampled_from(SOME))
def test_a_session_can_what_explain_says(snapshot: Snapshot, action: Action) -> None:
    session = "arn:aws:sts::111111111111:assumed-role/App/somebody"
    evaluation = evaluate(snapshot, as_of=AS_OF)
    caller = principal_named(evaluation, session)
    answers = {answer.key.arn: answer.decision for answer in what_can(evaluation, [caller], action)}
    for key in snapshot.keys:
        told = explain(evaluation, caller, action, key).decision
        if told.outcome.denied and not told.latent:
            assert key.arn not in answers
        else:
            assert answers[key.arn].outcome == told.outcome


@LAWS
@given(snapshots(), st.sampled_from(SOME))
def test_everything_can_be_turned_or_says_why_not(snapshot: Snapshot, action: Action) -> None:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    for caller in evaluation.principals:
        for key in snapshot.keys:
            told = explain(evaluation, caller, action, key)
            assert told.turning
            assert len(set(told.turning)) == len(told.turning)
            hopeless = told.turning[0].startswith("Nothing can allow it")
            if action.short not in ("ListKeys", "RetireGrant"):
                assert hopeless == (told.decision.reason == "action_not_cross_account")
