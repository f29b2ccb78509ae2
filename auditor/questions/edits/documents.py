"""Policy documents for edits: read from text, or found in the snapshot by name."""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditor.errors import UnknownNameError, UsageError
from auditor.model.arn import parse_arn
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Layer, Policy, parse_policy
from auditor.model.snapshot import Snapshot

VERSION = "2012-10-17"


def document(layer: Layer, name: str, owner: str, text: str) -> AttachedPolicy:
    """A policy document in its place. Raises UsageError for a text that is no policy."""
    policy = parse_policy(text)
    if not policy.readable:
        problem = policy.problems[0].message if policy.problems else "it is not a policy document."
        raise UsageError(f"The new {layer} for {owner} cannot be read: {problem}")
    return AttachedPolicy(layer, name, owner, policy)


def default_key_policy(key: Key) -> str:
    """The policy that AWS gives a key without one: the account delegates to IAM."""
    arn = parse_arn(key.arn)
    root = f"arn:{arn.partition if arn else 'aws'}:iam::{key.account}:root"
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": VERSION, "Id": "key-default-1", "Statement": [statement]})


def known_document(snapshot: Snapshot, layers: tuple[Layer, ...], name: str) -> AttachedPolicy:
    """The document that the snapshot knows by a managed policy's name or ARN, or an organization policy's name.

    Raises UnknownNameError when there is none, or when the name means different documents.
    """
    found: dict[tuple[str, Policy], AttachedPolicy] = {}
    for item in _attached(snapshot, layers):
        if is_called(item, name):
            found.setdefault((item.name, item.policy), item)
    if not found:
        raise UnknownNameError(
            f"The document of “{name}” is not in the snapshot.", "Only policies that are attached somewhere are."
        )
    if len(found) > 1:
        names = ", ".join(sorted({listed for listed, _ in found}))
        raise UnknownNameError(f"“{name}” means {len(found)} policies.", f"Choose one: {names}.")
    return next(iter(found.values()))


def is_called(item: AttachedPolicy, name: str) -> bool:
    """Whether a policy goes by ``name``: its full name or ARN, or the last part of it."""
    return name in (item.name, item.name.rsplit("/", 1)[-1])


def _attached(snapshot: Snapshot, layers: tuple[Layer, ...]) -> Iterator[AttachedPolicy]:
    if Layer.IDENTITY in layers or Layer.BOUNDARY in layers:
        for principal in snapshot.principals:
            yield from (item for item in principal.identity_policies if item.name.startswith("arn:"))
            if principal.boundary is not None:
                yield principal.boundary
    for target in snapshot.organization.targets if snapshot.organization else ():
        yield from (item for item in (*(target.scps or ()), *(target.rcps or ())) if item.layer in layers)
