"""AWS answers as plain JSON data: times become ISO 8601 UTC text, the call's metadata goes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any


def plain(value: Any) -> Any:
    """``value`` with nothing in it that JSON does not know."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value
