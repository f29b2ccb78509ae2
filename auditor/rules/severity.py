"""How severe a hit is, by the clauses of its rule and in one way for all rules, and the record of what applied."""

from __future__ import annotations

from auditor.model.finding import SEVERITY_RANK, Confidence, Severity, SeverityClause
from auditor.rules.catalogue import RuleFacts
from auditor.rules.hit import Hit


def worst(severities: list[Severity]) -> Severity:
    """The most severe of a non-empty list."""
    return min(severities, key=SEVERITY_RANK.__getitem__)


def mildest(severities: list[Severity]) -> Severity:
    """The least severe of a non-empty list."""
    return max(severities, key=SEVERITY_RANK.__getitem__)


def decide(facts: RuleFacts, hit: Hit) -> tuple[Severity, tuple[SeverityClause, ...]]:
    """The severity of a hit and every clause that was applied, in the order of the algorithm.

    Default, then lowering, then (unless latent) raising, which wins over lowering; then floor and ceiling; a potential
    finding is capped at high.
    """
    severity = facts.default_severity
    applied: list[SeverityClause] = []
    lowered = [facts.clause("lower", words) for words in hit.lowered]
    if lowered:
        severity = mildest([clause.to for clause in lowered])
        applied += [SeverityClause("lower", clause.to, clause.when) for clause in lowered]
    raised = [facts.clause("raise", words) for words in hit.raised]
    if raised and not hit.latent:
        severity = worst([clause.to for clause in raised])
        applied += [SeverityClause("raise", clause.to, clause.when) for clause in raised]
    return _clamp(facts, hit, severity, applied)


def _clamp(
    facts: RuleFacts, hit: Hit, severity: Severity, applied: list[SeverityClause]
) -> tuple[Severity, tuple[SeverityClause, ...]]:
    if SEVERITY_RANK[severity] > SEVERITY_RANK[facts.floor]:
        severity = facts.floor
        applied.append(SeverityClause("floor", severity, "the rule never goes below this"))
    if SEVERITY_RANK[severity] < SEVERITY_RANK[facts.ceiling]:
        severity = facts.ceiling
        applied.append(SeverityClause("ceiling", severity, "the rule never goes above this"))
    if hit.confidence is Confidence.POTENTIAL and severity is Severity.CRITICAL:
        severity = Severity.HIGH
        applied.append(SeverityClause("confidence", severity, "a potential finding is never critical"))
    return severity, tuple(applied)
