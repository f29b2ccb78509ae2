"""The register of formats: name → what makes its files. A new format is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from auditor.model.report import Report

Files = dict[str, bytes]


def _html(report: Report) -> Files:
    from auditor.report.html import html_bytes

    return {"report.html": html_bytes(report)}


def _csv(report: Report) -> Files:
    from auditor.report.csv_files import csv_files

    return csv_files(report)


def _json(report: Report) -> Files:
    from auditor.report.result import write_result

    return {"result.json": write_result(report)}


FORMATS: dict[str, Callable[[Report], Files]] = {
    "html": _html,
    "csv": _csv,
    "json": _json,
}


def render(report: Report, form: str) -> Files:
    """File name → content of one format, the main file first. KeyError for a name that is not in ``FORMATS``.

    Pure: the same report gives the same bytes.
    """
    return FORMATS[form](report)
