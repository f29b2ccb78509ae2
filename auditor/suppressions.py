"""The register of accepted findings: read from YAML, checked, and applied to the findings of a run.

An accepted finding stays in the report. An entry without an approver, a reason or an end, or for a whole rule, is
refused; one that is expired or matches nothing is reported instead of trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.model.finding import Finding, FindingState, Severity
from auditor.userfiles import as_yaml, read_text

LONGEST_DAYS, LONGEST_CRITICAL_DAYS = 365, 90
FIELDS = ("rule", "fingerprint", "subject", "principal", "account", "kind", "reason", "approver", "approved", "expires")
REQUIRED = ("rule", "kind", "reason", "approver", "approved", "expires")
PATTERNS = ("fingerprint", "subject", "principal", "account")


class SuppressionKind(StrEnum):
    """Why a finding is accepted."""

    ACCEPTED_RISK = "accepted-risk"
    FALSE_POSITIVE = "false-positive"
    COMPENSATING_CONTROL = "compensating-control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry. ``subject``, ``principal`` and ``account`` are patterns with ``*`` and ``?``; empty ones match all."""

    rule: str
    kind: SuppressionKind
    reason: str
    approver: str
    approved: date
    expires: date
    fingerprint: str = ""
    subject: str = ""
    principal: str = ""
    account: str = ""

    def matches(self, finding: Finding) -> bool:
        """Whether the entry is about this finding."""
        return (
            self.rule == finding.rule
            and (not self.fingerprint or self.fingerprint == finding.fingerprint)
            and (not self.account or fnmatchcase(finding.account, self.account))
            and (not self.subject or any(fnmatchcase(arn, self.subject) for arn in (finding.subject, *finding.keys)))
            and (not self.principal or any(fnmatchcase(arn, self.principal) for arn in finding.principals))
        )

    @property
    def words(self) -> str:
        """The entry in a few words, for messages."""
        wanted = [f"{name}={value}" for name in PATTERNS if (value := getattr(self, name))]
        return f"{self.rule} ({', '.join(wanted)})"


@dataclass(frozen=True, slots=True)
class Applied:
    """The findings after the register, and what is wrong with its entries, in words."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def load_suppressions(path: Path) -> tuple[Suppression, ...]:
    """The entries of a YAML file (a list). Raises ConfigError that names file and entry."""
    hint = "It is a YAML list of accepted findings."
    data = as_yaml(read_text(path, ConfigError, remedy=hint), path, ConfigError, remedy=hint)
    if data is None:
        return ()
    if not isinstance(data, list):
        raise ConfigError(f"{path}: expected a list of accepted findings.", "Begin each entry with “- rule: …”.")
    return tuple(_entry(item, f"{path}: entry {number}") for number, item in enumerate(data, 1))


def _entry(item: Any, place: str) -> Suppression:
    if not isinstance(item, dict):
        raise ConfigError(f"{place}: expected a map.", f"It has {', '.join(REQUIRED)}.")
    for name in item:
        if name not in FIELDS:
            raise ConfigError(f"{place}: unknown field “{name}”.", f"Known: {', '.join(FIELDS)}.")
        if not isinstance(item[name], str | None):
            raise ConfigError(f"{place}: “{name}” must be text.", "Write one text after the colon.")
    for name in REQUIRED:
        if not item.get(name):
            raise ConfigError(
                f"{place}: “{name}” is missing.", "Every acceptance has a reason, an approver and an end."
            )
    if not any((item.get(name) or "").strip("*?") for name in PATTERNS):
        raise ConfigError(
            f"{place}: accepts every finding of {item['rule']}.", f"Narrow it by one of {', '.join(PATTERNS)}."
        )
    return _suppression(item, place)


def _suppression(item: Mapping[str, Any], place: str) -> Suppression:
    try:
        kind = SuppressionKind(str(item["kind"]))
    except ValueError:
        raise ConfigError(f"{place}: no kind “{item['kind']}”.", f"Choose {', '.join(SuppressionKind)}.") from None
    approved, expires = (_date(item[name], f"{place}: {name}") for name in ("approved", "expires"))
    if expires < approved:
        raise ConfigError(f"{place}: expires before it was approved.", "Correct one of the two dates.")
    if expires - approved > timedelta(days=LONGEST_DAYS):
        raise ConfigError(
            f"{place}: runs for more than {LONGEST_DAYS} days.", "Choose an earlier end and review it then."
        )
    texts = {name: str(item.get(name) or "") for name in ("rule", "reason", "approver", *PATTERNS)}
    return Suppression(kind=kind, approved=approved, expires=expires, **texts)


def _date(value: str, place: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ConfigError(f"{place}: “{value}” is not a date.", "Write it as YYYY-MM-DD.") from None


def apply(findings: tuple[Finding, ...], entries: tuple[Suppression, ...], as_of: date) -> Applied:
    """Accept the findings that valid entries cover at ``as_of``; report expired, unused and too long entries."""
    used: set[Suppression] = set()
    notes: list[str] = []
    result = []
    for finding in findings:
        entry = next((item for item in entries if item.matches(finding)), None)
        if entry is not None:
            used.add(entry)
        accepts = entry is not None and finding.state is FindingState.OPEN and _valid(entry, finding, as_of, notes)
        result.append(_accepted(finding, entry) if entry is not None and accepts else finding)
    notes += [f"suppression of {entry.words} matches nothing" for entry in entries if entry not in used]
    return Applied(tuple(result), tuple(dict.fromkeys(notes)))


def _valid(entry: Suppression, finding: Finding, as_of: date, notes: list[str]) -> bool:
    if entry.expires < as_of:
        notes.append(f"suppression of {entry.words} expired on {entry.expires}")
        return False
    longest = timedelta(days=LONGEST_CRITICAL_DAYS)
    if finding.severity is Severity.CRITICAL and entry.expires - entry.approved > longest:
        notes.append(
            f"suppression of {entry.words} runs too long for a critical finding ({LONGEST_CRITICAL_DAYS} days)"
        )
        return False
    return True


def _accepted(finding: Finding, entry: Suppression) -> Finding:
    words = f"{entry.kind}: {entry.reason} (approved by {entry.approver} on {entry.approved}, until {entry.expires})"
    return replace(finding, state=FindingState.ACCEPTED, extra=(*finding.extra, ("accepted", words)))
