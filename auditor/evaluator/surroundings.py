"""What a decision needs besides the principal and the key: the organization, the time, and known request facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from auditor.model.key import Fact
from auditor.model.organization import Organization

Context = Mapping[str, tuple[str, ...] | None]
"""Known request context: condition key → its values, or None for a key that is known to be absent. Names are compared
without regard to case; a key that is not listed is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world around a request.

    ``organization`` None and ``organization_unread`` False: the accounts are in no organization.
    ``organization_unread``: nobody could look, so SCPs, RCPs and organization condition keys are unknown.
    ``as_of`` is an ISO 8601 UTC time for facts that change by the day.
    """

    organization: Organization | None = None
    organization_unread: bool = False
    as_of: str = ""


def without_scps(world: Surroundings) -> Surroundings:
    """A world without its SCPs: equal for two that differ in nothing else."""
    organization = world.organization
    if organization is None:
        return world
    targets = tuple(replace(target, scps=(), unread=target.unread - {Fact.SCP}) for target in organization.targets)
    return replace(world, organization=replace(organization, targets=targets))
