"""Logging to stderr, as text or as one JSON object per line.

Never logs credentials: botocore stays silent below ERROR at every verbosity; what it has to say about a call, with a
traceback for each refused role, becomes a gap.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

LEVELS = {-1: logging.WARNING, 0: logging.WARNING, 1: logging.INFO}


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message, the numbers of ``extra={"fields": …}``, and the
    traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        data = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            data["traceback"] = self.formatException(record.exc_info)
        return json.dumps(data, ensure_ascii=False)


class Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is now; a stderr that cannot be written must not stop a run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Nothing: there is nowhere left to complain."""


def start_logging(verbosity: int, log_format: str) -> None:
    """Send every log to stderr, that of libraries and their warnings included.

    JSON logs start at INFO, because progress is written there; libraries speak from WARNING on.
    """
    handler = Stderr()
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter("%(levelname)s %(message)s"))
    everything = logging.getLogger()
    everything.handlers[:] = [item for item in everything.handlers if not isinstance(item, Stderr)] + [handler]
    logging.captureWarnings(True)
    level = LEVELS.get(verbosity, logging.DEBUG)
    logging.getLogger("auditor").setLevel(
        min(level, logging.INFO) if log_format == "json" and verbosity >= 0 else level
    )
    logging.getLogger("botocore").setLevel(logging.ERROR)
