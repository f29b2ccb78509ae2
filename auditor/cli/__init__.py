"""The command line: click only here, one file per command, bodies that parse, call and print.

``main`` is the console script. Nothing heavy is imported before a command needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

INTERRUPTED = 130

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``kms-audit`` with ``arguments`` (default: those of the process) and exit.

    Whoever is interrupted, even while loading or twice, leaves with 130 and without a traceback.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nothing here is algebra: threads only cost time
    try:
        from auditor.cli.entry import enter

        enter(arguments)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
