"""How much of an estate a rule has to see to be right about a part of it.

A comparison judges only what a change can touch. That is exact when the hits of a rule on a part of the estate are
those of the whole estate that belong to the part; a rule that is not listed here is taken to need everything.
"""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What stays exact.

    FACTS: every hit, without any evaluated access. STATEMENTS: the hits about the policies of some keys and accounts,
    without access. KEYS: the hits about some keys, given all callers' access to them and to their multi-Region
    relatives. ACCOUNTS: the hits of some accounts, given their callers' access to all keys and their policies. PATHS:
    the hits about some walkers (see ``privilege.walkers``).

    OUTLINE: whether there is a hit, if not what it says, is decided by the facts: where it is the same on these, it is
    the same on the whole. PAIRS: as KEYS for hits about keys; whether there is another is decided pair by pair: what
    some touched pair gives on either side, if on both, the whole gives on both. NOTHING: there cannot be another hit.
    ESTATE: nothing is known.
    """

    FACTS = "facts"
    STATEMENTS = "statements"
    KEYS = "keys"
    ACCOUNTS = "accounts"
    PATHS = "paths"
    OUTLINE = "outline"
    PAIRS = "pairs"
    NOTHING = "nothing"
    ESTATE = "estate"


_RULES: dict[Scope, tuple[str, ...]] = {
    Scope.FACTS: (
        "abac-principal-tag-self-service",
        "access-analyzer-gap",
        "access-review-overdue",
        "alias-repointed",
        "aws-managed-key-where-customer-key-expected",
        "custom-key-store-disconnected",
        "disabled-key-still-referenced",
        "foreign-key-encryption-not-blocked",
        "grant-stale",
        "imported-material-expiring",
        "key-policy-unreadable",
        "keys-in-management-account",
        "manual-rotation-overdue",
        "never-true-condition",
        "no-active-trail",
        "no-guardrail-key-destruction",
        "no-kms-change-alarm",
        "pending-deletion",
        "pending-deletion-in-use",
        "ram-shared-key",
        "reclaimable-principal-name",
        "replica-in-unapproved-region",
        "rotation-disabled",
        "rotation-period-too-long",
        "scope-not-collected",
        "trail-excludes-kms",
        "unapproved-key-origin",
    ),
    Scope.STATEMENTS: (
        "condition-key-not-applicable",
        "inert-statement",
        "malformed-statement",
        "permissive-condition-operator",
    ),
    Scope.KEYS: (
        "attestation-bypass-path",
        "audit-log-key-at-risk",
        "broad-plaintext-population",
        "cross-environment-access",
        "evaluation-inconclusive",
        "external-account-access",
        "external-account-root",
        "external-can-delegate",
        "grant-delegable",
        "grant-duplicate",
        "grant-only-access",
        "grant-to-deleted-principal",
        "grant-to-external-account",
        "grant-unconstrained-plaintext",
        "iam-delegation-mode",
        "idle-key",
        "key-without-ownership-metadata",
        "no-key-administrator",
        "notprincipal-allow",
        "notprincipal-deny-trap",
        "org-wide-principal",
        "orphaned-principal-in-policy",
        "public-key-policy",
        "public-key-policy-soft-condition",
        "replica-policy-weaker",
        "replicate-key-unrestricted",
        "service-principal-without-source",
    ),
    Scope.ACCOUNTS: (
        "abac-alias-hijack",
        "abac-tag-escalation",
        "admin-and-user-combined",
        "boundary-bypassed-by-key-policy",
        "creategrant-not-limited-to-services",
        "federated-role-loose-subject",
        "full-kms-to-non-admin",
        "iam-decrypt-all-keys",
        "iam-kms-admin-all-keys",
        "iam-user-key-access",
        "instant-destruction-capability",
        "key-destruction-by-non-admin",
        "key-substitution-by-non-admin",
        "key-takeover-by-non-admin",
        "lockout-bypass-allowed",
        "mfa-not-required-for-destruction",
        "notaction-allow",
        "role-widely-assumable",
        "vendor-role-without-external-id",
    ),
    Scope.PATHS: ("indirect-key-access-path",),
    Scope.OUTLINE: ("guardrail-exemption-matchable", "no-guardrail-external-principals"),
    Scope.PAIRS: ("deny-has-gap",),
}
_SCOPES = {rule: scope for scope, rules in _RULES.items() for rule in rules}
_WITH_THE_SAME_CALLERS = {
    "guardrail-exemption-matchable": Scope.NOTHING,
    "reclaimable-principal-name": Scope.KEYS,
}
_AT_THE_SAME_TIME = {
    "grant-stale": Scope.KEYS,
    "never-true-condition": Scope.STATEMENTS,
    "direct-plaintext-without-context": Scope.ACCOUNTS,
    "unused-key-permission": Scope.ACCOUNTS,
}


def scope_of(rule: str, *, same_callers: bool = False, same_time: bool = False) -> Scope:
    """The scope of a rule, in a comparison of sides that share callers, or time
    and what is known of use; ESTATE for one that nobody listed."""
    if same_callers and rule in _WITH_THE_SAME_CALLERS:
        return _WITH_THE_SAME_CALLERS[rule]
    if same_time and rule in _AT_THE_SAME_TIME:
        return _AT_THE_SAME_TIME[rule]
    return _SCOPES.get(rule, Scope.ESTATE)
