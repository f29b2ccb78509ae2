"""Writes a snapshot, shard by shard, so that whatever ends the process leaves finished shards valid.

``manifest.json`` says at once what is being collected; ``journal.jsonl`` gains a line per finished shard; ``finish``
turns both into the final manifest.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

from auditor.errors import OutputError, SnapshotError
from auditor.model.key import Fact
from auditor.model.shard import ORGANIZATION_SHARD, Shard
from auditor.model.snapshot import NOT_ENABLED, Gap, Provenance, Scope
from auditor.store.encoding import encode, to_bytes, to_line
from auditor.store.files import append_line, hold, make_folder, remove_parts, write_whole
from auditor.store.manifest import (
    JOURNAL,
    MANIFEST,
    SHARDS,
    Manifest,
    ShardEntry,
    content_hash,
    entry_from_json,
    entry_to_json,
    manifest_from_text,
    manifest_to_text,
    sha256,
    shard_file,
)
from auditor.store.reader import read_manifest

PASSING = frozenset(
    {"Throttled", "Timeout", "Unreachable", "ServerError", "ExpiredToken", "InvalidCredentials", "IncompleteAnswer"}
    | {"NotFound"}
)
"""Codes of gaps that a later attempt may not meet: it asks again for what there is, with a clock that may be right."""
CLEAN = frozenset({"read", NOT_ENABLED})
"""What shards without a gap say of themselves."""


def may_pass(gap: Gap) -> bool:
    """Whether a later attempt may not meet it."""
    return gap.code in PASSING


def _worth_reading(gap: Gap) -> bool:
    """Whether a collection that goes on asks again: also for accounts, whose role may have been made meanwhile, and for
    what access rests on and a newer SDK may know."""
    return may_pass(gap) or gap.fact is Fact.ACCOUNT or (gap.code == "NotSupported" and gap.essential)


class SnapshotWriter:
    """A sink for ``collectors.collect``. ``resume`` goes on in a folder that an interrupted collection left, and reads
    what failed in passing again, and the organization; of a finished collection, everything that left a gap:
    permissions may have changed.

    From ``begin`` to ``finish`` or ``close`` no other writer can begin in the folder.
    """

    def __init__(self, path: Path | str, *, resume: bool = False) -> None:
        self.path = Path(path)
        self._resume = resume
        self._lock = threading.Lock()
        self._done: dict[tuple[str, str], ShardEntry] = {}
        self._provenance: Provenance | None = None
        self._sealed = False
        self._failed: OutputError | None = None
        self._held: int | None = None

    def begin(self, provenance: Provenance) -> None:
        """Starts, or goes on when caller and scope are the same. Raises SnapshotError or OutputError."""
        try:
            self._begin(provenance)
        except BaseException:
            self.close()
            raise

    def _begin(self, provenance: Provenance) -> None:
        if not self._resume:
            make_folder(self.path)
        self._held = hold(self.path)
        if self._resume:
            earlier = self._earlier()
            _same_collection(earlier.provenance, provenance)
            provenance = replace(provenance, started=earlier.provenance.started)
            self._done = {(entry.coverage.account, entry.coverage.region): entry for entry in earlier.entries}
            self._sealed = earlier.finished
        elif (self.path / MANIFEST).exists():
            raise SnapshotError(
                f"There is a snapshot in {self.path} already.", "Choose another folder, or go on with --resume."
            )
        make_folder(self.path / SHARDS)
        self._provenance = provenance
        if not self._sealed:
            self._open(provenance)

    def _open(self, provenance: Provenance) -> None:
        """Calls the snapshot unfinished. One that was finished stays so until a shard of it is replaced: a resume that
        fails before leaves it as it was."""
        if self._resume:
            # The journal first: until the manifest calls the snapshot unfinished, nobody looks into the journal.
            # Shards that are read again are not in it: a kill may leave them rewritten under their old hash.
            remove_parts(self.path)
            kept = [entry for entry in self._done.values() if not entry.again]
            lines = "".join(f"{to_line(entry_to_json(entry))}\n" for entry in kept)
            write_whole(self.path / JOURNAL, to_bytes(lines))
        write_whole(self.path / MANIFEST, to_bytes(manifest_to_text(Manifest(provenance))))
        self._sealed = False

    def has(self, account: str, region: str) -> bool:
        """Whether the shard is finished, and nothing in it deserves another attempt."""
        entry = self._done.get((account, region))
        return entry is not None and not entry.again

    def only(self, account: str, regions: tuple[str, ...]) -> None:
        """Forgets what an earlier attempt noted of Regions that the account does not have, when nobody could say which
        it has: nothing would ever read them again. Their files stay until ``finish``, for a kill before that."""
        with self._lock:
            for place, entry in list(self._done.items()):
                if place[0] == account and place[1] not in ("", *regions) and _came_to_nothing(entry):
                    del self._done[place]

    def write(self, shard: Shard) -> None:
        """Writes one shard, then its line in the journal. Raises OutputError."""
        content = encode(shard)
        entry = ShardEntry(
            shard_file(shard.account, shard.region),
            sha256(content),
            shard.coverage,
            any(map(_worth_reading, shard.gaps)),
        )
        with self._lock:
            if self._failed:
                raise self._failed
            earlier = self._done.get((shard.account, shard.region))
            if self._sealed and earlier is not None and earlier.sha256 == entry.sha256:
                self._done[(shard.account, shard.region)] = replace(entry, coverage=earlier.coverage)
                return  # nothing is replaced
            try:
                if self._sealed and self._provenance is not None:
                    self._open(self._provenance)
                write_whole(self.path / entry.file, content)
                append_line(self.path / JOURNAL, to_line(entry_to_json(entry)))
            except OutputError as error:
                # Another thread must not add to a journal whose last line may be cut off.
                self._failed = error
                raise
            self._done[(shard.account, shard.region)] = entry

    def finish(self, provenance: Provenance) -> Provenance:
        """Seals the snapshot and returns its provenance with the content hash. Raises OutputError."""
        entries = tuple(self._done.values())
        started = self._provenance.started if self._provenance else provenance.started
        sealed = replace(provenance, started=started, content_hash=content_hash(entries))
        text = manifest_to_text(Manifest(sealed, entries, finished=True))
        write_whole(self.path / MANIFEST, to_bytes(text))
        (self.path / JOURNAL).unlink(missing_ok=True)
        for file in (self.path / SHARDS).glob("*.jsonl.gz"):
            if f"{SHARDS}/{file.name}" not in {entry.file for entry in entries}:
                file.unlink(missing_ok=True)
        self.close()
        return sealed

    def close(self) -> None:
        """Lets others write into the folder; what is unfinished can be resumed."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _earlier(self) -> Manifest:
        """The collection to go on with: each shard checked against its hash, and whether it is read again."""
        try:
            manifest = manifest_from_text((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SnapshotError(f"There is no snapshot to resume in {self.path}.", "Collect afresh.") from error
        entries = manifest.entries if manifest.finished else _journal(self.path / JOURNAL)
        entries = tuple({entry.file: entry for entry in entries}.values())
        for entry in entries:
            _check(self.path / entry.file, entry)
        if manifest.finished:
            entries = tuple(replace(one, again=one.again or one.coverage.status not in CLEAN) for one in entries)
        # Accounts join and move: those that are read now are limited by where they are now.
        of_tree = [one for one in entries if one.coverage.account == ORGANIZATION_SHARD]
        kept = [one for one in entries if one not in of_tree]
        return replace(manifest, entries=(*kept, *(replace(one, again=True) for one in of_tree)))


def _came_to_nothing(entry: ShardEntry) -> bool:
    """Whether a Region turned out not to be enabled, or not even its keys could be listed."""
    coverage = entry.coverage
    return coverage.status == NOT_ENABLED or (entry.again and not coverage.listed)


def restamp(path: Path, finished: str) -> None:
    """Changes the time (ISO 8601 UTC) at which a finished snapshot says that it ended. Raises OutputError."""
    manifest = read_manifest(path)
    stamped = replace(manifest, provenance=replace(manifest.provenance, finished=finished))
    write_whole(path / MANIFEST, to_bytes(manifest_to_text(stamped)))


def _journal(path: Path) -> tuple[ShardEntry, ...]:
    """The lines of the journal; a last line that was cut off by a crash does not count."""
    if not path.exists():
        return ()
    lines = path.read_bytes().split(b"\n")
    entries = []
    for line in lines[:-1]:
        try:
            entries.append(entry_from_json(json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise SnapshotError(f"{path}: the journal is damaged.", "Collect afresh into another folder.") from error
    return tuple(entries)


def _check(path: Path, entry: ShardEntry) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"The shard {entry.file} is missing.", "Collect afresh into another folder.") from error
    if sha256(content) != entry.sha256:
        raise SnapshotError(
            f"The shard {entry.file} was changed after it was written.", "Collect afresh into another folder."
        )


def _same_collection(earlier: Provenance, now: Provenance) -> None:
    if _accounts(earlier) != _accounts(now):
        raise SnapshotError(
            f"The snapshot was begun by {earlier.caller}, not by {now.caller}.",
            "Resume with the same profile, or collect into another folder.",
        )
    if _asked(earlier.scope) != _asked(now.scope):
        raise SnapshotError(
            "The scope differs from that of the interrupted collection.",
            "Resume with the same options, or collect into another folder.",
        )


def _accounts(provenance: Provenance) -> list[str]:
    """The account and kind of each caller: names of sessions, and of roles, may be others another time."""
    return [arn.split("/")[0] for arn in provenance.caller.split(", ")]


def _asked(scope: Scope) -> Scope:
    return replace(scope, accounts=(), regions=())
