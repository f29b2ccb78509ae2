"""What could not be read is never shown as “none”, as 0, as nobody, or as public."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from auditor.evaluator import evaluate
from auditor.model.access import Outcome
from auditor.model.finding import Confidence, FindingState
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.report import render
from auditor.report.counts import counts_of, outside
from auditor.report.wording import summary_words
from tests.report.estates import ACCOUNT, AS_OF, attached, ordinary

OUTSIDER = "222222222222"


def evaluated(snapshot: Snapshot) -> Report:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    return replace(
        ordinary(), snapshot=evaluation.snapshot, principals=evaluation.principals, access=evaluation.table, findings=()
    )


def dark(*facts: Fact) -> Report:
    """The first key without aliases, tags and grants, of which ``facts`` could not be read."""
    first, *rest = ordinary().snapshot.keys
    bare = replace(first, aliases=(), tags=(), grants=(), unread=frozenset(facts))
    return evaluated(replace(ordinary().snapshot, keys=(bare, *rest)))


def unread_rcps() -> Report:
    """An account outside and everybody are let in, and the RCPs of the account could not be read."""
    root = OrgTarget(id="r-1", kind=TargetKind.ROOT, name="Root", parent=None, rcps=())
    target = OrgTarget(
        id=ACCOUNT, kind=TargetKind.ACCOUNT, name="shop", parent="r-1", rcps=(), unread=frozenset({Fact.RCP})
    )
    organization = Organization(id="o-1", management_account=OUTSIDER, targets=(root, target))
    return evaluated(replace(ordinary().snapshot, organization=organization))


def page_of(report: Report, name: str) -> str:
    text = render(report, "html")["report.html"].decode()
    return re.split(r"</article>", text[text.index(f'id="{name}"') :])[0]


def shown(page: str, title: str) -> str:
    found = re.search(rf"<dt>{title}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert found, title
    return re.sub(r"<.*?>", "", found.group(1)).strip()


@pytest.mark.parametrize(("facts", "words"), [((Fact.TAGS, Fact.ALIASES), "not read"), ((), "none")])
def test_tags_and_aliases_of_a_key(facts: tuple[Fact, ...], words: str) -> None:
    page = page_of(dark(*facts), "key-0")
    assert (shown(page, "Tags"), shown(page, "Aliases")) == (words, words)


def test_numbers_and_lists_of_a_key_in_tables() -> None:
    report = dark(Fact.TAGS, Fact.ALIASES, Fact.GRANTS)
    rows = list(csv.DictReader(io.StringIO(render(report, "csv")["keys.csv"].decode(), newline="")))
    assert [rows[0][name] for name in ("tags", "aliases", "grants")] == ["not read"] * 3
    assert rows[1]["grants"] == "1"
    assert "The grants of 1 key could not be read" in render(report, "html")["report.html"].decode()


@pytest.mark.parametrize(("unread", "words"), [({Fact.IDENTITIES, Fact.BOUNDARY}, "not read"), (set(), "none")])
def test_boundary_groups_and_tags_of_a_principal(unread: set[Fact], words: str) -> None:
    report = ordinary()
    first, *rest = report.snapshot.principals
    one = replace(first, tags=(), unread=frozenset(unread))
    report = evaluated(replace(report.snapshot, principals=(one, *rest)))
    place = next(place for place, other in enumerate(report.principals) if other.arn == first.arn)
    page = page_of(report, f"principal-{place}")
    assert [shown(page, title) for title in ("Permissions boundary", "Groups", "Tags")] == [words] * 3


@pytest.mark.parametrize(
    ("unread", "words"),
    [
        ({Fact.IDENTITIES, Fact.BOUNDARY}, ["not read"] * 4),
        ({Fact.IDENTITIES}, ["not read"] * 4),
        ({Fact.IDENTITY_POLICY}, ["", "not read", "", ""]),
        ({Fact.BOUNDARY}, ["not read", "", "", ""]),
        (set(), [""] * 4),
    ],
)
def test_boundary_policies_groups_and_tags_in_tables(unread: set[Fact], words: list[str]) -> None:
    first, *rest = ordinary().snapshot.principals
    one = replace(first, tags=(), identity_policies=(), unread=frozenset(unread))
    report = evaluated(replace(ordinary().snapshot, principals=(one, *rest)))
    rows = csv.DictReader(io.StringIO(render(report, "csv")["principals.csv"].decode(), newline=""))
    (row,) = (row for row in rows if row["principal"] == first.arn)
    assert [row[name] for name in ("boundary", "policies", "groups", "tags")] == words


def test_an_outsider_of_whom_it_is_unknown_is_not_nobody() -> None:
    report = unread_rcps()
    counts = counts_of(report)
    assert (counts.outsiders, counts.readers) == (0, 0)
    assert counts.unknown_outsiders >= 1
    assert counts.unknown_readers >= counts.unknown_outsiders
    words = summary_words(report, counts)
    assert "outside the collected accounts it is unknown whether" in words
    assert "obody outside" not in words
    assert f"it is configured; of {counts.unknown_readers} more it is unknown." in words
    assert (
        f"principals who can decrypt, {counts.unknown_readers} unknown"
        in render(report, "html")["report.html"].decode()
    )


def test_a_finding_that_is_not_certain_calls_no_key_public() -> None:
    report = ordinary()
    called = [
        replace(one, rule="public-key-policy", state=FindingState.OPEN, confidence=level)
        for one, level in zip(report.findings, Confidence, strict=False)
    ]
    counts = counts_of(replace(report, findings=tuple(called)))
    assert (counts.public_keys, counts.unknown_public_keys) == (1, 1)
    words = summary_words(report, counts)
    assert "1 key is public" in words
    assert "1 key may be public" in words


def test_what_everybody_may_do_unless_something_unread_denies_it_may_be_public() -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    report = unread_rcps()
    first, *rest = report.snapshot.keys
    open_key = replace(first, policies=(attached(Layer.KEY_POLICY, "default", first.arn, allow),))
    report = evaluated(replace(report.snapshot, keys=(open_key, *rest)))
    everyone = next(n for n, one in enumerate(report.principals) if one.kind is PrincipalKind.EVERYONE)
    found = {report.access.decisions[n].outcome for n in report.access.profiles[int(report.access.cells[everyone, 0])]}
    assert Outcome.UNKNOWN in found
    counts = counts_of(report)
    assert (counts.public_keys, counts.unknown_public_keys) == (0, 1)


def test_an_account_whose_principals_could_not_be_read_is_not_outside() -> None:
    report = ordinary()
    account = replace(report.snapshot.accounts[0], unread=frozenset({Fact.IDENTITIES}))
    report = evaluated(replace(report.snapshot, accounts=(account,), principals=()))
    row = next(
        one for one in report.principals if one.kind is PrincipalKind.EXTERNAL_ACCOUNT and one.account == ACCOUNT
    )
    assert not outside(row)
    assert any(outside(one) for one in report.principals)
