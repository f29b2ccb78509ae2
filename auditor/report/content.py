"""Everything that the templates of the HTML report show, gathered once. Decides no verdict and writes no markup."""

from __future__ import annotations

from collections import Counter
from typing import Any

from auditor.model.finding import Severity
from auditor.model.key import Fact, Key
from auditor.model.report import Report
from auditor.model.score import Score, scores_of_keys, scores_of_principals
from auditor.report.counts import LISTED_STATES, PUBLIC_RULE, Counts, counts_of, outside
from auditor.report.coverage import coverage_tables
from auditor.report.grid import Grid, grid_of
from auditor.report.island import island_of
from auditor.report.located import key_places, principal_places
from auditor.report.pages import (
    alike,
    held_pairs,
    key_pages,
    key_rows,
    open_findings,
    principal_pages,
    reasons,
    worst,
    worst_severity,
)
from auditor.report.paths import escalation_paths
from auditor.report.sampling import drawn_pairs
from auditor.report.views import grant_age
from auditor.report.wording import BASIS, GRADES, change_words, coverage_words, has_history, newness, summary_words

FULL_FINDINGS = 300
"""Findings with all their evidence in the page itself; the script builds the others from the island."""
MATRIX_ROWS = 250
TABLE_ROWS = 300


Content = dict[str, Any]


def content_of(report: Report) -> Content:
    """Name → value for the templates."""
    grid = grid_of(report)
    counts = counts_of(report, grid)
    scores = scores_of_keys(report.findings, report.snapshot) | scores_of_principals(report.findings, report.powers)
    return {
        "report": report,
        "snapshot": report.snapshot,
        "counts": counts,
        "scores": scores,
        "powers": {entry.principal: entry.power for entry in report.powers},
        "key_place": key_places(report),
        "principal_place": principal_places(report),
        "outside": outside,
        "island": island_of(report, grid, scores, FULL_FINDINGS),
        **_summary(report, counts, scores),
        **_findings(report),
        **_access(report, grid),
        **_coverage(report, grid),
    }


def _summary(report: Report, counts: Counts, scores: dict[str, Score]) -> Content:
    return {
        "words": summary_words(report, counts),
        "coverage_words": coverage_words(report, counts),
        "change_words": change_words(report),
        "basis_words": BASIS,
        "grade_words": GRADES[counts.grade],
        "severities": [(level.value, counts.severity(level)) for level in Severity],
        "public_address": _public_address(report, counts),
        "worst_keys": worst(report, "keys", scores),
        "worst_principals": worst(report, "principals", scores),
    }


def _public_address(report: Report, counts: Counts) -> str:
    """Where the public keys are: among the findings if each has one that says so, else in the row of everyone."""
    called = {
        arn for item in report.findings if item.rule == PUBLIC_RULE and item.state in LISTED_STATES for arn in item.keys
    }
    number = counts.public_keys + counts.unknown_public_keys
    if not number:
        return ""
    return f"#findings?rule={PUBLIC_RULE}" if len(called) == number else "#access?q=everyone&external=1"


def _findings(report: Report) -> Content:
    paths, known = escalation_paths(report), has_history(report)
    return {
        "findings": report.findings[:FULL_FINDINGS],
        "facets": _facets(report),
        "paths": paths[:TABLE_ROWS],
        "path_number": len(paths),
        "alike": lambda numbers: alike(report.findings, numbers),
        "newness": lambda finding: newness(finding, report) if known else "",
        "open_findings": lambda numbers: open_findings(report, numbers),
        "worst_severity": lambda numbers: worst_severity(report.findings, numbers),
    }


def _access(report: Report, grid: Grid) -> Content:
    rows = key_rows(report, grid)
    keys, principals = key_pages(report, grid), principal_pages(report, grid)
    pairs = held_pairs(report, grid)
    return {
        "key_rows": rows[:MATRIX_ROWS],
        "most_holders": max((sum(cell) for row in rows for cell in row.counts), default=0),
        "key_pages": keys,
        "principal_pages": principals,
        "key_numbers": Counter(principal for principal, _ in pairs),
        "reasons": reasons(report, keys, principals),
        "families": _families(report),
        "family_counts": {row.key.arn: row.counts for row in rows if row.key.multi_region},
        "grants": [(key, grant) for key in report.snapshot.keys for grant in key.grants][:TABLE_ROWS],
        "without_grants": sum(Fact.GRANTS in key.unread for key in report.snapshot.keys),
        "age": lambda grant: grant_age(grant, report.as_of),
    }


def _coverage(report: Report, grid: Grid) -> Content:
    regional, whole = coverage_tables(report.snapshot)
    return {
        "gaps": report.snapshot.gaps[:TABLE_ROWS],
        "coverage_regions": regional,
        "coverage_accounts": whole,
        "drawn": drawn_pairs(report, grid),
    }


def _facets(report: Report) -> list[tuple[str, list[tuple[str, int]]]]:
    """(attribute, its values with their numbers), most frequent first; severities worst first."""
    found = []
    for name in ("severity", "category", "rule", "account", "region", "state"):
        tally = Counter(str(getattr(finding, name)) for finding in report.findings if getattr(finding, name))
        worst_first = [level.value for level in Severity if tally[level.value]]
        order = worst_first if name == "severity" else sorted(tally, key=lambda value: (-tally[value], value))
        found.append((name, [(value, tally[value]) for value in order]))
    return found


def _families(report: Report) -> list[tuple[str, list[Key]]]:
    """Multi-Region keys that share a key id, with at least two members read."""
    members: dict[str, list[Key]] = {}
    for key in report.snapshot.keys:
        if key.multi_region:
            members.setdefault(key.key_id, []).append(key)
    return [(name, listed) for name, listed in sorted(members.items()) if len(listed) > 1]
