"""Planned changes of what findings look at beside access: trails, alarms, credentials, and resources that keys encrypt.

Nothing of it becomes an edit. What certainly is about something else than KMS is left out, as collectors do.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.questions.terraform.plan import Change, Plan
from auditor.questions.terraform.values import is_unknown

EVIDENCE = (
    "aws_accessanalyzer_analyzer",
    "aws_cloudtrail",
    "aws_iam_access_key",
    "aws_iam_openid_connect_provider",
    "aws_iam_saml_provider",
    "aws_iam_user_login_profile",
    "aws_iam_virtual_mfa_device",
    "aws_kms_custom_key_store",
)
"""Beginnings of types."""
ENCRYPTED = (
    "aws_db_instance",
    "aws_dynamodb_table",
    "aws_ebs_volume",
    "aws_efs_file_system",
    "aws_rds_cluster",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
)
"""The same of what is encrypted, which findings look at where it was collected."""
RULE = "aws_cloudwatch_event_rule"


def evidence_of(plan: Plan) -> Iterator[Change]:
    """The changes of trails, analyzers, credentials and providers, and of alarms that may be about KMS."""
    quiet = {
        _either(one, "name") for one in plan.resources if one.type == RULE and not _speaks_of_kms(one, "event_pattern")
    }
    for change in (*plan.changes, *plan.deferred):
        if change.type.startswith(EVIDENCE) or _alerts(change, quiet):
            yield change


def encrypted_of(plan: Plan) -> Iterator[Change]:
    """The changes of resources that keys encrypt."""
    return (change for change in (*plan.changes, *plan.deferred) if change.type.startswith(ENCRYPTED))


def _alerts(change: Change, quiet: set[str]) -> bool:
    """Whether somebody may be alerted to something in KMS; ``quiet`` are the rules that speak of other things."""
    match change.type:
        case _ if change.type == RULE:
            return _speaks_of_kms(change, "event_pattern")
        case "aws_cloudwatch_event_target":
            return _either(change, "rule") not in quiet - {""}
        case "aws_cloudwatch_log_metric_filter":
            return _speaks_of_kms(change, "pattern")
        case "aws_cloudwatch_metric_alarm":
            return not _either(change, "namespace").startswith("AWS/")
    return False


def _speaks_of_kms(change: Change, attribute: str) -> bool:
    texts = (str((values or {}).get(attribute) or "") for values in (change.before, change.after))
    return is_unknown(change.unknown.get(attribute)) or any("kms" in text.lower() for text in texts)


def _either(change: Change, attribute: str) -> str:
    """The text after apply, or before; empty where it is not known."""
    return str((change.after or {}).get(attribute) or change.was(attribute) or "")
