"""What is kept of CloudTrail's events of KMS: who did what with which key, through which service, and how often.

Times are ISO 8601 UTC; ``account`` and ``region`` say in whose event history it was found. A call to the key of another
account stands in two histories, the owner's and the caller's; one that was refused there in the caller's alone.
Source: KMS developer guide, Logging AWS KMS API calls with AWS CloudTrail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCalls:
    """Calls that are alike, as one.

    ``key`` is the key's ARN; that of an alias where a call failed that named one; empty where a failed call told none.
    ``caller`` is the ARN of a role (whose path may be missing), a user, or the root user; a service; a unique id, as
    the owner of a key is told of the callers of other accounts; or what the event says instead. ``service``: the AWS
    service that made the call; empty where the caller made it, or where nothing says that a service did. ``error``:
    why the calls failed, empty where they did not. ``context``: names in the encryption contexts, of some calls or
    all, never values.
    """

    key: str
    account: str
    region: str
    caller: str
    caller_account: str
    operation: str
    count: int
    last: str
    service: str = ""
    error: str = ""
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWindow:
    """How far an event history was read: every event from ``start`` to ``end``, where ``asked`` to ``end`` was wanted.

    ``events`` were found, ``unreadable`` of them not understood; whether nothing is missing, ``Evidence.read`` tells.
    """

    account: str
    region: str
    asked: str
    start: str
    end: str
    events: int = 0
    unreadable: int = 0
