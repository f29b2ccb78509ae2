"""``kms-audit paths``: who could give themselves access, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import answer_format, aws_options, from_options, global_options

if TYPE_CHECKING:
    from auditor.escalation import Route

COLUMNS = ("principal", "kind", "hops", "path", "keys", "gains", "notes", "why")
SHOWN = 3


@click.command("paths")
@click.argument("names", nargs=-1, required=True, metavar="KEY|PRINCIPAL...")
@answer_format("text", "json", "csv")
@from_options
@aws_options
@global_options
def command(names: tuple[str, ...], form: str, **given: Any) -> int:
    """Who could come to KEY without access of their own, or where could PRINCIPAL come to, and by which steps?

    Steps: rewriting the key's policy, granting, replicating, sharing through AWS RAM; assuming or rewriting roles, new
    credentials, passing a role to compute, giving itself a policy or a group, taking a boundary away; setting a tag or
    alias that a policy trusts; entering a role from outside the organization or by a web identity. At most max_hops
    steps in a row (configuration, 2 by default), for each caller and key the shortest. A condition on a step in IAM is
    taken as met unless the facts rule it out. About customer managed keys alone.
    """
    from auditor.cli.asking import as_csv, as_json, facts
    from auditor.cli.terminal import document, note, result
    from auditor.model.arn import account_of
    from auditor.model.inventory import Inventory

    asking = facts(given)
    routes = asking.auditor.routes(asking.snapshot, *names, as_of=asking.as_of)
    # What could not be read opens no route: that none is listed is then no proof.
    unseen = asking.say_unknown(follows="routes through what is missing are not listed")
    inventory = Inventory(asking.snapshot)
    for name in names:
        if not inventory.identities_read(name):
            unseen = True
            note(f"IAM of account {account_of(name)} was not read; steps that it allows {name} are not listed")
    if form == "text":
        none = "no route was found in what could be read" if unseen else "no route was found"
        result("\n".join(_text(routes, {key.arn: key.label for key in asking.snapshot.keys})) or none)
    else:
        rows = [_row(route) for route in routes]
        document(as_json(rows) if form == "json" else as_csv(rows, COLUMNS))
    return 0


def _row(route: Route) -> dict[str, Any]:
    return {
        "principal": route.principal,
        "kind": str(route.kind),
        "hops": route.hops,
        "path": route.words,
        "keys": list(route.keys),
        "gains": route.gains,
        "notes": "; ".join(route.notes),
        "why": "; ".join(f"{item.label}: {item.value}" for item in route.evidence),
    }


def _text(routes: tuple[Route, ...], labels: Mapping[str, str]) -> Iterator[str]:
    from auditor.cli.terminal import printable
    from auditor.report.wording import plural

    callers = 0
    for principal, group in groupby(routes, key=lambda route: route.principal):
        callers += 1
        yield click.style(printable(principal), bold=True)
        for route in group:
            yield from (printable(line) for line in _lines(route, labels))
    if routes:
        yield f"{plural(len(routes), 'route')} of {plural(callers, 'caller')}"


def _lines(route: Route, labels: Mapping[str, str]) -> Iterator[str]:
    steps = [f"→ {action} → {target}" for action, target in zip(route.steps[1::2], route.steps[2::2], strict=True)]
    yield f"  {' '.join(steps)}"
    yield f"    gives {route.gains} on"
    yield from (f"      {labels[arn]}  {arn}" for arn in route.keys[:SHOWN])
    if len(route.keys) > SHOWN:
        yield f"      and {len(route.keys) - SHOWN} more (-f json lists all)"
    yield from (f"    {note}" for note in route.notes)
    yield from (f"    {item.label}: {item.value}" for item in route.evidence)
