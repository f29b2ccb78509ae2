"""The evidence of decisions: which layer is named for a fact that is missing."""

from __future__ import annotations

from auditor.cases import load_cases, run_case
from auditor.model.access import Cause, Role
from auditor.model.policy import Layer
from tests.test_cases import FOLDER

CASES = {case.id: case for case in load_cases([FOLDER / "interplay.yaml", FOLDER / "aliases_tags.yaml"])}

CASES_IN_FULL = {case.id: case for case in load_cases([FOLDER / "written_oddly.yaml"])}


def unread(title: str) -> set[Cause]:
    case = next(case for case in CASES.values() if case.title == title)
    return {cause for cause in run_case(case).decision.causes if cause.role is Role.UNREAD}


def test_an_undocumented_effect_belongs_to_the_policy_that_has_the_condition() -> None:
    in_rcp = unread("A tag condition in an RCP: effect undocumented")
    assert in_rcp == {Cause(Layer.RCP, Role.UNREAD, note="effect of a tag condition in an RCP")}
    in_key_policy = unread("An alias condition in a key policy: effect undocumented")
    assert in_key_policy == {Cause(Layer.KEY_POLICY, Role.UNREAD, note="effect of an alias condition in a key policy")}


def cited(title: str, role: Role) -> list[str]:
    case = next(case for case in load_cases([FOLDER / "keys_in_detail.yaml"]) if case.title == title)
    causes = run_case(case).decision.causes
    return [cause.statement.sid or "" for cause in causes if cause.role is role and cause.statement is not None]


def test_what_decides_by_itself_is_cited_before_what_needs_a_condition() -> None:
    assert cited("A deny without a condition after one with a condition", Role.DENIES) == ["Always", "Sometimes"]
    assert cited("An allow without a condition after one with a condition", Role.ALLOWS) == ["Always", "Sometimes"]


def test_statements_that_share_a_sid_are_cited_by_number() -> None:
    case = CASES_IN_FULL["WO-09"]
    (denied,) = [cause for cause in run_case(case).decision.causes if cause.role is Role.DENIES]
    assert denied.statement is not None
    assert str(denied.statement) == "key-policy default statement 2"
