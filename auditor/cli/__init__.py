"""The command line: click only here, one file per command, bodies that parse, call and print.

``main`` is the console script. Nothing heavy is imported before a command needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

from auditor.cli.entry import main

__all__ = ["main"]
