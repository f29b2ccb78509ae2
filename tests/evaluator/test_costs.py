"""Documents within AWS's limits that are made to cost: what they ask for grows with their size, not with its square."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor import evaluator
from auditor.audit import Auditor
from auditor.evaluator import evaluate, grants
from auditor.evaluator.consequences import said_by
from auditor.evaluator.consistency import satisfiable
from auditor.evaluator.name_index import NameIndex
from auditor.evaluator.simplify import simplify
from auditor.model.grant import Grant
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import AllOf, AnyOf, Leaf, Not, Residual
from auditor.questions.standing import Standing
from auditor.rules.view import View
from tests.cli.conftest import APP, BATCH, HOME, KEY, PARTNER, ROOT, allow, estate, key, role, text

MOST = 250


def patterns(number: int, key: str) -> Leaf:
    return Leaf("StringLike", key, (f"{number}*", f"*{number}*"))


@pytest.mark.parametrize(
    "tree",
    [
        AllOf(tuple(patterns(number, "aws:SourceVpce") for number in range(MOST))),
        AnyOf(tuple(Not(patterns(number, "aws:SourceVpce")) for number in range(MOST))),
        AllOf(tuple(AnyOf((patterns(n, "aws:userid"), patterns(n, "aws:UserAgent"))) for n in range(MOST // 2))),
    ],
)
def test_many_tests_of_one_condition_key_are_not_each_compared_with_all(
    tree: Residual, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    monkeypatch.setattr(
        "auditor.evaluator.simplify.satisfiable", lambda together: compared.extend(together) or satisfiable(together)
    )
    simplify(tree)
    assert 0 < len(compared) < 20 * MOST


def test_what_a_test_says_of_other_keys_is_asked_once_per_test(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for module in ("assumed", "simplify"):
        monkeypatch.setattr(f"auditor.evaluator.{module}.said_by", lambda one: asked.append(one) or said_by(one))
    simplify(AnyOf(tuple(Leaf("StringEquals", f"kms:EncryptionContext:k{n}", ("v",)) for n in range(MOST))))
    assert len(asked) < 10 * MOST


def of(**fields: Any) -> Grant:
    return Grant(**({"grant_id": "g", "key_arn": KEY, "issuing_account": HOME, "operations": ("Decrypt",)} | fields))


SESSION = f"arn:aws:sts::{HOME}:assumed-role/app/s"
HOLDERS = (
    {"grantee": APP},
    {"grantee": BATCH, "retiring": APP},
    {"grantee": SESSION},
    {"grantee": f"arn:aws:sts::{HOME}:assumed-role/app/other"},
    {"grantee": "AROAAPPXXXXXXXXXXXXX"},
    {"grantee": HOME, "retiring": PARTNER},
    {"grantee": "arn:aws:iam::222222222222:root"},
    {"grantee": PARTNER, "issuing_account": "222222222222"},
    {"grantee": f"arn:aws:iam::{HOME}:role/path/deep"},
    {"grantee": "rds.amazonaws.com", "retiring": "rds.amazonaws.com"},
    {"grantee_service": "rds.amazonaws.com", "retiring_service": "ec2.amazonaws.com"},
    {"grantee": APP, "issuing_account": None},
    {},
)


def callers() -> list[Principal]:
    def stranger(kind: PrincipalKind, arn: str, account: str | None, iam_arn: str = "") -> Principal:
        return Principal(kind=kind, arn=arn, iam_arn=iam_arn or arn, account=account, name=arn.rsplit("/", 1)[-1])

    outside = PrincipalKind.EXTERNAL_PRINCIPAL
    deep = f"arn:aws:iam::{HOME}:role/path/deep"
    return [
        role(APP),
        role(BATCH),
        role(deep),
        stranger(PrincipalKind.SESSION, SESSION, HOME, APP),
        stranger(PrincipalKind.ROOT, f"arn:aws:iam::{HOME}:root", HOME),
        stranger(PrincipalKind.SERVICE, "rds.amazonaws.com", None),
        stranger(PrincipalKind.SERVICE, "ec2.amazonaws.com", None),
        stranger(PrincipalKind.EXTERNAL_ACCOUNT, "arn:aws:iam::222222222222:root", "222222222222"),
        stranger(outside, PARTNER, "222222222222"),
        stranger(outside, f"arn:aws:sts::{HOME}:assumed-role/deep/s", HOME),
        stranger(outside, "arn:aws:sts::222222222222:assumed-role/partner/s", "222222222222"),
        stranger(PrincipalKind.EVERYONE, "*", None),
    ]


@pytest.mark.parametrize("holder", HOLDERS, ids=str)
def test_the_grants_that_are_left_out_are_about_somebody_else(
    holder: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law: asking about each grant gives every caller the same answers."""
    one = key(KEY, "alias/app", text(ROOT), grants=(of(**holder), of(grant_id="h", grantee=BATCH)))
    facts = estate(keys=(one,))

    def answers() -> list[object]:
        part = Auditor().evaluate_part(facts, principals=callers())
        alone = [part.decide(who, one, what) for who in callers() for what in ("kms:Decrypt", "kms:RetireGrant")]
        return [alone, [part.table.decision(row, 0, action) for row in range(12) for action in grants.ACTIONS]]

    found = answers()
    monkeypatch.setattr(NameIndex, "about", lambda index, principal: tuple(index._items))
    assert found == answers()


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("holder", [*HOLDERS, {"grantee": "*"}, {"grantee": f"arn:aws:iam::{HOME}:user/app"}], ids=str)
def test_the_principals_that_are_left_out_are_somebody_else(
    holder: dict[str, Any], effect: str, element: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law: asking about each entry of a Principal element gives every caller the same answers."""
    service = holder.get("grantee_service")
    listed = {"Service": [service]} if service else {"AWS": [holder.get("grantee", HOME), BATCH, SESSION]}
    statement = {"Effect": effect, element: listed, "Action": "kms:Decrypt", "Resource": "*"}
    one = key(KEY, "alias/app", text(ROOT, statement))
    facts = estate(keys=(one,))

    def answers() -> list[object]:
        part = Auditor().evaluate_part(facts, principals=callers())
        alone = [part.decide(who, one, "kms:Decrypt") for who in callers()]
        return [alone, [part.table.decision(row, 0, action) for row in range(12) for action in grants.ACTIONS]]

    found = answers()
    monkeypatch.setattr(NameIndex, "about", lambda index, principal: tuple(index._items))
    assert found == answers()


def test_each_caller_is_asked_about_its_own_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(grants, "operations_mask", lambda grant: asked.append(grant) or 0)
    many = tuple(of(grant_id=f"{n}", grantee=f"arn:aws:iam::{n:012}:role/r") for n in range(100))
    evaluate(estate(keys=(key(KEY, "alias/app", text(ROOT), grants=many),)), as_of="2026-11-24T00:00:00Z")
    assert len(asked) < 20 * len(many)


def test_what_would_take_access_away_is_tried_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    decide = Standing.decide
    monkeypatch.setattr(Standing, "decide", lambda standing: tried.append(standing) or decide(standing))
    tests = [{"StringEquals": {f"kms:EncryptionContext:k{n}": "v"}} for n in range(64)]
    statements = [allow(Principal={"AWS": APP}, Action="kms:Decrypt", Condition=one) for one in tests]
    alone = allow(Sid="Alone", Principal={"AWS": APP}, Action="kms:Encrypt")
    evaluation = Auditor().evaluate(estate(text(*statements, alone)))
    assert not any("“Alone”" in words for words in evaluation.explain(APP, "kms:Decrypt", KEY).turning)
    assert len(tried) < 64
    (first, *_) = evaluation.explain(APP, "kms:Encrypt", KEY).turning
    assert first == "Take kms:Encrypt away from key policy default statement “Alone”."


def test_the_denies_that_have_to_go_are_looked_for_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    decide = Standing.decide
    monkeypatch.setattr(Standing, "decide", lambda standing: tried.append(standing) or decide(standing))
    tests = [{"StringEquals": {f"kms:EncryptionContext:k{n}": "v"}} for n in range(64)]
    guards = [{**allow(Principal="*", Action="kms:*", Condition=one), "Effect": "Deny"} for one in tests]
    context = {"Null": {"kms:EncryptionContext:k7": "true"}}
    another = {**allow(Sid="Another", Principal="*", Action="kms:*", Condition=context), "Effect": "Deny"}
    given = allow(Sid="Given", Principal={"AWS": APP}, Action="kms:Decrypt", Condition=tests[7])
    evaluation = Auditor().evaluate(estate(text(*guards, another, given)))
    found = [words for words in evaluation.explain(APP, "kms:Decrypt", KEY).turning if words.startswith("Remove")]
    assert found == ["Remove or narrow key policy default statement 8."]
    assert len(tried) < 64


def test_strangers_that_fit_hundreds_of_patterns_are_decided_together(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = [], []
    decide, decide_together = evaluator.Evaluation.decide, View.decide_together
    monkeypatch.setattr(evaluator.Evaluation, "decide", lambda *given: alone.append(given[1].arn) or decide(*given))
    monkeypatch.setattr(View, "decide_together", lambda *given: together.append(given) or decide_together(*given))
    patterns = [f"{number}*" for number in range(300, 500)]
    open_to = allow(Principal="*", Action="kms:*", Condition={"StringLike": {"kms:CallerAccount": patterns}})
    report = Auditor().judge(Auditor().evaluate(estate(text(ROOT, open_to))))
    assert any(finding.rule.startswith("public-key-policy") for finding in report.findings)
    assert not [arn for arn in alone if arn.startswith(("3", "4"))]
    assert len(together) < 20


def test_a_document_is_read_once_for_the_corrections_of_all_its_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    loads = json.loads
    monkeypatch.setattr(
        "auditor.rules.statements.json.loads", lambda text, **more: read.append(text) or loads(text, **more)
    )
    broken = [allow(Principal={"AWS": APP}, Action="kms:Decrypt", Conditions={"n": number}) for number in range(60)]
    report = Auditor().judge(Auditor().evaluate(estate(text(ROOT, *broken))))
    assert sum(finding.rule == "malformed-statement" for finding in report.findings)
    assert 0 < len(read) < 600
