"""The explicit list of rules: id → the function that finds its hits. A rule that is not here does not exist.

Ids of the catalogue that are missing here rest on facts that nobody collects yet; they are reported as not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.model.finding import SkippedScope
from auditor.rules.coverage import reading
from auditor.rules.deputy import attestation, services, trusts
from auditor.rules.detection import alarms, audit_key, logging
from auditor.rules.doubt import Check
from auditor.rules.drift import aliases as drift_aliases
from auditor.rules.drift import changes
from auditor.rules.exposure import environments, external, inside, public, ram, whole
from auditor.rules.grants import alone, hygiene
from auditor.rules.grants import external as grants_external
from auditor.rules.guardrails import accounts, callers, outsiders
from auditor.rules.identity import exemptions, names, orphans, users
from auditor.rules.inventory import customer_keys, ownership
from auditor.rules.lifecycle import deletion, material, rotation
from auditor.rules.policy import conditions, delegation, denials, exempted, impossible, inert, mistakes, sweeping
from auditor.rules.privilege import (
    aliases,
    boundaries,
    combined,
    detours,
    direct,
    documents,
    nonadmin,
    population,
    self_service,
    substitution,
    tags,
    unused,
)
from auditor.rules.privilege.disuse import blind_spots
from auditor.rules.replication import places, regions
from auditor.rules.view import View

RULES: dict[str, Check] = {
    "public-key-policy": public.public_key_policy,
    "public-key-policy-soft-condition": public.public_key_policy_soft_condition,
    "notprincipal-allow": public.notprincipal_allow,
    "external-account-access": external.external_account_access,
    "external-account-root": whole.external_account_root,
    "external-can-delegate": external.external_can_delegate,
    "org-wide-principal": inside.org_wide_principal,
    "cross-environment-access": environments.cross_environment_access,
    "ram-shared-key": ram.ram_shared_key,
    "full-kms-to-non-admin": combined.full_kms_to_non_admin,
    "admin-and-user-combined": combined.admin_and_user_combined,
    "key-takeover-by-non-admin": nonadmin.key_takeover_by_non_admin,
    "key-destruction-by-non-admin": nonadmin.key_destruction_by_non_admin,
    "key-substitution-by-non-admin": substitution.key_substitution_by_non_admin,
    "broad-plaintext-population": population.broad_plaintext_population,
    "abac-tag-escalation": tags.abac_tag_escalation,
    "abac-alias-hijack": aliases.abac_alias_hijack,
    "abac-principal-tag-self-service": self_service.abac_principal_tag_self_service,
    "iam-decrypt-all-keys": documents.iam_decrypt_all_keys,
    "iam-kms-admin-all-keys": documents.iam_kms_admin_all_keys,
    "notaction-allow": sweeping.notaction_allow,
    "indirect-key-access-path": detours.indirect_key_access_path,
    "role-widely-assumable": trusts.role_widely_assumable,
    "direct-plaintext-without-context": direct.direct_plaintext_without_context,
    "unused-key-permission": unused.unused_key_permission,
    "boundary-bypassed-by-key-policy": boundaries.boundary_bypassed_by_key_policy,
    "grant-to-external-account": grants_external.grant_to_external_account,
    "grant-to-deleted-principal": hygiene.grant_to_deleted_principal,
    "grant-delegable": hygiene.grant_delegable,
    "grant-unconstrained-plaintext": hygiene.grant_unconstrained_plaintext,
    "grant-stale": hygiene.grant_stale,
    "grant-only-access": alone.grant_only_access,
    "grant-outlives-policy-removal": alone.grant_outlives_policy_removal,
    "creategrant-not-limited-to-services": nonadmin.creategrant_not_limited_to_services,
    "grant-duplicate": hygiene.grant_duplicate,
    "service-principal-without-source": services.service_principal_without_source,
    "vendor-role-without-external-id": trusts.vendor_role_without_external_id,
    "federated-role-loose-subject": trusts.federated_role_loose_subject,
    "attestation-bypass-path": attestation.attestation_bypass_path,
    "orphaned-principal-in-policy": orphans.orphaned_principal_in_policy,
    "reclaimable-principal-name": names.reclaimable_principal_name,
    "iam-user-key-access": users.iam_user_key_access,
    "mfa-not-required-for-destruction": users.mfa_not_required_for_destruction,
    "rotation-disabled": rotation.rotation_disabled,
    "rotation-period-too-long": rotation.rotation_period_too_long,
    "manual-rotation-overdue": rotation.manual_rotation_overdue,
    "pending-deletion-in-use": deletion.pending_deletion_in_use,
    "pending-deletion": deletion.pending_deletion,
    "disabled-key-still-referenced": deletion.disabled_key_still_referenced,
    "idle-key": deletion.idle_key,
    "imported-material-expiring": material.imported_material_expiring,
    "instant-destruction-capability": nonadmin.instant_destruction_capability,
    "custom-key-store-disconnected": material.custom_key_store_disconnected,
    "unapproved-key-origin": material.unapproved_key_origin,
    "replica-policy-weaker": regions.replica_policy_weaker,
    "replicate-key-unrestricted": places.replicate_key_unrestricted,
    "replica-in-unapproved-region": regions.replica_in_unapproved_region,
    "no-key-administrator": delegation.no_key_administrator,
    "iam-delegation-mode": delegation.iam_delegation_mode,
    "malformed-statement": mistakes.malformed_statement,
    "inert-statement": inert.inert_statement,
    "never-true-condition": impossible.never_true_condition,
    "condition-key-not-applicable": conditions.condition_key_not_applicable,
    "permissive-condition-operator": conditions.permissive_condition_operator,
    "deny-has-gap": denials.deny_has_gap,
    "notprincipal-deny-trap": exempted.notprincipal_deny_trap,
    "key-without-ownership-metadata": ownership.key_without_ownership_metadata,
    "aws-managed-key-where-customer-key-expected": customer_keys.aws_managed_key_where_customer_key_expected,
    "no-guardrail-key-destruction": accounts.no_guardrail_key_destruction,
    "no-guardrail-external-principals": outsiders.no_guardrail_external_principals,
    "lockout-bypass-allowed": callers.lockout_bypass_allowed,
    "foreign-key-encryption-not-blocked": callers.foreign_key_encryption_not_blocked,
    "guardrail-exemption-matchable": exemptions.guardrail_exemption_matchable,
    "keys-in-management-account": accounts.keys_in_management_account,
    "trail-excludes-kms": logging.trail_excludes_kms,
    "no-active-trail": logging.no_active_trail,
    "no-kms-change-alarm": alarms.no_kms_change_alarm,
    "access-analyzer-gap": logging.access_analyzer_gap,
    "audit-log-key-at-risk": audit_key.audit_log_key_at_risk,
    "new-plaintext-access-since-baseline": changes.new_plaintext_access_since_baseline,
    "alias-repointed": drift_aliases.alias_repointed,
    "access-review-overdue": changes.access_review_overdue,
    "key-policy-unreadable": reading.key_policy_unreadable,
    "scope-not-collected": reading.scope_not_collected,
    "evaluation-inconclusive": reading.evaluation_inconclusive,
}

BLIND_SPOTS: dict[str, Callable[[View], Iterator[SkippedScope]]] = {
    "aws-managed-key-where-customer-key-expected": customer_keys.unread_choices,
    "direct-plaintext-without-context": direct.unseen_use,
    "disabled-key-still-referenced": deletion.unseen_while_stopped,
    "imported-material-expiring": material.unseen_without_material,
    "no-active-trail": logging.unseen_status,
    "no-kms-change-alarm": alarms.unseen_alarms,
    "pending-deletion-in-use": deletion.unseen_while_pending,
    "replica-in-unapproved-region": regions.unwatched,
    "trail-excludes-kms": logging.unseen_selectors,
    "unused-key-permission": blind_spots,
}
"""Rule → the subjects about which its inputs prove nothing, though they could be read."""
