"""The law of advice: whoever does what ``explain`` says would turn an answer, in any way that it offers, turns it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.evaluator.grants import grantable_now
from auditor.evaluator.reasons import condition_words
from auditor.model.access import Outcome
from auditor.model.actions import BY_NAME, Action
from auditor.model.key import Key
from auditor.model.principal import PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.questions import principal_named
from tests.evaluator.organizations import HOME, OUTSIDE, snapshots
from tests.laws import examples
from tests.questions.following import Case, advice, denials, followed, undecided, ways

AS_OF = "2026-11-24T12:00:00Z"
NAMES = ("Decrypt", "Encrypt", "GenerateMac", "CreateGrant", "PutKeyPolicy", "DescribeKey", "UpdateAlias")
ASKED = [BY_NAME[f"kms:{name.lower()}"] for name in (*NAMES, "RetireGrant", "ListKeys")]
CALLERS = (f"arn:aws:sts::{HOME}:assumed-role/App/somebody", "logs.amazonaws.com", OUTSIDE)
NO_ROWS = (PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)
"""Callers that no edit reaches where they bring policies of their own."""
LAWS = settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))


def renumbered(snapshot: Snapshot) -> Snapshot:
    """With ids that one grant alone has, as AWS makes them."""

    def one(place: int, key: Key) -> Key:
        made = tuple(replace(item, grant_id=f"g{place}{number}") for number, item in enumerate(key.grants))
        return replace(key, grants=made)

    return replace(snapshot, keys=tuple(one(place, key) for place, key in enumerate(snapshot.keys)))


@LAWS
@given(snapshots(), st.lists(st.sampled_from(ASKED), min_size=2, max_size=2, unique=True))
def test_advice_that_is_followed_turns_the_answer(snapshot: Snapshot, actions: list[Action]) -> None:
    world = undecided(renumbered(snapshot), AS_OF)
    rows = [item for item in world.principals if item.kind not in NO_ROWS]
    for caller in (*rows, *(principal_named(world, name) for name in CALLERS)):
        for key in (key for key in world.snapshot.keys if key.customer_managed):
            for action in actions:
                check(Case(world, caller, action, key))


def check(case: Case) -> None:
    """Holds the advice against the world after the changes. What AWS RAM wrote cannot be changed by a policy, and a
    grant that somebody could retire has to wait until its key is enabled."""
    told = advice(case)
    if "retiring principal" in " ".join(told) and not grantable_now(case.key):
        return
    if "AWS_RAM" in " ".join(told) or case.decision.outcome is Outcome.UNKNOWN:
        return
    if told[0].startswith(("Nothing can allow it", "No policy can take it away")):
        return
    if case.decision.outcome.denied:
        for pick in range(max(len(ways(case, sentence)) for sentence in told)):
            check_gained(followed(case, told, pick), told)
        return
    for sentence in told:
        for edits in denials(case, sentence):
            assert case.after(edits).decision.outcome.denied, (sentence, edits)


def check_gained(case: Case, told: tuple[str, ...]) -> None:
    decision, last = case.decision, told[-1]
    if last.startswith("It then holds "):
        assert (decision.outcome, f"It then holds {condition_words(decision)}.") == (Outcome.CONDITIONAL, last), told
    elif last.startswith(("Whether it then holds", "That alone")):
        assert decision.outcome in (Outcome.UNKNOWN, Outcome.EXPLICITLY_DENIED, Outcome.IMPLICITLY_DENIED), told
    else:
        assert decision.outcome is Outcome.ALLOWED, told
