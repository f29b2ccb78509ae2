"""What audit, evaluate and demo share: from a snapshot to files, summary and exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from auditor.audit import Auditor, publish, report_folder, verdict
from auditor.audit.baseline import read_baseline, with_states
from auditor.audit.publishing import check_formats, format_of, render_as
from auditor.audit.staging import write_private
from auditor.cli.progress import step
from auditor.cli.settings import Wanted
from auditor.cli.summary import summary
from auditor.cli.terminal import current, note, result, result_bytes, warn
from auditor.errors import UsageError
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.report.wording import plural
from auditor.suppressions import load_suppressions

GATE, INCOMPLETE = 3, 4
STDOUT = Path("-")
CSV_FILES = ("findings.csv", "access.csv", "keys.csv", "principals.csv", "grants.csv", "gaps.csv")


def prepare(wanted: Wanted, snapshot: Path | None = None) -> Wanted:
    """Refuse formats that do not exist, and read registers and baselines, before any work is done.

    Each is read once, so that a pipe will do, and what was checked is what is used. ``snapshot``: what is evaluated.
    """
    if wanted.output is None or wanted.formats:
        check_formats(wanted.formats)
    elif wanted.output != STDOUT:
        format_of(wanted.output)
    gate = wanted.config.gate
    register = (Path(gate.suppressions),) if gate.suppressions else ()
    config = current().config
    spare(wanted.output, (*register, *((config,) if config else ())), snapshot)
    return replace(
        wanted,
        accepted=load_suppressions(Path(gate.suppressions)) if gate.suppressions else None,
        baseline=read_baseline(Path(gate.baseline)) if gate.baseline else None,
    )


def spare(output: Path | None, read: tuple[Path, ...], snapshot: Path | None = None) -> None:
    """Raises UsageError where -o would replace a file that the run reads, or a part of the snapshot: evidence."""
    if output is None or output == STDOUT:
        return
    target, kept = output.resolve(), [file.resolve() for file in read if file.is_file()]
    if snapshot is not None:
        folder = snapshot.resolve()
        kept += [folder / "manifest.json", folder / "journal.jsonl"]
        kept += [target] if target.is_relative_to(folder / "shards") else []
    if target in kept:
        raise UsageError(f"-o {output}: this run reads that file, which would be lost.", "Name another one.")


def assess(snapshot: Snapshot, wanted: Wanted) -> Report:
    """Evaluate and judge a snapshot, with baseline and suppressions applied."""
    auditor = Auditor(wanted.config)
    step(f"evaluating {len(snapshot.keys)} keys")
    evaluation = auditor.evaluate(snapshot, wanted.as_of)
    step(f"judging {len(evaluation.principals)} principals x {len(snapshot.keys)} keys")
    report = auditor.judge(evaluation, baseline=wanted.baseline)
    return with_states(report, wanted.baseline, wanted.accepted)


def deliver(report: Report, wanted: Wanted) -> int:
    """Write what was asked for, print the summary, and return the exit code."""
    if wanted.output is None:
        folder = report_folder(report.snapshot, wanted.output_dir)
        step("writing the report")
        files = publish(report, folder, wanted.formats, attested=wanted.attest)
        result(summary(report))
        result("\n".join(["", *(click.style(str(path), fg="cyan") for path in files)]))
    else:
        write_one(report, wanted.output, wanted.formats)
    return exit_code(report, wanted)


def form_of(output: Path, formats: tuple[str, ...]) -> str:
    """The format of one file: of -f, else of the suffix; JSON where neither says. Raises UsageError."""
    if formats:
        return formats[0]
    return "json" if output == STDOUT else format_of(output)


def write_one(report: Report, output: Path, formats: tuple[str, ...]) -> None:
    """One file, or stdout; a single format given with -f wins over the suffix."""
    form = form_of(output, formats)
    if output == STDOUT:
        result_bytes(render_as(report, form, ""))
        return
    write_private(output, render_as(report, form, output.name))
    note(f"wrote {output}{_which_table(form, output.name)}")


def _which_table(form: str, name: str) -> str:
    """CSV is several tables; says which one stands in a file whose name does not tell."""
    if form != "csv" or name in CSV_FILES:
        return ""
    return f": the findings; the name {', '.join(CSV_FILES[1:-1])} or {CSV_FILES[-1]} gives another table"


def exit_code(report: Report, wanted: Wanted) -> int:
    """4 for essential gaps under --strict, 3 for a failed gate, else 0; says why on stderr."""
    gate = wanted.config.gate
    found = verdict(report, gate.fail_on)
    if found.essential_gaps and gate.strict:
        warn(f"incomplete: {plural(found.essential_gaps, 'fact')} that access rests on could not be read (--strict)")
        return INCOMPLETE
    if found.failing:
        found_words = plural(found.failing, "open finding")
        warn(f"gate: {found_words} of severity {gate.fail_on} or worse (--fail-on {gate.fail_on})")
        return GATE
    return 0
