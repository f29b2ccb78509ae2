"""Times as texts, which may be none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from auditor.model.moments import instant
from auditor.questions import grant_list
from tests.cli.conftest import estate


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-24T07:00:00Z", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("2026-11-24T12:30:00+05:30", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("2026-11-24T07:00:00", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        *((text, None) for text in (None, "", "never", "2026-02-30", "9999-12-31T23:59:59-14:00", "[{}]")),
    ],
)
def test_a_text_is_a_time_or_none(text: str | None, meant: datetime | None) -> None:
    assert instant(text) == meant


def test_a_grant_whose_date_is_none_has_no_age() -> None:
    snapshot = estate()
    first = snapshot.keys[0]
    odd = replace(first, grants=(replace(first.grants[0], created="yesterday"),))
    (row,) = grant_list(replace(snapshot, keys=(odd,)), "2026-11-24T07:00:00Z")
    assert row.age_days is None
