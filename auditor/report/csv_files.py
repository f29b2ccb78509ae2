"""CSV: one file for each view, in UTF-8 with CRLF, cells guarded against being read as formulas."""

from __future__ import annotations

import csv
import io
import re
from functools import lru_cache

from auditor.model.report import Report
from auditor.report.plain import INVISIBLE
from auditor.report.views import Cell, View, views_of

_FORMULA = re.compile(rf"[\t\r\n]|(?:\s|{INVISIBLE.pattern})*[=+\-@＝＋－＠]")


def guarded(cell: Cell) -> Cell:
    """The cell, with an apostrophe before a text that a spreadsheet would run as a formula.

    Leading blanks and invisible marks do not hide one. Characters that UTF-8 cannot carry become U+FFFD.
    """
    return cell if isinstance(cell, int) else _guarded_text(cell)


@lru_cache(maxsize=8192)
def _guarded_text(cell: str) -> str:
    """The same names, outcomes and reasons come back in row after row."""
    text = cell.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
    return f"'{text}" if _FORMULA.match(text) else text


def csv_bytes(view: View) -> bytes:
    """One view as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(view.columns)
    writer.writerows([guarded(cell) for cell in row] for row in view.rows)
    return stream.getvalue().encode()


def csv_files(report: Report) -> dict[str, bytes]:
    """File name → content: findings first, then access, keys, principals, grants and gaps."""
    return {f"{view.name}.csv": csv_bytes(view) for view in views_of(report)}
