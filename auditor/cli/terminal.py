"""The terminal of one run: verbosity, colour, progress and log format, and the two ways to write to it."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from auditor.cli.logs import start_logging
from auditor.errors import OutputError

LONGEST = 4000
"""Characters of an error: what somebody handed in may be quoted in it, and be of any length."""


@dataclass(slots=True)
class Terminal:
    """The global options of one run, filled in as they are parsed.

    ``collecting_into`` is an unfinished snapshot; ``collected`` is one that this run has finished.
    """

    config: Path | None = None
    verbosity: int = 0
    progress: bool = True
    color: str = "auto"
    log_format: str = "text"
    collecting_into: Path | None = None
    collected: Path | None = None

    @property
    def quiet(self) -> bool:
        """Whether only results and errors are wanted."""
        return self.verbosity < 0

    def colored(self, stream: TextIO) -> bool:
        """Whether to colour what goes to ``stream`` (--color, then NO_COLOR, then whether it is a terminal)."""
        if self.color != "auto":
            return self.color == "always"
        return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def current() -> Terminal:
    """The terminal of the running command."""
    terminal = click.get_current_context().find_object(Terminal)
    return terminal if terminal is not None else Terminal()


def result(text: str) -> None:
    """Write a result to stdout, with its styles stripped unless colours are wanted. Raises OutputError."""
    with _writing():
        click.echo(text, color=current().colored(sys.stdout), nl=not text.endswith("\n"))


def document(text: str) -> None:
    """Write JSON or CSV to stdout; on a terminal without control characters. Raises OutputError."""
    with _writing():
        click.echo(_harmless(text), color=True, nl=not text.endswith("\n"))


def result_bytes(content: bytes) -> None:
    """Write a document to stdout as it is; on a terminal without control characters. Raises OutputError."""
    if sys.stdout.isatty():
        document(content.decode("utf-8", "replace"))
        return
    with _writing():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@contextmanager
def _writing() -> Iterator[None]:
    """A reader that went away is no error worth a word; everything else that stops the writing is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"Standard output cannot be written: {error.strerror or error}.", "Check the free space, or where it goes."
        ) from None


def aside(text: str) -> None:
    """Write a line to stderr. That nobody reads it, or a full disk, loses neither a result nor an exit code."""
    with suppress(OSError):
        click.echo(text, err=True)


def note(text: str) -> None:
    """Write a line for people to stderr, unless --quiet."""
    terminal = current()
    if terminal.log_format == "json":
        logging.getLogger("auditor").info(text)
    elif not terminal.quiet:
        aside(printable(text))


def warn(text: str) -> None:
    """Write a line to stderr that even --quiet does not swallow."""
    terminal = current()
    if terminal.log_format == "json":
        logging.getLogger("auditor").warning(text)
    else:
        aside(printable(text))


def error_line(terminal: Terminal, text: str, error: BaseException | None = None) -> None:
    """The one line of an error, after its traceback under -vv.

    Control characters of hostile names do not reach the terminal.
    """
    line = printable(" ".join(text.split()))
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
    trace = error if terminal.verbosity > 1 else None
    if terminal.log_format == "json":
        start_logging(terminal.verbosity, "json")
        logging.getLogger("auditor").error(line, exc_info=trace)
        return
    if trace is not None:
        aside("".join(traceback.format_exception(trace)).rstrip("\n"))
    aside(f"kms-audit: {line}")


def printable(text: str) -> str:
    """``text`` on one line, control and direction-changing characters replaced: it can neither steer a terminal nor
    pass for a line of ours."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char in "\n\t" else "�" for char in text)


def _harmless(text: str) -> str:
    """``text`` as it is, unless it goes to a terminal, which control characters could steer."""
    return "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text
