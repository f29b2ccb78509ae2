"""The three standard streams as the process inherited them: closed ones, and encodings that cannot write every name.

Only the console script changes them; whoever calls ``entry.run`` keeps their own.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

ESCAPES = "kms-audit-escapes"
"""Name of the error handler for characters that a stream cannot write."""


def open_streams() -> None:
    """Give stdin, stdout and stderr a descriptor, and let no character stop the output.

    A closed stdout refuses what is written, as it should; a closed stderr swallows it. Without this, the first file
    that is opened would take the place of the closed stream.
    """
    codecs.register_error(ESCAPES, _escaped)
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest number that is free, which is this one
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _whole(sys.stdout), _whole(sys.stderr)


def _whole(stream: TextIO) -> TextIO:
    """The stream, writing everything or failing.

    Without a buffer, as under ``PYTHONUNBUFFERED``, Python drops what a nearly full disk did not take and says nothing;
    a pipe that its other users made non-blocking takes a part.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    with suppress(OSError):
        os.set_blocking(stream.fileno(), True)
    if not isinstance(stream.buffer, io.RawIOBase):
        stream.reconfigure(errors=ESCAPES)
        return stream
    encoding = stream.encoding
    buffered = io.BufferedWriter(stream.detach())
    return io.TextIOWrapper(buffered, encoding, ESCAPES, newline="\n", line_buffering=True)


def silence() -> None:
    """Send what is still buffered nowhere: the reader went away, or the disk is full, and Python flushes at exit."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(devnull, stream.fileno())


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""``\uXXXX`` for each UTF-16 unit, which JSON reads back and people recognise."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
