"""What formats say of one report, word for word, and that they say the same."""

from __future__ import annotations

import difflib
import io
from collections.abc import Callable
from functools import cache

import pytest

from auditor.model.report import Report
from auditor.report import render
from auditor.report.plain import spelled_out
from auditor.report.views import views_of
from tests.report.estates import hostile, shared
from tests.report.expected_files import FOLDER, FORMS, made
from tests.report.page_text import PageText
from tests.report.varied import varied

files = cache(made)


@pytest.mark.parametrize("form", FORMS)
def test_formats_say_what_they_said(form: str) -> None:
    for name, text in files(form).items():
        expected = (FOLDER / name).read_bytes().decode()
        difference = "\n".join(difflib.unified_diff(expected.splitlines(), text.splitlines(), lineterm="", n=0))
        assert text == expected, f"{difference}\nif that is right: python -m tests.report.expected_files"


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for form in FORMS for name in files(form)}


@pytest.mark.parametrize("make", [varied, hostile])
def test_every_link_of_the_page_leads_somewhere(make: Callable[[], Report]) -> None:
    page = PageText(render(make(), "html")["report.html"].decode())
    assert {link.split("?")[0].removeprefix("#") for link in page.links} <= set(page.ids)
    assert {f"finding-{number}" for number in range(len(make().findings))} <= set(page.ids)


@pytest.mark.parametrize("make", [varied, hostile, shared])
def test_no_two_places_of_the_page_have_one_name(make: Callable[[], Report]) -> None:
    page = PageText(render(make(), "html")["report.html"].decode())
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("make", [varied, hostile])
def test_the_workbook_has_every_cell_of_every_table(make: Callable[[], Report]) -> None:
    from openpyxl import load_workbook

    report = make()
    book = load_workbook(io.BytesIO(render(report, "xlsx")["access-review.xlsx"]))
    for view in views_of(report):
        width = len(view.columns)
        rows = [[cell.value for cell in row[:width]] for row in book[view.name].iter_rows()]
        assert rows[0] == list(view.columns)
        assert [[_read(cell) for cell in row] for row in rows[1:]] == [
            [_written(cell) for cell in row] for row in view.rows
        ]


def _read(value: object) -> object:
    return "" if value is None else value


def _written(cell: str | int) -> str | int:
    if isinstance(cell, int):
        return cell
    text = spelled_out(cell)
    return text if len(text) <= 32_000 else text[:32_000] + "…"
