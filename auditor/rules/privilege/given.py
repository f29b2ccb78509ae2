"""What gives a principal an action on a key, as evidence: the statements and grants of the decision, each named."""

from __future__ import annotations

from auditor.model.access import Decision, Role
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.rules.privilege.power import power
from auditor.rules.reach import COUNTED, Openness
from auditor.rules.view import View

SHOWN = 5
"""Principals whose statements a finding names; the result holds the others' decisions."""


def given_by(view: View, names: list[str], key: Key, mask: int) -> tuple[Evidence, ...]:
    """What gives each of the first principals (ARNs) the strongest action of ``mask`` on the key; each thing once."""
    found: dict[str, Evidence] = {}
    for name in names[:SHOWN]:
        row = view.reach.principal_at.get(name)
        decision = _strongest(view, row, key, mask) if row is not None else None
        for item in allowing(decision) if decision is not None else ():
            found.setdefault(item.value, item)
    return tuple(found.values())


def _strongest(view: View, row: int, key: Key, mask: int) -> Decision | None:
    column = view.reach.key_at[key.arn]
    profile = view.reach.profile(row, column)
    held = power(view).held(row, profile, column, *COUNTED) & mask
    return power(view).telling(profile, held, Openness.OPEN) if held else None


def allowing(decision: Decision) -> list[Evidence]:
    """The statements and grants that allow what a decision is about."""
    return [
        Evidence("given by", str(cause.statement or f"grant {cause.grant}"), cause.statement, cause.grant)
        for cause in decision.causes
        if cause.role is Role.ALLOWS and (cause.statement or cause.grant)
    ]
