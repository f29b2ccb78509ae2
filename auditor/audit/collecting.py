"""From settings to a finished snapshot on disk: request, writer, collectors, reading it back."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import fields
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


def collect_into(
    folder: Path, settings: CollectionSettings, *, resume: bool = False, progress: Progress | None = None
) -> Snapshot:
    """Collect into the snapshot folder ``folder`` and return what was written, read back and checked.

    Raises CredentialsError, CollectionError, OutputError, or SnapshotError when ``resume`` does not fit.
    """
    from auditor.collectors import NoProgress, collect
    from auditor.store import SnapshotWriter, read_snapshot

    writer = SnapshotWriter(folder, resume=resume)
    provenance = collect(request_of(settings), writer, progress or NoProgress())
    writer.finish(provenance)
    return read_snapshot(folder)


def waiting_room(output_dir: Path, started: str) -> Path:
    """Where a collection is kept until its account or organization is known; ``started`` is a folder name."""
    return make_private(output_dir / UNFINISHED / f"{started}-{os.getpid()}") / SNAPSHOT_FOLDER


def leave(waiting: Path) -> None:
    """Take an empty waiting room away again; one with a snapshot in it stays, and so does what another run uses."""
    for folder in (waiting.parent, waiting.parent.parent):
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
            f"It is complete in {waiting}; use `kms-audit evaluate {waiting}`.",
        ) from None
    return home / SNAPSHOT_FOLDER
