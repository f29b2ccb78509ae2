"""``kms-audit test``: authorization cases, the unit tests of policies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import ANY_PATH, answer_format, global_options
from auditor.cli.terminal import current, document, error_line, printable, result, warn

if TYPE_CHECKING:
    from auditor.cases import CaseResult

FAILED = 3
NOT_READ = 2


@click.command("test")
@click.argument("cases", nargs=-1, required=True, type=ANY_PATH, metavar="CASES...")
@answer_format("text", "json")
@global_options
def command(cases: tuple[Path, ...], form: str) -> int:
    """Check authorization cases: policies and a request, with the outcome that you expect.

    CASES are files (.json, .yaml, .yml) or folders of them. Every case gets a line that says pass or fail; a failed one
    is followed by what was expected and what came out. With -f json every case is one JSON object on a line of its own,
    with `residual` as the expression tree that case files use and `words` saying it in plain words.

    A case that cannot be read, for instance because its principal has an unknown field, is named on stderr and never
    counts as passed; the others are checked all the same. Names beside the fields of a file or case that cannot be a
    misspelt field play no part; they are named on stderr too.

    Exit code 3 when a case fails, 2 (before 3) when a file or a case could not be read.
    """
    from auditor.cases import read_cases, run_case

    found = read_cases(cases)
    for sentence in found.ignored:
        warn(printable(sentence))
    if not found.cases:
        raise found.refused[0]
    results = [run_case(case) for case in found.cases]
    lines = [json.dumps(item.to_json(), ensure_ascii=False, sort_keys=True) for item in results]
    if form == "json":
        document("\n".join(lines))
    else:
        result("\n".join(_text(results, len(found.refused))))
    for refused in found.refused:
        error_line(current(), str(refused), refused)
    if found.refused:
        return NOT_READ
    return 0 if all(item.passed for item in results) else FAILED


def _text(results: Sequence[CaseResult], refused: int) -> list[str]:
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
    unread = f", {refused} more could not be read" if refused else ""
    lines.append(f"{count}: {len(results) - failed} passed, {failed} failed{unread}")
    return lines
