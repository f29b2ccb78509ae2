"""Rules about access that nothing but a grant gives, now or since a policy was cleaned up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.model.access import Cause, Decision, Outcome, Role
from auditor.model.actions import CREATE_GRANT, FORGE, READ_PLAINTEXT, USE, actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact
from auditor.model.policy import Layer
from auditor.rules.grants.holders import (
    Held,
    grant_hit,
    identity_grants,
    in_table,
    operation_names,
    row_of,
    standing_of,
)
from auditor.rules.grants.hygiene import missing_reason, standing_grant
from auditor.rules.hit import Hit, given, listing
from auditor.rules.view import View

CLASSES = (READ_PLAINTEXT, FORGE, CREATE_GRANT)


def grant_only_access(view: View) -> Iterator[Hit]:
    """An identity reaches the key only through a grant; neither key policy nor IAM shows it.

    A review of policies would miss this access. A grant with a documented name is information; one that the settings
    list among ``standing_grants`` is silent until its review date. ListGrants does not tell who created a grant, so its
    youth alone raises nothing.

    Fix: document the access in the key policy, or revoke the grant.
    """
    documented = re.compile(view.settings.grant_name_pattern)
    wanted = USE | CREATE_GRANT
    for held in identity_grants(view):
        row = row_of(view, held.grantee)
        if (
            row is None
            or not held.mask & wanted
            or missing_reason(view, held)
            or not _other_paths_read(view, held, row)
        ):
            continue
        decisions = in_table(view, held, row, held.mask & wanted)
        live = [decision for decision in decisions if not decision.outcome.denied]
        layers = {cause.layer for decision in live for cause in decision.causes if cause.role is Role.ALLOWS}
        if not live or layers & {Layer.KEY_POLICY, Layer.IDENTITY} or standing_grant(view, held.grant):
            continue
        raised = given((standing_of(view, held).foreign, "grantee is external"))
        lowered = given((held.grant.name and documented.match(held.grant.name), "name that matches"))
        summary = f"{held.grantee} reaches {held.key.label} only through a grant; no policy shows it."
        other = Evidence("other paths", "none: neither the key policy nor an identity policy allows it")
        hit = grant_hit(view, held, summary, raised=raised, lowered=lowered, more=(other,), about_grantee=True)
        certain = any(decision.outcome is not Outcome.UNKNOWN for decision in live)
        yield hit if certain else replace(hit, confidence=Confidence.POTENTIAL)


def _other_paths_read(view: View, held: Held, row: int) -> bool:
    """Whether the key policy and those of the grantee could be read, so that silence says something."""
    return Fact.KEY_POLICY not in held.key.unread and Fact.IDENTITY_POLICY not in view.reach.principals[row].unread


def grant_outlives_policy_removal(view: View) -> Iterator[Hit]:
    """Access was removed from the policy since the baseline, but a grant keeps it alive.

    Compares the evaluated access of the baseline with today's: a principal that a policy allowed then, and only a grant
    allows now. Needs a baseline.

    Fix: revoke the grants of a principal in the same change that removes its statement.
    """
    before = view.baseline
    if before is None:
        return
    rows = {arn: position for position, arn in enumerate(before.access.principals)}
    columns = {arn: position for position, arn in enumerate(before.access.keys)}
    for held in identity_grants(view):
        today = row_of(view, held.grantee)
        row = rows.get(view.reach.principals[today].arn) if today is not None else None
        column = columns.get(held.key.arn)
        if today is None or row is None or column is None:
            continue
        profile = before.access.profiles[int(before.access.cells[row, column])]
        for mask in CLASSES:
            then = [before.access.decisions[profile[action.bit]] for action in actions_in(mask)]
            removed = _by_policy(then)
            if held.mask & mask and removed and not _by_policy(in_table(view, held, today, mask)):
                yield _outliving(view, held, mask, removed)
                break


def _by_policy(decisions: list[Decision]) -> list[Cause]:
    """What in a policy, other than a grant, lets the principal in."""
    return [
        cause
        for decision in decisions
        if not decision.outcome.denied
        for cause in decision.causes
        if cause.role is Role.ALLOWS and cause.layer in (Layer.KEY_POLICY, Layer.IDENTITY)
    ]


def _outliving(view: View, held: Held, mask: int, removed: list[Cause]) -> Hit:
    names = operation_names(held, mask)
    return grant_hit(
        view,
        held,
        f"{held.grantee} lost its policy access to {held.key.label}, but a grant still allows {names}.",
        raised=given((standing_of(view, held).foreign, "P is external")),
        from_outside=True,
        more=(Evidence("allowed before by", listing(str(cause.statement or cause.note) for cause in removed)),),
    )
