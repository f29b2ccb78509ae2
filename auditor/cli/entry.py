"""The way in and the only way out: runs the command, turns every error into one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from errno import ENAMETOOLONG
from itertools import pairwise
from types import FrameType

import click

from auditor.cli import INTERRUPTED
from auditor.cli.limits import raise_open_files
from auditor.cli.root import root
from auditor.cli.streams import open_streams, silence
from auditor.cli.terminal import Terminal, error_line
from auditor.errors import KmsAuditError, sentences
from auditor.heap import collect_seldom

COULD_NOT, USAGE, GATE, INCOMPLETE = 1, 2, 3, 4
"""Exit codes besides 0; INCOMPLETE wins over GATE."""
SHOWN = 80
"""Characters of a name that is too long for the file system."""


def enter(arguments: Sequence[str] | None = None) -> None:
    """Run ``kms-audit`` as a process of its own: streams, signals, exit."""
    collect_seldom()
    open_streams()
    raise_open_files()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _terminated)
    code = run(arguments)
    silence()
    if code == INTERRUPTED:
        os._exit(code)  # threads that still wait for an answer would hold up, or garble, an ordinary exit
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Writes to stdout and stderr; never raises."""
    terminal = Terminal()
    try:
        result = root.main(
            args=None if arguments is None else list(arguments),
            prog_name="kms-audit",
            standalone_mode=False,
            obj=terminal,
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:
        return _closed_pipe()
    except (KeyboardInterrupt, click.Abort):
        return _report(terminal, INTERRUPTED, "interrupted.", _what_is_kept(terminal))
    except click.exceptions.Exit as leaving:
        return int(leaving.exit_code)
    except click.ClickException as error:
        _early_log_format(terminal, sys.argv[1:] if arguments is None else arguments)
        return _report(terminal, USAGE, error.format_message(), _usage_hint(error))
    except KmsAuditError as error:
        return _report(terminal, error.exit_code, error.message, f"{error.remedy} {_complete(terminal)}".strip(), error)
    except Exception as error:
        return _unexpected(terminal, error)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _report(terminal: Terminal, code: int, message: str, remedy: str, error: BaseException | None = None) -> int:
    error_line(terminal, sentences(message, remedy), error)
    return code


def _unexpected(terminal: Terminal, error: Exception) -> int:
    if isinstance(error, OSError) and error.strerror:
        name = str(error.filename or "")
        if error.errno == ENAMETOOLONG:
            return _report(terminal, USAGE, f"{name[:SHOWN]}…: {error.strerror}.", "Check the path.", error)
        where = f"{name}: " if name else ""
        return _report(terminal, COULD_NOT, f"{where}{error.strerror}.", "Check the path and the free space.", error)
    if isinstance(error, MemoryError):
        return _report(terminal, COULD_NOT, "Out of memory.", "Give the process more, or fewer accounts.", error)
    words = str(error).splitlines()[0] if str(error) else ""
    remedy = "" if terminal.verbosity > 1 else "This is a defect; run again with -vv for a traceback to report."
    remedy = f"{remedy} {_complete(terminal)}".strip()
    return _report(terminal, COULD_NOT, f"unexpected {type(error).__name__}: {words}".rstrip(": ") + ".", remedy, error)


def _early_log_format(terminal: Terminal, words: Sequence[str]) -> None:
    """A mistake on the command line ends the parsing, maybe before ``--log-format json`` was seen."""
    if "--log-format=json" in words or ("--log-format", "json") in pairwise(words):
        terminal.log_format = "json"


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"Try `{context.command_path} --help`." if context is not None else ""


def _what_is_kept(terminal: Terminal) -> str:
    """How to go on from what was collected before an interruption."""
    if terminal.collected is not None:
        return _complete(terminal)
    if terminal.collecting_into is None or not (terminal.collecting_into / "manifest.json").exists():
        return ""
    return f"Go on with `kms-audit collect --resume {terminal.collecting_into}` and the same options."


def _complete(terminal: Terminal) -> str:
    """How to go on where the collection had ended well, and something after it did not."""
    found = terminal.collected
    return f"The snapshot is complete: `kms-audit evaluate {found}` goes on from it." if found is not None else ""


def _closed_pipe() -> int:
    """The reader went away: say nothing, and keep Python from complaining when it flushes at exit."""
    silence()
    return COULD_NOT
