"""``kms-audit permissions``: the read-only policy that a run needs."""

from __future__ import annotations

import click

from auditor.cli.options import answer_format, global_options


@click.command("permissions")
@answer_format("json", "cloudformation", "terraform")
@click.option("--partition", type=click.Choice(["aws", "aws-cn", "aws-us-gov"]), default="aws", show_default=True)
@click.option("--key-statement", is_flag=True, help="The statement for keys whose policy does not delegate to IAM.")
@click.option("--resources", is_flag=True, help="With what a run with --resources reads besides.")
@click.option("--key-events", is_flag=True, help="With CloudTrail's event history, of all services, for --key-events.")
@global_options
def command(form: str, partition: str, key_statement: bool, resources: bool, key_events: bool) -> int:
    """Print the least-privilege, read-only IAM policy of the auditor, made from what the collectors call.

    json is the policy for the role or user that runs the audit, organization included; cloudformation is the role for
    member accounts, ready for a StackSet in any partition; terraform is the policy as a resource.
    """
    from auditor.cli.terminal import note, result
    from auditor.collectors.permissions import render, render_key_statement
    from auditor.errors import UsageError

    if key_statement:
        if form != "json":
            raise UsageError("--key-statement is JSON.", "Leave -f away; the other formats contain the statement.")
        result(render_key_statement(partition))
        return 0
    result(render(form, partition, resources=resources, key_events=key_events))
    if form == "json":
        note("Keys that do not delegate to IAM must name the role: see `kms-audit permissions --key-statement`.")
    return 0
