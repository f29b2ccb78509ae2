"""What formats make of the report in ``varied``: ``python -m tests.report.expected_files`` writes ``expected/`` anew.

Read the difference before you commit it: these files say what users and their scripts get.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from auditor.cli.summary import summary
from auditor.model.report import Report
from auditor.model.score import scores_of_keys, scores_of_principals
from auditor.report import render
from auditor.report.grid import grid_of
from auditor.report.island import island_of
from tests.report.page_text import PageText
from tests.report.varied import varied

FOLDER = Path(__file__).parent / "expected"
FORMS = ("html", "csv", "markdown", "sarif", "ocsf", "asff", "summary", "island", "workbook")


def made(form: str) -> dict[str, str]:
    """File name → text."""
    report = varied()
    match form:
        case "html":
            page = PageText(render(report, "html")["report.html"].decode())
            return {"page.txt": "\n".join(page.lines) + "\n"}
        case "summary":
            return {"summary.txt": summary(report) + "\n"}
        case "island":
            return {"island.json": _lines(_island(report))}
        case "workbook":
            return {"workbook.json": _lines(_workbook(render(report, "xlsx")["access-review.xlsx"]))}
    return {name: text.decode() for name, text in render(report, form).items() if "/" not in name}


def _island(report: Report) -> dict[str, Any]:
    """The data in a page that itself has room for no finding."""
    scores = scores_of_keys(report.findings, report.snapshot) | scores_of_principals(report.findings, report.powers)
    return island_of(report, grid_of(report), scores, 0)


def _lines(data: dict[str, Any]) -> str:
    """JSON with one line for each entry of the first two levels."""
    parts = []
    for name, value in data.items():
        rows = [json.dumps(row, ensure_ascii=False) for row in value] if isinstance(value, list) else []
        text = "[\n" + ",\n".join(rows) + "]" if rows else json.dumps(value, ensure_ascii=False)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{" + ",\n".join(parts) + "}\n"


def _workbook(content: bytes) -> dict[str, Any]:
    """The summary sheet, the size of each sheet, and its columns with their widths."""
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter

    book = load_workbook(io.BytesIO(content))
    found: dict[str, Any] = {"summary": [[cell.value for cell in row] for row in book["summary"].iter_rows()]}
    for sheet in book:
        rules = [
            [item.type, str(item.sqref), item.operator, item.formula1, item.errorTitle, item.error]
            for item in sheet.data_validations.dataValidation
        ]
        widths = [
            [cell.value, sheet.column_dimensions[get_column_letter(cell.column)].width, cell.fill.fgColor.rgb]
            for cell in sheet[1]
        ]
        head = [sheet.dimensions, sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows, rules]
        page = [sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight]
        found[f"sheet {sheet.title}"] = [head, page, sheet.oddFooter.left.text, sheet.oddFooter.right.text, *widths]
    return found


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for form in FORMS:
        for name, text in made(form).items():
            (FOLDER / name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
