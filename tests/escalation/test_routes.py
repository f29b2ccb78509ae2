"""Routes: cases as data, and the laws that hold between the two questions and the finding about paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import Auditor
from auditor.config import Config
from auditor.escalation import Route, RouteKind, routes_from, routes_to
from auditor.escalation.of_identities import lets_in
from auditor.evaluator import evaluate
from auditor.evaluator.mentions import rows
from auditor.model.principal import PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.rules import judge
from tests.cli.conftest import allow, role
from tests.cli.conftest import estate as small_estate
from tests.rules import estate
from tests.rules.test_cases import CASES

DATA = yaml.safe_load((Path(__file__).parent / "routes.yaml").read_text(encoding="utf-8"))
OWN = [{**DATA["defaults"], **case} for case in DATA["cases"]]
ABOUT_PATHS = (
    "indirect-key-access-path",
    "abac-tag-escalation",
    "abac-alias-hijack",
    "abac-principal-tag-self-service",
    "key-takeover-by-non-admin",
    "vendor-role-without-external-id",
)
ESTATES = [case for rule, case in CASES if rule in ABOUT_PATHS] + OWN


def to_all(snapshot: Snapshot, case: dict[str, Any]) -> tuple[Route, ...]:
    return routes_to(snapshot, snapshot.keys, estate.settings(case.get("settings")), as_of(case))


def as_of(case: dict[str, Any]) -> str:
    return str(case.get("as_of", estate.AS_OF))


def shown(route: Route) -> str:
    keys = " ".join(arn.rsplit("/", 1)[1] for arn in route.keys)
    words = route.words.replace("arn:aws:iam::111111111111:", "").replace("arn:aws:iam::", "")
    return f"{words} | {keys} | {route.gains}"


@pytest.mark.parametrize("case", OWN, ids=[case["name"] for case in OWN])
def test_case(case: dict[str, Any]) -> None:
    found = to_all(estate.snapshot(case), case)
    assert [shown(route) for route in found] == case["to"]
    told = "\n".join((*(note for route in found for note in route.notes), *(str(route.evidence) for route in found)))
    if "notes" in case:
        assert [list(route.notes) for route in found] == case["notes"]
    for words in case.get("says", ()):
        assert words in told


@pytest.mark.parametrize("case", ESTATES, ids=[case["name"] for case in ESTATES])
def test_both_questions_find_the_same(case: dict[str, Any]) -> None:
    snapshot, settings = estate.snapshot(case), estate.settings(case.get("settings"))
    reaching = {(route.principal, key) for route in to_all(snapshot, case) for key in route.keys}
    to_each = {key.arn: routes_to(snapshot, (key,), settings, as_of(case)) for key in snapshot.keys}
    one_by_one = {(route.principal, arn) for arn, routes in to_each.items() for route in routes}
    assert all(route.keys == (arn,) for arn, routes in to_each.items() for route in routes)
    from_each = {who: routes_from(snapshot, (who,), settings, as_of(case)) for who in rows(snapshot)}
    leading = {(route.principal, key) for routes in from_each.values() for route in routes for key in route.keys}
    for who, routes in from_each.items():
        assert all(route.keys and (lets_in(route.principal, who) or route.principal == who.iam_arn) for route in routes)
    assert one_by_one == reaching
    strangers = {route.principal for route in to_all(snapshot, case) if route.kind is RouteKind.OUTSIDE}
    assert {pair for pair in leading if pair[0] not in strangers} == {
        pair for pair in reaching if pair[0] not in strangers
    }


@pytest.mark.parametrize("case", ESTATES, ids=[case["name"] for case in ESTATES])
def test_findings_about_paths_are_routes(case: dict[str, Any]) -> None:
    snapshot, settings = estate.snapshot(case), estate.settings(case.get("settings"))
    judgement = judge(
        evaluate(snapshot, as_of=as_of(case)), settings, as_of=as_of(case), only=["indirect-key-access-path"]
    )
    routes = to_all(snapshot, case)
    told = {(finding.subject, key) for finding in judgement.findings for key in finding.keys}
    found, shared = (
        {(route.principal, key) for route in routes for key in route.keys if route.kind is kind}
        for kind in (RouteKind.IDENTITY, RouteKind.SHARE)
    )
    assert {pair for pair in told if pair[0].startswith("arn:")} <= found | shared
    if "account_admins" in (case.get("settings") or {}):  # of whom no finding tells shares
        shared &= told
    administrators = {who for one in judgement.findings if one.subject_kind == "account" for who in one.principals}
    assert {who for who, _ in found | shared} == {who for who, _ in told if who.startswith("arn:")} | administrators


def test_a_session_has_the_routes_of_its_role_and_a_stranger_those_of_who_lets_it_in() -> None:
    case = next(case for case in OWN if case["name"].startswith("a stranger"))
    auditor, snapshot = Auditor(Config(rules=estate.settings(None))), estate.snapshot(case)
    session = auditor.routes(snapshot, "arn:aws:sts::111111111111:assumed-role/vendor/me", as_of=estate.AS_OF)
    assert [route.principal for route in session] == ["arn:aws:iam::111111111111:role/vendor"]
    stranger = auditor.routes(snapshot, "arn:aws:iam::222222222222:user/x", as_of=estate.AS_OF)
    assert {route.kind for route in stranger} == {RouteKind.OUTSIDE}
    nobody = "arn:aws:iam::444444444444:user/x"
    assert auditor.routes(snapshot, "arn:aws:iam::222222222222:user/x", nobody, as_of=estate.AS_OF) == stranger
    assert auditor.routes(snapshot, "444444444444", as_of=estate.AS_OF) == ()


@pytest.mark.parametrize(
    ("named", "enters"),
    [
        ("*", True),
        ("222222222222", True),
        ("arn:aws:iam::222222222222:root", True),
        ("arn:aws:iam::222222222222:role/x", True),
        ("arn:aws:sts::222222222222:assumed-role/x/me", True),
        ("arn:aws:sts::222222222222:assumed-role/x/you", False),
        ("arn:aws:iam::222222222222:role/y", False),
        ("333333333333", False),
    ],
)
def test_a_stranger_enters_where_the_trust_policy_may_mean_it(named: str, enters: bool) -> None:
    trust = [{"Sid": "Vendor", "Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"}]
    reads = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]
    snapshot = estate.snapshot({**DATA["defaults"], "roles": [{"name": "vendor", "policy": reads, "trust": trust}]})
    session = "arn:aws:sts::222222222222:assumed-role/x/me"
    found = Auditor(Config(rules=estate.settings(None))).routes(snapshot, session, as_of=estate.AS_OF)
    assert [route.principal for route in found] == ([named] if enters else [])


def test_keys_and_principals_may_be_asked_together() -> None:
    walker = role("arn:aws:iam::111111111111:role/walker", allow(Action="iam:PutRolePolicy"))
    facts = small_estate(principals=(walker,))
    assert walker.kind is PrincipalKind.ROLE
    both = Auditor().routes(facts, "walker", "alias/app")
    assert {route.keys for route in both if route.kind is RouteKind.IDENTITY} == {
        tuple(sorted(key.arn for key in facts.keys)),
        (facts.keys[0].arn,),
    }
