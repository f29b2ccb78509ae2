"""``kms-audit test``: authorization cases, the unit tests of policies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import answer_format, global_options
from auditor.cli.terminal import printable, result

if TYPE_CHECKING:
    from auditor.cases import CaseResult

FAILED = 3


@click.command("test")
@click.argument("cases", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CASES...")
@answer_format("text", "json")
@global_options
def command(cases: tuple[Path, ...], form: str) -> int:
    """Check authorization cases: policies and a request, with the outcome that you expect.

    CASES are files (.json, .yaml, .yml) or folders of them. Every case gets a line that says pass or fail; a failed one
    is followed by what was expected and what came out. With -f json every case is one JSON object on a line of its own,
    with `residual` as the expression tree that case files use and `words` saying it in plain words.

    Exit code 3 when a case fails, 2 when a file is no case file.
    """
    from auditor.cases import load_cases, run_case

    results = [run_case(case) for case in load_cases(cases)]
    lines = [json.dumps(item.to_json(), ensure_ascii=False, sort_keys=True) for item in results]
    result("\n".join(lines if form == "json" else _text(results)))
    return 0 if all(item.passed for item in results) else FAILED


def _text(results: Sequence[CaseResult]) -> list[str]:
    """A line for every case, the differences under the failed ones, and the count at the end."""
    lines: list[str] = []
    for item in results:
        mark = click.style("pass", fg="green") if item.passed else click.style("FAIL", fg="red", bold=True)
        title = " ".join(f"{item.case.id}  {item.case.title}".splitlines())  # a title must not forge a line of its own
        lines.append(f"{mark}  {printable(title).rstrip()}")
        if not item.passed:
            lines.append(printable(f"      in {item.case.file}"))
            lines.extend(printable(f"      {difference}") for difference in item.differences)
    failed = sum(not item.passed for item in results)
    count = f"{len(results)} case{'' if len(results) == 1 else 's'}"
    lines.append(f"{count}: {len(results) - failed} passed, {failed} failed")
    return lines
