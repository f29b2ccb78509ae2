"""The explicit list of rules: id → the function that finds its hits. A rule that is not here does not exist.

Ids of the catalogue that are missing here rest on facts that nobody collects yet; they are reported as not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.rules.coverage import reading
from auditor.rules.exposure import external, public
from auditor.rules.grants import external as grants_external
from auditor.rules.hit import Hit
from auditor.rules.identity import orphans, users
from auditor.rules.lifecycle import deletion, rotation
from auditor.rules.policy import conditions, mistakes
from auditor.rules.privilege import combined, documents
from auditor.rules.view import View

Check = Callable[[View], Iterator[Hit]]

RULES: dict[str, Check] = {
    "public-key-policy": public.public_key_policy,
    "public-key-policy-soft-condition": public.public_key_policy_soft_condition,
    "notprincipal-allow": public.notprincipal_allow,
    "external-account-access": external.external_account_access,
    "external-account-root": external.external_account_root,
    "external-can-delegate": external.external_can_delegate,
    "full-kms-to-non-admin": combined.full_kms_to_non_admin,
    "admin-and-user-combined": combined.admin_and_user_combined,
    "iam-decrypt-all-keys": documents.iam_decrypt_all_keys,
    "iam-kms-admin-all-keys": documents.iam_kms_admin_all_keys,
    "grant-to-external-account": grants_external.grant_to_external_account,
    "orphaned-principal-in-policy": orphans.orphaned_principal_in_policy,
    "iam-user-key-access": users.iam_user_key_access,
    "mfa-not-required-for-destruction": users.mfa_not_required_for_destruction,
    "rotation-disabled": rotation.rotation_disabled,
    "rotation-period-too-long": rotation.rotation_period_too_long,
    "manual-rotation-overdue": rotation.manual_rotation_overdue,
    "pending-deletion-in-use": deletion.pending_deletion_in_use,
    "pending-deletion": deletion.pending_deletion,
    "disabled-key-still-referenced": deletion.disabled_key_still_referenced,
    "idle-key": deletion.idle_key,
    "malformed-statement": mistakes.malformed_statement,
    "inert-statement": mistakes.inert_statement,
    "never-true-condition": conditions.never_true_condition,
    "condition-key-not-applicable": conditions.condition_key_not_applicable,
    "permissive-condition-operator": conditions.permissive_condition_operator,
    "key-policy-unreadable": reading.key_policy_unreadable,
    "scope-not-collected": reading.scope_not_collected,
    "evaluation-inconclusive": reading.evaluation_inconclusive,
}
