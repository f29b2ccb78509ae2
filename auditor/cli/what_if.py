"""``kms-audit what-if``: the effect of a change before it is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.diff import CAPABILITIES
from auditor.cli.options import FILE, SNAPSHOT, answer_format, global_options

if TYPE_CHECKING:
    from auditor.questions.edits import Edit

POLICIES = ("key-policy", "managed-policy", "boundary", "scp", "rcp")
CHANGE_FIELDS = ("change", "of", "name", "file", "value")
MAX_PLAN_BYTES = 512 * 1024 * 1024
MAX_POLICY_BYTES = 1024 * 1024
"""AWS takes at most 32 KB; white space does not count everywhere."""
HELP = {
    "key-policy": "KEY=FILE: this document becomes the key policy.",
    "managed-policy": "NAME=FILE: replace a managed policy wherever it is attached (no FILE: detach it).",
    "boundary": "PRINCIPAL=FILE: set the permissions boundary (no FILE: remove it).",
    "scp": "NAME=FILE: replace an SCP wherever it is attached (no FILE: remove it).",
    "rcp": "NAME=FILE: replace an RCP wherever it is attached (no FILE: remove it).",
}


def _policy_options(function: Any) -> Any:
    for name in reversed(POLICIES):
        metavar = HELP[name].split(":", 1)[0]
        function = click.option(f"--{name}", multiple=True, metavar=metavar, help=HELP[name].split(": ", 1)[1])(
            function
        )
    return function


@click.command("what-if")
@click.argument("snapshot", type=SNAPSHOT)
@_policy_options
@click.option(
    "--identity-policy", multiple=True, metavar="PRINCIPAL:NAME=FILE", help="Add or replace (no FILE: delete)."
)
@click.option("--tag", multiple=True, metavar="KEY:NAME=VALUE", help="Tag a key (no VALUE: untag it).")
@click.option("--principal-tag", multiple=True, metavar="PRINCIPAL:NAME=VALUE", help="Tag a user or role.")
@click.option("--revoke-grant", multiple=True, metavar="ID", help="Revoke a grant, by id or name.")
@click.option("--delete-alias", multiple=True, metavar="ALIAS", help="Delete an alias.")
@click.option("--remove-principal", multiple=True, metavar="PRINCIPAL", help="Delete a user or role.")
@click.option("--changes", "changes", multiple=True, type=FILE, help="YAML list of changes: {change, of, name, file}.")
@click.option("--terraform", "plans", multiple=True, type=FILE, help="Plan made with `terraform show -json`.")
@click.option("--fail-on-gained", type=click.Choice(CAPABILITIES), help="Exit 3 when somebody would gain it.")
@click.option("--as-of", metavar="TIME", help="Date or time (UTC); default: the snapshot's.")
@answer_format("text", "json", "csv", "markdown")
@global_options
def command(snapshot: Path, fail_on_gained: str | None, form: str, **given: Any) -> int:
    """What would change in SNAPSHOT if these changes were made?

    Prints the difference as `kms-audit diff` does, and says which of those who lose access have used theirs lately.
    `-f markdown` is meant for a pull request.
    """
    from auditor.audit import Auditor
    from auditor.cli.diff import show
    from auditor.cli.settings import wanted
    from auditor.cli.terminal import warn
    from auditor.errors import UsageError
    from auditor.questions.edits import apply_edits

    edits, open_ones = _edits(given)
    if not edits and not open_ones:
        raise UsageError("No change was given.", "Name one, such as --key-policy alias/app=policy.json.")
    run = wanted({"as_of": given["as_of"]})
    auditor = Auditor(run.config)
    before = auditor.evaluate(auditor.load(snapshot), run.as_of)
    after = auditor.evaluate(apply_edits(before, edits), before.as_of)
    for address in open_ones:
        warn(f"not known before apply, so not judged: {address}")
    return show(auditor, before, after, form, fail_on_gained, _used_lately(before, after) if form == "text" else "")


def _edits(given: dict[str, Any]) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    from auditor.questions.edits import Edit, EditKind
    from auditor.questions.terraform import edits_of_plan

    found: list[Edit] = []
    for name in POLICIES:
        for pair in given[name.replace("-", "_")]:
            target, file = _pair(pair, name)
            found.append(Edit(EditKind(name), target, text=_read(file)))
    for name in ("identity-policy", "tag", "principal-tag"):
        for pair in given[name.replace("-", "_")]:
            place, value = _pair(pair, name)
            target, _, label = place.rpartition(":")
            text = _read(value) if name == "identity-policy" else value or None
            found.append(Edit(EditKind(name), target, label, text))
    for name in ("revoke-grant", "delete-alias", "remove-principal"):
        found += [Edit(EditKind(name), target) for target in given[name.replace("-", "_")]]
    for path in given["changes"]:
        found += _from_yaml(path)
    open_ones: list[str] = []
    for path in given["plans"]:
        edits, unknown = edits_of_plan(_json(path))
        found += edits
        open_ones += unknown
    return tuple(found), tuple(open_ones)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"“{text}” is not NAME=VALUE.", param_hint=f"--{option}")
    return name, value


def _read(file: str) -> str | None:
    from auditor.userfiles import read_text

    return read_text(Path(file), limit=MAX_POLICY_BYTES, remedy="Name a policy document.") if file else None


def _json(path: Path) -> Any:
    from auditor.errors import UsageError
    from auditor.userfiles import read_text

    remedy = "Make it with `terraform show -json`."
    try:
        return json.loads(read_text(path, limit=MAX_PLAN_BYTES, remedy=remedy))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}.", remedy) from None


def _from_yaml(path: Path) -> list[Edit]:
    """``- {change: scp, of: NAME, file: policy.json}``; ``value`` instead of ``file`` for tags; files are beside it."""
    from auditor.errors import UsageError
    from auditor.userfiles import as_yaml, read_text

    data = as_yaml(read_text(path), path)
    if not isinstance(data, list):
        raise UsageError(f"{path}: expected a list of changes.", "Begin each with “- change: …”.")
    return [_edit(item, f"{path}: change {number}", path.parent) for number, item in enumerate(data, 1)]


def _edit(item: Any, place: str, folder: Path) -> Edit:
    from auditor.errors import UsageError
    from auditor.questions.edits import Edit, EditKind

    if not isinstance(item, dict):
        raise UsageError(f"{place}: expected a map.", f"It has {', '.join(CHANGE_FIELDS)}.")
    for name, value in item.items():
        if name not in CHANGE_FIELDS:
            raise UsageError(f"{place}: unknown field “{name}”.", f"Known: {', '.join(CHANGE_FIELDS)}.")
        if not isinstance(value, str | None):
            raise UsageError(f"{place}: “{name}” must be text.", "Put it in quotes; a document goes into a file.")
    if not item.get("of"):
        raise UsageError(f"{place}: “of” is missing.", "It names what is changed: a key, a principal or a policy.")
    if item.get("change") not in set(EditKind):
        raise UsageError(f"{place}: no change “{item.get('change')}”.", f"Choose {', '.join(EditKind)}.")
    text = _read(str(folder / item["file"])) if item.get("file") else item.get("value")
    return Edit(EditKind(item["change"]), item["of"], item.get("name") or "", text)


def _used_lately(before: Any, after: Any) -> str:
    """Who of those that lose access was active lately, where last-used facts exist."""
    from auditor.cli.terminal import printable
    from auditor.questions.differences import Change, differences

    used = {item.arn: item.last_used for item in before.principals if item.last_used}
    losing = {item.principal for item in differences(before, after).access if item.change is Change.LOST}
    found = sorted(losing & used.keys())
    return "\n".join(printable(f"loses access and was active: {arn}, last on {used[arn]}") for arn in found)
