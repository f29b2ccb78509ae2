"""The snapshot on disk: shards, manifest, integrity, resume; and the decoding of its records into the model.

``SnapshotWriter(path, resume=False)`` is a sink for ``collectors.collect``; call ``finish(provenance)`` afterwards.
``read_snapshot(path)`` checks and decodes, ``read_parts(path)`` shard by shard; ``decode(provenance, shards)`` does the
same for shards in memory. Snapshots that are read with the same ``DecodedShards`` share the objects of equal shards.
"""

from __future__ import annotations

from auditor.store.decode import decode
from auditor.store.parts import DecodedShards
from auditor.store.reader import read_parts, read_snapshot
from auditor.store.writer import SnapshotWriter, may_pass, restamp

__all__ = [
    "DecodedShards",
    "SnapshotWriter",
    "decode",
    "may_pass",
    "read_parts",
    "read_snapshot",
    "restamp",
]
