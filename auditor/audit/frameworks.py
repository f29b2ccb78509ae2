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
from auditor.rules.catalogue import RuleFacts, catalogue, framework_titles

COLUMNS = ("version", "control", "basis", "status", "rule", "severity", "state", "subject", "summary")
DISCLAIMER = "Rules are evidence about a control. No finding does not mean that the control is fulfilled."
STYLE = (
    "body{font:15px/1.5 system-ui;margin:2em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}"
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
    return ControlRow(*head, "not evaluated", rule.id, summary=f"{len(status.skipped)} subjects not read")


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
    writer.writerows([_guarded(cell) for cell in _cells(row)] for row in rows)
    return stream.getvalue().encode("utf-8", "replace")


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@")) else cell


def _html(report: Report, framework: str, rows: tuple[ControlRow, ...]) -> bytes:
    title = escape(f"{framework_titles()[framework]} — kms-audit, as of {report.as_of}")
    head = "".join(f"<th scope=col>{column}</th>" for column in COLUMNS)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(row))}</tr>\n" for row in rows)
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8>{policy}<title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1><p>{DISCLAIMER}</p><p>Snapshot {escape(report.snapshot.provenance.content_hash)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></html>\n"
    )
    return page.encode("utf-8", "replace")
