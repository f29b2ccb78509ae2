"""``kms-audit evaluate``: a snapshot → result and report, without AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor.cli.options import SNAPSHOT, gate_options, global_options, output_options


@click.command("evaluate")
@click.argument("snapshot", type=SNAPSHOT)
@output_options
@gate_options
@global_options
def command(snapshot: Path, **given: Any) -> int:
    """Evaluate, judge and report SNAPSHOT; needs neither AWS nor credentials.

    The same snapshot and --as-of give the same bytes.
    """
    from auditor.audit import Auditor
    from auditor.cli.running import assess, deliver, prepare
    from auditor.cli.settings import wanted

    run = prepare(wanted(given), snapshot)
    return deliver(assess(Auditor().load(snapshot), run), run)
