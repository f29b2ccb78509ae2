"""What the questions look up per profile and kind of key is what the table says of every single cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.evaluator import Evaluation, evaluate
from auditor.model.access import RANK
from auditor.model.actions import ACTIONS, ON_KEY, Action, Capability, actions_in, usable_mask
from auditor.model.snapshot import Snapshot
from auditor.questions import Answer, what_can, who_can
from tests.cli.conftest import APP, KEY, ROOT, allow, estate, role, text
from tests.cli.conftest import key as key_with
from tests.evaluator.organizations import snapshots
from tests.laws import examples

AS_OF = "2026-11-24T12:00:00Z"
KINDS = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
LAWS = settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def mixed(draw: st.DrawFn) -> Evaluation:
    """An organization with twins of its keys that cannot serve the same actions."""
    snapshot = draw(snapshots())
    kinds = draw(st.permutations(KINDS))
    keys = [
        replace(key, arn=f"{key.arn}{number}", spec=spec, usage=usage)
        for key in snapshot.keys
        for number, (spec, usage) in enumerate(kinds)
    ]
    return evaluate(replace(snapshot, keys=tuple(keys)), as_of=AS_OF)


def one_by_one(evaluation: Evaluation, what: Action | Capability) -> Iterator[Answer]:
    """The answers for every cell, by key and principal."""
    for column, key in enumerate(evaluation.snapshot.keys):
        usable = usable_mask(key.spec, key.usage, key.origin)
        for row, principal in enumerate(evaluation.principals):
            if isinstance(what, Action):
                yield Answer(principal, key, what.name, what, evaluation.table.decision(row, column, what))
            elif (best := evaluation.table.capability(row, column, what, usable)) is not None:
                yield Answer(principal, key, what.label, *best)


@LAWS
@given(mixed(), st.sampled_from([*Capability, *actions_in(ON_KEY)]))
def test_who_can_says_what_the_table_says(evaluation: Evaluation, what: Action | Capability) -> None:
    cells = list(one_by_one(evaluation, what))
    places = {key.arn: place for place, key in enumerate(evaluation.snapshot.keys)}
    cells.sort(key=lambda item: (places[item.key.arn], RANK[item.decision.outcome], item.principal.arn))
    assert list(who_can(evaluation, what, evaluation.snapshot.keys, include_denied=True)) == cells
    open_cells = [item for item in cells if not item.decision.outcome.denied]
    assert list(who_can(evaluation, what, evaluation.snapshot.keys)) == open_cells


@LAWS
@given(mixed())
def test_what_can_says_what_the_table_says(evaluation: Evaluation) -> None:
    cells = [item for what in Capability for item in one_by_one(evaluation, what)]
    telling = [item for item in cells if not item.decision.outcome.denied or item.decision.latent]
    answers = what_can(evaluation, evaluation.principals)
    places = {arn: place for place, arn in enumerate((*evaluation.table.principals, *evaluation.table.keys))}
    telling.sort(key=lambda item: (places[item.principal.arn], places[item.key.arn]))
    assert list(answers) == telling


@pytest.mark.parametrize("action", [action for action in ACTIONS if not action.on_key])
def test_an_action_about_no_key_is_the_same_for_every_key(action: Action) -> None:
    snapshot: Snapshot = estate()
    evaluation = evaluate(snapshot, as_of=AS_OF)
    answers = who_can(evaluation, action, snapshot.keys, include_denied=True)
    assert len(answers) == len(evaluation.principals) * len(snapshot.keys)
    for answer in answers:
        row = evaluation.principals.index(answer.principal)
        assert answer.decision == evaluation.table.account_decision(row, action)


def test_what_another_layer_takes_away_is_told_though_other_actions_were_never_given() -> None:
    """The role is given one action of the capability, and the key denies it; the others it has never had."""
    deny = {"Sid": "Stop", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    keys = (key_with(KEY, "alias/app", text(ROOT, deny)),)
    given_one = role(APP, allow(Sid="Use", Action="kms:Decrypt"))
    evaluation = evaluate(replace(estate(), keys=keys, principals=(given_one,)), as_of=AS_OF)
    (answer,) = what_can(evaluation, [given_one])
    assert (answer.action.name, answer.decision.latent) == ("kms:Decrypt", True)
    (told,) = (one for one in who_can(evaluation, Capability.DECRYPT, keys, include_denied=True) if one == answer)
    assert told.decision.outcome.denied
