"""How a difference is printed: text, Markdown for a pull request, JSON, CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from auditor.audit.comparing import PERHAPS_NEW, UNVERIFIED
from auditor.cli.asking import as_csv
from auditor.cli.terminal import printable
from auditor.model.finding import weight
from auditor.report.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.audit.comparing import Headed
    from auditor.model.finding import Finding
    from auditor.model.snapshot import Snapshot
    from auditor.questions.active_losers import ActiveLoser
    from auditor.questions.differences import AccessChange, Differences

COLUMNS = ("kind", "change", "principal", "key", "capability", "actions", "was", "now", "cause")
COLORS = {"gained": "red", "lost": "green", "condition": "yellow", "coverage": "white"}
SHOWN = 8
DOUBTS = {
    PERHAPS_NEW: "what such a finding rests on could not all be read before",
    UNVERIFIED: "what such a finding rests on could not all be read after",
}
"""Why findings under a heading may have been there already, or may be there still."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is printed.

    ``findings`` are pairs of a heading (new, perhaps new, changed, resolved, unverified) and findings, None when nobody
    judged; ``active`` are those that lose access and were active lately; ``not_judged`` says which planned changes
    could not be judged, ``findings_open`` which of those that findings alone may rest on; ``labels`` are the aliases of
    keys; ``was`` has, by fingerprint, the changed findings as they were, where these had the same.
    """

    found: Differences
    findings: Headed | None
    active: tuple[ActiveLoser, ...] = ()
    not_judged: tuple[str, ...] = ()
    findings_open: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def open_ones(self) -> tuple[str, ...]:
        """Everything that could not be judged."""
        return (*self.not_judged, *self.findings_open)

    def formerly(self, finding: Finding) -> str:
        """How much a finding weighed before, in words; empty where it is another one, or weighs the same."""
        before = self.was.get(finding.fingerprint)
        return weight(before) if before else ""

    def called(self, key: str) -> str:
        """A key's ARN with its alias in front."""
        label = self.labels.get(key, "")
        return f"{label}  {key}" if label.startswith("alias/") else key


def labels_of(*snapshots: Snapshot) -> dict[str, str]:
    """Key ARN → what people call it, in the last of the snapshots that has it."""
    return {key.arn: key.label for snapshot in snapshots for key in snapshot.keys}


def render(shown: Comparison, form: str) -> str:
    """The difference in ``form``: text, json, csv or markdown."""
    if form == "json":
        import json

        return json.dumps(as_plain(shown), indent=2, ensure_ascii=False)
    if form == "csv":
        return as_csv(_rows(shown), COLUMNS)
    if form == "markdown":
        from auditor.cli.differing_markdown import markdown

        return "\n".join(markdown(shown))
    return "\n".join(_text(shown))


def as_plain(shown: Comparison) -> dict[str, Any]:
    """The difference as plain data."""
    found = shown.found
    return {
        "access": [plain(item) for item in found.access],
        "coverage": [plain(item) for item in found.coverage],
        "facts": [{"kind": f.kind, "subject": f.subject, "change": f.change, "detail": f.detail} for f in found.facts],
        "findings": None if shown.findings is None else _headed(shown),
        "active_losers": [
            {
                "principal": item.principal,
                "last_active": item.last_active,
                "days": item.days,
                "keys": list(item.keys),
                "keys_last_used": dict(item.used),
                "kms_last_called": item.kms or None,
                "kms_calls_known": item.kms_known,
            }
            for item in shown.active
        ],
        "not_judged": list(shown.not_judged),
        "findings_not_judged": list(shown.findings_open),
        "gaps": {"before": found.gaps_before, "after": found.gaps_after},
    }


def _headed(shown: Comparison) -> dict[str, list[dict[str, str]]]:
    return {
        heading.replace(" ", "_"): [_finding(shown, item) for item in items] for heading, items in shown.findings or ()
    }


def _finding(shown: Comparison, item: Finding) -> dict[str, str]:
    told = {"rule": item.rule, "severity": str(item.severity), "subject": item.subject, "summary": item.summary}
    was = shown.formerly(item)
    return told | {"was": was, "now": weight(item)} if was else told


def plain(item: AccessChange) -> dict[str, Any]:
    """One change of access as plain data."""
    return {
        "change": str(item.change),
        "principal": item.principal,
        "key": item.key,
        "capability": item.capability.label,
        "actions": list(item.actions),
        "was": item.was,
        "now": item.now,
        "cause": item.cause,
    }


