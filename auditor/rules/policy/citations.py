"""Which decisions a Deny takes part in, found once for all rules that ask."""

from __future__ import annotations

from auditor.model.access import Role
from auditor.model.policy import Layer
from auditor.rules.view import View

Place = tuple[Layer, str, int]


def deny_citations(view: View) -> dict[Place, list[int]]:
    """Layer, policy and position of a Deny → the numbers of the decisions that it takes part in."""

    def make() -> dict[Place, list[int]]:
        found: dict[Place, list[int]] = {}
        roles = (Role.DENIES, Role.LIMITS)
        for number, decision in enumerate(view.reach.table.decisions):
            for ref in {cause.statement for cause in decision.causes if cause.role in roles and cause.statement}:
                found.setdefault((ref.layer, ref.policy, ref.index), []).append(number)
        return found

    return view.once("deny-citations", make)
