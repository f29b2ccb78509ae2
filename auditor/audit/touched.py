"""The parts of an estate that a change can touch, on both sides of a comparison, as the rules need them.

A caller is touched when one of its facts or of the SCPs above it differs, or when it is there on one side alone; a key
when one of its facts or of the RCPs above it differs, when a touched caller has access to it or is named by it, when it
is open to an account whose SCPs or RCPs differ, or when it is a multi-Region relative of such a key; an account when
its SCPs or RCPs differ, when a touched caller is in it, or when a key whose facts differ is in it or open to one of its
callers.
About everything else every rule says the same on both sides (``rules.scopes``): it need not be judged, nor its access
be decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from auditor.audit.unequal import (
    differing_callers,
    differing_guardrails,
    differing_keys,
    names_in,
    relatives,
    same_around,
    same_use,
)
from auditor.evaluator import Evaluation
from auditor.evaluator.matrix import TableBuilder, closed_table
from auditor.evaluator.synthetic import account_admin, external
from auditor.model.moments import time_of_run
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings
from auditor.questions.affected import World, affected
from auditor.questions.carrying_over import evaluate_both
from auditor.rules.commons import Commons
from auditor.rules.parts import Parts
from auditor.rules.privilege.walkers import touched_walkers
from auditor.rules.reach import Reach
from auditor.rules.view import View

Sides = tuple[Evaluation, Evaluation]
TOO_MUCH = 0.5
"""From this share of touched callers or keys on, judging everything costs less."""


def touched_parts(old: World, new: World, settings: RuleSettings) -> tuple[Parts, Parts] | None:
    """The touched parts of both sides; None where the world around keys and callers differs, or too much is touched."""
    if not same_around(old, new, settings):
        return None
    reached = affected(old, new, old.principals, new.principals)
    callers = reached.principals | differing_callers(old.principals, new.principals)
    keys = relatives(reached.keys | differing_keys(old.snapshot.keys, new.snapshot.keys), old, new)
    if _too_many(callers, keys, old, new):
        return None
    return _Touched(old, new, settings, callers, keys, differing_guardrails(old, new)).parts()


def _too_many(callers: Iterable[str], keys: Iterable[str], old: World, new: World) -> bool:
    """Whether more than half of the callers or keys of a side are listed."""
    return any(
        len(listed & {item.arn for item in everything}) > TOO_MUCH * len(everything)
        for side in (old, new)
        for listed, everything in ((set(callers), side.principals), (set(keys), side.snapshot.keys))
    )


@dataclass(frozen=True, slots=True)
class _Touched:
    """Both sides with the ARNs of touched ``callers`` and of ``keys`` whose facts differ.

    ``guarded`` are the accounts whose SCPs or RCPs differ; ``builder`` makes all tables.
    """

    old: World
    new: World
    settings: RuleSettings
    callers: frozenset[str]
    keys: frozenset[str]
    guarded: frozenset[str]
    builder: TableBuilder = field(default_factory=TableBuilder)

    def parts(self) -> tuple[Parts, Parts] | None:
        was, now = self.old.snapshot, self.new.snapshot
        same_time = self.old.surroundings.as_of == self.new.surroundings.as_of and same_use(was, now)
        same_callers = same_time and was.principals == now.principals and was.organization == now.organization
        facts = self._facts(same_callers)
        on_keys = self._on_keys(self.keys)
        walkers = touched_walkers(facts[0].part(on_keys[0]), facts[1].part(on_keys[1]), self.callers)
        members = self._members(on_keys)
        rows = self._rows(members, walkers.rows | self.callers)
        if _too_many(rows, (), self.old, self.new):
            return None
        invented = self._invented()
        asked = self._of_callers(rows, invented)
        keys = relatives(self.keys | self._opened(asked, invented) | self._naming(), self.old, self.new)
        if _too_many((), keys, self.old, self.new):
            return None
        if keys != self.keys:
            on_keys = self._on_keys(keys)
        of_callers = [_without_last(side, len(invented)) for side in asked]
        first, second = (
            Parts(
                facts=view,
                keys=view.part(column, members),
                callers=view.part(row, members),
                members=members,
                walkers=walkers.subjects,
                same_callers=same_callers,
                same_time=same_time,
            )
            for view, column, row in zip(facts, on_keys, of_callers, strict=True)
        )
        return first, second

    def _facts(self, same_callers: bool) -> tuple[View, View]:
        """The whole snapshots without access; what rests on callers alone is found once where they are the same, be it
        those of single accounts."""
        old, new = self.old.surroundings.as_of, self.new.surroundings.as_of
        first = View(_closed(self.old), self.settings, time_of_run(old))
        if same_callers:
            return first, first.part(_closed(self.new))
        commons = Commons(
            self.new.snapshot, self.settings, time_of_run(new).date(), first.commons if old == new else None
        )
        return first, View(_closed(self.new), self.settings, time_of_run(new), commons=commons)

    def _on_keys(self, keys: frozenset[str]) -> Sides:
        """All callers and the listed keys."""
        old, new = (
            replace(
                side, snapshot=replace(side.snapshot, keys=tuple(key for key in side.snapshot.keys if key.arn in keys))
            )
            for side in (self.old, self.new)
        )
        return evaluate_both(old, new, self.builder)

    def _invented(self) -> tuple[Principal, ...]:
        """Whoever may do everything that an account may whose guardrails differ, as far as it is no caller already:
        with any name, and as a role of its administrators. Rules ask such callers."""
        sides = (self.old, self.new) if self.guarded else ()
        partitions = sorted({key.partition for side in sides for key in side.snapshot.keys})
        known = {who.arn for side in sides for who in side.principals}
        admins = (account_admin(account, name) for account in sorted(self.guarded) for name in partitions)
        return tuple(who for who in (*map(external, sorted(self.guarded)), *admins) if who.arn not in known)

    def _of_callers(self, rows: frozenset[str], invented: tuple[Principal, ...]) -> Sides:
        """The listed callers, at last the invented ones, and all keys."""
        old, new = (
            replace(side, principals=(*(who for who in side.principals if who.arn in rows), *invented))
            for side in (self.old, self.new)
        )
        return evaluate_both(old, new, self.builder)

    def _members(self, on_keys: Sides) -> frozenset[str]:
        """The accounts whose guardrails differ, of touched callers, of keys whose facts differ, and of all who have
        access to these."""
        found: set[str | None] = {*self.guarded}
        found |= {who.account for side in (self.old, self.new) for who in side.principals if who.arn in self.callers}
        for evaluation in on_keys:
            found |= {key.account for key in evaluation.snapshot.keys}
            found |= {evaluation.principals[row].account for row in np.flatnonzero(_open(evaluation).any(axis=1))}
        return frozenset(account for account in found if account)

    def _rows(self, members: frozenset[str], others: frozenset[str]) -> frozenset[str]:
        """The ARNs of the callers of some accounts, and of others by name, on either side."""
        callers = (who for side in (self.old, self.new) for who in side.principals)
        return frozenset(who.arn for who in callers if who.account in members or who.arn in others)

    def _opened(self, of_callers: Sides, invented: Iterable[Principal]) -> set[str]:
        """The ARNs of keys to which a touched or invented caller has access on either side."""
        callers, found = self.callers | {who.arn for who in invented}, set[str]()
        for evaluation in of_callers:
            rows = [place for place, who in enumerate(evaluation.principals) if who.arn in callers]
            opened = np.flatnonzero(_open(evaluation)[rows].any(axis=0))
            found |= {evaluation.snapshot.keys[column].arn for column in opened}
        return found

    def _naming(self) -> set[str]:
        """The ARNs of keys whose policies or grants name a touched caller; where one was made or deleted, anybody of
        its account: whether a name still exists is told from all identities of an account together."""
        old, new = ({who.arn: who for who in side.principals} for side in (self.old, self.new))
        callers = [side[arn] for side in (old, new) for arn in self.callers & side.keys()]
        names = {name for who in callers for name in (who.arn, who.iam_arn, who.unique_id)}
        names |= {who.account for who in callers if (who.arn in old) != (who.arn in new)}
        return {
            key.arn
            for side in (self.old, self.new)
            for key in side.snapshot.keys
            if not names.isdisjoint(names_in(key))
        }


def _closed(side: World) -> Evaluation:
    table = closed_table(side.principals, side.snapshot.keys)
    return Evaluation(side.snapshot, side.surroundings, side.principals, table)


def _open(evaluation: Evaluation) -> NDArray[np.bool_]:
    return Reach(evaluation.table, evaluation.principals, evaluation.snapshot.keys).open_cells


def _without_last(evaluation: Evaluation, count: int) -> Evaluation:
    """The evaluation without its last callers."""
    if not count:
        return evaluation
    table = evaluation.table
    table = replace(
        table,
        principals=table.principals[:-count],
        cells=table.cells[:-count],
        account_level=table.account_level[:-count],
    )
    return replace(evaluation, principals=evaluation.principals[:-count], table=table)
