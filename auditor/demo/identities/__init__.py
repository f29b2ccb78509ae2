"""The identities of the organization, one file per account, plus those that every account has."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.demo.identities import analytics, common, development, log_archive, management, payments, shop
from auditor.demo.parts import Accounts, Identities
from auditor.demo.wording import AUDIT_ROLE

__all__ = ["AUDIT_ROLE", "all_identities"]


def all_identities(a: Accounts, key_arns: Mapping[str, str]) -> Identities:
    """Everything in IAM; ``key_arns`` are the ARNs of the keys by name, for policies that name a key."""
    rooms = [
        common.identities(a),
        management.identities(a, key_arns),
        log_archive.identities(a),
        payments.identities(a, key_arns),
        shop.identities(a),
        analytics.identities(a, key_arns),
        development.identities(a),
    ]
    return Identities(
        policies=tuple(part for room in rooms for part in room.policies),
        roles=tuple(part for room in rooms for part in room.roles),
        groups=tuple(part for room in rooms for part in room.groups),
        users=tuple(part for room in rooms for part in room.users),
        providers=tuple(part for room in rooms for part in room.providers),
        service_linked=tuple(part for room in rooms for part in room.service_linked),
    )
