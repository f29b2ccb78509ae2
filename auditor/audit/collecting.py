"""From settings to a finished snapshot on disk: request, writer, collectors, reading it back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.audit.arguments import check
from auditor.audit.places import SNAPSHOT_FOLDER, UNFINISHED, make_private, report_folder, uncreatable
from auditor.audit.times import iso
from auditor.config import CollectionSettings
from auditor.errors import OutputError
from auditor.model.snapshot import Snapshot
from auditor.userfiles import as_path

if TYPE_CHECKING:
    from auditor.collectors import CollectRequest, Progress


def request_of(settings: CollectionSettings) -> CollectRequest:
    """The settings as the collectors take them; empty texts become None."""
    from auditor.collectors import CollectRequest

    check(settings, CollectionSettings, "settings of a collection", "They are the member `collection` of a Config.")
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
    folder: Path | str, settings: CollectionSettings, *, resume: bool = False, progress: Progress | None = None
) -> Snapshot:
    """As ``collect_facts``, and returns the whole snapshot, read back and checked."""
    from auditor.store import read_snapshot

    place = as_path(folder)
    _collect(place, settings, resume, progress)
    return read_snapshot(place)


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
    """Where a collection is kept until its account or organization is known; ``started`` is a folder name.

    No two runs share one, also where containers share the output folder and the numbers of their processes are equal.
    Raises OutputError.
    """
    for number in count(1):
        room = make_private(output_dir / UNFINISHED) / f"{started}-{os.getpid()}{f'-{number}' if number > 1 else ''}"
        with suppress(FileExistsError, FileNotFoundError):  # the latter: a run that ends takes an empty folder away
            _make(room)
            break
    return room / SNAPSHOT_FOLDER


def leave(waiting: Path, made: Iterable[Path] = ()) -> None:
    """Take an empty waiting room away again, and the folders ``made`` for it, deepest first.

    One with a snapshot in it stays, and so does what another run uses.
    """
    for folder in (waiting.parent, waiting.parent.parent, *made):
        with suppress(OSError):
            folder.rmdir()


def move_home(snapshot: Snapshot, waiting: Path, output_dir: Path) -> tuple[Snapshot, Path]:
    """Move a finished snapshot to ``<report folder>/snapshot``; return it and that path. Raises OutputError.

    Where another run of the same account ended in the same second, this one ends in the next that is free.
    """
    from auditor.store import restamp

    ended = snapshot.provenance.finished
    snapshot, home = _reserved(snapshot, output_dir)
    try:
        if snapshot.provenance.finished != ended:
            restamp(waiting, snapshot.provenance.finished)
        waiting.rename(home / SNAPSHOT_FOLDER)
        leave(waiting)
    except OSError as error:
        with suppress(OSError):
            home.rmdir()
        raise OutputError(
            f"{home}: the snapshot could not be moved there: {error.strerror or error}.",
            f"It is complete in {waiting}; use `kms-audit evaluate {waiting} --output-dir` with another folder.",
        ) from None
    return snapshot, home / SNAPSHOT_FOLDER


def _reserved(snapshot: Snapshot, output_dir: Path) -> tuple[Snapshot, Path]:
    """The snapshot with the first second, from that in which it ended, whose report folder this run could make."""
    while True:
        home = report_folder(snapshot, output_dir)
        make_private(home.parent)
        try:
            _make(home)
        except FileExistsError:
            later = datetime.fromisoformat(snapshot.provenance.finished) + timedelta(seconds=1)
            snapshot = replace(snapshot, provenance=replace(snapshot.provenance, finished=iso(later)))
        else:
            return snapshot, home


def _make(folder: Path) -> None:
    """Makes a private folder that is not there yet. Raises FileExistsError, FileNotFoundError or OutputError."""
    try:
        folder.mkdir(mode=0o700)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError as error:
        raise uncreatable(folder, error) from None
