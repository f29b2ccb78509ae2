"""Giving somebody any policy and becoming it: whom an editor may edit, and what that leaves of its own policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal
from auditor.rules.privilege.central import RESERVED
from auditor.rules.privilege.opened import Opened
from auditor.rules.privilege.path import Path
from auditor.rules.privilege.step_graph import StepGraph
from auditor.rules.privilege.steps import Step, denying, edits, overwrites
from auditor.rules.view import View

Ways = dict[int, tuple[str, Step]]
"""``id`` of an identity as an editor leaves it → the actions in words, and the step by which it becomes it."""


def edited(view: View, graph: StepGraph, account: str, editors: set[str]) -> tuple[list[Principal], dict[str, Ways]]:
    """The identities of an account to whom an editor (ARN) may give any policy and whom it becomes then, as they are
    without what it may write over; editor → its ways to them."""
    ways: dict[str, Ways] = {}
    found: dict[tuple[int, ...], Principal] = {}
    for target in graph.candidates:
        if target.account != account or RESERVED in target.path:
            continue
        denies = bool(denying(target))
        for who, step in graph.into(target):
            verbs = graph.verbs[who.arn]
            edit = next(edits(view, who, target, verbs), "") if who.arn in editors else ""
            if edit:
                actions, kept = written_over(view, who, target, verbs) if denies else ((), ())
                left = replace(target, identity_policies=kept) if actions else target
                left = found.setdefault((id(target), *map(id, kept)), left)
                words = " + ".join(dict.fromkeys((edit, *actions, step.action)))
                ways.setdefault(who.arn, {})[id(left)] = (words, step)
    return list(found.values()), ways


def written_over(
    view: View, who: Principal, target: Principal, verbs: frozenset[str]
) -> tuple[tuple[str, ...], tuple[AttachedPolicy, ...]]:
    """The actions by which ``who`` may write over policies of the target that deny, and the policies that stay."""
    written = [(action, one) for one in denying(target) if (action := overwrites(view, who, target, one, verbs))]
    gone = [one for _, one in written]
    return tuple(action for action, _ in written), tuple(one for one in target.identity_policies if one not in gone)


def by_editing(who: Principal, missing: frozenset[str], given: list[Opened], ways: Ways) -> Iterator[Path]:
    """One path to what each group of edited identities would come to and the editor has no power over."""
    for opened in given:
        through = next((one for one in opened.targets if id(one) in ways), None) if opened.keys & missing else None
        if through is not None:
            actions, step = ways[id(through)]
            words = f"{who.arn} → {actions} → {through.arn}"
            yield Path(words, 2, step.needs, opened.keys, (through.arn,), opened.certain)
            missing = missing - opened.keys if opened.certain else missing
