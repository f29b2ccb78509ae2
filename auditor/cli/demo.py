"""``kms-audit demo``: the whole run on an embedded, fictional organization."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from auditor.cli.options import gate_options, global_options, output_options


@click.command("demo")
@output_options
@gate_options
@global_options
def command(**given: Any) -> int:
    """Build a fictional organization in an embedded server on this machine, and audit it over HTTP like a real one.

    Needs the extra `demo`; touches no AWS account.
    """
    from auditor.cli.audit import collect_home
    from auditor.cli.progress import step
    from auditor.cli.running import assess, deliver, prepare
    from auditor.cli.settings import wanted
    from auditor.cli.terminal import note
    from auditor.demo import demo_organization

    run = prepare(wanted(given))
    step("building the fictional organization")
    with demo_organization() as demo, demo.as_caller():
        collection = replace(
            run.config.collection,
            profiles=(),
            endpoint_url=demo.endpoint_url,
            org=True,
            role_name=demo.role_name,
            regions=demo.regions,
        )
        snapshot = collect_home(collection, run.output_dir, resumable=False)
        run = replace(run, config=replace(run.config, rules=demo.settings))
    report = assess(snapshot, run)
    note("judged with the settings of the fictional company; other commands judge its snapshot without them")
    return deliver(report, run)
