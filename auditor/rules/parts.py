"""The judgement of a part of an estate: what a change can touch, each rule on as little as keeps it exact."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from auditor.model.finding import Finding, RuleStatus
from auditor.rules.catalogue import catalogue
from auditor.rules.judge import findings_of, statuses_of
from auditor.rules.overlap import without_overlap
from auditor.rules.scopes import Scope, scope_of
from auditor.rules.view import View

Pair = tuple[Iterable[Finding], Iterable[Finding]]
"""Findings of the old side and of the new one."""
WholeRules = Callable[[tuple[str, ...]], Pair]
"""Runs some rules over everything, on both sides."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The touched parts of one side of a comparison.

    ``facts`` sees the whole snapshot and no access; ``keys`` all callers, the touched keys, and the policies of the
    touched accounts ``members``; ``callers`` all keys, those callers whose findings may differ, and the same policies.
    ``walkers`` are the subjects of paths (ARNs and accounts) about which ``callers`` knows everything. ``same_callers``
    and ``same_time``: whether both sides share these, the latter with what is known of the callers' use.
    """

    facts: View
    keys: View
    callers: View
    members: frozenset[str]
    walkers: frozenset[str]
    same_callers: bool
    same_time: bool

    def scope(self, rule: str) -> Scope:
        """What of the parts a rule has to see."""
        return scope_of(rule, same_callers=self.same_callers, same_time=self.same_time)

    def findings(self, rule: str) -> list[Finding]:
        """The findings of a rule about the parts; none for a rule that must see everything."""
        scope = self.scope(rule)
        if scope is Scope.FACTS:
            return findings_of(rule, self.facts)
        if scope in (Scope.KEYS, Scope.STATEMENTS):
            return findings_of(rule, self.keys)
        if scope is Scope.ACCOUNTS:
            return [found for found in findings_of(rule, self.callers) if found.account in self.members]
        if scope is Scope.PATHS:
            return [found for found in findings_of(rule, self.callers) if found.subject in self.walkers]
        if scope is Scope.PAIRS:
            return [found for found in findings_of(rule, self.keys) if self._about_a_key(found)]
        return []

    def trace(self, rule: str) -> frozenset[str]:
        """The fingerprints that tell whether the findings of a rule of the scope OUTLINE or PAIRS may differ: those
        that ``findings`` leaves out."""
        views = (self.facts,) if self.scope(rule) is Scope.OUTLINE else (self.keys, self.callers)
        found = (one for view in views for one in findings_of(rule, view))
        return frozenset(one.fingerprint for one in found if not self._about_a_key(one))

    def _about_a_key(self, found: Finding) -> bool:
        return found.subject in self.callers.key_by_arn


@dataclass(frozen=True, slots=True)
class PartialJudgement:
    """The findings about the parts of one side, and one status per rule, without counts."""

    findings: tuple[Finding, ...]
    rules: tuple[RuleStatus, ...]


def judge_parts(old: Parts, new: Parts, whole: WholeRules) -> tuple[PartialJudgement, PartialJudgement]:
    """Run all rules over the parts of both sides.

    ``whole`` is asked, at most once, for the rules that must see everything because something about them differs.
    """
    statuses = tuple(tuple(statuses_of(side.facts, catalogue())) for side in (old, new))
    rules = [one.rule for one, other in zip(*statuses, strict=True) if one.evaluated or other.evaluated]
    undecided = tuple(rule for rule in rules if _undecided(rule, old, new))
    more = whole(undecided) if undecided else ((), ())
    first, second = (
        PartialJudgement(tuple(without_overlap([*_findings(side, known, undecided), *others])), known)
        for side, known, others in zip((old, new), statuses, more, strict=True)
    )
    return first, second


def _undecided(rule: str, old: Parts, new: Parts) -> bool:
    scope = new.scope(rule)
    if scope in (Scope.OUTLINE, Scope.PAIRS):
        return old.trace(rule) != new.trace(rule)
    return scope is Scope.ESTATE


def _findings(side: Parts, statuses: Iterable[RuleStatus], undecided: Container[str]) -> Iterator[Finding]:
    for status in statuses:
        if status.evaluated and status.rule not in undecided:
            yield from side.findings(status.rule)
