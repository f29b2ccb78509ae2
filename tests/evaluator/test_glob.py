"""The law of patterns that meet: a common text is matched by both, and there is one exactly when they overlap."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.evaluator.glob import common_text, matches, overlap
from auditor.model.actions import match_pattern
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


def reached(pattern: str, text: str) -> bool:
    """Whether the pattern matches, by the set of places in it that may be next."""
    places = _past_stars(pattern, {0})
    for char in text:
        stays = {place for place in places if pattern[place : place + 1] == "*"}
        steps = {place + 1 for place in places if pattern[place : place + 1] in ("?", char)}
        places = _past_stars(pattern, stays | steps)
    return len(pattern) in places


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    for place in range(len(pattern)):
        if place in places and pattern[place] == "*":
            places.add(place + 1)
    return places


@settings(max_examples=examples(300), deadline=None)
@given(st.text("ab*?", max_size=9), st.text("ab\n", max_size=9))
@example("*a*?b*", "aab")
def test_a_pattern_matches_what_a_walk_through_it_reaches(pattern: str, text: str) -> None:
    assert matches(pattern, text) is reached(pattern, text)


def test_no_pattern_goes_on_for_ever() -> None:
    assert not match_pattern("kms:" + "?*" * 60 + "Z")
    assert not matches("*a*a*b", "a" * 2000)
    assert matches("*" + "?a*" * 500, "ba" * 2000)
