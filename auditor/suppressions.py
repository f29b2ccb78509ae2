"""The register of accepted findings: read from YAML, checked, and applied to the findings of a run.

An accepted finding stays in the report. An entry without an approver, a reason or an end, or for a whole rule, is
refused; one that is expired or matches nothing is reported instead of trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.evaluator.glob import matches
from auditor.model.finding import Finding, FindingState, Severity
from auditor.model.moments import day
from auditor.userfiles import as_yaml, read_text

LONGEST_DAYS, LONGEST_CRITICAL_DAYS = 365, 90
PATTERNS = ("fingerprint", "subject", "principal", "account")
REQUIRED = ("rule", "kind", "reason", "approver", "expires")
FIELDS = ("rule", *PATTERNS, "key", "match", "kind", "reason", "approver", "approved", "expires", "ticket", "evidence")
KINDS = ("key/", "key", "alias/", "alias", "role/", "role", "user/", "user", "policy/", "root")
RULE_ID = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$")


class SuppressionKind(StrEnum):
    """Why a finding is accepted."""

    ACCEPTED_RISK = "accepted-risk"
    FALSE_POSITIVE = "false-positive"
    COMPENSATING_CONTROL = "compensating-control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry. ``subject``, ``principal`` and ``account`` are patterns with ``*`` and ``?``; empty ones match all.

    ``approved`` is the day from which the limits count; without it, or when it is yet to come, they count from the day
    of the run.
    """

    rule: str
    kind: SuppressionKind
    reason: str
    approver: str
    expires: date
    approved: date | None = None
    ticket: str = ""
    evidence: str = ""
    fingerprint: str = ""
    subject: str = ""
    principal: str = ""
    account: str = ""

    def matches(self, finding: Finding) -> bool:
        """Whether the entry is about this finding."""
        return (
            self.rule == finding.rule
            and (not self.fingerprint or self.fingerprint == finding.fingerprint)
            and (not self.account or matches(self.account, finding.account))
            and (not self.subject or _about(self.subject, finding.subject, finding.keys))
            and (not self.principal or _about(self.principal, finding.subject, finding.principals))
        )

    @property
    def words(self) -> str:
        """The entry in a few words, for messages."""
        wanted = [f"{name}={value}" for name in PATTERNS if (value := getattr(self, name))]
        return f"{self.rule} ({', '.join(wanted)})"


def _about(pattern: str, subject: str, named: tuple[str, ...]) -> bool:
    """Whether a pattern is of the subject of a finding, or of all keys (principals) that it names: an acceptance of one
    of several does not answer for the others."""
    return matches(pattern, subject) or (bool(named) and all(matches(pattern, arn) for arn in named))


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
    item = _flat(item, place)
    for name in item:
        if name not in FIELDS:
            raise ConfigError(f"{place}: unknown field “{name}”.", f"Known: {', '.join(FIELDS)}.")
        if not isinstance(item[name], str | None):
            raise ConfigError(f"{place}: “{name}” must be text.", "Write one text after the colon.")
    for name in REQUIRED:
        if not (item.get(name) or "").strip(" …."):
            raise ConfigError(
                f"{place}: “{name}” is missing or not filled in.",
                "Every acceptance has a reason, an approver and an end.",
            )
    if not RULE_ID.match(item["rule"]):
        raise ConfigError(
            f"{place}: “{item['rule']}” is no rule id.",
            "Name one rule, as `kms-audit rules list` does; codes do not count.",
        )
    _check_width(item, place)
    return _suppression(item, place)


def _flat(item: dict[str, Any], place: str) -> dict[str, Any]:
    """The entry with the patterns of ``match`` beside the other fields, and ``key`` as ``subject``."""
    match = item.get("match")
    if match is not None and not isinstance(match, dict):
        raise ConfigError(f"{place}: “match” must be a map.", f"It has one or more of {', '.join(PATTERNS)}.")
    found = {name: value for name, value in item.items() if name != "match"} | dict(match or {})
    if "key" in found and not found.get("subject"):
        found["subject"] = found.pop("key")
    return found


def _check_width(item: Mapping[str, Any], place: str) -> None:
    """Refuse an entry that accepts every finding of a rule, or begins all of its patterns with a wildcard."""
    given = [text for name in PATTERNS if (text := item.get(name) or "")]
    if not any(map(_narrows, given)):
        raise ConfigError(
            f"{place}: accepts every finding of {item['rule']}.", f"Narrow it by one of {', '.join(PATTERNS)}."
        )
    if all(text.startswith(("*", "?")) for text in given):
        raise ConfigError(
            f"{place}: every pattern begins with a wildcard.", "Begin one of them with an account id or with “arn:”."
        )


