"""XLSX workbook for access reviews: a sheet for each view, columns for the reviewer's decisions, a sign-off.

Every text is written as a string, never as a formula or link; the dates inside the file come from the report.
"""

from __future__ import annotations

import io
from contextlib import nullcontext
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from auditor.model.moments import instant
from auditor.model.report import Report
from auditor.report.counts import counts_of
from auditor.report.plain import spelled_out
from auditor.report.views import View, views_of
from auditor.report.wording import coverage_words, summary_words

if TYPE_CHECKING:
    import xlsxwriter

CELL_LIMIT = 32_000
"""UTF-16 units, which is what Excel counts: it takes 32,767."""
ROW_LIMIT = 1_048_000
MANY_ROWS = 50_000
"""Rows up to which the sheets are put together in memory: it takes some 7 KB a row."""
REVIEW = ("decision", "reviewer", "review_date", "comment")
DECISIONS = ("keep", "remove", "change", "ask")
HOW_TO = (
    "For each row choose a decision (keep, remove, change, ask), and fill in reviewer and date; the comment says why. "
    "The rows say what configuration permits, not what was used. Sign below when every row has a decision."
)
REVIEWED = ("access", "keys", "principals", "grants", "findings")
WIDTHS = (8, 60)


def workbook_bytes(report: Report) -> bytes:
    """The workbook. The same report gives the same bytes.

    Sheets of many rows are put together in temporary files. Raises OSError where these cannot be written.
    """
    views = views_of(report)
    many = sum(len(view.rows) for view in views) > MANY_ROWS
    with TemporaryDirectory(prefix="kms-audit-") if many else nullcontext() as place:
        kept = {"constant_memory": True, "tmpdir": place} if many else {"in_memory": True}
        return _written(report, views, kept)


def _written(report: Report, views: tuple[View, ...], kept: dict[str, Any]) -> bytes:
    """The workbook, whose parts are ``kept`` where these options of the library say."""
    import xlsxwriter

    stream = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(stream, {**plain, **kept})
    book.set_properties({"title": "KMS access review", "created": _moment(report.as_of)})
    styles = {
        "head": book.add_format({"bold": True, "bg_color": "#E9ECEF", "bottom": 1, "valign": "top"}),
        "cell": book.add_format({"valign": "top"}),
        "wide": book.add_format({"valign": "top", "align": "left", "text_wrap": True}),
        "fill": book.add_format({"valign": "top", "bg_color": "#FFF8E1", "border": 1, "border_color": "#E0D3A8"}),
    }
    sheets = [_summary(book, report, views, styles), *(_sheet(book, view, styles) for view in views)]
    for sheet in sheets:
        _on_paper(sheet, report)
    book.close()
    return stream.getvalue()


def _moment(text: str) -> datetime:
    moment = instant(text)
    return moment.replace(tzinfo=None) if moment else datetime(2000, 1, 1)


def _text(value: str) -> str:
    text = spelled_out(value)
    if len(text) <= CELL_LIMIT // 2:
        return text
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * CELL_LIMIT else units[: 2 * CELL_LIMIT].decode("utf-16-le", "ignore") + "…"


def _on_paper(sheet: Any, report: Report) -> None:
    """Landscape, as wide as the page, with repeated heads, the snapshot's hash and page numbers in the footer."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    shown = report.snapshot.provenance.content_hash if report.snapshot.provenance.content_hash.isalnum() else "unknown"
    sheet.set_footer(f"&L&8kms-audit, snapshot {shown}&R&8&A, page &P of &N")


def _summary(book: xlsxwriter.Workbook, report: Report, views: tuple[View, ...], styles: dict[str, Any]) -> Any:
    sheet = book.add_worksheet("summary")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 100)
    counts = counts_of(report)
    facts: list[tuple[str, str | int]] = [
        ("as of", report.as_of),
        ("in words", summary_words(report, counts)),
        ("not read", coverage_words(report, counts) or "Everything that was asked for could be read."),
        ("tool version", report.tool_version),
        ("snapshot SHA-256", report.snapshot.provenance.content_hash or "not recorded"),
        ("how to review", HOW_TO),
        *((f"sheet {view.name}", _note(view)) for view in views),
        *((name.replace("_", " "), value) for name, value in counts.as_dict().items()),
    ]
    for row, (name, value) in enumerate(facts):
        sheet.write_string(row, 0, name, styles["head"])
        if isinstance(value, int):
            sheet.write_number(row, 1, value, styles["wide"])
        else:
            sheet.write_string(row, 1, _text(value), styles["wide"])
    _sign_off(sheet, len(facts) + 1, styles)
    return sheet


def _note(view: View) -> str:
    if len(view.rows) <= ROW_LIMIT:
        return view.note
    return f"{view.note} The first {ROW_LIMIT:,} of {len(view.rows):,} rows; {view.name}.csv has all of them."


def _sign_off(sheet: Any, first: int, styles: dict[str, Any]) -> None:
    for number, role in enumerate(("prepared by", "reviewed by", "approved by")):
        sheet.write_string(first + number, 0, f"{role} (name, date)", styles["head"])
        sheet.write_blank(first + number, 1, None, styles["fill"])


def _sheet(book: xlsxwriter.Workbook, view: View, styles: dict[str, Any]) -> Any:
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
    for column in range(width):
        sheet.set_column(column, column, _width(view, column))
    if review:
        _review_columns(sheet, width, last, styles)
    return sheet


def _width(view: View, column: int) -> int:
    """A width in characters that fits the head and most of the first rows."""
    texts = [view.columns[column], *(str(row[column]) for row in view.rows[:200])]
    return min(max(WIDTHS[0], *(len(text) + 2 for text in texts)), WIDTHS[1])


def _review_columns(sheet: Any, width: int, last: int, styles: dict[str, Any]) -> None:
    sheet.set_column(width, width + len(REVIEW) - 2, 16, styles["fill"])
    sheet.set_column(width + len(REVIEW) - 1, width + len(REVIEW) - 1, 40, styles["fill"])
    choice = {"validate": "list", "source": list(DECISIONS), "error_title": "Decision"}
    sheet.data_validation(1, width, last, width, {**choice, "error_message": f"One of {', '.join(DECISIONS)}."})
    day = {"validate": "date", "criteria": ">=", "value": datetime(2020, 1, 1), "error_title": "Review date"}
    sheet.data_validation(1, width + 2, last, width + 2, {**day, "error_message": "A date."})
