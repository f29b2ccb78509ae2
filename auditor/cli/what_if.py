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
    from auditor.errors import UsageError

    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}.", "Name a policy document.") from None


def _json(path: Path) -> Any:
    from auditor.errors import UsageError

    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}.", "Make it with `terraform show -json`.") from None


def _from_yaml(path: Path) -> list[Edit]:
    """``- {change: scp, of: NAME, file: policy.json}``; ``value`` instead of ``file`` for tags; files are beside it."""
    import yaml

    from auditor.errors import UsageError
    from auditor.questions.edits import Edit, EditKind

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = [(EditKind(str(item["change"])), str(item["of"]), item) for item in data]
    except (yaml.YAMLError, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: not a list of changes: {error}.", "Each has `change`, `of`, `name`, `file`."
        ) from None
    return [
        Edit(
            kind,
            target,
            str(item.get("name") or ""),
            _read(str(path.parent / item["file"])) if item.get("file") else item.get("value"),
        )
        for kind, target, item in entries
    ]


def _used_lately(before: Any, after: Any) -> str:
    """Who of those that lose access was active lately, where last-used facts exist."""
    from auditor.cli.terminal import printable
    from auditor.questions.differences import Change, differences

    used = {item.arn: item.last_used for item in before.principals if item.last_used}
    losing = {item.principal for item in differences(before, after).access if item.change is Change.LOST}
    found = sorted(losing & used.keys())
    return "\n".join(printable(f"loses access and was active: {arn}, last on {used[arn]}") for arn in found)
