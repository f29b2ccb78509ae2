"""The judgement of a run: every rule over one view, hits made into findings, and what could not be evaluated.

Pure: the same evaluation, settings, time and baseline give the same findings in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from auditor.evaluator import Evaluation
from auditor.heap import collector_at_rest
from auditor.model.arn import parse_arn
from auditor.model.finding import Confidence, Finding, RuleStatus, SkippedScope, in_order
from auditor.model.moments import time_of_run
from auditor.model.report import Report
from auditor.model.score import PrincipalPower
from auditor.model.settings import RuleSettings
from auditor.rules.catalogue import RuleFacts, catalogue
from auditor.rules.fingerprint import fingerprint
from auditor.rules.hit import Hit
from auditor.rules.inputs import Missing, absent_inputs, available_inputs
from auditor.rules.overlap import without_overlap
from auditor.rules.powers import principal_powers
from auditor.rules.registry import BLIND_SPOTS, RULES
from auditor.rules.remedy import remediation, with_named_roles
from auditor.rules.severity import decide
from auditor.rules.view import View

STOPPED = " stops it."
UNCERTAIN = "Not certain: it rests on something that could not be read or is not documented."


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
    view = View(evaluation, settings, time_of_run(as_of), baseline)
    with collector_at_rest():
        return _judged(view, only)


def _judged(view: View, only: Iterable[str] | None) -> Judgement:
    statuses = statuses_of(view, tuple(catalogue()) if only is None else tuple(dict.fromkeys(only)))
    kept = without_overlap(
        finding for status in statuses if status.evaluated for finding in findings_of(status.rule, view)
    )
    counts = Counter(finding.rule for finding in kept)
    return Judgement(
        in_order(kept),
        tuple(replace(status, findings=counts[status.rule]) for status in statuses),
        principal_powers(view, kept) if only is None else (),
    )


def statuses_of(view: View, rules: Iterable[str]) -> list[RuleStatus]:
    """Whether each rule can be evaluated, and where it cannot look; findings are not counted yet. KeyError: no rule."""
    available = available_inputs(view.snapshot, view.settings, view.baseline is not None)
    lacking = Missing(view.snapshot)
    before = Missing(view.baseline.snapshot, in_baseline=True) if view.baseline is not None else None
    return [_seen(_status(rule, available, lacking, before), view) for rule in rules]


def _status(rule: str, available: frozenset[str], lacking: Missing, before: Missing | None) -> RuleStatus:
    facts = catalogue()[rule]
    missing = absent_inputs(facts, available)
    if missing or rule not in RULES:
        return RuleStatus(rule, False, "; ".join(missing) or "its inputs are not collected")
    skipped = lacking.skipped(facts)
    if before is not None and "baseline" in facts.required:
        skipped = (*skipped, *before.skipped(facts))
    return RuleStatus(rule, True, _reason(skipped), skipped=skipped)


def _reason(skipped: tuple[SkippedScope, ...]) -> str:
    return f"not evaluated for {len(skipped)} of its subjects: facts could not be read" if skipped else ""


def _seen(status: RuleStatus, view: View) -> RuleStatus:
    """The status with the subjects about which the facts that were read prove nothing."""
    if not status.evaluated or status.rule not in BLIND_SPOTS:
        return status
    skipped = tuple(sorted({*status.skipped, *BLIND_SPOTS[status.rule](view)}, key=str))
    return replace(status, skipped=skipped, reason=_reason(skipped))


def findings_of(rule: str, view: View) -> list[Finding]:
    """The findings of one rule over a view, each fingerprint once, before they are held against other rules'."""
    facts = catalogue()[rule]
    facts = replace(facts, example=with_named_roles(facts.example, view.settings))
    references = tuple(page.address for page in facts.references)
    found: dict[str, Finding] = {}
    for hit in view.hits(RULES[rule]):
        finding = _finding(facts, references, hit, view)
        found.setdefault(finding.fingerprint, finding)
    return list(found.values())


def _finding(facts: RuleFacts, references: tuple[str, ...], hit: Hit, view: View) -> Finding:
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
        summary=_in_full(hit),
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
        remediation=remediation(facts.example, hit, organization.id if organization else None, (account, region)),
        mappings=facts.mappings,
        references=references,
    )


def _in_full(hit: Hit) -> str:
    """The summary, with what keeps it from being so today: formats without columns for it have the sentence alone."""
    if hit.latent and not hit.summary.endswith(STOPPED):
        return f"{hit.summary} Another layer stops it today."
    return f"{hit.summary} {UNCERTAIN}" if hit.confidence is Confidence.POTENTIAL else hit.summary


def _place(hit: Hit) -> tuple[str, str]:
    """Account and Region of a finding: as the rule says, else those of its subject or of its first key."""
    arn = parse_arn(hit.subject) or (parse_arn(hit.keys[0]) if hit.keys else None)
    if arn is None:
        return hit.account, hit.region
    return hit.account or arn.account, hit.region or arn.region
