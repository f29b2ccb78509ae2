"""The law of patterns that meet: a common text is matched by both, and there is one exactly when they overlap."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.evaluator.glob import common_text, matches, overlap
from tests.laws import examples

PATTERNS = st.text("ab*?", max_size=6)


@settings(max_examples=examples(200), deadline=None)
@given(PATTERNS, PATTERNS)
@example("role/*Admin", "role/team-*")
def test_a_common_text_is_matched_by_both_patterns(left: str, right: str) -> None:
    found = common_text(left, right)
    if found:
        assert matches(left, found) and matches(right, found)
    else:
        assert not overlap(left, right) or (matches(left, "") and matches(right, ""))
