"""The manifest: what a snapshot is, where it came from, and the hash of every shard. Nothing here reads a shard."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, get_type_hints

from auditor.errors import SnapshotError, reading_trouble
from auditor.model.snapshot import Provenance, Scope, ShardCoverage

SCHEMA = 1
FORMAT = "kms-audit snapshot"
MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
SHARDS = "shards"
MAX_MANIFEST_BYTES = 256 * 1024**2
_NAME = re.compile(r"^shards/[A-Za-z0-9-]{1,80}\.jsonl\.gz$")
_HASH = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """One shard in the manifest or journal: its file, its SHA-256 and what it covers.

    ``again``: something in it failed in passing, so a resumed collection reads it again.
    """

    file: str
    sha256: str
    coverage: ShardCoverage
    again: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """``finished`` False: the collection was interrupted, and the journal lists the shards that there are."""

    provenance: Provenance
    entries: tuple[ShardEntry, ...] = ()
    finished: bool = False


def sha256(content: bytes) -> str:
    """The hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def content_hash(entries: Iterable[ShardEntry]) -> str:
    """One hash over all shards, whatever the order in which they were written."""
    lines = sorted(f"{entry.coverage.account} {entry.coverage.region} {entry.sha256}\n" for entry in entries)
    return sha256("".join(lines).encode())


def shard_file(account: str, region: str) -> str:
    """The file of a shard, relative to the snapshot."""
    return f"{SHARDS}/{account}-{region or 'global'}.jsonl.gz"


def entry_to_json(entry: ShardEntry) -> dict[str, Any]:
    """The entry as JSON data."""
    return {"file": entry.file, "sha256": entry.sha256, "coverage": asdict(entry.coverage), "again": entry.again}


def entry_from_json(data: Any) -> ShardEntry:
    """The entry of JSON data. Raises SnapshotError, also for a file outside the snapshot."""
    try:
        file, digest = str(data["file"]), str(data["sha256"])
        entry = ShardEntry(file, digest, _typed(ShardCoverage, data["coverage"]), bool(data.get("again")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SnapshotError(
            f"The manifest has a shard entry that is not readable ({error}).", "Collect again."
        ) from error
    expected = shard_file(entry.coverage.account, entry.coverage.region)
    if not _NAME.match(file) or not _HASH.match(digest) or file != expected:
        raise SnapshotError(
            f"The manifest names a shard that cannot be one: {file[:120]!r}.", "Do not trust this snapshot."
        )
    return entry


def manifest_to_text(manifest: Manifest) -> str:
    """The manifest as JSON text, keys sorted."""
    data = {
        "format": FORMAT,
        "schema": SCHEMA,
        "finished": manifest.finished,
        "provenance": asdict(manifest.provenance),
        "shards": [entry_to_json(entry) for entry in sorted(manifest.entries, key=lambda item: item.file)],
    }
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def manifest_from_text(text: str) -> Manifest:
    """The manifest of JSON text. Raises SnapshotError."""
    try:
        data = json.loads(text)
        schema = data["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(error) from error
    if data.get("format") != FORMAT:
        raise SnapshotError("The manifest is not one of kms-audit.", "Give the folder that `collect` wrote.")
    if type(schema) is not int or schema != SCHEMA:
        raise SnapshotError(
            f"The snapshot has schema {json.dumps(schema)[:20]}; this version reads schema {SCHEMA}.",
            "Use the version of kms-audit that wrote it, or collect again.",
        )
    try:
        given = dict(data["provenance"])
        scope = {name: tuple(value) if isinstance(value, list) else value for name, value in given["scope"].items()}
        provenance: Provenance = _typed(Provenance, given | {"scope": _typed(Scope, scope)})
        entries = tuple(entry_from_json(item) for item in data["shards"])
        _check_times(provenance)
        if type(data.get("finished", False)) is not bool:
            raise TypeError("finished must be true or false")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(error) from error
    if len({entry.file for entry in entries}) < len(entries):
        raise SnapshotError("The manifest names a shard twice.", "Do not trust this snapshot.")
    return Manifest(provenance, entries, bool(data.get("finished")))


def _unreadable(error: Exception) -> SnapshotError:
    trouble = f"no {error}" if isinstance(error, KeyError) else reading_trouble(error)
    return SnapshotError(f"The manifest is not readable ({trouble}).", "Collect again.")


def _typed(kind: Any, values: dict[str, Any]) -> Any:
    """``kind(**values)``, each value of the type that its field declares. Raises TypeError that names the field."""
    hints = _hints(kind)
    for name, value in values.items():
        wanted = hints.get(name, str)
        texts = wanted == tuple[str, ...] and type(value) is tuple and all(type(item) is str for item in value)
        if not texts and type(value) is not wanted:
            raise TypeError(f"{name} must not be {type(value).__name__}")
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _check_times(provenance: Provenance) -> None:
    """Raises ValueError for a time that is none; ages are counted from them."""
    for moment in (provenance.started, provenance.finished):
        if moment:
            datetime.fromisoformat(moment)
