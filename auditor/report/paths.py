"""Escalation paths: the findings that say how somebody could give themselves, or others, more access to keys."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.finding import Finding
from auditor.model.report import Report
from auditor.report.counts import LISTED_STATES

ESCALATION_RULES = frozenset(
    {
        "indirect-key-access-path",
        "abac-alias-hijack",
        "abac-principal-tag-self-service",
        "abac-tag-escalation",
        "boundary-bypassed-by-key-policy",
        "external-can-delegate",
        "federated-role-loose-subject",
        "key-substitution-by-non-admin",
        "key-takeover-by-non-admin",
        "reclaimable-principal-name",
        "role-widely-assumable",
    }
)


@dataclass(frozen=True, slots=True)
class EscalationPath:
    """``number`` is the position of the finding; ``steps`` are its recorded paths, each a list of links in order."""

    number: int
    finding: Finding
    steps: tuple[tuple[str, ...], ...]


def escalation_paths(report: Report) -> tuple[EscalationPath, ...]:
    """The open findings of ``ESCALATION_RULES``, worst first."""
    return tuple(
        EscalationPath(number, finding, _steps(finding))
        for number, finding in enumerate(report.findings)
        if finding.rule in ESCALATION_RULES and finding.state in LISTED_STATES
    )


def _steps(finding: Finding) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(item.value.split(" → ")) for item in finding.evidence if item.label == "path")
