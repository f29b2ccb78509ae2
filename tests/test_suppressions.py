"""Suppressions: refused when nobody answers for them, expired ones reopen, unused ones are reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from auditor.errors import ConfigError
from auditor.model.finding import Finding, FindingState, Severity
from auditor.suppressions import Applied, apply, load_suppressions

KEY = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111111111111:role/app"
FINDING = Finding(
    rule="rotation-disabled",
    code="LIF-001",
    title="Rotation is off",
    category="lifecycle",
    severity=Severity.MEDIUM,
    subject=KEY,
    subject_kind="key",
    summary="no rotation",
    fingerprint="0123456789abcdef0123",
    account="111111111111",
)
ENTRY = """
- rule: rotation-disabled
  subject: "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-*"
  kind: accepted-risk
  reason: rotated by hand
  approver: a.smith
  approved: 2026-10-01
  expires: 2027-03-01
"""
SUBJECT = 'subject: "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-*"'
TODAY = date(2026, 11, 24)


def load(tmp_path: Path, text: str) -> tuple:  # type: ignore[type-arg]
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return load_suppressions(path)


def test_accepted_findings_stay_with_their_reason(tmp_path: Path) -> None:
    applied = apply((FINDING,), load(tmp_path, ENTRY), TODAY)
    assert applied.findings[0].state is FindingState.ACCEPTED
    assert "a.smith" in dict(applied.findings[0].extra)["accepted"]
    assert applied.notes == ()


@pytest.mark.parametrize(
    ("keys", "principals", "line", "accepted"),
    [
        ((KEY,), (), SUBJECT, True),
        ((KEY, KEY.replace("1234abcd", "9999abcd")), (), SUBJECT, False),
        ((), (), SUBJECT, False),
        ((KEY,), (ROLE,), f'principal: "{ROLE}"', True),
        ((KEY,), (ROLE, f"{ROLE}-2"), f'principal: "{ROLE}"', False),
        ((KEY,), (ROLE, f"{ROLE}-2"), f'principal: "{ROLE}*"', True),
        ((KEY,), (f"{ROLE}-2",), 'principal: "arn:aws:iam::111111111111:user/dev"', True),
    ],
)
def test_one_of_several_does_not_answer_for_the_others(
    tmp_path: Path, keys: tuple[str, ...], principals: tuple[str, ...], line: str, accepted: bool
) -> None:
    finding = replace(FINDING, subject="arn:aws:iam::111111111111:user/dev", keys=keys, principals=principals)
    applied = apply((finding,), load(tmp_path, ENTRY.replace(SUBJECT, line)), TODAY)
    assert (applied.findings[0].state is FindingState.ACCEPTED) is accepted


@pytest.mark.parametrize("field", ["subject", "principal", "account"])
@pytest.mark.parametrize("pattern", ["[a1]*", "[!x]*", "[0-9a-z]*", "[a1]??*"])
def test_only_star_and_question_mark_are_wildcards(tmp_path: Path, field: str, pattern: str) -> None:
    """A class of characters at the beginning would accept everything, and look as if it did not."""
    entries = load(tmp_path, ENTRY.replace(SUBJECT, f'{field}: "{pattern}"'))
    assert apply((FINDING,), entries, TODAY).findings == (FINDING,)


def test_expired_entries_reopen(tmp_path: Path) -> None:
    applied = apply((FINDING,), load(tmp_path, ENTRY), date(2027, 3, 2))
    assert applied.findings == (FINDING,)
    assert "expired" in applied.notes[0]


def test_entries_that_match_nothing_are_reported(tmp_path: Path) -> None:
    applied = apply((replace(FINDING, rule="other"),), load(tmp_path, ENTRY), TODAY)
    assert applied.findings[0].state is FindingState.OPEN
    assert "matches nothing" in applied.notes[0]


def test_critical_findings_have_a_shorter_limit(tmp_path: Path) -> None:
    critical = replace(FINDING, severity=Severity.CRITICAL)
    applied = apply((critical,), load(tmp_path, ENTRY), TODAY)
    assert applied.findings[0].state is FindingState.OPEN
    assert "90 days" in applied.notes[0]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("  approver: a.smith\n", "", "“approver” is missing"),
        ("reason: rotated by hand", "reason: …", "“reason” is missing or not filled in"),
        ("reason: rotated by hand", "reason: '. ...'", "“reason” is missing or not filled in"),
        ("  reason: rotated by hand\n", "", "“reason” is missing"),
        ("rule: rotation-disabled\n", "ticket: OPS-7\n", "“rule” is missing"),
        ("  kind: accepted-risk\n", "", "“kind” is missing"),
        ("  expires: 2027-03-01\n", "", "“expires” is missing"),
        ("  expires: 2027-03-01\n", "  expires:\n", "“expires” is missing"),
        ("expires: 2027-03-01", "expires: 2027-10-02", "more than 365 days"),
        ("expires: 2027-03-01", "expires: 2028-03-01", "more than 365 days"),
        ("expires: 2027-03-01", "expires: soon", "not a date"),
        ("expires: 2027-03-01", "expires: 20270301", "“20270301” is not a date"),
        (SUBJECT, 'subject: "*"', "accepts every finding"),
        ("kind: accepted-risk", "kind: whatever", "no kind"),
        ("reason:", "because: x\n  reason:", "unknown field “because”"),
        (SUBJECT, 'subject: "**?"', "accepts every finding"),
        (SUBJECT, 'subject: "*:key/1234abcd-*"', "begins with a wildcard"),
        (SUBJECT, 'subject: "?rn:aws:kms:eu-west-1:111111111111:key/1234abcd-*"', "begins with a wildcard"),
        (SUBJECT, 'subject: "arn:aws:kms:*:*:*"', "accepts every finding"),
        (SUBJECT, 'subject: "arn:aws:*"', "accepts every finding"),
        (SUBJECT, 'subject: "arn:aws:kms:*:*:key/*"', "accepts every finding"),
        (SUBJECT, 'subject: "ar*"', "accepts every finding"),
        (SUBJECT, "match: [x]", "“match” must be a map"),
        ("rule: rotation-disabled", "rule: LIF-01", "is no rule id"),
        ("rule: rotation-disabled", 'rule: "*"', "is no rule id"),
        ("reason: rotated by hand", "reason: [a]", "“reason” must be text"),
        ("approved: 2026-10-01", "approved: 2026-02-30", "“2026-02-30” is not a date"),
        ("approved: 2026-10-01", "approved: 2026-10-01 12:00:00", "is not a date"),
        ("expires: 2027-03-01", "expires: 2026-09-30", "expires before it was approved"),
        ("approved: 2026-10-01", "approved: 9999-12-31", "expires before it was approved"),
    ],
)
def test_bad_entries_are_refused(tmp_path: Path, was: str, becomes: str, message: str) -> None:
    assert was in ENTRY
    with pytest.raises(ConfigError, match="entry 1") as caught:
        load(tmp_path, ENTRY.replace(was, becomes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- rule: caf\xe9", "not UTF-8 text (byte 11)"),
        (b"[" * 5000, "nested too deeply"),
        (ENTRY.encode() + b"  reason: other", "the name 'reason' occurs twice in one object (line 9, column 3)"),
        (b"- !!python/object/apply:os.getcwd []", "not readable as YAML"),
        (b"rule: x", "expected a list of accepted findings"),
    ],
)
def test_files_that_are_no_register_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_suppressions(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_an_entry_may_run_for_exactly_as_long_as_it_may(tmp_path: Path) -> None:
    """365 days, and 90 for a critical finding, from the approval on; the last day counts."""
    year = load(tmp_path, ENTRY.replace("2027-03-01", "2027-10-01"))
    assert apply((FINDING,), year, date(2027, 10, 1)).findings[0].state is FindingState.ACCEPTED
    assert apply((FINDING,), year, date(2027, 10, 2)).findings[0].state is FindingState.OPEN
    critical = replace(FINDING, severity=Severity.CRITICAL)
    for last, state in (("2026-12-30", FindingState.ACCEPTED), ("2026-12-31", FindingState.OPEN)):
        entries = load(tmp_path, ENTRY.replace("2027-03-01", last))
        assert apply((critical,), entries, TODAY).findings[0].state is state
    same_day = load(tmp_path, ENTRY.replace("2027-03-01", "2026-10-01"))
    assert apply((FINDING,), same_day, date(2026, 10, 1)).findings[0].state is FindingState.ACCEPTED


def test_an_accepted_finding_says_by_whom_until_when_and_on_what_ground(tmp_path: Path) -> None:
    applied = apply((FINDING,), load(tmp_path, ENTRY + "  ticket: OPS-7\n  evidence: audit log\n"), TODAY)
    assert dict(applied.findings[0].extra)["accepted"] == (
        "accepted-risk: rotated by hand "
        "(approved by a.smith on 2026-10-01, until 2027-03-01; ticket OPS-7; evidence audit log)"
    )
    unverified = replace(FINDING, state=FindingState.UNVERIFIED)
    assert apply((unverified,), load(tmp_path, ENTRY), TODAY) == (Applied((unverified,), ()))


@pytest.mark.parametrize("place", ["eu-west-1:*:*", "*:111111111111:*", "*:*:key/1234abcd-*", "*:*:alias/app*"])
def test_a_region_an_account_or_a_part_of_a_name_is_narrow_enough(tmp_path: Path, place: str) -> None:
    (entry,) = load(tmp_path, ENTRY.replace(SUBJECT, f"subject: 'arn:aws:kms:{place}'"))
    assert entry.subject == f"arn:aws:kms:{place}"


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("fingerprint: 0123456789abcdef0123", True),
        ("fingerprint: 0123456789abcdef0124", False),
        ("account: '111111111111'", True),
        ("account: '1111*'", True),
        ("account: '222222222222'", False),
        (f"{SUBJECT}\n  account: '222222222222'", False),
        (f"{SUBJECT}\n  principal: '{ROLE}'", False),
        (f"{SUBJECT}\n  fingerprint: 0123456789abcdef0123\n  account: '111111111111'", True),
    ],
)
def test_every_pattern_has_to_fit(tmp_path: Path, line: str, fits: bool) -> None:
    (entry,) = load(tmp_path, ENTRY.replace(SUBJECT, line))
    assert entry.matches(FINDING) is fits
    assert not entry.matches(replace(FINDING, rule="other"))


def test_notes_name_the_entry_by_its_patterns(tmp_path: Path) -> None:
    entries = load(tmp_path, ENTRY.replace(SUBJECT, "account: '111111111111'\n  fingerprint: abc"))
    words = "suppression of rotation-disabled (fingerprint=abc, account=111111111111)"
    assert apply((), entries, TODAY).notes == (f"{words} matches nothing",)
    late = date(2027, 3, 2)
    assert apply((), entries, late).notes == (f"{words} matches nothing and expired on 2027-03-01",)
    assert apply((), entries, date(2027, 3, 1)).notes == (f"{words} matches nothing",)
    fitting = (replace(FINDING, fingerprint="abc"),)
    assert apply(fitting, entries, late).notes == (f"{words} expired on 2027-03-01",)


def test_an_account_id_keeps_its_zero_and_the_last_day_counts(tmp_path: Path) -> None:
    text = ENTRY.replace("expires: 2027-03-01", "expires: 9999-12-31").replace("2026-10-01", "9999-12-30")
    (entry,) = load(tmp_path, text + "  account: 012345670123\n")
    assert entry.account == "012345670123"


def test_patterns_may_stand_in_match_and_the_day_of_approval_is_optional(tmp_path: Path) -> None:
    text = ENTRY.replace(SUBJECT, f"match: {{key: '{KEY}'}}").replace("  approved: 2026-10-01\n", "  ticket: OPS-7\n")
    applied = apply((FINDING,), load(tmp_path, text), TODAY)
    assert applied.findings[0].state is FindingState.ACCEPTED
    told = "accepted-risk: rotated by hand (approved by a.smith, until 2027-03-01; ticket OPS-7)"
    assert dict(applied.findings[0].extra)["accepted"] == told
    assert load(tmp_path, text.replace("OPS-7", "")) == (replace(load(tmp_path, text)[0], ticket=""),)
    assert load(tmp_path, f"{ENTRY}  account:\n") == load(tmp_path, ENTRY)
    far = text.replace("2027-03-01", "2028-03-01")
    applied = apply((FINDING,), load(tmp_path, far), TODAY)
    assert applied.findings[0].state is FindingState.OPEN
    assert "365 days" in applied.notes[0]


def test_a_valid_entry_counts_beside_an_expired_one(tmp_path: Path) -> None:
    old = ENTRY.replace("2026-10-01", "2026-01-01").replace("2027-03-01", "2026-02-01")
    applied = apply((FINDING,), load(tmp_path, old + ENTRY), TODAY)
    assert applied.findings[0].state is FindingState.ACCEPTED
    assert applied.notes == ()


def test_two_runs_without_a_match_make_an_entry_unused(tmp_path: Path) -> None:
    entries = load(tmp_path, ENTRY)
    first = apply((), entries, TODAY)
    second = apply((), entries, TODAY, first.notes)
    third = apply((), entries, TODAY, second.notes)
    assert "matches nothing" in first.notes[0]
    assert second.notes == third.notes
    assert "is unused: it matched nothing in two runs" in second.notes[0]


def test_an_approval_that_is_yet_to_come_does_not_lengthen_an_entry(tmp_path: Path) -> None:
    text = ENTRY.replace("2026-10-01", "2027-06-01").replace("2027-03-01", "2028-05-31")
    applied = apply((FINDING,), load(tmp_path, text), TODAY)
    assert applied.findings[0].state is FindingState.OPEN
    assert "365 days" in applied.notes[0]


def test_an_entry_of_a_resolved_finding_matches_nothing(tmp_path: Path) -> None:
    resolved = replace(FINDING, state=FindingState.RESOLVED)
    applied = apply((resolved,), load(tmp_path, ENTRY), TODAY)
    assert applied.findings == (resolved,)
    assert "matches nothing" in applied.notes[0]


def test_the_register_in_the_readme_is_taken(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (block,) = [part for part in readme.split("```yaml\n")[1:] if part.startswith("- rule:")]
    (entry,) = load(tmp_path, block.split("```")[0])
    assert entry.rule == "rotation-disabled"
