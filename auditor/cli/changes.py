"""The changes that ``what-if`` is given, as options, lists and plans → edits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click

from auditor.cli.what_if import CHANGES
from auditor.errors import UsageError, reading_trouble
from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform import PlannedEdits, edits_of_plan
from auditor.userfiles import read_text

DOCUMENTS = ("add-key", "key-policy", "managed-policy", "boundary", "trust-policy")
BARE = ("add-principal", "revoke-grant", "delete-alias", "remove-principal")
MAX_PLAN_BYTES = 512 * 1024**2
MAX_POLICY_BYTES = 1024**2
"""AWS takes at most 32 KB; white space does not count everywhere."""


@dataclass(frozen=True, slots=True)
class WantedChanges:
    """``edits`` must apply; those ``planned`` by Terraform (with the address) may not; ``open_ones`` cannot.

    ``evidence`` and ``encrypted``: planned changes that findings may rest on, and access does not.
    """

    edits: tuple[Edit, ...]
    planned: tuple[tuple[str, Edit], ...] = ()
    open_ones: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()

    def of_findings(self, *, encrypted: bool) -> tuple[str, ...]:
        """The planned changes that findings may rest on; ``encrypted``: the resources that keys encrypt are known."""
        return (*self.evidence, *(self.encrypted if encrypted else ()))


def wanted_changes(given: dict[str, Any]) -> WantedChanges:
    """All changes of a command line. Raises UsageError or BadParameter; also when there is none."""
    edits = [edit for name, _, _ in CHANGES for text in given[name.replace("-", "_")] for edit in _edit(name, text)]
    for path in given["lists"]:
        from auditor.cli.change_list import read_changes

        edits += read_changes(path)
    plans = [_plan(path) for path in given["plans"]]
    if not edits and not plans:
        raise UsageError("No change was given.", "Name one, such as --key-policy alias/app=policy.json.")
    return WantedChanges(
        tuple(edits),
        tuple(chain.from_iterable(plan.edits for plan in plans)),
        tuple(chain.from_iterable(plan.open_ones for plan in plans)),
        tuple(chain.from_iterable(plan.evidence for plan in plans)),
        tuple(chain.from_iterable(plan.encrypted for plan in plans)),
    )


def _plan(path: Path) -> PlannedEdits:
    remedy = "Make it with `terraform show -json`."
    text = read_text(path, limit=MAX_PLAN_BYTES, remedy=remedy)
    try:
        return edits_of_plan(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {reading_trouble(error)}.", remedy) from None
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.remedy) from None


def _edit(option: str, text: str) -> Iterator[Edit]:
    kind = EditKind(option)
    if option in BARE:
        yield Edit(kind, _given(text, text, option))
    elif option in DOCUMENTS:
        target, file = _pair(text, option)
        yield Edit(kind, target, text=_document(file))
    elif option in ("scp", "rcp"):
        place, file = _pair(text, option)
        name, _, target = place.partition("@")
        yield Edit(kind, _given(name, text, option), target, _document(file))
    elif option in ("attach-scp", "attach-rcp"):
        name, _, target = text.partition("@")
        if not name or not target:
            raise click.BadParameter(f"“{text}” is not NAME@TARGET.", param_hint=f"--{option}")
        yield Edit(kind, name, target)
    else:
        yield _other(kind, option, text)


def _other(kind: EditKind, option: str, text: str) -> Edit:
    place, value = _pair(text, option)
    match option:
        case "identity-policy" | "tag" | "principal-tag":
            target, colon, label = place.rpartition(":")
            if not colon or not target or not label:
                told = f"“{text}” has no “:NAME” before “=”; names with “=” or “:” in them go into a list (--changes)."
                raise click.BadParameter(told, param_hint=f"--{option}")
            return Edit(kind, target, label, _document(value) if option == "identity-policy" else value or None)
        case "key-rotation":
            return Edit(kind, place, text=value or None)
        case "attach-policy" | "detach-policy" | "add-to-group" | "remove-from-group":
            return Edit(kind, place, _given(value, text, option))
        case "alias":
            return Edit(kind, _given(value, text, option), place)
        case "grant":
            from auditor.cli.change_list import grant_of

            return Edit(kind, place, grant=grant_of(read_document(Path(_given(value, text, option))), value))
        case _:
            return Edit(kind, place, text=_given(value, text, option))


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        metavar = next(metavar for known, metavar, _ in CHANGES if known == option)
        raise click.BadParameter(f"“{text}” is not {metavar}.", param_hint=f"--{option}")
    return name, value


def _given(value: str, text: str, option: str) -> str:
    if not value:
        metavar = next(metavar for known, metavar, _ in CHANGES if known == option)
        raise click.BadParameter(f"“{text}” is not {metavar}.", param_hint=f"--{option}")
    return value


def _document(file: str) -> str | None:
    return read_document(Path(file)) if file else None


def read_document(path: Path) -> str:
    """The text of a policy that the user named. Raises UsageError."""
    return read_text(path, limit=MAX_POLICY_BYTES, remedy="Name a policy document.")
