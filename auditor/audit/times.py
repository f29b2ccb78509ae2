"""The time that ages and expiry are counted from; never reads the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime

from auditor.errors import UsageError
from auditor.model.snapshot import Snapshot


def parse_as_of(given: str | date) -> str:
    """A date or time (ISO 8601 or an object; without an offset it is UTC) as ISO 8601 UTC. Raises UsageError."""
    text = given.isoformat() if isinstance(given, date) else str(given)
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return iso(moment)
    except (ValueError, OverflowError):
        raise UsageError(f"“{text}” is not a date or time.", "Write 2026-11-24 or 2026-11-24T12:00Z.") from None


def as_of_for(snapshot: Snapshot, given: str | date | None) -> str:
    """The time of an evaluation: ``given``, else the end of the collection."""
    if given is not None:
        return parse_as_of(given)
    moment = snapshot.provenance.finished or snapshot.provenance.started
    if not moment:
        raise UsageError("The snapshot does not say when it was made.", "Give the time with --as-of.")
    return parse_as_of(moment)


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with seconds, ending in Z."""
    return f"{moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def folder_name(moment: str) -> str:
    """An ISO time as the name of a folder that sorts by time: ``20261124T070000Z``."""
    return parse_as_of(moment).replace("-", "").replace(":", "")
