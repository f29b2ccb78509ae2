"""``kms-audit audit``: collect, evaluate, judge, report. Also what runs without a command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from auditor.cli.options import aws_options, gate_options, global_options, output_options


@click.command("audit")
@aws_options
@output_options
@gate_options
@global_options
def command(**given: Any) -> int:
    """Collect the facts from AWS, evaluate who can do what, judge it, and write the report.

    Writes report.html, CSV files, result.json and the snapshot to reports/ACCOUNT/TIME/.
    """
    from auditor.audit.collecting import counted
    from auditor.cli.running import assess, deliver, prepare
    from auditor.cli.settings import wanted
    from auditor.cli.terminal import current

    run = prepare(wanted(given))
    snapshot = collect_home(run.config.collection, run.output_dir)
    code = deliver(assess(snapshot, run), run)
    say_how_to_go_on(counted(snapshot), current().collected)
    return code


def say_how_to_go_on(found: Any, folder: Path | None) -> None:
    """Names the way to read what failed, and may not fail again."""
    from auditor.cli.terminal import note
    from auditor.report.wording import plural

    if found.passing_gaps:
        gaps = plural(found.passing_gaps, "gap")
        note(f"{gaps} may be of the moment: `kms-audit collect --resume {folder}` and the same options read it again")


def collect_home(settings: Any, output_dir: Path, *, resumable: bool = True) -> Any:
    """Collect into the output folder; the snapshot ends up beside its report.

    One that is not ``resumable``, because its server ends with this process, leaves nothing behind when it fails.
    """
    from shutil import rmtree

    from auditor.audit.collecting import collect_into, leave, move_home, waiting_room
    from auditor.audit.places import missing_folders
    from auditor.audit.times import folder_name, iso
    from auditor.cli.progress import showing_progress
    from auditor.cli.terminal import current
    from auditor.errors import OutputError

    made = missing_folders(output_dir)
    waiting = waiting_room(output_dir, folder_name(iso(datetime.now(UTC))))
    terminal = current()
    terminal.collecting_into = waiting if resumable else None
    try:
        with showing_progress() as progress:
            snapshot = collect_into(waiting, settings, progress=progress)
    except BaseException as error:
        if not resumable:
            rmtree(waiting, ignore_errors=True)
            if isinstance(error, OutputError):
                advice = error.remedy.partition(";")[0].rstrip(".")
                raise OutputError(error.message, f"{advice}; nothing was kept.") from error
        raise
    finally:
        leave(waiting, made)
    snapshot, terminal.collected = move_home(snapshot, waiting, output_dir)
    terminal.collecting_into = None
    return snapshot
