"""``kms-audit permissions``: the read-only policy that a run needs."""

from __future__ import annotations

import click

from auditor.cli.options import answer_format, global_options


@click.command("permissions")
@answer_format("json", "cloudformation", "terraform")
@global_options
def command(form: str) -> int:
    """Print the least-privilege, read-only IAM policy of the auditor, made from what the collectors call."""
    from auditor.cli.terminal import result
    from auditor.collectors.permissions import render

    result(render(form))
    return 0
