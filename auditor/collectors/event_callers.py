"""Whom an event of CloudTrail names as the caller, and the AWS service that made the call on the caller's behalf.

Source: CloudTrail user guide, userIdentity element and record contents; what the events of KMS look like, KMS developer
guide, Examples of AWS KMS log entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.model.arn import SERVICE_LINKED_PATH, account_of, is_service, parse_arn, session_role_name

Data = Mapping[str, Any]
PEOPLE = frozenset({"signin.amazonaws.com"})
"""Named as the invoking service where somebody sits at the console."""
INTERNAL = "AWS Internal"
"""What events say of a service that they do not name."""


@dataclass(frozen=True, slots=True)
class EventCaller:
    """As ``KeyCalls`` has it: who called, of which account, and through which service, if through one."""

    name: str
    account: str
    service: str


def caller_in(identity: Data, source: str) -> EventCaller:
    """The caller of an event with this ``userIdentity`` and ``sourceIPAddress``."""
    name = _name(identity)
    account = text(identity, "accountId") or account_of(name) or ""
    return EventCaller(name, account, _service(identity, name, source))


def _name(identity: Data) -> str:
    """The role, user or root user whose session it is rather than the session: sessions come and go."""
    issuer = text(inner(inner(identity, "sessionContext"), "sessionIssuer"), "arn")
    if parse_arn(issuer) is not None:
        return issuer
    arn = text(identity, "arn")
    session, parsed = session_role_name(arn), parse_arn(arn)
    if session is not None and parsed is not None:
        return f"arn:{parsed.partition}:iam::{parsed.account}:role/{session[0]}"
    unnamed = text(identity, "principalId").split(":", 1)[0] or text(identity, "invokedBy")
    return arn or unnamed or text(identity, "accountId") or text(identity, "type") or "unknown"


def _service(identity: Data, name: str, source: str) -> str:
    """The AWS service; empty where nothing says that one made the call."""
    invoking = text(identity, "invokedBy")
    if invoking and invoking not in PEOPLE:
        return invoking
    parsed = parse_arn(name)
    role = parsed.resource.removeprefix("role/") if parsed is not None else ""
    if role.startswith("aws:"):  # AWS itself inside the account: such a session mounts the volumes of an instance
        return role
    if SERVICE_LINKED_PATH in name:
        return name.split(SERVICE_LINKED_PATH, 1)[1].split("/", 1)[0]
    if source == INTERNAL or is_service(source):
        return source
    return INTERNAL if text(identity, "type") == "AWSService" else ""


def text(data: Data, name: str) -> str:
    """A member that is text, or nothing."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def inner(data: Data, name: str) -> Data:
    """A member that is an object, or an empty one."""
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}
