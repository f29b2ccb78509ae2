"""``kms-audit diff``: what changed between two snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import SNAPSHOT, answer_format, aws_options, global_options, place_options

if TYPE_CHECKING:
    from auditor.cli.differing import Comparison
    from auditor.model.snapshot import Snapshot

FAILED, INCOMPLETE = 3, 4
CAPABILITIES = ("administer", "grant", "decrypt", "encrypt", "read", "any")


@click.command("diff")
@click.argument("old", type=SNAPSHOT)
@click.argument("source", metavar="[NEW]", type=SNAPSHOT, required=False)
@click.option("--fail-on-gained", type=click.Choice(CAPABILITIES), help="Exit 3 when somebody gained it.")
@click.option("--strict", is_flag=True, help="Exit 4 when facts that access rests on could not be read.")
@click.option("--no-findings", is_flag=True, help="Only access and facts, not findings.")
@answer_format("text", "json", "csv", "markdown")
@place_options
@aws_options
@global_options
def command(old: Path, fail_on_gained: str | None, strict: bool, form: str, **given: Any) -> int:
    """What changed between the snapshots OLD and NEW (default: the newest one; with AWS options: now).

    Access gained, lost and under another condition, with the cause; keys, policies, grants, principals; findings new,
    changed and resolved. What one side could not read is told apart and never counted as a change of access: a finding
    is perhaps new where OLD could not look for it, and unverified where NEW could not look whether it is still there.
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
    shown = Comparison(found.differences, found.findings, labels=labels, was=found.was)
    return show(shown, form, Gate(fail_on_gained, strict))


def _warn_of_mistakes(before: Snapshot, after: Snapshot) -> None:
    """Says so where the snapshots are probably not those that were meant."""
    from auditor.cli.terminal import warn

    if before.provenance.finished > after.provenance.finished:
        warn("OLD was collected after NEW: what is told as gained was lost, and the other way round")
    accounts = [{account.id for account in side.accounts} for side in (before, after)]
    if all(accounts) and accounts[0].isdisjoint(accounts[1]):
        warn("the snapshots have no account in common: nothing in them can be compared")


@dataclass(frozen=True, slots=True)
class Gate:
    """When a difference fails: a capability (or ``any``) is gained; ``strict``: something could not be read or judged.

    ``same_facts``: both sides lack the same facts, so that an access that is unknown now and was none before, or what
    a planned change that was not judged would give, may have been gained.
    """

    gained: str | None
    strict: bool
    same_facts: bool = False


def show(shown: Comparison, form: str, gate: Gate) -> int:
    """Print a difference; the exit code is that of the gate."""
    from auditor.cli.differing import render
    from auditor.cli.terminal import document, result

    (result if form == "text" else document)(render(shown, form))
    fails = _gained(shown, gate) if gate.gained else False
    if gate.strict and _incomplete(shown):
        return INCOMPLETE
    return FAILED if fails else 0


def _gained(shown: Comparison, gate: Gate) -> bool:
    """Whether the capability was gained, or may have been; says so.

    Another condition that is not narrower lets requests through that were not before.
    """
    from auditor.cli.terminal import warn
    from auditor.questions.change_kinds import Change
    from auditor.report.wording import plural

    found = (*shown.found.access, *shown.found.coverage)
    asked = [item for item in found if gate.gained in (str(item.capability), "any")]
    gained = [item for item in asked if item.change in (Change.GAINED, Change.CONDITION)]
    perhaps = [item for item in asked if (item.change, item.was, item.now) == (Change.COVERAGE, "none", "unknown")]
    if perhaps:
        warn(f"{len(perhaps)} may have gained {gate.gained}: what decides it could not be read (--fail-on-gained)")
    if gained:
        told = ", or have it under another condition" if any(one.change is Change.CONDITION for one in gained) else ""
        warn(f"{len(gained)} gained {gate.gained}{told} (--fail-on-gained)")
    if shown.not_judged:
        number = plural(len(shown.not_judged), "planned change")
        warn(f"{number} could not be judged: whether somebody gains {gate.gained} is not known (--fail-on-gained)")
    return bool(gained or shown.not_judged or (perhaps and gate.same_facts))


def _incomplete(shown: Comparison) -> bool:
    """Whether something could not be read or judged; says so."""
    from auditor.cli.terminal import warn
    from auditor.report.wording import plural

    unread = max(shown.found.gaps_before, shown.found.gaps_after)
    if unread:
        warn(f"incomplete: {plural(unread, 'fact')} that access rests on could not be read (--strict)")
    if shown.open_ones:
        warn(f"incomplete: {plural(len(shown.open_ones), 'planned change')} could not be judged (--strict)")
    return bool(unread or shown.open_ones)
