"""A short summary in Markdown, for a pull request or a chat. Everything from AWS is escaped; no text becomes a link."""

from __future__ import annotations

import re

from auditor.model.finding import Severity
from auditor.model.report import Report
from auditor.report.counts import LISTED_STATES, counts_of
from auditor.report.plain import one_line
from auditor.report.wording import GRADES, change_words, coverage_words, summary_words

SHOWN = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#!|~>])")
"""Dashes and pluses mean something at the start of a line only, where no text from AWS stands."""


def escaped(text: str, limit: int = 240) -> str:
    """A text as Markdown that shows it literally on one line, without mentions or links."""
    safe = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", safe).replace("@", "@\u2060").replace("://", ":\u2060//")


def markdown_bytes(report: Report) -> bytes:
    """The summary as UTF-8 Markdown."""
    counts = counts_of(report)
    change = change_words(report)
    lines = ["# KMS access report", "", escaped(summary_words(report, counts), 2000), ""]
    lines += [escaped(change, 2000), ""] if change else []
    lines += [
        f"Coverage grade **{counts.grade}**: {GRADES[counts.grade]} {escaped(coverage_words(report, counts), 2000)}",
        "",
    ]
    lines += ["| severity | open findings |", "|---|---:|"]
    lines += [f"| {level} | {counts.severity(level)} |" for level in Severity]
    listed = [item for item in report.findings if item.state in LISTED_STATES]
    if listed:
        lines += ["", "| severity | rule | subject | finding |", "|---|---|---|---|"]
        lines += [
            f"| {item.severity} | {escaped(item.rule)} | {escaped(item.subject)} | {escaped(item.summary)} |"
            for item in listed[:SHOWN]
        ]
    if len(listed) > SHOWN:
        lines += ["", f"And {len(listed) - SHOWN:,} more in the report."]
    snapshot_hash = escaped(report.snapshot.provenance.content_hash) or "not recorded"
    lines += ["", f"Snapshot SHA-256 {snapshot_hash}, kms-audit {escaped(report.tool_version)}."]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
