"""Reads a snapshot folder: manifest, every shard against its hash, then the decoding. Refuses anything doubtful."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from auditor.errors import SnapshotError, reading_trouble
from auditor.heap import collector_at_rest
from auditor.model.snapshot import ShardCoverage, Snapshot
from auditor.store.decode import decode, join
from auditor.store.encoding import decode_bytes
from auditor.store.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    Manifest,
    ShardEntry,
    content_hash,
    manifest_from_text,
    sha256,
)
from auditor.store.parts import DecodedShards, Part, part_of

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What the decoding of a record that no version of ours wrote may raise."""


def read_snapshot(path: Path | str, known: DecodedShards | None = None) -> Snapshot:
    """The decoded snapshot in folder ``path``. Raises SnapshotError for anything that cannot be trusted.

    Shards that are in ``known`` are checked like all others, but not decoded again; it learns the others.
    """
    folder = Path(path)
    with collector_at_rest(), _naming(folder):
        manifest = _finished(folder)
        return _readable(folder, lambda: join(manifest.provenance, _parts(folder, manifest, known or DecodedShards())))


def read_parts(path: Path | str) -> Iterator[Snapshot]:
    """Each shard decoded on its own, so that a snapshot of any size can be counted in little memory.

    Raises SnapshotError as ``read_snapshot`` does.
    """
    folder = Path(path)
    with _naming(folder):
        manifest = _finished(folder)
        for entry, content in _contents(folder, manifest):
            shard = decode_bytes(content, entry.coverage, entry.file)
            yield _readable(folder, partial(decode, manifest.provenance, (shard,)))


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Whoever reads two snapshots wants to know which of them is meant."""
    try:
        yield
    except SnapshotError as error:
        if str(folder) in error.message:
            raise
        raise SnapshotError(f"{folder}: {error.message}", error.remedy) from error


def _finished(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if not manifest.finished:
        raise SnapshotError(
            f"The snapshot in {folder} is not finished.", f"Go on with: kms-audit collect --resume {folder}"
        )
    if content_hash(manifest.entries) != manifest.provenance.content_hash:
        raise SnapshotError(f"The manifest in {folder} was changed after it was written.", "Collect again.")
    return manifest


def _readable(folder: Path, decoding: Callable[[], Snapshot]) -> Snapshot:
    try:
        return decoding()
    except _UNREADABLE as error:
        raise SnapshotError(
            f"The snapshot in {folder} holds a record that this version cannot read: {error}.",
            "Use the version of kms-audit that wrote it, or collect again.",
        ) from error


def _parts(folder: Path, manifest: Manifest, known: DecodedShards) -> list[tuple[ShardCoverage, Part]]:
    """Every shard, checked and decoded. That one of them is damaged is said before that one cannot be decoded."""
    found = []
    unreadable: Exception | None = None
    for entry, content in _contents(folder, manifest):
        part = known.get(entry)
        if part is None:
            shard = decode_bytes(content, entry.coverage, entry.file)
            try:
                part = part_of(shard)
            except _UNREADABLE as error:
                unreadable = unreadable or error
                continue
            known.keep(entry, part)
        found.append((entry.coverage, part))
    if unreadable is not None:
        raise unreadable
    return found


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot folder. Raises SnapshotError."""
    file = folder / MANIFEST
    try:
        if file.exists() and not file.is_file():
            raise SnapshotError(f"{file} is no file.", "Give the folder that `collect` wrote.")
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise SnapshotError(f"{file} is larger than any manifest; it is refused.", "Do not trust this snapshot.")
        text = file.read_text(encoding="utf-8", errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise SnapshotError(f"{file} is damaged: {reading_trouble(error)}.", "Collect again.") from error
    except OSError as error:
        inside = folder / "snapshot"  # the folder of a report has its snapshot beside the files
        remedy = (
            f"Its snapshot is {inside}." if (inside / MANIFEST).is_file() else "Give the folder that `collect` wrote."
        )
        raise SnapshotError(
            f"{folder} holds no snapshot: {MANIFEST} could not be read: {error.strerror or error}.", remedy
        ) from error
    return manifest_from_text(text)


def _contents(folder: Path, manifest: Manifest) -> Iterator[tuple[ShardEntry, bytes]]:
    """The bytes of every shard, checked against its hash. Raises SnapshotError."""
    for entry in sorted(manifest.entries, key=lambda item: item.file):
        try:
            content = _content(folder, entry)
        except SnapshotError:
            if read_manifest(folder) == manifest:
                raise
            raise SnapshotError(f"A run is writing into {folder} at the moment.", "Wait until it has ended.") from None
        yield entry, content


def _content(folder: Path, entry: ShardEntry) -> bytes:
    file = folder / entry.file
    try:
        if file.is_symlink() or not file.resolve().is_relative_to(folder.resolve()):
            raise SnapshotError(f"{entry.file} leads out of the snapshot; it is refused.", "Do not trust it.")
        if not file.is_file():
            raise SnapshotError(f"The shard {entry.file} is missing from the snapshot.", "Collect again.")
        content = file.read_bytes()
    except OSError as error:
        raise SnapshotError(
            f"The shard {entry.file} cannot be read: {error.strerror or error}.", "Check its permissions."
        ) from error
    if sha256(content) != entry.sha256:
        raise SnapshotError(
            f"The shard {entry.file} does not match its hash: it was changed or damaged.", "Collect again."
        )
    return content
