"""Facts that moto cannot hold: who manages a key, when material and grants date from, how often a key rotates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from auditor.demo.gateway import Additions
from auditor.demo.grants import CREATED
from auditor.demo.key_calls import MadeKey
from auditor.demo.parts import DemoKey


def add(additions: Additions, keys: Iterable[MadeKey]) -> None:
    """Puts everything into ``additions``; expiry counts from now."""
    now = datetime.now(UTC).replace(microsecond=0)
    additions.grant_created.update({name: _seconds(day) for name, day in CREATED.items()})
    for key in keys:
        additions.rotation_days[key.id] = key.part.rotation_days
        additions.metadata[key.id] = _metadata(key.part, now)
        _alias(additions, key, now)


def _metadata(part: DemoKey, now: datetime) -> dict[str, object]:
    metadata: dict[str, object] = {}
    if part.service:
        metadata["KeyManager"] = "AWS"
    if part.created:
        metadata["CreationDate"] = _seconds(part.created)
    if part.expires_in_days is not None:
        metadata["ExpirationModel"] = "KEY_MATERIAL_EXPIRES"
        metadata["ValidTo"] = (now + timedelta(days=part.expires_in_days)).timestamp()
    return metadata


def _alias(additions: Additions, key: MadeKey, now: datetime) -> None:
    place = key.arn.partition(":key/")[0]
    if key.part.service:
        additions.alias_targets[f"{place}:alias/aws/{key.part.service}"] = key.id
    if key.part.alias_moved_days_ago is not None:
        moved = (now - timedelta(days=key.part.alias_moved_days_ago)).timestamp()
        additions.alias_times[f"{place}:alias/{key.part.name}"] = (_seconds("2021-04-12"), moved)


def _seconds(day: str) -> float:
    return datetime.fromisoformat(f"{day}T09:00:00+00:00").timestamp()
