"""Entries of CloudTrail's LookupEvents as KMS makes them, after the examples of the KMS developer guide."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

Data = dict[str, Any]
LATELY = "2025-05-20T20:45:00+00:00"


def entry(event: Data | str, time: str = LATELY) -> Data:
    """An entry of Events; ``event`` is what CloudTrailEvent holds, as JSON or, where it is none, as text."""
    written = event if isinstance(event, str) else json.dumps(event)
    return {"EventId": f"{crc32((written + time).encode()):036}", "EventTime": time, "CloudTrailEvent": written}


def call(operation: str, key: str | None, identity: Data, **more: Any) -> Data:
    """What is in an event about a key (ARN), None for one without resources; ``more`` replaces its members."""
    return {
        "eventVersion": "1.11",
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "sourceIPAddress": "192.0.2.0",
        "userIdentity": identity,
        "resources": [{"ARN": key, "accountId": key.split(":")[4], "type": "AWS::KMS::Key"}] if key else [],
        "eventType": "AwsApiCall",
        **more,
    }


def user(account: str, name: str) -> Data:
    """A call with the credentials of a user."""
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{name}", "accountId": account, "userName": name}


def role(account: str, name: str, session: str = "someone", path: str = "/") -> Data:
    """A call in a session of a role."""
    arn = f"arn:aws:iam::{account}:role{path}{name}"
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE{name.upper()}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn, "accountId": account, "userName": name}},
    }


def through(service: str, identity: Data, **more: Any) -> Data:
    """What a service adds to an event of a call that it makes for somebody: the members to replace."""
    return {
        "userIdentity": {**identity, "invokedBy": service},
        "sourceIPAddress": service,
        "userAgent": service,
        **more,
    }
