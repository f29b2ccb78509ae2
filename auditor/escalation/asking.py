"""The two questions: who could come to some keys, and where some callers could come to.

Each evaluates only the part of the matrix that decides its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from auditor.escalation.of_attributes import attribute_routes, own_tag_routes
from auditor.escalation.of_identities import entrances, identity_routes, lets_in, outside_routes
from auditor.escalation.of_keys import key_routes
from auditor.escalation.route import Route, in_order
from auditor.evaluator import Evaluation, surroundings_of
from auditor.evaluator.matrix import TableBuilder, closed_table
from auditor.evaluator.mentions import rows
from auditor.heap import collector_at_rest
from auditor.model.key import Key
from auditor.model.moments import time_of_run
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.rules.privilege.attributes import dependent
from auditor.rules.privilege.step_graph import step_graph
from auditor.rules.view import View


def routes_to(snapshot: Snapshot, keys: Sequence[Key], settings: RuleSettings, as_of: str) -> tuple[Route, ...]:
    """Everybody's routes to the listed keys, by principal; the same keys are named in all of them.

    Raises ValueError for an ``as_of`` that is no ISO 8601 time.
    """
    with collector_at_rest():
        estate, wanted = _Estate(snapshot, settings, as_of), frozenset(key.arn for key in keys)
        every = estate.view(estate.callers, tuple(keys))
        found = (
            *key_routes(every),
            *identity_routes(every),
            *outside_routes(every),
            *own_tag_routes(every),
            *(route for account in sorted({key.account for key in keys}) for route in estate.by_attributes(account)),
        )
        return in_order(_about(found, wanted))


def routes_from(
    snapshot: Snapshot, principals: Sequence[Principal], settings: RuleSettings, as_of: str
) -> tuple[Route, ...]:
    """The routes of the listed callers to whatever keys they lead to. A session has those of its role; a caller of
    another organization those of the roles that let it in.

    Raises ValueError for an ``as_of`` that is no ISO 8601 time.
    """
    with collector_at_rest():
        estate = _Estate(snapshot, settings, as_of)
        named = {who.arn: who for who in estate.without_sessions(principals)}
        accounts = frozenset(who.account for who in named.values() if who.account)
        view = estate.view(estate.around(named, accounts), snapshot.keys, accounts)
        own = (
            *key_routes(view),
            *identity_routes(view, named),
            *own_tag_routes(view),
            *attribute_routes(view),
        )
        let_in = (
            route for route in outside_routes(view) if any(lets_in(route.principal, who) for who in named.values())
        )
        return in_order((*(route for route in own if route.principal in named), *let_in))


def _about(routes: Iterable[Route], wanted: Collection[str]) -> Iterator[Route]:
    for route in routes:
        keys = tuple(arn for arn in route.keys if arn in wanted)
        if keys:
            yield replace(route, keys=keys)


class _Estate:
    """A snapshot at a time, of which parts are evaluated; who can become whom is found once for all parts."""

    def __init__(self, snapshot: Snapshot, settings: RuleSettings, as_of: str) -> None:
        self.snapshot = snapshot
        self.callers = rows(snapshot)
        self._around = surroundings_of(snapshot, as_of=as_of)
        self._builder = TableBuilder()
        table = closed_table(self.callers, snapshot.keys)
        self._facts = View(Evaluation(snapshot, self._around, self.callers, table), settings, time_of_run(as_of))

    def view(
        self, callers: tuple[Principal, ...], keys: tuple[Key, ...], members: frozenset[str] | None = None
    ) -> View:
        """The access of some callers to some keys, as rules see it."""
        table = self._builder.build(callers, keys, self._around)
        return self._facts.part(Evaluation(replace(self.snapshot, keys=keys), self._around, callers, table), members)

    @cached_property
    def _dependent(self) -> set[str]:
        return dependent(self._facts)

    def by_attributes(self, account: str) -> Iterator[Route]:
        """The routes by tags and aliases of the keys of an account: these work inside it alone, for those whose
        policies ask for them, by their own hand or that of a role that they assume."""
        asking = self._dependent & {who.arn for who in self._facts.commons.callers(account)}
        reached = step_graph(self._facts).reached(asking, 1) if asking else ()
        callers = tuple(who for who in self.callers if who.arn in reached)
        keys = tuple(key for key in self.snapshot.keys if key.account == account)
        return attribute_routes(self.view(callers, keys, frozenset((account,)))) if callers else iter(())

    def without_sessions(self, principals: Iterable[Principal]) -> tuple[Principal, ...]:
        """The principals, with the role in place of a session where it was collected."""
        known = {who.arn: who for who in self.snapshot.principals}
        return tuple(known.get(who.iam_arn, who) if who.kind is PrincipalKind.SESSION else who for who in principals)

    def around(self, named: Mapping[str, Principal], accounts: Collection[str]) -> tuple[Principal, ...]:
        """The named callers, those of their accounts, and all to whom one of them comes, in the order of the table."""
        graph, hops = step_graph(self._facts), self._facts.settings.max_hops
        gates = {
            role.arn
            for role in graph.candidates
            for way in entrances(role, self._facts)
            if any(lets_in(way.value, who) for who in named.values())
        }
        reached = graph.reached(named.keys() | gates, hops)
        found = {who.arn: who for who in self.callers if who.arn in reached or who.account in accounts}
        return tuple(who for _, who in sorted({**found, **named}.items()))
