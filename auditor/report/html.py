"""``report.html``: one self-contained file that reads without a network, and without JavaScript.

Everything that comes from AWS is hostile input: autoescape is always on, data sits in a script element that nothing
executes, and the content security policy names the hashes of its style and of each of its scripts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import OutputError
from auditor.model.report import Report
from auditor.report.content import content_of
from auditor.report.island_findings import severity_words
from auditor.report.plain import spelled_out
from auditor.report.views import grant_limits, rotation_words
from auditor.report.wording import evidence_value, plural

if TYPE_CHECKING:
    from jinja2 import Environment

SCRIPTS = (
    "scripts/first.js",
    "vendor/dataTables.min.js",
    "scripts/island.js",
    "scripts/tables.js",
    "scripts/findings.js",
    "scripts/why.js",
    "scripts/heat.js",
    "scripts/lists.js",
    "scripts/pages.js",
    "scripts/start.js",
)
"""Put into the page unchanged in this order, each an element of its own: the first into the head, the others last."""


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
        short=short, pretty=pretty, number="{:,}".format, plural=plural, rotation=rotation_words, limits=grant_limits
    )
    environment.filters |= {"clauses": severity_words, "evidence": evidence_value, "quoted": shlex.quote}
    return environment


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def content_security_policy(style: str, scripts: Iterable[str]) -> str:
    """The policy of the page: nothing may be loaded, and only this style and these scripts apply.

    The one Trusted Types policy, of ``scripts/island.js``, turns every text into text: none becomes markup.
    """
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, scripts))}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types default"
    )


def html_bytes(report: Report) -> bytes:
    """The page. The same report gives the same bytes. Raises OutputError when the installation lacks its templates."""
    folder = templates_folder()
    style = _style(folder, report)
    scripts = [(folder / name).read_text(encoding="utf-8") for name in SCRIPTS]
    policy = content_security_policy(style, scripts)
    template = _environment().get_template("report.html.j2")
    page = template.render(style=style, scripts=scripts, policy=policy, **content_of(report))
    return page.encode("utf-8", "replace")


def _style(folder: Path, report: Report) -> str:
    """The style sheet with the snapshot's hash in the footer of every printed page."""
    content_hash = report.snapshot.provenance.content_hash
    shown = content_hash if re.fullmatch(r"[0-9a-f]{64}", content_hash) else "hash not recorded"
    return (folder / "report.css").read_text(encoding="utf-8").replace("__SNAPSHOT__", shown)