def _narrows(pattern: str) -> bool:
    """Whether a pattern tells some from others: by more than that they are ARNs of a service or kind."""
    if not pattern.startswith("arn:"):
        fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
        return bool(pattern.strip("*?")) and not (fixed and fixed != pattern and "arn:".startswith(fixed))
    place = pattern.split(":", 5)[3:]
    if len(place) < 3:
        return False
    region, account, resource = (part.strip("*?") for part in place)
    return bool(region or account or (resource and resource not in KINDS))


def _suppression(item: Mapping[str, Any], place: str) -> Suppression:
    try:
        kind = SuppressionKind(str(item["kind"]))
    except ValueError:
        raise ConfigError(f"{place}: no kind “{item['kind']}”.", f"Choose {', '.join(SuppressionKind)}.") from None
    expires = _date(item["expires"], f"{place}: expires")
    approved = _date(item["approved"], f"{place}: approved") if item.get("approved") else None
    if approved is not None and expires < approved:
        raise ConfigError(f"{place}: expires before it was approved.", "Correct one of the two dates.")
    if approved is not None and expires - approved > timedelta(days=LONGEST_DAYS):
        raise ConfigError(
            f"{place}: runs for more than {LONGEST_DAYS} days.", "Choose an earlier end and review it then."
        )
    texts = {
        name: str(item.get(name) or "") for name in ("rule", "reason", "approver", "ticket", "evidence", *PATTERNS)
    }
    return Suppression(kind=kind, approved=approved, expires=expires, **texts)


def _date(value: str, place: str) -> date:
    found = day(value)
    if found is None:
        raise ConfigError(f"{place}: “{value}” is not a date.", "Write it as YYYY-MM-DD.")
    return found


def apply(
    findings: tuple[Finding, ...],
    entries: tuple[Suppression, ...],
    as_of: date,
    earlier_notes: tuple[str, ...] = (),
) -> Applied:
    """Accept the findings that valid entries cover at ``as_of``; report expired, unused and too long entries. A finding
    that is resolved needs no entry any more.

    ``earlier_notes`` are those of the run before: an entry that matched nothing then and now is called unused.
    """
    used: set[Suppression] = set()
    of_rule: dict[str, list[Suppression]] = {}
    for one in entries:
        of_rule.setdefault(one.rule, []).append(one)
    notes: list[str] = []
    result = []
    for finding in findings:
        asked = [] if finding.state is FindingState.RESOLVED else of_rule.get(finding.rule, [])
        fitting = [entry for entry in asked if entry.matches(finding)]
        used.update(fitting)
        entry = next((item for item in fitting if not _objection(item, finding, as_of)), None)
        if entry is None:
            notes += [_objection(item, finding, as_of) for item in fitting]
        opens = finding.state is FindingState.OPEN
        result.append(_accepted(finding, entry) if entry is not None and opens else finding)
    for entry in entries:
        if entry not in used:
            notes.append(_idle(entry, as_of, earlier_notes))
    return Applied(tuple(result), tuple(dict.fromkeys(notes)))


def _objection(entry: Suppression, finding: Finding, as_of: date) -> str:
    """Why an entry does not count for a finding, in words; empty when it does."""
    if entry.expires < as_of:
        return f"suppression of {entry.words} expired on {entry.expires}"
    critical = finding.severity is Severity.CRITICAL
    days = LONGEST_CRITICAL_DAYS if critical else LONGEST_DAYS
    since = min(entry.approved or as_of, as_of)
    if entry.expires - since > timedelta(days=days):
        what = "a critical finding" if critical else "any finding"
        return f"suppression of {entry.words} runs too long for {what} ({days} days)"
    return ""


def _idle(entry: Suppression, as_of: date, earlier_notes: tuple[str, ...]) -> str:
    """What to say about an entry that matches nothing."""
    words = f"suppression of {entry.words}"
    if any(note.startswith((f"{words} matches nothing", f"{words} is unused")) for note in earlier_notes):
        return f"{words} is unused: it matched nothing in two runs"
    return f"{words} matches nothing" + (f" and expired on {entry.expires}" if entry.expires < as_of else "")


def _accepted(finding: Finding, entry: Suppression) -> Finding:
    since = f" on {entry.approved}" if entry.approved else ""
    more = "".join(
        f"; {name} {text}" for name, text in (("ticket", entry.ticket), ("evidence", entry.evidence)) if text
    )
    words = f"{entry.kind}: {entry.reason} (approved by {entry.approver}{since}, until {entry.expires}{more})"
    return replace(finding, state=FindingState.ACCEPTED, extra=(*finding.extra, ("accepted", words)))
