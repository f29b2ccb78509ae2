"""What every account has: administrators from IAM Identity Center, key administrators, and the auditor's role."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, Accounts, DemoRole, Document, Identities
from auditor.demo.wording import AUDIT_ROLE, assumable_by, document, may, root

SSO_PATH = f"/aws-reserved/sso.amazonaws.com/{FRANKFURT}/"
SSO_ADMINISTRATOR = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
READ_KEYS = [f"kms:{name}" for name in ("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "List*")]
READ_REST = ["iam:Get*", "iam:List*", "organizations:Describe*", "organizations:List*", "cloudtrail:Describe*"]
WITH_MFA: Document = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def identities(a: Accounts) -> Identities:
    """The three roles, in each account."""
    names = [name for name in Accounts.__dataclass_fields__ if name != "organization"]
    return Identities(roles=tuple(role for name in names for role in _roles(a, name)))


def _roles(a: Accounts, name: str) -> tuple[DemoRole, ...]:
    account = a.named(name)
    return (
        DemoRole(
            name=SSO_ADMINISTRATOR,
            account=name,
            path=SSO_PATH,
            trust=assumable_by(
                {"Federated": f"arn:aws:iam::{account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"},
                action=["sts:AssumeRoleWithSAML", "sts:TagSession"],
                when={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            ),
            inline={"AdministratorAccess": document(may("Everything", "*"))},
        ),
        DemoRole(
            name="KeyAdministrator",
            account=name,
            trust=assumable_by(root(account), when=WITH_MFA),
            inline={"SeeKeys": document(may("SeeKeys", READ_KEYS))},
        ),
        DemoRole(
            name="KeyDeputy",
            account=name,
            trust=assumable_by(root(account), when=WITH_MFA),
            inline={"SeeKeys": document(may("SeeKeys", READ_KEYS))},
        ),
        DemoRole(
            name=AUDIT_ROLE,
            account=name,
            trust=assumable_by(root(a.management), when={"StringEquals": {"aws:PrincipalOrgID": a.organization}}),
            inline={"ReadOnly": document(may("ReadOnly", [*READ_KEYS, *READ_REST]))},
        ),
    )
