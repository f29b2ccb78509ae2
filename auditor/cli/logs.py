"""Logging to stderr, as text or as one JSON object per line. Never logs credentials: botocore stays at WARNING."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        return json.dumps(
            {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
            },
            ensure_ascii=False,
        )


def start_logging(verbosity: int, log_format: str) -> None:
    """Send the package's log to stderr. JSON logs start at INFO, because progress is written there."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("auditor")
    logger.handlers[:] = [handler]
    logger.propagate = False
    level = LEVELS.get(verbosity, logging.DEBUG)
    logger.setLevel(min(level, logging.INFO) if log_format == "json" and verbosity >= 0 else level)
    logging.getLogger("botocore").setLevel(logging.WARNING)
