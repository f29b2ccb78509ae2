"""Where results live on disk: ``reports/<organization or account id>/<UTC time>/``, and the newest snapshot there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from auditor.audit.arguments import check_snapshots
from auditor.audit.times import folder_name
from auditor.errors import OutputError, UsageError
from auditor.model.snapshot import Snapshot
from auditor.userfiles import as_path

SNAPSHOT_FOLDER = "snapshot"
UNFINISHED = ".unfinished"
MANIFEST = "manifest.json"
LONGEST_NAME = 64
"""Twice as long as the id of an organization can be; file systems take some 255 bytes."""
_SAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def subject_of(snapshot: Snapshot) -> str:
    """The id that a run is filed under: the organization's when it was collected as one, else the account's."""
    organization = snapshot.organization
    if organization is not None and (snapshot.provenance.scope.organization_wide or len(snapshot.accounts) > 1):
        return _as_name(organization.id)
    if len(snapshot.accounts) == 1:
        return _as_name(snapshot.accounts[0].id)
    return "accounts" if snapshot.accounts else "empty"


def _as_name(told: str) -> str:
    """An id as the name of one folder, whatever an endpoint or a snapshot says that the id is."""
    return _SAFE.sub("-", told)[:LONGEST_NAME].lstrip(".") or "unnamed"


def report_folder(snapshot: Snapshot, output_dir: Path | str) -> Path:
    """The folder of a run's report. The same snapshot always has the same folder."""
    check_snapshots(snapshot)
    moment = snapshot.provenance.finished or snapshot.provenance.started
    return as_path(output_dir) / subject_of(snapshot) / (folder_name(moment) if moment else "undated")


def make_private(folder: Path) -> Path:
    """Create a folder with its parents, each of them 0700 where it is new. Raises OutputError."""
    try:
        for path in reversed((folder, *folder.parents)):
            if not path.is_dir():
                path.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise uncreatable(folder, error) from None
    return folder


def uncreatable(folder: Path, error: OSError) -> OutputError:
    """What to say when a folder cannot be made."""
    return OutputError(f"{folder}: cannot be created: {error.strerror or error}.", "Choose another folder.")


def missing_folders(folder: Path) -> tuple[Path, ...]:
    """The folder and those above it that are not there yet, deepest first: what a run that fails must take away."""
    return tuple(path for path in (folder, *folder.parents) if not path.exists())


def newest_snapshot(output_dir: Path | str) -> Path:
    """The newest complete snapshot under ``output_dir``. Raises UsageError when there is none."""
    home = as_path(output_dir)
    found = [
        (moment, manifest.parent)
        for pattern in (f"*/*/{SNAPSHOT_FOLDER}/{MANIFEST}", f"*/{MANIFEST}", MANIFEST)
        for manifest in home.glob(pattern)
        if UNFINISHED not in manifest.parts and (moment := _finished(manifest))
    ]
    if not found:
        raise UsageError(
            f"No complete snapshot under {output_dir}.", "Name a snapshot, or make one with `kms-audit collect`."
        )
    return max(found, key=lambda entry: (entry[0], str(entry[1])))[1]


def _finished(manifest: Path) -> str:
    """When the collection ended, by its manifest; empty for anything unfinished or unreadable."""
    try:
        data = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    provenance = data.get("provenance", data)
    return str(provenance.get("finished") or "") if isinstance(provenance, dict) else ""
