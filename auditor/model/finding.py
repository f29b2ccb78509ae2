"""Findings: what a rule says about a subject, with evidence, severity and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from auditor.model.key import Fact
from auditor.model.policy import StatementRef


class Severity(StrEnum):
    """How bad a finding is, worst first; ``rules/severity.py`` says how a rule comes to it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}
"""0 is the worst."""


class Confidence(StrEnum):
    """Read or decided (confirmed), or resting on an unknown outcome or undocumented behaviour (potential)."""

    CONFIRMED = "confirmed"
    POTENTIAL = "potential"


class FindingState(StrEnum):
    """Where a finding stands: there, there and accepted, gone, or gone where nobody could look."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a finding: a label for people, its value, and where it stands when it is a statement or grant.

    ``names``: the ARNs that it speaks of besides the keys and principals of the finding, also those that the value does
    not list; an account id stands for everybody there.
    """

    label: str
    value: str
    statement: StatementRef | None = None
    grant: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeverityClause:
    """A raise or lower clause that applied: ``kind`` is raise, lower, floor, ceiling or confidence."""

    kind: str
    to: Severity
    when: str


@dataclass(frozen=True, slots=True)
class Remediation:
    """What to do: a sentence, and a policy (JSON text) or commands with the real ARNs filled in."""

    summary: str
    kind: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class ControlMapping:
    """A control of a framework that the rule is evidence about; ``basis`` is published, peer or text."""

    framework: str
    version: str
    control: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. ``fingerprint`` (20 hex digits) survives reformatting, statement order and Sid changes.

    ``subject`` is the ARN the finding is about (key, principal, policy, grant, account …), ``subject_kind`` its kind;
    ``keys`` and ``principals`` are the ARNs involved, sorted. ``latent``: a guardrail elsewhere stops it today.
    ``known``: whether the baseline has it, and not as resolved; None without a baseline. ``perhaps_old``: the baseline
    does not have it, and could not look for it. ``was``: the ``weight`` that the baseline gave it, if that was another.
    """

    rule: str
    code: str
    title: str
    category: str
    severity: Severity
    subject: str
    subject_kind: str
    summary: str
    fingerprint: str
    default_severity: Severity = Severity.MEDIUM
    confidence: Confidence = Confidence.CONFIRMED
    latent: bool = False
    state: FindingState = FindingState.OPEN
    account: str = ""
    region: str = ""
    keys: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    clauses: tuple[SeverityClause, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    remediation: Remediation = field(default_factory=lambda: Remediation(""))
    mappings: tuple[ControlMapping, ...] = ()
    references: tuple[str, ...] = ()
    first_seen: str = ""
    known: bool | None = None
    perhaps_old: bool = False
    was: str = ""
    extra: tuple[tuple[str, Any], ...] = ()


def weight(finding: Finding) -> str:
    """How much a finding weighs, in words: its severity, and what speaks against it."""
    doubt = [str(finding.confidence)] if finding.confidence is not Confidence.CONFIRMED else []
    return ", ".join([str(finding.severity), *doubt, *(["stopped by another layer"] if finding.latent else [])])


@dataclass(frozen=True, slots=True)
class SkippedScope:
    """What a rule could not look at: ``place`` is an ARN or id, ``ACCOUNT/REGION``, or the organization; ``fact`` is
    what is missing there, in the snapshot of the run or ``in_baseline``."""

    place: str
    fact: Fact
    in_baseline: bool = False

    def __str__(self) -> str:
        return f"{self.place} ({self.fact}{' in the baseline' if self.in_baseline else ''})"


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """What became of a rule in this run: ``evaluated`` False lists the missing facts or scopes in ``reason``.

    ``skipped``: the keys, accounts or principals that an evaluated rule could not look at, each with the missing fact.
    """

    rule: str
    evaluated: bool
    reason: str = ""
    findings: int = 0
    skipped: tuple[SkippedScope, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first; what a guardrail stops today after what happens today."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[int, bool, str, str, str]:
    return (SEVERITY_RANK[finding.severity], finding.latent, finding.code, finding.subject, finding.fingerprint)
