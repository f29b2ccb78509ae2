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


def _markdown(report: Report) -> Files:
    from auditor.report.markdown import markdown_bytes

    return {"summary.md": markdown_bytes(report)}


def _workbook(report: Report) -> Files:
    from auditor.report.workbook import workbook_bytes

    return {"access-review.xlsx": workbook_bytes(report)}


def _sarif(report: Report) -> Files:
    from auditor.report.sarif import sarif_bytes

    return {"report.sarif": sarif_bytes(report)}


def _asff(report: Report) -> Files:
    from auditor.report.asff import asff_files

    return asff_files(report)


def _ocsf(report: Report) -> Files:
    from auditor.report.ocsf import ocsf_bytes

    return {"findings.ocsf.json": ocsf_bytes(report)}


FORMATS: dict[str, Callable[[Report], Files]] = {
    "html": _html,
    "csv": _csv,
    "json": _json,
    "xlsx": _workbook,
    "sarif": _sarif,
    "ocsf": _ocsf,
    "asff": _asff,
    "markdown": _markdown,
}


def render(report: Report, form: str) -> Files:
    """File name → content of one format, the main file first. KeyError for a name that is not in ``FORMATS``.

    Pure: the same report gives the same bytes.
    """
    return FORMATS[form](report)
