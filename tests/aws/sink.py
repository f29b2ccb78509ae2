"""A sink that keeps the shards of a collection in memory."""

from __future__ import annotations

import threading

from auditor.model.shard import Shard
from auditor.model.snapshot import Provenance, Snapshot
from auditor.store import decode


class MemorySink:
    """A sink for ``collectors.collect``; nothing reaches a disk."""

    def __init__(self) -> None:
        self.shards: list[Shard] = []
        self._lock = threading.Lock()

    def begin(self, provenance: Provenance) -> None:
        pass

    def has(self, account: str, region: str) -> bool:
        return False

    def only(self, account: str, regions: tuple[str, ...]) -> None:
        pass

    def write(self, shard: Shard) -> None:
        with self._lock:
            self.shards.append(shard)

    def snapshot(self, provenance: Provenance) -> Snapshot:
        return decode(provenance, self.shards)
