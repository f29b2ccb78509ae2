"""Files of one report, written beside their places first and put there together: all of them, or none.

Private to the user; whoever reads a file sees the old or the new content, never a part.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.audit.places import make_private
from auditor.errors import OutputError


class Staged:
    """Files that wait beside their places. ``digests`` are the SHA-256 of those that were added."""

    def __init__(self) -> None:
        self.digests: dict[Path, str] = {}
        self._waiting: list[tuple[Path, Path]] = []

    def add(self, path: Path, content: bytes) -> None:
        """One more file. A link is followed; a pipe or device is written to at once and stays what it is.

        Raises OutputError.
        """
        make_private(path.parent)
        with _telling(path):
            if _is_special(path):
                path.write_bytes(content)
            else:
                self._write(path.resolve(), content)
        self.digests[path] = hashlib.sha256(content).hexdigest()

    def _write(self, target: Path, content: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
        self._waiting.append((Path(temporary), target))
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)

    def put(self) -> None:
        """Puts every file in its place. An interruption comes after the last of them. Raises OutputError."""
        interrupted: KeyboardInterrupt | None = None
        done: list[Path] = []
        while self._waiting:
            temporary, target = self._waiting[0]
            try:
                if temporary.exists():  # it does not where an interruption came after the replacing
                    temporary.replace(target)
                done.append(target)
                del self._waiting[0]
            except KeyboardInterrupt as error:
                interrupted = error
            except OSError as error:
                raise _failed(target, error, done) from None
        if interrupted is not None:
            raise interrupted

    def drop(self) -> None:
        """Removes what was not put in its place."""
        for temporary, _ in self._waiting:
            temporary.unlink(missing_ok=True)


@contextmanager
def staged() -> Iterator[Staged]:
    """Files that are added inside are put in their places at the end, unless something went wrong."""
    files = Staged()
    try:
        yield files
        files.put()
    finally:
        files.drop()


def write_private(path: Path, content: bytes) -> Path:
    """Write one file and return its path. Raises OutputError."""
    with staged() as files:
        files.add(path, content)
    return path


def _is_special(path: Path) -> bool:
    """Whether a pipe, a device or a folder is there. Raises OSError, also for a link that leads to itself."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _failed(path, error, []) from None


def _failed(path: Path, error: OSError, done: list[Path]) -> OutputError:
    there = f" Written before it: {', '.join(map(str, done))}; the others are as they were." if done else ""
    return OutputError(
        f"{path}: cannot be written: {error.strerror or error}.{there}",
        "Check the folder's permissions and free space.",
    )
