"""From settings to a finished snapshot on disk: request, writer, collectors, reading it back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.audit.places import SNAPSHOT_FOLDER, UNFINISHED, make_private, report_folder
from auditor.config import CollectionSettings
from auditor.errors import OutputError
from auditor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from auditor.collectors import CollectRequest, Progress


def request_of(settings: CollectionSettings) -> CollectRequest:
    """The settings as the collectors take them; empty texts become None."""
    from auditor.collectors import CollectRequest

    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    for name in ("role_name", "external_id", "endpoint_url"):
        values[name] = values[name] or None
    return CollectRequest(**values)


@dataclass(frozen=True, slots=True)
class Collected:
    """How much a collection brought: keys, gaps, gaps that access verdicts rest on, and those that may be passing."""

    keys: int
    gaps: int
    essential_gaps: int
    passing_gaps: int


def collect_facts(
    folder: Path, settings: CollectionSettings, *, resume: bool = False, progress: Progress | None = None
) -> Collected:
    """Collect into the snapshot folder ``folder``, check what was written and count it, in little memory.

    Raises CredentialsError, CollectionError, OutputError, or SnapshotError when ``resume`` does not fit.
    """
    from auditor.store import read_parts

    _collect(folder, settings, resume, progress)
    found = [(0, 0, 0, 0), *(astuple(counted(part)) for part in read_parts(folder))]
    return Collected(*map(sum, zip(*found, strict=True)))


def collect_into(
    folder: Path, settings: CollectionSettings, *, resume: bool = False, progress: Progress | None = None
) -> Snapshot:
    """As ``collect_facts``, and returns the whole snapshot, read back and checked."""
    from auditor.store import read_snapshot

    _collect(folder, settings, resume, progress)
    return read_snapshot(folder)


def counted(snapshot: Snapshot) -> Collected:
    """The same numbers of a snapshot in memory."""
    from auditor.store import may_pass

    essential = sum(1 for gap in snapshot.gaps if gap.essential)
    return Collected(len(snapshot.keys), len(snapshot.gaps), essential, sum(map(may_pass, snapshot.gaps)))


def _collect(folder: Path, settings: CollectionSettings, resume: bool, progress: Progress | None) -> None:
    from auditor.collectors import NoProgress, collect
    from auditor.store import SnapshotWriter

    writer = SnapshotWriter(folder, resume=resume)
    try:
        writer.finish(collect(request_of(settings), writer, progress or NoProgress()))
    finally:
        writer.close()


def waiting_room(output_dir: Path, started: str) -> Path:
    """Where a collection is kept until its account or organization is known; ``started`` is a folder name."""
    return make_private(output_dir / UNFINISHED / f"{started}-{os.getpid()}") / SNAPSHOT_FOLDER


def leave(waiting: Path, made: Iterable[Path] = ()) -> None:
    """Take an empty waiting room away again, and the folders ``made`` for it, deepest first.

    One with a snapshot in it stays, and so does what another run uses.
    """
    for folder in (waiting.parent, waiting.parent.parent, *made):
        with suppress(OSError):
            folder.rmdir()


def move_home(snapshot: Snapshot, waiting: Path, output_dir: Path) -> Path:
    """Move a finished snapshot to ``<report folder>/snapshot`` and return that path. Raises OutputError."""
    home = report_folder(snapshot, output_dir)
    make_private(home)
    try:
        waiting.rename(home / SNAPSHOT_FOLDER)
        leave(waiting)
    except OSError as error:
        raise OutputError(
            f"{home}: the snapshot could not be moved there: {error.strerror or error}.",
            f"It is complete in {waiting}; use `kms-audit evaluate {waiting} --output-dir` with another folder.",
        ) from None
    return home / SNAPSHOT_FOLDER
