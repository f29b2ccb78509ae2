"""The judgement of a run: every rule over one view, hits made into findings, and what could not be evaluated.

Pure: the same evaluation, settings, time and baseline give the same findings in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from auditor.evaluator import Evaluation
from auditor.heap import collector_at_rest
from auditor.model.arn import parse_arn
from auditor.model.finding import SEVERITY_RANK, Finding, RuleStatus
from auditor.model.report import Report
from auditor.model.score import PrincipalPower
from auditor.model.settings import RuleSettings
from auditor.rules.catalogue import RuleFacts, catalogue
from auditor.rules.fingerprint import fingerprint
from auditor.rules.hit import Hit
from auditor.rules.inputs import Missing, absent_inputs, available_inputs
from auditor.rules.overlap import without_overlap
from auditor.rules.powers import principal_powers
from auditor.rules.registry import RULES
from auditor.rules.remedy import remediation
from auditor.rules.severity import decide
from auditor.rules.view import View, instant


@dataclass(frozen=True, slots=True)
class Judgement:
    """Findings, worst first; one status per rule in the order of the catalogue; what each principal could do."""

    findings: tuple[Finding, ...]
    rules: tuple[RuleStatus, ...]
    powers: tuple[PrincipalPower, ...] = ()


def judge(
    evaluation: Evaluation,
    settings: RuleSettings,
    *,
    as_of: str,
    baseline: Report | None = None,
    only: Iterable[str] | None = None,
) -> Judgement:
    """Run the rules (all, or the ids in ``only``; powers come with all) over an evaluation.

    ``as_of`` is an ISO 8601 time; ``baseline`` the result of an earlier run, for the rules about change. Raises
    ValueError for an ``as_of`` that is not a time, and KeyError for an unknown rule id.
    """
    moment = instant(as_of)
    if moment is None:
        raise ValueError(f"as_of is not an ISO 8601 time: {as_of!r}")
    with collector_at_rest():
        return _judged(evaluation, settings, moment, baseline, only)


def _judged(
    evaluation: Evaluation,
    settings: RuleSettings,
    moment: datetime,
    baseline: Report | None,
    only: Iterable[str] | None,
) -> Judgement:
    view = View(evaluation, settings, moment.astimezone(UTC), baseline)
    wanted = tuple(catalogue()) if only is None else tuple(dict.fromkeys(only))
    findings: list[Finding] = []
    statuses: list[RuleStatus] = []
    available = available_inputs(view.snapshot, settings, baseline is not None)
    lacking = Missing(view.snapshot)
    for rule in wanted:
        found, status = _run(rule, view, available, lacking)
        findings += found
        statuses.append(status)
    kept = without_overlap(findings)
    counts: dict[str, int] = {}
    for finding in kept:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
    return Judgement(
        tuple(sorted(kept, key=_order)),
        tuple(_counted(status, counts) for status in statuses),
        principal_powers(view, kept) if only is None else (),
    )


def _run(rule: str, view: View, available: frozenset[str], lacking: Missing) -> tuple[list[Finding], RuleStatus]:
    facts = catalogue()[rule]
    missing = absent_inputs(facts, available)
    if missing or rule not in RULES:
        return [], RuleStatus(rule, False, "; ".join(missing) or "its inputs are not collected")
    found: dict[str, Finding] = {}
    for hit in RULES[rule](view):
        finding = _finding(facts, hit, view)
        found.setdefault(finding.fingerprint, finding)
    skipped = lacking.skipped(facts)
    reason = f"not evaluated for {len(skipped)} of its subjects: facts could not be read" if skipped else ""
    return list(found.values()), RuleStatus(rule, True, reason, len(found), skipped)


def _counted(status: RuleStatus, counts: dict[str, int]) -> RuleStatus:
    return RuleStatus(status.rule, status.evaluated, status.reason, counts.get(status.rule, 0), status.skipped)


def _finding(facts: RuleFacts, hit: Hit, view: View) -> Finding:
    severity, clauses = decide(facts, hit)
    organization = view.snapshot.organization
    account, region = _place(hit)
    return Finding(
        rule=facts.id,
        code=facts.code,
        title=facts.title,
        category=facts.category,
        severity=severity,
        subject=hit.subject,
        subject_kind=hit.kind,
        summary=hit.summary,
        fingerprint=fingerprint(facts.id, hit.subject, hit.identity),
        default_severity=facts.default_severity,
        confidence=hit.confidence,
        latent=hit.latent,
        account=account,
        region=region,
        keys=tuple(sorted(set(hit.keys))),
        principals=tuple(sorted(set(hit.principals))),
        clauses=clauses,
        evidence=hit.evidence,
        remediation=remediation(
            facts.example, hit, organization.id if organization else None, (account, region), view.settings
        ),
        mappings=facts.mappings,
        references=tuple(page.address for page in facts.references),
    )


def _place(hit: Hit) -> tuple[str, str]:
    """Account and Region of a finding: as the rule says, else those of its subject or of its first key."""
    arn = parse_arn(hit.subject) or (parse_arn(hit.keys[0]) if hit.keys else None)
    if arn is None:
        return hit.account, hit.region
    return hit.account or arn.account, hit.region or arn.region


def _order(finding: Finding) -> tuple[int, bool, str, str, str]:
    return (SEVERITY_RANK[finding.severity], finding.latent, finding.code, finding.subject, finding.fingerprint)
