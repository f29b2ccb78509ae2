"""What people call the services, condition keys and operators that conditions name; ``words`` makes sentences of it."""

from __future__ import annotations

SERVICES = {
    "secretsmanager": "Secrets Manager",
    "s3": "Amazon S3",
    "ec2": "Amazon EBS",
    "rds": "Amazon RDS",
    "dynamodb": "DynamoDB",
    "lambda": "Lambda",
    "sqs": "Amazon SQS",
    "sns": "Amazon SNS",
    "ssm": "Systems Manager",
    "elasticfilesystem": "Amazon EFS",
    "redshift": "Amazon Redshift",
    "kinesis": "Kinesis",
    "es": "OpenSearch Service",
    "ecr": "Amazon ECR",
    "backup": "AWS Backup",
    "glue": "AWS Glue",
    "workmail": "WorkMail",
    "sagemaker": "SageMaker",
    "logs": "CloudWatch Logs",
    "sso": "IAM Identity Center",
    "identitystore": "Identity Store",
    "eks": "Amazon EKS",
    "elasticache": "ElastiCache",
    "memorydb": "MemoryDB",
    "fsx": "Amazon FSx",
    "kafka": "Amazon MSK",
    "bedrock": "Amazon Bedrock",
    "workspaces": "WorkSpaces",
    "states": "Step Functions",
    "events": "EventBridge",
    "firehose": "Data Firehose",
    "aoss": "OpenSearch Serverless",
    "ses": "Amazon SES",
}
"""Names people use for the services of kms:ViaService; any other is printed as written."""

SUBJECTS = {
    "aws:principalorgid": "callers of organization",
    "aws:principalaccount": "callers of account",
    "kms:calleraccount": "callers of account",
    "aws:principalarn": "the caller",
    "aws:sourceip": "the source address",
    "aws:sourcevpce": "the VPC endpoint",
    "aws:sourcevpc": "the VPC",
    "aws:sourcearn": "on behalf of",
    "aws:sourceaccount": "on behalf of account",
    "aws:sourceorgid": "on behalf of an account of organization",
    "aws:vpceorgid": "the organization of the VPC endpoint",
    "aws:vpceaccount": "the account of the VPC endpoint",
    "aws:calledvia": "the services in between",
    "aws:calledviafirst": "the first service in between",
    "aws:calledvialast": "the last service in between",
    "aws:requestedregion": "the Region",
    "kms:requestalias": "the alias used in the request",
    "sts:rolesessionname": "session",
    "kms:grantoperations": "the grant's operations",
    "kms:granteeprincipal": "the grantee",
    "kms:encryptioncontextkeys": "the encryption context's keys",
    "kms:schedulekeydeletionpendingwindowindays": "the waiting period in days",
}
PATHS = {
    "aws:principalorgpaths": "callers below the organization path",
    "aws:sourceorgpaths": "on behalf of accounts below the organization path",
}
ONE = {"kms:encryptioncontextkeys": "the encryption context's key", "aws:calledvia": "the service in between"}
"""Subjects of a test that compares a key of several values as one."""
NAMED = {
    "kms:encryptioncontext:": "encryption context",
    "kms:recipientattestation:": "the attested",
    "aws:principaltag/": "the caller's tag",
    "aws:resourcetag/": "the key's tag",
    "aws:requesttag/": "the request's tag",
}
"""Families of keys: the subject, before the name that follows the prefix."""
WHOSE = frozenset(
    {"aws:principalorgid", "aws:principalaccount", "kms:calleraccount"}
    | {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"}
)
"""Subjects that complete “only …” and “not …” themselves."""
COMPARISONS = {
    "stringequals": "is",
    "stringequalsignorecase": "is (in any case)",
    "stringlike": "matches",
    "arnlike": "matches",
    "bool": "is",
    "ipaddress": "is in",
    "binaryequals": "is",
    "numericequals": "is",
    "numericlessthan": "is below",
    "numericlessthanequals": "is at most",
    "numericgreaterthan": "is above",
    "numericgreaterthanequals": "is at least",
    "dateequals": "is",
    "datelessthan": "is before",
    "datelessthanequals": "is not after",
    "dategreaterthan": "is after",
    "dategreaterthanequals": "is not before",
}
BOOLEANS = {
    ("kms:grantisforawsresource", "true"): "when an AWS service makes the grant call for the caller",
    ("aws:multifactorauthpresent", "true"): "with MFA",
    ("aws:multifactorauthpresent", "false"): "without MFA",
    ("aws:viaawsservice", "true"): "when an AWS service calls for the caller",
    ("aws:viaawsservice", "false"): "in a direct call",
    ("aws:principalisawsservice", "true"): "by an AWS service",
    ("kms:bypasspolicylockoutsafetycheck", "true"): "with a bypass of the lockout safety check",
    ("kms:bypasspolicylockoutsafetycheck", "false"): "without a bypass of the lockout safety check",
}
