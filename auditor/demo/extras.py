"""Facts that moto cannot hold: who manages a key, when material and grants date from, how often a key rotates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from auditor.demo.gateway import Additions
from auditor.demo.grants import CREATED
from auditor.demo.key_calls import MadeKey


def add(additions: Additions, keys: Iterable[MadeKey]) -> None:
    """Puts everything into ``additions``; expiry counts from now."""
    now = datetime.now(UTC)
    additions.grant_created.update({name: _seconds(f"{day}T09:00:00+00:00") for name, day in CREATED.items()})
    for key in keys:
        part = key.part
        additions.rotation_days[key.id] = part.rotation_days
        if part.service:
            additions.metadata[key.id] = {"KeyManager": "AWS"}
            additions.alias_targets[key.arn.partition(":key/")[0] + f":alias/aws/{part.service}"] = key.id
        if part.expires_in_days is not None:
            ends = now + timedelta(days=part.expires_in_days)
            additions.metadata[key.id] = {
                "ExpirationModel": "KEY_MATERIAL_EXPIRES",
                "ValidTo": ends.replace(microsecond=0).timestamp(),
            }


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
