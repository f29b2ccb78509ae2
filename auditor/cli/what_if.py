"""``kms-audit what-if``: the effect of a change before it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor.cli.diff import CAPABILITIES
from auditor.cli.options import FILE, SNAPSHOT, answer_format, aws_options, global_options, place_options

CHANGES: tuple[tuple[str, str, str], ...] = (
    ("add-principal", "ARN", "Add a user or role, without permissions; further options give it some."),
    ("add-key", "ARN=FILE", "Add a symmetric key with this policy (no FILE: AWS's default policy); any id will do."),
    ("key-policy", "KEY=FILE", "This document becomes the key policy (no FILE: AWS's default policy)."),
    ("key-state", "KEY=STATE", "Enabled, Disabled or PendingDeletion."),
    ("key-rotation", "KEY=DAYS", "Rotate automatically, every 90 to 2560 days (no DAYS: not any more)."),
    ("identity-policy", "PRINCIPAL:NAME=FILE", "Add or replace, also of group/NAME (no FILE: delete)."),
    ("managed-policy", "NAME=FILE", "Replace a managed policy wherever it is attached (no FILE: detach it)."),
    ("attach-policy", "PRINCIPAL=NAME", "Attach one that is attached elsewhere, or AdministratorAccess by its ARN."),
    ("detach-policy", "PRINCIPAL=NAME", "Detach a managed policy."),
    ("add-to-group", "USER=GROUP", "Put a user into a group."),
    ("remove-from-group", "USER=GROUP", "Take a user out of a group."),
    ("boundary", "PRINCIPAL=FILE", "Set the permissions boundary (no FILE: remove it)."),
    ("trust-policy", "ROLE=FILE", "Replace the trust policy."),
    ("scp", "NAME[@TARGET]=FILE", "Replace an SCP where it is attached, or attach it to TARGET (no FILE: detach)."),
    ("rcp", "NAME[@TARGET]=FILE", "The same for an RCP."),
    ("attach-scp", "NAME@TARGET", "Attach an SCP, attached elsewhere already, to a root, OU or account as well."),
    ("attach-rcp", "NAME@TARGET", "The same for an RCP."),
    ("grant", "KEY=FILE", "Add a grant; FILE is the JSON of a CreateGrant request."),
    ("revoke-grant", "ID", "Revoke a grant, by id or name."),
    ("alias", "ALIAS=KEY", "Make an alias, or point it to another key."),
    ("delete-alias", "ALIAS", "Delete an alias."),
    ("tag", "KEY:NAME=VALUE", "Tag a key (no VALUE: untag it)."),
    ("principal-tag", "PRINCIPAL:NAME=VALUE", "Tag a user or role (no VALUE: untag it)."),
    ("remove-principal", "PRINCIPAL", "Delete a user or role."),
)
"""Option, its value and its help, in the order in which the changes are made."""


def _change_options(function: Any) -> Any:
    for name, metavar, help_ in reversed(CHANGES):
        function = click.option(f"--{name}", multiple=True, metavar=metavar, help=help_)(function)
    return function


@click.command("what-if")
@click.argument("source", metavar="[SNAPSHOT]", type=SNAPSHOT, required=False)
@_change_options
@click.option("--from", "origin", type=SNAPSHOT, metavar="SNAPSHOT", help="The same as the argument.")
@click.option(
    "--changes", "lists", multiple=True, type=FILE, help="YAML list: {change, of, name, file}; takes any names."
)
@click.option(
    "--terraform",
    "plans",
    multiple=True,
    type=FILE,
    help="Plan made with `terraform show -json`, or `tofu show -json`.",
)
@click.option("--fail-on-gained", type=click.Choice(CAPABILITIES), help="Exit 3 when somebody would gain it, or may.")
@click.option("--strict", is_flag=True, help="Exit 4 when something could not be read or judged.")
@click.option("--no-findings", is_flag=True, help="Only access and facts, not findings.")
@answer_format("text", "json", "csv", "markdown")
@place_options
@aws_options
@global_options
def command(fail_on_gained: str | None, strict: bool, form: str, origin: Path | None, **given: Any) -> int:
    """What would change in SNAPSHOT (default: the newest one; with AWS options: now) if these changes were made?

    Prints the difference as `kms-audit diff` does, and says which of those who lose access have been active lately.
    What a Terraform plan does not know before apply, and what it changes in stacks, shares and Identity Center, is not
    guessed: it is listed as not judged, and does not pass --fail-on-gained. `-f markdown` is meant for a pull request.
    """
    from auditor.cli.asking import facts
    from auditor.cli.changes import wanted_changes
    from auditor.cli.diff import Gate, show
    from auditor.cli.differing import Comparison, labels_of
    from auditor.cli.terminal import warn
    from auditor.errors import UsageError
    from auditor.questions.active_losers import active_losers
    from auditor.questions.edits import apply_edits, try_edits

    if origin is not None and given["source"] is not None:
        raise UsageError("Two snapshots were given.", "Name one, as SNAPSHOT or with --from.")
    given["source"] = given["source"] or origin
    changes = wanted_changes(given)
    if given["plans"] and not changes.planned and not changes.open_ones:
        warn("the plan changes nothing that access to keys rests on")
    asking = facts(given)
    before, as_of = asking.snapshot, asking.as_of
    after, refused = try_edits(apply_edits(before, changes.edits), changes.planned)
    found = asking.auditor.compare(before, after, as_of, findings=not given["no_findings"])
    active = active_losers(before, found.differences.access, as_of)
    open_ones = (*changes.open_ones, *refused)
    beside = () if given["no_findings"] else changes.of_findings(encrypted=bool(before.evidence.resources))
    for text in (*open_ones, *beside) if form != "text" else ():
        warn(f"not judged: {text}")
    shown = Comparison(
        found.differences, found.findings, active, open_ones, beside, labels_of(before, after), found.was
    )
    return show(shown, form, Gate(fail_on_gained, strict, same_facts=True))
