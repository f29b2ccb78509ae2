"""``result.json`` files that somebody cut, edited or made up: a ValueError that names the place, and nothing else."""

from __future__ import annotations

import gzip
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from auditor.model.access import AccessTable
from auditor.model.finding import SkippedScope
from auditor.model.key import Fact
from auditor.model.report import Report
from auditor.report import read_result, render
from auditor.report.result import NAMED, write_result
from tests.audit.test_use_case import assess
from tests.report.estates import empty, hostile
from tests.report.varied import varied

ODD: tuple[Any, ...] = (None, 7, -1, True, "x", [], [7], [[["x"]]], {}, {"a": 7}, 10**30, 1.5)
UNREAD = ("counts",)
"""Members that are written for other programs and not read back."""


@cache
def written() -> bytes:
    return render(assess(), "json")["result.json"]


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(written())
    return loaded


def places(node: Any, depth: int, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place down to ``depth``, of lists the first entry."""
    if above:
        yield above
    if depth == 0:
        return
    if isinstance(node, dict):
        for name, value in node.items():
            yield from places(value, depth - 1, (*above, name))
    elif isinstance(node, list) and node:
        yield from places(node[0], depth - 1, (*above, 0))


def changed(place: tuple[Any, ...], value: Any) -> bytes:
    data = document()
    node = data
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    return json.dumps(data).encode()


def read_or_refuse(content: bytes) -> Report | None:
    try:
        return read_result(content)
    except ValueError as error:
        assert str(error)
        return None


@pytest.mark.parametrize("name", [name for name in json.loads(written()) if name not in UNREAD])
def test_an_odd_value_in_any_place_is_refused_or_harmless(name: str) -> None:
    for place in places({name: document()[name]}, 5):
        for value in ODD:
            report = read_or_refuse(changed(place, value))
            if report is not None and len(place) < 3:
                render(report, "csv")


@pytest.mark.parametrize(
    "name", [name for name in json.loads(written()) if name not in (*UNREAD, "powers", "rules_version", NAMED)]
)
def test_a_missing_member_is_named(name: str) -> None:
    data = document()
    del data[name]
    with pytest.raises(ValueError, match=name if name != "kind" else "not a result"):
        read_result(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (written()[: len(written()) // 2], "Unterminated|Expecting|delimiter"),
        (gzip.compress(written(), mtime=0), "can't decode"),
        (written().decode().encode("utf-16"), "can't decode"),
        (b"[" * 100_000, "nested too deeply"),
        (changed(("schema",), 0), "schema 0 is not"),
        (changed(("as_of",), "never"), "never"),
        (changed(("actions", 0), "kms:Other"), "another list of KMS actions"),
        (changed(("findings", 0, "severity"), "huge"), "findings: severity: 'huge' is not a valid Severity"),
        (changed(("findings", 0, "bogus"), 1), "findings: bogus is unknown"),
        (changed(("snapshot", "keys", 0, "arn"), 7), "snapshot: keys: arn: expected str, found int"),
        (changed(("access", "rows", 0), -1), "-1 is no position"),
        (changed(("access", "rows"), []), "not one row for each principal"),
        (changed(("access", "distinct_rows", 0), [99, [], []]), "no profile of some number"),
        (changed(("access", "distinct_rows", 0), [0, [10**30], [0]]), "it is damaged"),
        (changed(("access", "profiles", 0), [0]), "has not a decision for each action"),
        (changed(("access", "distinct_rows", 0), [0, [math.nan], [0]]), "not of whole numbers"),
        (changed(("powers",), [{"principal": "x", "reach": math.nan}]), "powers: reach: expected a number, found nan"),
        (changed(("powers",), [{"principal": "x", "reach": -math.inf}]), "expected a number, found -inf"),
        (changed(("powers",), [{"principal": "x", "reach": 10**400}]), "it is damaged"),
        (changed(("access", "decisions", 0, "outcome"), "maybe"), "'maybe' is not a valid Outcome"),
        (changed(("access", "decisions", 0, "reason"), []), "expected str, found list"),
        (changed(("access", "decisions", 0, "path"), {}), "expected str, found dict"),
        (changed(("access", "decisions", 0, "flags"), "ab"), "expected a list, found str"),
    ],
)
def test_the_place_is_named(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_result(content)


def test_a_byte_order_mark_does_not_matter() -> None:
    assert render(read_result(b"\xef\xbb\xbf" + written()), "json")["result.json"] == written()


def test_half_a_surrogate_pair_is_written_as_json_spells_it() -> None:
    report = replace(assess(), notes=("half \ud800 pair",))
    content = render(report, "json")["result.json"]
    assert json.loads(content.decode("utf-8"))["notes"] == ["half \ud800 pair"]
    assert read_result(content).notes == ("half \ud800 pair",)


def test_names_in_evidence_of_earlier_versions_are_understood() -> None:
    """They stood in the text alone; what is written now has them as a field, or none."""
    data = json.loads(written())
    value = "arn:aws:iam::111111111111:role/b, arn:aws:iam::111111111111:role/a of 222222222222"
    said = {"label": "readers", "value": value}
    data["findings"][0]["evidence"] = [said]
    assert read_result(json.dumps(data).encode()).findings[0].evidence[0].names == ()
    del data[NAMED]
    report = read_result(json.dumps(data).encode())
    roles = ("arn:aws:iam::111111111111:role/a", "arn:aws:iam::111111111111:role/b")
    assert report.findings[0].evidence[0].names == ("222222222222", *roles)
    assert read_result(write_result(report)).findings == report.findings


def test_scopes_of_earlier_versions_are_understood() -> None:
    """They were texts; a baseline of then is still good."""
    data = json.loads(written())
    data["rules"][0]["skipped"] = ["arn:a (b):key/1 (tags)", "111111111111/eu-west-1 (key-list in the baseline)"]
    assert read_result(json.dumps(data).encode()).rules[0].skipped == (
        SkippedScope("arn:a (b):key/1", Fact.TAGS),
        SkippedScope("111111111111/eu-west-1", Fact.KEY_LIST, in_baseline=True),
    )


def test_what_somebody_wrote_as_hash_version_or_place_stays_text() -> None:
    """AWS gives none of these; whoever made up a result may write anything there."""
    evil = "<img src=x>\n# [x](http://x) | \u202e../.."
    data = json.loads(written())
    data["tool_version"] = data["snapshot"]["provenance"]["content_hash"] = data["findings"][0]["account"] = evil
    report = read_result(json.dumps(data).encode())
    last = render(report, "markdown")["summary.md"].decode().splitlines()[-1]
    shown = r"&lt;img src=x\> \# \[x\]\(http:⁠//x\) \| ⟦U+202E⟧../.."
    assert last == f"Snapshot SHA-256 {shown}, kms-audit {shown}."
    (run,) = json.loads(render(report, "sarif")["report.sarif"])["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"aws/[A-Za-z0-9%._~-]+/([a-z0-9-]+/)?[A-Za-z0-9%._~-]+", uri), uri


@pytest.mark.parametrize("make", [varied, hostile, empty])
def test_a_result_says_all_that_the_report_does(make: Callable[[], Report]) -> None:
    report = make()
    again = read_result(write_result(report))
    for item in fields(Report):
        if item.name != "access":
            assert getattr(again, item.name) == getattr(report, item.name), item.name
    for item in fields(AccessTable):
        before, after = (getattr(one.access, item.name) for one in (report, again))
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after, item.name
