"""``report.html``: one self-contained file that reads without a network, and without JavaScript.

Everything that comes from AWS is hostile input: autoescape is always on, data sits in a script element that nothing
executes, and the content security policy names the hashes of the one style and the one script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import OutputError
from auditor.model.finding import Severity
from auditor.model.report import Report
from auditor.report.codec import Texts
from auditor.report.counts import counts_of
from auditor.report.grid import CAPABILITIES, Grid, grid_of
from auditor.report.island import island_of
from auditor.report.pages import key_pages, key_rows, principal_pages, worst, worst_severity
from auditor.report.plain import spelled_out
from auditor.report.views import grant_age, grant_limits, rotation_words
from auditor.report.wording import GRADES, change_words, coverage_words, summary_words

if TYPE_CHECKING:
    from jinja2 import Environment

FULL_FINDINGS = 200
"""Findings with all their evidence in the page; above it findings.csv and result.json hold the rest in full."""
MATRIX_ROWS = 250
TABLE_ROWS = 300


@cache
def templates_folder() -> Path:
    """Where the templates are: inside the installed package, or beside it in a checkout. Raises OutputError."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_templates", package.parent / "templates"):
        if (folder / "report.html.j2").is_file():
            return folder
    raise OutputError("The templates of the report are missing.", "Install kms-audit again.")


def visible(value: Any) -> Any:
    """The value; in a text, characters that hide or reorder others are spelled out."""
    if type(value) is not str:
        return value
    return spelled_out(value)


def short(text: str, limit: int = 240) -> str:
    """A text that fits a line; what is left out is counted."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def pretty(text: str) -> str:
    """A policy's JSON with indentation, or the text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=visible,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters.update(
        short=short, pretty=pretty, number="{:,}".format, rotation=rotation_words, limits=grant_limits
    )
    return environment


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def content_security_policy(style: str, script: str) -> str:
    """The policy of the page: nothing may be loaded, and only this style and this script apply."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def html_bytes(report: Report) -> bytes:
    """The page. The same report gives the same bytes. Raises OutputError when the installation lacks its templates."""
    folder = templates_folder()
    style = _style(folder, report)
    script = (folder / "report.js").read_text(encoding="utf-8")
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(style=style, script=script, policy=content_security_policy(style, script), **_content(report))
    )
    return page.encode("utf-8", "replace")


def _style(folder: Path, report: Report) -> str:
    """The style sheet with the snapshot's hash in the footer of every printed page."""
    content_hash = report.snapshot.provenance.content_hash
    shown = content_hash if re.fullmatch(r"[0-9a-f]{64}", content_hash) else "hash not recorded"
    return (folder / "report.css").read_text(encoding="utf-8").replace("__SNAPSHOT__", shown)


def _content(report: Report) -> dict[str, Any]:
    grid = grid_of(report)
    counts = counts_of(report, grid)
    rows = key_rows(report, grid)
    keys, principals = key_pages(report, grid), principal_pages(report, grid)
    return {
        "report": report,
        "snapshot": report.snapshot,
        "counts": counts,
        "words": summary_words(report, counts),
        "coverage_words": coverage_words(report, counts),
        "change_words": change_words(report),
        "grade_words": GRADES[counts.grade],
        "severities": [(level.value, counts.severity(level)) for level in Severity],
        "worst_keys": worst(report, "keys"),
        "worst_principals": worst(report, "principals"),
        "findings": report.findings[:FULL_FINDINGS],
        "facets": _facets(report),
        "key_rows": rows[:MATRIX_ROWS],
        "most_holders": max((sum(cell) for row in rows for cell in row.counts), default=0),
        "capabilities": [str(capability) for capability in CAPABILITIES],
        "key_pages": keys,
        "principal_pages": principals,
        "worst_severity": lambda numbers: worst_severity(report.findings, numbers),
        "key_place": {key.arn: place for place, key in enumerate(report.snapshot.keys)},
        "principal_place": {one.arn: place for place, one in enumerate(report.principals)},
        "grants": [(key, grant) for key in report.snapshot.keys for grant in key.grants][:TABLE_ROWS],
        "gaps": report.snapshot.gaps[:TABLE_ROWS],
        "age": lambda grant: grant_age(grant, report.as_of),
        "families": _families(report),
        "island": _island(report, grid),
    }


def _facets(report: Report) -> list[tuple[str, list[tuple[str, int]]]]:
    """(attribute, its values with their numbers), most frequent first."""
    found = []
    for name in ("severity", "category", "rule", "account", "region", "state"):
        tally = Counter(str(getattr(finding, name)) for finding in report.findings if getattr(finding, name))
        found.append((name, sorted(tally.items(), key=lambda item: (-item[1], item[0]))))
    return found


def _more_findings(report: Report, island: dict[str, Any]) -> list[list[int]]:
    """The findings above the limit in brief, every text a position in the island's strings."""
    strings = Texts(island["s"])
    return [
        [
            strings.put(text)
            for text in (
                f.severity.value, f.rule, f.title, f.summary, f.category, f.account, f.region, f.state.value, f.subject,
                f.remediation.summary, f.principals[0] if f.principals else "",
            )
        ]
        for f in report.findings[FULL_FINDINGS:]
    ]  # fmt: skip


def _island(report: Report, grid: Grid) -> dict[str, Any]:
    island = island_of(report, grid)
    return {**island, "f": _more_findings(report, island)}


def _families(report: Report) -> list[tuple[str, list[Any]]]:
    """Multi-Region keys that share a key id, with at least two members read."""
    members: dict[str, list[Any]] = {}
    for key in report.snapshot.keys:
        if key.multi_region:
            members.setdefault(key.key_id, []).append(key)
    return [(name, listed) for name, listed in sorted(members.items()) if len(listed) > 1]
