"""The Python API as scripts and notebooks use it: names, facts of a request and times in every form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from auditor.audit import Auditor, Evaluation
from auditor.errors import UsageError
from tests.cli.conftest import APP, KEY, ROOT, allow, estate, text


def evaluated() -> Evaluation:
    return Auditor().evaluate(estate(text(ROOT)))


def test_objects_are_names_and_a_notebook_shows_them_in_a_line() -> None:
    evaluation = evaluated()
    key = evaluation.snapshot.keys[0]
    caller = next(item for item in evaluation.principals if item.arn == APP)
    assert evaluation.who_can("decrypt", key) == evaluation.who_can("decrypt", key.arn)
    assert evaluation.what_can(caller) == evaluation.what_can(caller.arn)
    assert evaluation.explain(caller, "kms:Decrypt", key) == evaluation.explain(caller.arn, "kms:Decrypt", key.arn)
    assert repr(evaluation) == "<Evaluation of 2 keys x 4 principals as of 2026-11-24T07:00:00Z>"
    assert repr(Auditor().judge(evaluation)).startswith("<Report of ")


@pytest.mark.parametrize("value", ["203.0.113.7", ["203.0.113.7"], ("203.0.113.7",)])
def test_a_stated_fact_is_one_value_or_several(value: object) -> None:
    """A text is a value, not the letters in it."""
    office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    allowed = allow(Principal={"AWS": APP}, Action="kms:Decrypt", Condition=office)
    evaluation = Auditor().evaluate(estate(text(allowed)))
    asked = (APP, "kms:Decrypt", "alias/app")
    assert str(evaluation.explain(*asked).decision.outcome) == "conditional"
    assert str(evaluation.explain(*asked, {"aws:SourceIp": value}).decision.outcome) == "allowed"
    assert evaluation.explain(*asked, {"AWS:sourceip": None}).decision.outcome.denied
    mfa = allow(
        Principal={"AWS": APP}, Action="kms:Decrypt", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )
    evaluation = Auditor().evaluate(estate(text(mfa)))
    assert str(evaluation.explain(*asked, {"aws:MultiFactorAuthPresent": True}).decision.outcome) == "allowed"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda one: one.who_can("decrypt"), "No key was named"),
        (lambda one: one.who_can("decrypt", ["alias/app"]), "A list is no name of a key"),
        (lambda one: one.who_can(None, "alias/app"), "A NoneType is no KMS action"),
        (lambda one: one.what_can(), "No principal was named"),
        (lambda one: one.what_can(7), "A int is no name of a principal"),
        (lambda one: one.explain(APP, "kms:Decrypt", None), "A NoneType is no name of a key"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaServce": "x"}), "Did you mean kms:ViaService"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaService": "s3"}), "no value of kms:ViaService"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaService": b"s3"}), "neither text nor a list"),
        (lambda one: Auditor().routes(one.snapshot), "No key or principal was named"),
        (lambda one: Auditor({}), "A dict is no configuration"),
    ],
)
def test_wrong_arguments_are_errors_of_usage(ask: Callable[[Any], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask(evaluated())


@pytest.mark.parametrize("given", [date(2026, 12, 1), datetime(2026, 12, 1, 2, tzinfo=timezone(timedelta(hours=2)))])
def test_a_time_may_be_an_object(given: date) -> None:
    assert Auditor().evaluate(estate(text(ROOT)), given).as_of == "2026-12-01T00:00:00Z"
