"""A sink that keeps shards in memory: for tests, and for questions asked of AWS directly."""

from __future__ import annotations

import threading

from auditor.model.shard import Shard
from auditor.model.snapshot import Provenance, Snapshot
from auditor.store.decode import decode


class MemorySink:
    """A sink for ``collectors.collect``; nothing reaches a disk."""

    def __init__(self) -> None:
        self.begun: Provenance | None = None
        self.shards: list[Shard] = []
        self._lock = threading.Lock()

    def begin(self, provenance: Provenance) -> None:
        """Remembers what was asked for."""
        self.begun = provenance

    def has(self, account: str, region: str) -> bool:
        """Nothing is there before it is written."""
        return False

    def only(self, account: str, regions: tuple[str, ...]) -> None:
        """No attempt was earlier."""

    def write(self, shard: Shard) -> None:
        """Keeps the shard."""
        with self._lock:
            self.shards.append(shard)

    def snapshot(self, provenance: Provenance) -> Snapshot:
        """The decoded snapshot."""
        return decode(provenance, self.shards)
