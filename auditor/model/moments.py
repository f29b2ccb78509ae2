"""Times as texts: AWS's answers, credential reports and files of users hold them, and any of them may be none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 time or date in UTC, which it is taken for when it names no zone; None for any other text."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def before(moment: datetime, days: float) -> datetime:
    """``days`` before ``moment``, or the earliest moment that there is: a snapshot may hold any date and number."""
    try:
        return moment - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
