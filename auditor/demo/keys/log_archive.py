"""Keys of the log archive: one protects the audit trail, badly; one shows how it should be."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, Accounts, DemoKey
from auditor.demo.wording import AUDIT_ROLE, administrators, allow, delegate, deny, document, guardians, role, root

TAGS = (("owner", "security"), ("data-class", "restricted"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """The trail's key, the configuration history's key, and one that hides from auditors."""
    return (
        _hidden(a),
        DemoKey(
            name="audit-log",
            account="log_archive",
            region=FRANKFURT,
            description="Organization trail",
            tags=TAGS,
            policy=document(
                allow("AccountKeepsControl", root(a.log_archive), ["kms:Describe*", "kms:Get*", "kms:List*"]),
                administrators(a.log_archive),
                # No aws:SourceArn: any trail of any customer could make CloudTrail use this key.
                allow(
                    "CloudTrailEncrypts",
                    {"Service": "cloudtrail.amazonaws.com"},
                    ["kms:GenerateDataKey*", "kms:DescribeKey"],
                ),
                allow(
                    "PipelineMaintainsKey",
                    [role(a.log_archive, "LogPipeline")],
                    ["kms:Decrypt", "kms:PutKeyPolicy"],
                ),
            ),
        ),
        DemoKey(
            name="config-history",
            account="log_archive",
            region=IRELAND,
            description="Configuration snapshots of the organization",
            tags=TAGS,
            policy=document(
                guardians(a.log_archive),
                allow(
                    "ConfigOfThisOrganization",
                    {"Service": "config.amazonaws.com"},
                    ["kms:GenerateDataKey", "kms:Decrypt"],
                    {"StringEquals": {"aws:SourceOrgID": a.organization}},
                ),
                deny(
                    "NobodyOutside",
                    "*",
                    ["kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey*", "kms:CreateGrant"],
                    {
                        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": a.organization},
                        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                    },
                ),
            ),
        ),
    )


def _hidden(a: Accounts) -> DemoKey:
    return DemoKey(
        name="legal-hold",
        account="log_archive",
        region=FRANKFURT,
        description="Evidence under legal hold",
        tags=TAGS,
        policy=document(
            delegate(a.log_archive),
            administrators(a.log_archive),
            {
                "Sid": "NotEvenAuditorsLook",
                "Effect": "Deny",
                "Principal": {"AWS": role(a.log_archive, AUDIT_ROLE)},
                "Action": "kms:DescribeKey",
                "Resource": "*",
            },
        ),
    )
