"""Files of a snapshot: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
from errno import EMFILE, ENFILE
from pathlib import Path

from auditor.errors import OutputError, SnapshotError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_folder(path: Path) -> None:
    """Makes a private folder, and its parents. One that is there, maybe shared, stays as it is. Raises OutputError."""
    try:
        for part in reversed((path, *path.parents)):
            if not part.is_dir():
                part.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
                part.chmod(PRIVATE_FOLDER)  # whatever the umask
    except OSError as error:
        raise _output(path, error) from error


def hold(folder: Path) -> int | None:
    """Locks a folder for this process until ``os.close`` of what is returned. Raises SnapshotError when another has it.

    The lock ends with the process, however that ends. None where the folder is missing or its file system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows: two collections into one folder are not told apart
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise SnapshotError(
            f"Another run is collecting into {folder}.", "Wait until it has ended, or choose another folder."
        ) from None
    except OSError:
        os.close(handle)
        return None
    return handle


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a crash leaves the old one or the new one, never a part. Raises OutputError."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(path)
    except OSError as error:
        waiting.unlink(missing_ok=True)
        raise _output(path, error) from error


def remove_parts(folder: Path) -> None:
    """Removes what killed processes left half written below ``folder``."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Adds one line to a private file and waits until it is on disk. Raises OutputError."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE), "wb") as file:
            file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _output(path, error) from error


def _output(path: Path, error: OSError) -> OutputError:
    advice = "Check free space and permissions"
    if error.errno in (EMFILE, ENFILE):
        advice = "Raise the limit of open files (ulimit -n), or use fewer workers (--max-workers)"
    return OutputError(
        f"{path} could not be written: {error.strerror or error}.",
        f"{advice}; finished parts are kept: `kms-audit collect --resume` goes on from them.",
    )
