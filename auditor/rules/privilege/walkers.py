"""Whose indirect paths a change can touch, so that a comparison need not find everybody's again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.actions import POWER
from auditor.rules.privilege.central import LIFTS
from auditor.rules.privilege.opened import powers_with_roots
from auditor.rules.privilege.sharing import SHARING
from auditor.rules.privilege.step_graph import StepGraph, step_graph
from auditor.rules.privilege.steps import EDITS, JOIN, denying, sheds, unbinds_itself
from auditor.rules.reach import Openness
from auditor.rules.view import View


@dataclass(frozen=True, slots=True)
class Walkers:
    """``subjects``: the ARNs and, for administrators, accounts that a finding about paths may be about; ``rows``: the
    ARNs of all whose access decides what it says."""

    subjects: frozenset[str]
    rows: frozenset[str]


def touched_walkers(old: View, new: View, touched: frozenset[str]) -> Walkers:
    """From views of all callers and the touched keys on both sides, and the ARNs of the ``touched`` callers.

    A path can differ where somebody on it has changed, has other power over a touched key, be it more or less certain,
    or may reach one by editing itself; all who come to such an identity in ``max_hops`` steps are told anew, from the
    access of all to whom they come.
    """
    graphs = (step_graph(old), step_graph(new))
    hops = new.settings.max_hops
    first = touched
    for least in (Openness.BLIND, Openness.MAYBE, Openness.GUARDED):
        was, now = (powers_with_roots(view, graph.roots, least) for view, graph in zip((old, new), graphs, strict=True))
        first |= {arn for arn in was.keys() | now.keys() if was.get(arn) != now.get(arn)}
    for view, graph in zip((old, new), graphs, strict=True):
        first |= set(_self_helpers(view, graph))
    subjects = frozenset[str]().union(*(graph.reaching(first, hops) for graph in graphs))
    accounts = {
        who.account or ""
        for view, graph in zip((old, new), graphs, strict=True)
        for arn in subjects & graph.by_arn.keys()
        if view.trust.account_admin(who := graph.by_arn[arn])
    }
    subjects |= {
        who.arn
        for view, graph in zip((old, new), graphs, strict=True)
        for who in graph.candidates
        if who.account in accounts and view.trust.account_admin(who)
    }
    return Walkers(subjects | accounts, subjects.union(*(graph.reached(subjects, hops) for graph in graphs)))


def _self_helpers(view: View, graph: StepGraph) -> Iterator[str]:
    """Those who may widen their own permissions, or those of others, or share keys in an account of a touched key, and
    those who may take away what stops them at one."""
    accounts, stopped = {key.account for key in view.keys}, _stopped(view)
    for who in graph.candidates:
        verbs = graph.verbs[who.arn]
        if (verbs & LIFTS and who.arn in stopped) or (
            who.account in accounts
            and (
                JOIN in verbs
                or verbs & (EDITS | SHARING)
                or unbinds_itself(view, who)
                or any(sheds(view, who, one) for one in denying(who))
            )
        ):
            yield who.arn


def _stopped(view: View) -> frozenset[str]:
    """The ARNs of all to whom something allows power over a key, and another layer takes it away."""
    import numpy as np

    reach = view.reach
    pairs = reach.all_pairs
    rows = np.unique(pairs.select(reach.having(pairs, POWER, Openness.LATENT)).principals)
    return frozenset(reach.principals[row].arn for row in rows.tolist())
