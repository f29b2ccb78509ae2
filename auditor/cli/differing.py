"""How a difference is printed: text, Markdown for a pull request, JSON, CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.asking import as_csv
from auditor.cli.summary import plural
from auditor.cli.terminal import printable

if TYPE_CHECKING:
    from auditor.model.finding import Finding
    from auditor.questions.differences import AccessChange, Differences

COLUMNS = ("kind", "change", "principal", "key", "capability", "was", "now", "cause")
COLORS = {"gained": "red", "lost": "green", "condition": "yellow", "coverage": "white"}
Findings = tuple[tuple[str, tuple["Finding", ...]], ...]


def render(found: Differences, findings: Findings, form: str) -> str:
    """The difference in ``form``; ``findings`` are pairs of a heading (new, resolved, unverified) and findings."""
    if form == "json":
        import json

        return json.dumps(as_plain(found, findings), indent=2, ensure_ascii=False)
    if form == "csv":
        return as_csv(_rows(found, findings), COLUMNS)
    lines = _markdown(found, findings) if form == "markdown" else _text(found, findings)
    return "\n".join(lines)


def as_plain(found: Differences, findings: Findings) -> dict[str, Any]:
    """The difference as plain data."""
    return {
        "access": [_plain(item) for item in found.access],
        "coverage": [_plain(item) for item in found.coverage],
        "facts": [{"kind": f.kind, "subject": f.subject, "change": f.change, "detail": f.detail} for f in found.facts],
        "findings": {
            heading: [
                {"rule": f.rule, "severity": str(f.severity), "subject": f.subject, "summary": f.summary} for f in items
            ]
            for heading, items in findings
        },
        "gaps": {"before": found.gaps_before, "after": found.gaps_after},
    }


def _plain(item: AccessChange) -> dict[str, str]:
    return {
        "change": str(item.change),
        "principal": item.principal,
        "key": item.key,
        "capability": str(item.capability),
        "was": item.was,
        "now": item.now,
        "cause": item.cause,
    }


def _rows(found: Differences, findings: Findings) -> list[dict[str, str]]:
    rows = [{"kind": "access"} | _plain(item) for item in (*found.access, *found.coverage)]
    rows += [
        {"kind": item.kind, "change": item.change, "key": item.subject, "cause": item.detail} for item in found.facts
    ]
    return rows + [
        {"kind": "finding", "change": heading, "key": item.subject, "cause": f"{item.rule}: {item.summary}"}
        for heading, items in findings
        for item in items
    ]


def _text(found: Differences, findings: Findings) -> list[str]:
    lines = [headline(found, findings)]
    for item in found.access:
        change = click.style(f"{item.change:9}", fg=COLORS[str(item.change)])
        lines.append(f"{change} {printable(f'{item.principal} {item.capability} {item.key}')}")
        lines.append(printable(f"          {item.was} → {item.now}; {item.cause}"))
    lines += [printable(f"{f.change:9} {f.kind} {f.subject} {f.detail}".rstrip()) for f in found.facts]
    for heading, items in findings:
        lines += [printable(f"{heading:9} finding {f.severity} {f.rule}: {f.summary}") for f in items]
    if found.coverage:
        lines.append(f"not comparable, because one side could not read it: {plural(len(found.coverage), 'access')}")
    return lines


def headline(found: Differences, findings: Findings) -> str:
    """The counts in one line."""
    kinds = [str(item.change) for item in found.access]
    parts = [f"{kinds.count(kind)} {kind}" for kind in ("gained", "lost") if kind in kinds]
    if "condition" in kinds:
        parts.append(f"{kinds.count('condition')} under another condition")
    access = ", ".join(parts) or "no change"
    extra = [f"{len(items)} {heading}" for heading, items in findings if items]
    return f"access: {access}; findings: {', '.join(extra) or 'no change'}; {plural(len(found.facts), 'changed fact')}"


def _markdown(found: Differences, findings: Findings) -> list[str]:
    lines = ["### KMS access", "", headline(found, findings), ""]
    if found.access:
        lines += ["| change | principal | capability | key | before | after | cause |", "|---|---|---|---|---|---|---|"]
        lines += [_row(_plain(item)) for item in found.access]
        lines.append("")
    lines += [f"- {f.kind} of {_code(f.subject)} {f.change}: {_code(f.detail)}" for f in found.facts]
    for heading, items in findings:
        lines += [f"- **{heading}** finding ({f.severity}) {f.rule}: {_code(f.summary)}" for f in items]
    if found.coverage:
        lines += ["", f"{plural(len(found.coverage), 'access')} not comparable: one side could not read it."]
    return lines


def _row(item: dict[str, str]) -> str:
    order: Sequence[str] = ("change", "principal", "capability", "key", "was", "now", "cause")
    return f"| {' | '.join(_code(item[name]) for name in order)} |"


def _code(text: str) -> str:
    """Hostile names as literal text: neither Markdown nor HTML nor a table border comes through."""
    clean = printable(" ".join(text.split())).replace("`", "'").replace("|", "¦")
    return f"`{clean}`" if clean else ""
