"""Reports of IAM on last access → what was recorded of each principal's calls to KMS."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.principal import LastAccessed
from auditor.model.shard import Kind, Shard
from auditor.store.values import Data, items, maybe, text


def last_accessed_by_arn(shard: Shard) -> dict[str, LastAccessed]:
    """ARN of a user or role → what its report says."""
    return {
        text(record.data, "Arn"): _last_accessed(record.data)
        for record in shard.records
        if record.kind is Kind.LAST_ACCESSED
    }


def _last_accessed(data: Data) -> LastAccessed:
    entries = items(data, "Kms")
    dated = [(time, maybe(entry, "LastAuthenticatedRegion")) for entry in entries for time in _times(entry)]
    kms, region = max(dated, default=(None, None), key=lambda item: item[0])
    actions: dict[str, str | None] = {}
    for entry in entries:
        for action in items(entry, "TrackedActionsLastAccessed"):
            name, time = text(action, "ActionName").rsplit(":", 1)[-1], maybe(action, "LastAccessedTime")
            actions[name] = max(filter(None, (actions.get(name), time)), default=None)
    return LastAccessed(
        reported=text(data, "JobCreationDate"),
        listed=bool(entries),
        kms=kms,
        region=region,
        actions=tuple(sorted(actions.items())),
        latest=max(filter(None, (maybe(data, "Latest"), kms)), default=None),
    )


def _times(entry: Data) -> Iterator[str]:
    """When the service, or one of its actions, was last called."""
    for time in (maybe(entry, "LastAuthenticated"), *_of_actions(entry)):
        if time is not None:
            yield time


def _of_actions(entry: Data) -> Iterator[str | None]:
    return (maybe(action, "LastAccessedTime") for action in items(entry, "TrackedActionsLastAccessed"))
