"""``kms-audit collect``: facts only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor.cli.options import FOLDER, SNAPSHOT, aws_options, global_options


@click.command("collect")
@aws_options
@click.option("-o", "--output", type=FOLDER, metavar="SNAPSHOT", help="The snapshot folder to write.")
@click.option("--resume", type=SNAPSHOT, metavar="SNAPSHOT", help="Go on with a collection: see below.")
@click.option("--output-dir", type=FOLDER, help="Where to file the snapshot without -o (default: reports/).")
@click.option("--strict", is_flag=True, help="Exit 4 when facts that access rests on could not be read.")
@global_options
def command(output: Path | None, resume: Path | None, strict: bool, **given: Any) -> int:
    """Read the facts from AWS into a snapshot folder, and nothing else.

    An interrupted collection goes on with --resume and the same AWS options. In a finished one, --resume reads again
    whatever left a gap, as after a permission was given, and the organization; the rest is kept.
    """
    from auditor.cli.audit import say_how_to_go_on
    from auditor.cli.running import INCOMPLETE
    from auditor.cli.settings import wanted
    from auditor.cli.terminal import result, warn
    from auditor.errors import UsageError
    from auditor.report.wording import plural

    if output and resume:
        raise UsageError("-o and --resume exclude each other.", "--resume writes into the snapshot that it names.")
    run = wanted(given)
    found, folder = _collect(run, output, resume)
    result(f"{folder}: {plural(found.keys, 'key')}, {plural(found.gaps, 'gap')}")
    say_how_to_go_on(found, folder)
    if strict and found.essential_gaps:
        warn(f"incomplete: {plural(found.essential_gaps, 'fact')} that access rests on could not be read (--strict)")
        return INCOMPLETE
    return 0


def _collect(run: Any, output: Path | None, resume: Path | None) -> tuple[Any, Path]:
    from auditor.audit.collecting import collect_facts, collect_into, counted, move_home
    from auditor.audit.places import SNAPSHOT_FOLDER, UNFINISHED, report_folder
    from auditor.cli.audit import collect_home
    from auditor.cli.progress import showing_progress
    from auditor.cli.terminal import current

    folder = output or resume
    if folder is None:
        snapshot = collect_home(run.config.collection, run.output_dir)
        return counted(snapshot), report_folder(snapshot, run.output_dir) / SNAPSHOT_FOLDER
    current().collecting_into = folder
    with showing_progress() as progress:
        if resume is not None and resume.parent.parent.name == UNFINISHED:  # what was left there by `collect_home`
            snapshot = collect_into(folder, run.config.collection, resume=True, progress=progress)
            return counted(snapshot), move_home(snapshot, resume, resume.parents[2])[1]
        return collect_facts(folder, run.config.collection, resume=resume is not None, progress=progress), folder
