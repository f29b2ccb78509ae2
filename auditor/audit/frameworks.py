"""A result by the controls of a framework: findings, clean, not evaluated, with the basis of each; CSV and HTML.

A mapping is evidence about a control, never its fulfilment; the pages say so.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from html import escape

from auditor.errors import UsageError
from auditor.model.finding import Finding, FindingState, RuleStatus
from auditor.model.report import Report
from auditor.report.counts import counts_of
from auditor.report.csv_files import guarded
from auditor.report.plain import spelled_out
from auditor.report.wording import GRADES, coverage_words, plural
from auditor.rules.catalogue import RuleFacts, catalogue, framework_titles

COLUMNS = ("version", "control", "basis", "status", "rule", "severity", "state", "subject", "summary")
DISCLAIMER = "Rules are evidence about a control. No finding does not mean that the control is fulfilled."
LEGEND = (
    "Basis: published by the owner of the control, mapped by another tool (peer), or our reading of its text. Status: "
    "a finding; clean, where the rule was evaluated and found nothing in what was read; or not evaluated, which says "
    "nothing. A finding that is accepted stays, with its state."
)
STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2em}p{max-width:60em}"
    "table{border-collapse:collapse}thead{display:table-header-group}tr{break-inside:avoid}"
    "td,th{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top;unicode-bidi:isolate}"
    "td{overflow-wrap:anywhere}td:nth-child(-n+4),td:nth-child(6),td:nth-child(7){overflow-wrap:normal}"
    "@media print{@page{size:landscape}body{margin:0;font-size:9pt}}"
)


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One rule's evidence about one control: ``status`` is finding, clean or not evaluated."""

    version: str
    control: str
    basis: str
    status: str
    rule: str
    severity: str = ""
    state: str = ""
    subject: str = ""
    summary: str = ""


def control_rows(report: Report, framework: str) -> tuple[ControlRow, ...]:
    """The rows of a framework, by version and control. Raises UsageError for an unknown framework."""
    if framework not in framework_titles():
        raise UsageError(f"There is no framework “{framework}”.", f"Choose among {', '.join(framework_titles())}.")
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    rows = [row for rule in catalogue().values() for row in _of_rule(report, rule, framework, by_rule.get(rule.id, []))]
    return tuple(sorted(rows, key=lambda row: (_in_order(row.version), _in_order(row.control), row.rule, row.subject)))


def _in_order(number: str) -> tuple[tuple[int, str], ...]:
    """A version or control number as people sort it: 2.9 before 2.10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", number))


def _of_rule(report: Report, rule: RuleFacts, framework: str, findings: list[Finding]) -> list[ControlRow]:
    status = next((item for item in report.rules if item.rule == rule.id), None)
    shown = [finding for finding in findings if finding.state is not FindingState.RESOLVED]
    rows = []
    for mapping in rule.mappings:
        if mapping.framework != framework:
            continue
        head = (mapping.version, mapping.control, mapping.basis)
        if shown:
            rows += [
                ControlRow(*head, "finding", rule.id, str(f.severity), str(f.state), f.subject, f.summary)
                for f in shown
            ]
            if status is not None and status.skipped:
                rows.append(_unread(head, rule, status))
        elif status is None or not status.evaluated:
            reason = status.reason if status else "this rule did not run"
            rows.append(ControlRow(*head, "not evaluated", rule.id, summary=reason))
        elif status.skipped:
            rows.append(_unread(head, rule, status))
        else:
            rows.append(ControlRow(*head, "clean", rule.id, summary=rule.title))
    return rows


def _unread(head: tuple[str, str, str], rule: RuleFacts, status: RuleStatus) -> ControlRow:
    """The part of a rule's subjects that could not be looked at."""
    return ControlRow(*head, "not evaluated", rule.id, summary=f"{plural(len(status.skipped), 'subject')} not read")


def framework_files(report: Report, framework: str) -> dict[str, bytes]:
    """File name → content: ``<framework>.html`` and ``<framework>.csv``."""
    rows = control_rows(report, framework)
    return {f"{framework}.html": _html(report, framework, rows), f"{framework}.csv": _csv(rows)}


def _cells(row: ControlRow) -> list[str]:
    return [getattr(row, column) for column in COLUMNS]


def _csv(rows: tuple[ControlRow, ...]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    writer.writerows([guarded(cell) for cell in _cells(row)] for row in rows)
    return stream.getvalue().encode()


def _html(report: Report, framework: str, rows: tuple[ControlRow, ...]) -> bytes:
    title = escape(f"{framework_titles()[framework]} — kms-audit, as of {report.as_of}")
    head = "".join(f"<th scope=col>{column}</th>" for column in COLUMNS)
    body = "".join(f"<tr>{''.join(map(_cell, _cells(row)))}</tr>\n" for row in rows)
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    told = "".join(f"<p>{escape(spelled_out(text))}</p>" for text in _told(report, rows))
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"{policy}<title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{told}"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></html>\n"
    )
    return page.encode("utf-8", "replace")


def _cell(text: str) -> str:
    return f"<td>{escape(spelled_out(text))}</td>"


def _told(report: Report, rows: tuple[ControlRow, ...]) -> tuple[str, ...]:
    """What stands above the table: the sums, how far they reach, and what the words of the table mean."""
    controls = len({(row.version, row.control) for row in rows})
    found, clean, dark = (sum(row.status == status for row in rows) for status in ("finding", "clean", "not evaluated"))
    counts = counts_of(report)
    return (
        f"{plural(controls, 'control')}: {plural(found, 'row')} with a finding, {clean:,} clean, {dark:,} not "
        "evaluated. A finding stands under each control that it is evidence about.",
        f"Coverage grade {counts.grade}. {GRADES[counts.grade]} {coverage_words(report, counts)}",
        DISCLAIMER,
        LEGEND,
        f"Snapshot SHA-256 {report.snapshot.provenance.content_hash or 'not recorded'}",
    )
