"""XLSX workbook for access reviews: a sheet for each view, and columns where the reviewer records decisions.

Every text is written as a string, never as a formula or link; the dates inside the file come from the report.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.model.report import Report
from auditor.report.counts import counts_of
from auditor.report.plain import spelled_out
from auditor.report.views import View, views_of

if TYPE_CHECKING:
    import xlsxwriter

CELL_LIMIT = 32_000
ROW_LIMIT = 1_048_000
REVIEW = ("decision", "reviewer", "review_date", "comment")
DECISIONS = ("keep", "remove", "change", "ask")
REVIEWED = ("access", "grants", "findings")


def workbook_bytes(report: Report) -> bytes:
    """The workbook. The same report gives the same bytes."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": "KMS access review", "created": _moment(report.as_of)})
    styles = {
        "head": book.add_format({"bold": True, "bg_color": "#E9ECEF", "bottom": 1, "valign": "top"}),
        "cell": book.add_format({"valign": "top"}),
        "fill": book.add_format({"valign": "top", "bg_color": "#FFF8E1", "border": 1, "border_color": "#E0D3A8"}),
    }
    _summary(book, report, styles)
    for view in views_of(report):
        _sheet(book, view, styles)
    book.close()
    return stream.getvalue()


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).replace(tzinfo=None)
    except ValueError:
        return datetime(2000, 1, 1)


def _text(value: str) -> str:
    text = spelled_out(value)
    return text if len(text) <= CELL_LIMIT else text[:CELL_LIMIT] + "…"


def _summary(book: xlsxwriter.Workbook, report: Report, styles: dict[str, Any]) -> None:
    sheet = book.add_worksheet("summary")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 70)
    facts: list[tuple[str, str | int]] = [
        ("as of", report.as_of),
        ("tool version", report.tool_version),
        ("snapshot SHA-256", report.snapshot.provenance.content_hash or "not recorded"),
        *((name.replace("_", " "), value) for name, value in counts_of(report).as_dict().items()),
    ]
    for row, (name, value) in enumerate(facts):
        sheet.write_string(row, 0, name, styles["head"])
        if isinstance(value, int):
            sheet.write_number(row, 1, value, styles["cell"])
        else:
            sheet.write_string(row, 1, _text(value), styles["cell"])


def _sheet(book: xlsxwriter.Workbook, view: View, styles: dict[str, Any]) -> None:
    sheet = book.add_worksheet(view.name)
    review = REVIEW if view.name in REVIEWED else ()
    for column, name in enumerate((*view.columns, *review)):
        sheet.write_string(0, column, name, styles["head"])
    for number, cells in enumerate(view.rows[:ROW_LIMIT], start=1):
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(number, column, cell)
            else:
                sheet.write_string(number, column, _text(cell))
    last, width = max(1, min(len(view.rows), ROW_LIMIT)), len(view.columns)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, width + len(review) - 1)
    sheet.set_column(0, width - 1, 24)
    if review:
        sheet.set_column(width, width + len(review) - 1, 16, styles["fill"])
        sheet.data_validation(1, width, last, width, {"validate": "list", "source": list(DECISIONS)})
        sheet.data_validation(
            1,
            width + 2,
            last,
            width + 2,
            {"validate": "date", "criteria": ">=", "value": datetime(2020, 1, 1)},
        )
