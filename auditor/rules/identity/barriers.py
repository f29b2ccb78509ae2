"""Which guardrail statement alone keeps a critical finding from being live: whoever slips past it opens the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from auditor.model.finding import Severity
from auditor.rules.catalogue import catalogue
from auditor.rules.exposure.external import external_account_access
from auditor.rules.exposure.public import public_key_policy, public_key_policy_soft_condition
from auditor.rules.hit import Hit
from auditor.rules.privilege.combined import full_kms_to_non_admin
from auditor.rules.privilege.nonadmin import key_destruction_by_non_admin, key_takeover_by_non_admin
from auditor.rules.severity import decide
from auditor.rules.view import View

CHECKS: dict[str, Callable[[View], Iterator[Hit]]] = {
    "public-key-policy": public_key_policy,
    "public-key-policy-soft-condition": public_key_policy_soft_condition,
    "external-account-access": external_account_access,
    "full-kms-to-non-admin": full_kms_to_non_admin,
    "key-takeover-by-non-admin": key_takeover_by_non_admin,
    "key-destruction-by-non-admin": key_destruction_by_non_admin,
}
"""The rules that can be critical, and whose findings cite what stops them."""
STOPS = ("stopped today by", "path: denies", "path: limits")


def only_barriers(view: View) -> frozenset[str]:
    """The statements, as findings cite them, that are the one thing between a latent finding and critical."""
    return view.once("only-barriers", lambda: _only_barriers(view)) if view.decided else frozenset()


def _only_barriers(view: View) -> frozenset[str]:
    found = set()
    for rule, check in CHECKS.items():
        facts = catalogue()[rule]
        for hit in view.hits(check):
            if hit.latent and decide(facts, replace(hit, latent=False, lowered=()))[0] is Severity.CRITICAL:
                stops = {item.value for item in hit.evidence if item.label in STOPS}
                found |= stops if len(stops) == 1 else set()
    return frozenset(found)
