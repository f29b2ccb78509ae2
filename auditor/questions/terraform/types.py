"""Which types of resources in a plan may change access to keys, and which leave it as it is."""

from __future__ import annotations

ELSEWHERE = (
    "aws_cloudcontrolapi_resource",
    "aws_cloudformation_stack",
    "aws_controltower_",
    "aws_ram_",
    "aws_serverlessapplicationrepository_cloudformation_stack",
    "aws_servicecatalog_provisioned_product",
    "aws_ssoadmin_account_assignment",
    "aws_ssoadmin_customer_managed_policy_attachment",
    "aws_ssoadmin_managed_policy_attachment",
    "aws_ssoadmin_permission",
    "awscc_cloudformation_",
    "awscc_controltower_",
    "awscc_iam_",
    "awscc_kms_",
    "awscc_organizations_",
    "awscc_ram_",
    "awscc_sso_",
)
"""Beginnings of types of other services and providers that may change access to keys: they share keys, write roles and
guardrails, or make whatever their template says. They are listed as not judged."""
RELEVANT = ("aws_kms_", "aws_iam_", "aws_organizations_", *ELSEWHERE)
WITHOUT_ACCESS = frozenset(
    {
        "aws_kms_ciphertext",
        "aws_kms_custom_key_store",
        "aws_iam_access_key",
        "aws_iam_account_alias",
        "aws_iam_account_password_policy",
        "aws_iam_instance_profile",
        "aws_iam_openid_connect_provider",
        "aws_iam_saml_provider",
        "aws_iam_security_token_service_preferences",
        "aws_iam_server_certificate",
        "aws_iam_service_specific_credential",
        "aws_iam_signing_certificate",
        "aws_iam_user_login_profile",
        "aws_iam_user_ssh_key",
        "aws_iam_virtual_mfa_device",
        "aws_organizations_delegated_administrator",
        "aws_organizations_resource_policy",
    }
)
"""Resources of these services whose change leaves access to keys as it is."""


def may_change_access(type_: str) -> bool:
    """Whether a change of a resource of this type is to be judged, or listed as not judged."""
    return type_.startswith(RELEVANT) and type_ not in WITHOUT_ACCESS
