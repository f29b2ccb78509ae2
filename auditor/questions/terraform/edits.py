"""The edits of a whole plan, in an order in which they can be applied, and what is left open."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

from auditor.questions.edits import FROM_PLANS, Edit, EditKind
from auditor.questions.terraform.evidence import encrypted_of, evidence_of
from auditor.questions.terraform.iam import IAM
from auditor.questions.terraform.kms import KMS
from auditor.questions.terraform.organizations import ORGANIZATIONS
from auditor.questions.terraform.plan import Change, OpenError, Plan, read_plan
from auditor.questions.terraform.types import may_change_access

READERS = {**KMS, **IAM, **ORGANIZATIONS}
FINDINGS_OPEN = "findings about it are not judged"
ACTIONS = frozenset({"create", "update", "delete", "forget"})
LAST = (EditKind.REMOVE_PRINCIPAL, EditKind.MANAGED_POLICY)
GUARDRAILS = (EditKind.SCP, EditKind.RCP)
"""What a plan destroys goes last, an SCP or RCP as a whole too: first its attachments are taken off, as Terraform
does."""
PARTS = (
    EditKind.KEY_POLICY,
    EditKind.IDENTITY_POLICY,
    EditKind.DETACH_POLICY,
    EditKind.REMOVE_FROM_GROUP,
    EditKind.REVOKE_GRANT,
    EditKind.DELETE_ALIAS,
    EditKind.TAG,
    EditKind.PRINCIPAL_TAG,
)
"""What is taken away from something goes first: it may be given again, or to somebody new of the same name."""
NEW = (EditKind.ADD_PRINCIPAL, EditKind.ADD_KEY)


@dataclass(frozen=True, slots=True)
class PlannedEdits:
    """``edits`` with the address of the resource that wants each; ``open_ones``: what could not be judged, and why.

    ``evidence`` and ``encrypted`` are changes of what findings look at beside access, which no edit makes: trails,
    alarms and credentials, and resources that keys encrypt.
    """

    edits: tuple[tuple[str, Edit], ...]
    open_ones: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()


def edits_of_plan(plan: Any) -> PlannedEdits:
    """The edits of a plan. Raises UsageError for anything that is no plan."""
    read = read_plan(plan)
    found: list[tuple[str, Edit]] = []
    open_ones: list[str] = []
    for change in filter(_counts, read.changes):
        edits, reason = _edits(read, change)
        found += [(change.address, edit) for edit in edits]
        if reason:
            open_ones.append(_open(change, reason))
    open_ones += [_open(change, "Terraform puts it off to a later plan") for change in filter(_counts, read.deferred)]
    if read.errored:
        open_ones.append("the plan is incomplete: Terraform met errors when it made it")
    anew = {edit.target for _, edit in found if edit.kind is EditKind.ADD_PRINCIPAL}
    return PlannedEdits(
        tuple(sorted(found, key=lambda planned: _turn(planned[1], anew))),
        tuple(open_ones),
        tuple(_open(change, FINDINGS_OPEN) for change in evidence_of(read)),
        tuple(_open(change, FINDINGS_OPEN) for change in encrypted_of(read)),
    )


def _counts(change: Change) -> bool:
    return may_change_access(change.type)


def _open(change: Change, reason: str) -> str:
    return f"{change.address} ({', '.join(change.actions)}): {reason}"


def _edits(plan: Plan, change: Change) -> tuple[list[Edit], str]:
    """The edits of one change, and what is left open of it."""
    reader = READERS.get(change.type)
    if reader is None:
        return [], f"changes of {change.type} are not judged"
    wanted, ends = set(change.actions), (change.before is not None, change.after is not None)
    if not wanted <= ACTIONS or not wanted or not _consistent(wanted, *ends):
        return [], "the plan does not say what it does"
    if wanted >= {"create", "forget"}:
        return [], "it is made anew, and the old one stays without Terraform"
    found: list[Edit] = []
    place = plan.place(change)
    try:
        for edit in reader(plan, change):
            found.append(replace(edit, account=place.account, region=place.region))
    except OpenError as error:
        return found, str(error)
    return found, ""


def _consistent(wanted: set[str], before: bool, after: bool) -> bool:
    """Whether there is a resource before and after, as these actions need it."""
    if wanted & {"update", "delete"} and not before:
        return False
    return after is not (wanted == {"delete"}) if wanted & {"create", "update", "delete"} else True


def _turn(edit: Edit, anew: Container[str]) -> int:
    """When an edit is made: one after the other where it builds upon another; ``anew`` are the principals that come."""
    if edit.kind is EditKind.REMOVE_PRINCIPAL and edit.target in anew:
        return 1
    if edit.kind in NEW:
        return 2
    if edit.kind is EditKind.ADD_TO_GROUP:
        return 3
    if edit.text is None and edit.kind in PARTS:
        return 0
    if edit.kind in FROM_PLANS:
        return 5
    gone = edit.text is None and (edit.kind in LAST or (edit.kind in GUARDRAILS and not edit.name))
    return 6 if gone else 4
