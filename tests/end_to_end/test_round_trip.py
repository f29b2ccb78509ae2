"""The law of the way in: what is served over HTTP, collected, written and read again gives the verdicts that the same
facts give in memory, for random organizations."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from auditor.evaluator.evaluation import evaluate
from auditor.model.access import Decision
from auditor.model.actions import ACTIONS
from auditor.model.snapshot import Snapshot
from tests.aws.collecting import AS_OF, collected
from tests.aws.fixtures import credentials
from tests.aws.invented import InventedAws
from tests.aws.served import as_found, served
from tests.evaluator.organizations import snapshots
from tests.laws import examples

QUICK = {"evidence": False, "last_usage": False, "last_accessed": False, "key_events": 0, "retirable_grants": False}
CITED = re.compile(r"source=StatementRef\([^)]*\)")


def told(decision: Decision) -> tuple[object, ...]:
    """A decision without the names of policies, which serving made up."""
    return decision.outcome, decision.reason, decision.flags, CITED.sub("", repr(decision.residual))


@pytest.mark.slow
@settings(
    max_examples=examples(15), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # an example is a whole collection: none is made smaller
@given(snapshots().filter(lambda snapshot: snapshot.organization is not None))
def test_collecting_an_organization_finds_its_verdicts(snapshot: Snapshot) -> None:
    with credentials(), InventedAws(served(snapshot)) as aws:
        found = collected(aws, **QUICK).snapshot
    assert found.gaps == ()
    here, there = evaluate(as_found(snapshot, found), as_of=AS_OF), evaluate(found, as_of=AS_OF)
    assert [who.arn for who in here.principals] == [who.arn for who in there.principals]
    for row in range(len(here.principals)):
        for column in range(len(here.snapshot.keys)):
            for action in ACTIONS:
                ours, theirs = (side.table.decision(row, column, action) for side in (here, there))
                assert told(ours) == told(theirs), (here.principals[row].arn, action.name)
