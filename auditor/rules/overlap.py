"""One fact, one finding: where two rules report the same statement or key, the more specific one is kept.

Pairs of principal and key are kept apart inside the rules themselves; here is only what can be seen on findings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from auditor.model.finding import Finding
from auditor.model.policy import Layer

SAME_STATEMENT: dict[str, tuple[str, ...]] = {
    "inert-statement": ("malformed-statement", "never-true-condition", "condition-key-not-applicable"),
    "condition-key-not-applicable": ("malformed-statement",),
    "never-true-condition": ("malformed-statement",),
    "notaction-allow": ("notprincipal-allow",),
    "cross-environment-access": ("public-key-policy", "public-key-policy-soft-condition", "notprincipal-allow"),
}
"""Weaker rule → the rules that win when they cite the same statement."""
SAME_KEY: dict[str, tuple[str, ...]] = {
    "pending-deletion": ("pending-deletion-in-use",),
    "idle-key": ("pending-deletion", "pending-deletion-in-use", "disabled-key-still-referenced"),
    "public-key-policy-soft-condition": ("public-key-policy", "notprincipal-allow"),
    "public-key-policy": ("notprincipal-allow",),
    "broad-plaintext-population": ("public-key-policy", "notprincipal-allow"),
}
"""Weaker rule → the rules that win when they are about the same key (and cite the same statement, if both cite one)."""
SAME_GRANT: dict[str, tuple[str, ...]] = {
    "grant-unconstrained-plaintext": ("grant-to-deleted-principal",),
    "grant-stale": ("grant-to-deleted-principal", "grant-outlives-policy-removal"),
    "grant-only-access": (
        "grant-outlives-policy-removal",
        "grant-to-deleted-principal",
        "grant-to-external-account",
    ),
}
"""Weaker rule → the rules that win for the same grant."""
TABLES = (SAME_STATEMENT, SAME_KEY, SAME_GRANT)
WEAKER = frozenset(rule for table in TABLES for rule in table)
WINNERS = frozenset(winner for table in TABLES for winners in table.values() for winner in winners)
Place = tuple[Layer, str, str, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """What the findings of each winning rule cite: statements, keys and grants."""

    statements: dict[str, set[Place]]
    keys: dict[str, set[str]]
    grants: dict[str, set[tuple[str, str]]]


def _told(findings: Iterable[Finding]) -> Told:
    told = Told({}, {}, {})
    for finding in findings:
        if finding.rule not in WINNERS:
            continue
        told.statements.setdefault(finding.rule, set()).update(_places(finding))
        told.keys.setdefault(finding.rule, set()).update(finding.keys)
        told.grants.setdefault(finding.rule, set()).update(_grants(finding))
    return told


def without_overlap(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that a more specific one already tells.

    What a guardrail stops today tells nothing that happens today: a latent finding outdoes latent ones alone.
    """
    listed = list(findings)
    live, all_told = _told(finding for finding in listed if not finding.latent), _told(listed)
    return [
        finding
        for finding in listed
        if finding.rule not in WEAKER or not _outdone(finding, all_told if finding.latent else live)
    ]


def _outdone(finding: Finding, told: Told) -> bool:
    rule = finding.rule
    return (
        (rule in SAME_STATEMENT and _covered(_places(finding), SAME_STATEMENT[rule], told.statements))
        or (rule in SAME_GRANT and _covered(_grants(finding), SAME_GRANT[rule], told.grants))
        or (rule in SAME_KEY and _same_key(finding, told.keys, told.statements))
    )


def _covered(own: set[T], winners: tuple[str, ...], told: dict[str, set[T]]) -> bool:
    """Whether everything the finding cites is told by the winners already."""
    return bool(own) and any(own <= told.get(winner, set()) for winner in winners)


def _same_key(finding: Finding, keys: dict[str, set[str]], statements: dict[str, set[Place]]) -> bool:
    own = _places(finding)
    for winner in SAME_KEY[finding.rule]:
        if finding.keys and set(finding.keys) <= keys.get(winner, set()):
            told = statements.get(winner, set())
            if not own or not told or own <= told:
                return True
    return False


def _places(finding: Finding) -> set[Place]:
    """Where the cited statements stand; the evaluator leaves out the key whose policy it is, when there is only one."""
    alone = finding.keys[0] if len(finding.keys) == 1 else ""
    cited = [item.statement for item in finding.evidence if item.statement is not None]
    return {
        (ref.layer, ref.owner or (alone if ref.layer is Layer.KEY_POLICY else ""), ref.policy, ref.index)
        for ref in cited
    }


def _grants(finding: Finding) -> set[tuple[str, str]]:
    """The cited grants, each with its key: an id is only told apart within one."""
    return {(key, item.grant) for item in finding.evidence if item.grant for key in finding.keys}
