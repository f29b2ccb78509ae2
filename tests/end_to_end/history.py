"""CloudTrail's event history, which moto lacks: LookupEvents over what was put there, as AWS answers it."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

PAGE = 50


class EventHistory:
    """Entries of events by Region; newest first, in the window that is asked for, in pages."""

    def __init__(self) -> None:
        self._entries: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def fill(self, region: str, entries: list[dict[str, Any]]) -> None:
        """Replaces what a Region holds; times are ISO 8601."""
        dated = [{**entry, "EventTime": datetime.fromisoformat(entry["EventTime"]).timestamp()} for entry in entries]
        self._entries[region] = sorted(dated, key=lambda entry: entry["EventTime"], reverse=True)

    def answer(self, region: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One page of LookupEvents."""
        (attribute,) = asked["LookupAttributes"]
        found = [
            entry
            for entry in self._entries[region]
            if asked["StartTime"] <= entry["EventTime"] <= asked["EndTime"]
            and attribute["AttributeKey"] == "EventSource"
            and json.loads(entry["CloudTrailEvent"])["eventSource"] == attribute["AttributeValue"]
        ]
        start = int(asked.get("NextToken", 0))
        end = start + min(PAGE, asked.get("MaxResults", PAGE))
        return {"Events": found[start:end], **({"NextToken": str(end)} if end < len(found) else {})}
