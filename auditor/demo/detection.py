"""Logging and alarms: the organization's trail leaves KMS out and two Regions too; only payments raises an alarm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from auditor.demo.accounts import MANAGEMENT
from auditor.demo.parts import FRANKFURT

ClientOf = Callable[[str, str], Any]
"""(service, account name) → a client in the first Region."""


def switch_on(client_of: ClientOf, trail_key: str) -> None:
    """Creates trails and alarms; ``trail_key`` is the ARN of the key that encrypts the organization's trail."""
    _trail(
        client_of,
        account=MANAGEMENT,
        name="organization-trail",
        left_out=["kms.amazonaws.com", "rdsdata.amazonaws.com"],
        options={"IsOrganizationTrail": True, "KmsKeyId": trail_key},
    )
    _trail(client_of, account="payments", name="payments-trail", left_out=[], options={})
    _alarm_on_deletion(client_of)


def _trail(client_of: ClientOf, *, account: str, name: str, left_out: list[str], options: dict[str, object]) -> None:
    bucket = f"securecart-{name}"
    client_of("s3", account).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": FRANKFURT})
    trails = client_of("cloudtrail", account)
    trails.create_trail(Name=name, S3BucketName=bucket, **options)
    trails.put_event_selectors(
        TrailName=name,
        EventSelectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": left_out,
            }
        ],
    )
    trails.start_logging(Name=name)


def _alarm_on_deletion(client_of: ClientOf) -> None:
    events = client_of("events", "payments")
    topic = client_of("sns", "payments").create_topic(Name="key-alarms")["TopicArn"]
    pattern = {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": ["DisableKey", "ScheduleKeyDeletion"]},
    }
    events.put_rule(Name="key-deletion", EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule="key-deletion", Targets=[{"Id": "alarm", "Arn": topic}])


def report_credentials(client_of: ClientOf, accounts: Iterable[str]) -> None:
    """Has IAM make the credential report of each account, as somebody does every week."""
    for account in accounts:
        iam = client_of("iam", account)
        while iam.generate_credential_report()["State"] != "COMPLETE":
            pass
