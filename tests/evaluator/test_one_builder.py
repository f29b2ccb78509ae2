"""One builder for two worlds gives the decisions of two builders, whatever it keeps from the first."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.evaluator import surroundings_of
from auditor.evaluator.matrix import TableBuilder, build_table
from auditor.evaluator.mentions import rows
from auditor.model.access import AccessTable, Decision
from auditor.model.actions import ACTIONS
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget
from auditor.model.snapshot import Snapshot
from tests.evaluator.organizations import organizations, snapshots
from tests.laws import examples

AS_OF = "2026-11-24T12:00:00Z"


def _decided(table: AccessTable) -> list[Decision]:
    """Every decision, in order, whatever its number."""
    positions = [(row, column) for row in range(len(table.principals)) for column in range(len(table.keys))]
    return [
        *(table.decision(row, column, action) for row, column in positions for action in ACTIONS),
        *(table.account_decision(row, action) for row in range(len(table.principals)) for action in ACTIONS),
    ]


def _with_scps_of(target: OrgTarget, other: OrgTarget, *, also_rcps: bool) -> OrgTarget:
    found = replace(target, scps=other.scps, unread=target.unread - {Fact.SCP} | other.unread & {Fact.SCP})
    return replace(found, rcps=other.rcps) if also_rcps else found


@st.composite
def changed(draw: st.DrawFn, organization: Organization) -> Organization:
    """The organization with the SCPs, and sometimes the RCPs, of another one."""
    others = {target.id: target for target in draw(organizations()).targets}
    also_rcps = draw(st.integers(0, 3)) == 0
    targets = (
        _with_scps_of(target, others.get(target.id, target), also_rcps=also_rcps) for target in organization.targets
    )
    return replace(organization, targets=tuple(targets))


@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), snapshots(), organizations())
def test_tables_of_two_worlds(data: st.DataObject, snapshot: Snapshot, organization: Organization) -> None:
    old = replace(snapshot, organization=organization, organization_unread=False)
    new = replace(old, organization=data.draw(changed(organization)))
    builder, everybody = TableBuilder(), rows(old)
    some = tuple(data.draw(st.lists(st.sampled_from(everybody), max_size=4, unique=True))) if everybody else ()
    for facts, callers in ((old, everybody), (old, some), (new, everybody), (new, some), (old, everybody)):
        around = surroundings_of(facts, as_of=AS_OF)
        for keys in (facts.keys[:1], facts.keys):
            found = builder.build(callers, keys, around)
            assert _decided(found) == _decided(build_table(callers, keys, around))
