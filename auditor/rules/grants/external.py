"""Rules about grants that outside accounts hold."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import mask_of
from auditor.rules.exposure.outside import OUTSIDE_USE
from auditor.rules.grants.holders import (
    Held,
    constrained,
    grant_hit,
    identity_grants,
    operation_names,
    standing_of,
    stopped,
)
from auditor.rules.hit import Hit, given
from auditor.rules.trust import Standing
from auditor.rules.view import View

GRAVE = mask_of(["Decrypt", "ReEncryptFrom", "CreateGrant"])
YOUNG_DAYS = 30


def grant_to_external_account(view: View) -> Iterator[Hit]:
    """A grant gives an account outside the organization and the trust register real use of the key.

    Grants do not appear in the key policy and need nothing on the other side, so this is the access that a review of
    policies misses. Grants that AWS services hold are silent, and so are accounts with a current register entry.

    Fix: revoke the grant, then find out who created it and whether that principal still holds CreateGrant.
    """
    for held in identity_grants(view):
        standing = standing_of(view, held)
        if not standing.outside or not held.mask & OUTSIDE_USE:
            continue
        blocked = stopped(view, held, OUTSIDE_USE)
        age = view.age(held.grant.created)
        registered = standing is Standing.EXPIRED
        raised = given(
            (not registered and held.mask & GRAVE, "unknown account with Decrypt"),
            (age is not None and 0 <= age < YOUNG_DAYS and not _approved(view, held), "grant younger than 30 days"),
        )
        lowered = given(
            (constrained(held.grant) and registered, "constraint present and account registered"),
            (blocked, "latent behind an RCP"),
        )
        summary = f"Account {held.account} holds a grant for {operation_names(held, OUTSIDE_USE)} on {held.key.label}."
        yield grant_hit(view, held, summary, raised=raised, lowered=lowered, stops=blocked, from_outside=True)


def _approved(view: View, held: Held) -> bool:
    return any(
        change.key in (held.key.arn, held.key.key_id) and change.principal == held.grantee
        for change in view.settings.approved_changes
    )
