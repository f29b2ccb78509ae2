"""``kms-audit diff``: what changed between two snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import SNAPSHOT, answer_format, aws_options, global_options, place_options

if TYPE_CHECKING:
    from auditor.cli.differing import Comparison
    from auditor.model.snapshot import Snapshot

FAILED = 3
CAPABILITIES = ("administer", "grant", "decrypt", "encrypt", "read", "any")


@click.command("diff")
@click.argument("old", type=SNAPSHOT)
@click.argument("source", metavar="[NEW]", type=SNAPSHOT, required=False)
@click.option("--fail-on-gained", type=click.Choice(CAPABILITIES), help="Exit 3 when somebody gained it.")
@click.option("--no-findings", is_flag=True, help="Only access and facts, not findings.")
@answer_format("text", "json", "csv", "markdown")
@place_options
@aws_options
@global_options
def command(old: Path, fail_on_gained: str | None, form: str, **given: Any) -> int:
    """What changed between the snapshots OLD and NEW (default: the newest one; with AWS options: now).

    Access gained, lost and under another condition, with the cause; keys, policies, grants, principals; findings new,
    resolved and unverified. What one side could not read is told apart and never counted as a change of access.
    """
    from auditor.cli.asking import facts
    from auditor.cli.differing import Comparison, labels_of
    from auditor.store import DecodedShards

    known = DecodedShards()
    asking = facts(given, known)
    before = asking.auditor.load(old, known)
    _warn_of_mistakes(before, asking.snapshot)
    found = asking.auditor.compare(before, asking.snapshot, given["as_of"], findings=not given["no_findings"])
    labels = labels_of(before, asking.snapshot)
    return show(Comparison(found.differences, found.findings, labels=labels), form, fail_on_gained)


def _warn_of_mistakes(before: Snapshot, after: Snapshot) -> None:
    """Says so where the snapshots are probably not those that were meant."""
    from auditor.cli.terminal import warn

    if before.provenance.finished > after.provenance.finished:
        warn("OLD was collected after NEW: what is told as gained was lost, and the other way round")
    accounts = [{account.id for account in side.accounts} for side in (before, after)]
    if all(accounts) and accounts[0].isdisjoint(accounts[1]):
        warn("the snapshots have no account in common: nothing in them can be compared")


def show(shown: Comparison, form: str, fail_on_gained: str | None, *, same_facts: bool = False) -> int:
    """Print a difference; the exit code says whether ``fail_on_gained`` was gained.

    Another condition that is not narrower lets requests through that were not before. ``same_facts``: both sides lack
    the same facts, so that an access that is unknown now and was none before may have been gained.
    """
    from auditor.cli.differing import render
    from auditor.cli.terminal import document, result, warn
    from auditor.questions.change_kinds import Change

    (result if form == "text" else document)(render(shown, form))
    asked = [
        item for item in (*shown.found.access, *shown.found.coverage) if fail_on_gained in (str(item.capability), "any")
    ]
    gained = [item for item in asked if item.change in (Change.GAINED, Change.CONDITION)]
    perhaps = [item for item in asked if (item.change, item.was, item.now) == (Change.COVERAGE, "none", "unknown")]
    if perhaps:
        warn(f"{len(perhaps)} may have gained {fail_on_gained}: what decides it could not be read (--fail-on-gained)")
    if gained:
        told = ", or have it under another condition" if any(one.change is Change.CONDITION for one in gained) else ""
        warn(f"{len(gained)} gained {fail_on_gained}{told} (--fail-on-gained)")
    return FAILED if gained or (perhaps and same_facts) else 0