def _rows(shown: Comparison) -> list[dict[str, Any]]:
    found = shown.found
    rows: list[dict[str, Any]] = [{"kind": "access"} | plain(item) for item in (*found.access, *found.coverage)]
    rows += [
        {"kind": item.kind, "change": item.change, "key": item.subject, "cause": item.detail} for item in found.facts
    ]
    rows += [
        {"kind": "finding", "change": heading, "key": item.subject, "cause": f"{item.rule}: {item.summary}"}
        | ({"was": was, "now": weight(item)} if (was := shown.formerly(item)) else {})
        for heading, items in shown.findings or ()
        for item in items
    ]
    rows += [
        {"kind": "active-loser", "principal": item.principal, "key": key, "was": item.last_active}
        for item in shown.active
        for key in item.keys
    ]
    rows += [{"kind": "not-judged", "cause": text} for text in shown.not_judged]
    return rows + [{"kind": "finding-not-judged", "cause": text} for text in shown.findings_open]


def _text(shown: Comparison) -> list[str]:
    from auditor.questions.folding import fold_changes

    lines = [headline(shown)]
    for item in fold_changes(shown.found.access):
        change = click.style(f"{item.first.change:9}", fg=COLORS[str(item.first.change)])
        lines.append(f"{change} {', '.join(item.capabilities)}: {printable(f'{item.first.was} → {item.first.now}')}")
        lines += [printable(f"          {name}") for name in first_of(item.principals)]
        lines += [printable(f"          on {name}") for name in first_of([shown.called(key) for key in item.keys])]
        lines.append(printable(f"          because {item.first.cause}"))
    lines += [printable(f"{f.change:9} {f.kind} {f.subject} {f.detail}".rstrip()) for f in shown.found.facts]
    for heading, items in shown.findings or ():
        lines += [printable(f"{heading:9} finding {heavy(shown, f)} {f.rule}: {f.summary}") for f in items]
    lines += [printable(words) for words in (*active_words(shown), *coverage_words(shown), *doubt_words(shown))]
    return [*lines, *(printable(f"not judged: {text}") for text in shown.open_ones)]


def heavy(shown: Comparison, finding: Finding) -> str:
    """The severity of a finding; of one that weighs otherwise now, what it weighed before as well."""
    was = shown.formerly(finding)
    return f"{was} → {weight(finding)}" if was else str(finding.severity)


def headline(shown: Comparison) -> str:
    """The counts in one line."""
    found = shown.found
    kinds = [str(item.change) for item in found.access]
    parts = [f"{kinds.count(kind)} {kind}" for kind in ("gained", "lost") if kind in kinds]
    if "condition" in kinds:
        parts.append(f"{kinds.count('condition')} under another condition")
    access = ", ".join(parts) or "no change"
    extra = [f"{len(items)} {heading}" for heading, items in shown.findings or () if items]
    findings = "not judged" if shown.findings is None else ", ".join(extra) or "no change"
    open_ones = f"; {plural(len(shown.open_ones), 'planned change')} not judged" if shown.open_ones else ""
    return f"access: {access}; findings: {findings}; {plural(len(found.facts), 'changed fact')}{open_ones}"


def active_words(shown: Comparison) -> list[str]:
    """One sentence for each that loses access and was active lately."""
    told = []
    for item in shown.active:
        keys = ", ".join(first_of([shown.labels.get(key, key) for key in item.keys]))
        days = plural(item.days, "day")
        told.append(
            f"loses access and was active: {item.principal}, last on {item.last_active} ({days} before)"
            f"{_calls(item)}: {keys}"
        )
    return told


def _calls(item: ActiveLoser) -> str:
    """What IAM's report says of calls to KMS; nothing where it says nothing."""
    if not item.kms_known:
        return ""
    return f", last called KMS on {item.kms}" if item.kms else ", with no call to KMS on record"


def coverage_words(shown: Comparison) -> list[str]:
    """What cannot be compared, by cause, and how much could not be read: never a change of access."""
    causes: dict[str, int] = {}
    for item in shown.found.coverage:
        cause = f"{item.was} → {item.now}; {item.cause}"
        causes[cause] = causes.get(cause, 0) + 1
    told = [f"not comparable ({number} of access): {cause}" for cause, number in causes.items()]
    before, after = shown.found.gaps_before, shown.found.gaps_after
    if before != after:
        told.append(f"facts that could not be read: {before} before, {after} after")
    elif before:
        told.append(f"{plural(before, 'fact')} that access rests on could not be read, before and after")
    return told


def doubt_words(shown: Comparison) -> list[str]:
    """Why findings are perhaps new or not verified as resolved, where some are."""
    return [f"{heading}: {DOUBTS[heading]}" for heading, items in shown.findings or () if items and heading in DOUBTS]


def first_of(names: Sequence[str]) -> list[str]:
    """The first few names, and how many more there are."""
    hidden = len(names) - SHOWN
    return list(names) if hidden <= 0 else [*names[:SHOWN], f"{hidden} more (-f json lists all)"]
