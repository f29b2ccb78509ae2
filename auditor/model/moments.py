"""Times as texts: AWS's answers, credential reports and files of users hold them, and any of them may be none."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 time or date in UTC, which it is taken for when it names no zone; None for any other text."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """The date of a text YYYY-MM-DD; None for any other text, in other forms of ISO 8601 too."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def before(moment: datetime, days: float) -> datetime:
    """``days`` before ``moment``, or the earliest moment that there is: a snapshot may hold any date and number."""
    try:
        return moment - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def time_of_run(text: str) -> datetime:
    """The time that ages are counted from. Raises ValueError for a text that is no ISO 8601 time."""
    found = instant(text)
    if found is None:
        raise ValueError(f"as_of is not an ISO 8601 time: {text!r}")
    return found
