"""The Python API as scripts and notebooks use it: names, facts of a request and times in every form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.audit import Auditor, Evaluation
from auditor.cli.who_can import row
from auditor.config import load_config
from auditor.errors import UsageError
from auditor.evaluator import evaluate
from auditor.model.actions import Capability
from tests.cli.conftest import APP, KEY, ROOT, allow, estate, text


def evaluated() -> Evaluation:
    return Auditor().evaluate(estate(text(ROOT)))


def test_objects_are_names_and_a_notebook_shows_them_in_a_line() -> None:
    evaluation = evaluated()
    key = evaluation.snapshot.keys[0]
    caller = next(item for item in evaluation.principals if item.arn == APP)
    assert evaluation.who_can("decrypt", key) == evaluation.who_can("decrypt", key.arn)
    assert evaluation.what_can(caller) == evaluation.what_can(caller.arn)
    assert {answer.what for answer in evaluation.what_can(caller, what="kms:Decrypt")} == {"kms:Decrypt"}
    assert {answer.what for answer in evaluation.what_can(caller)} != {"kms:Decrypt"}
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
        (lambda one: one.who_can(None, "alias/app"), "None is no KMS action"),
        (lambda one: one.what_can(), "No principal was named"),
        (lambda one: one.what_can(7), "An int is no name of a principal"),
        (lambda one: one.explain(APP, "kms:Decrypt", None), "None is no name of a key"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaServce": "x"}), "Did you mean kms:ViaService"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaService": "s3"}), "no value of kms:ViaService"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, {"kms:ViaService": b"s3"}), "neither text nor a list"),
        (lambda one: Auditor().routes(one.snapshot), "No key or principal was named"),
        (lambda one: Auditor({}), "A dict is no configuration"),
        (lambda one: one.explain(APP, "kms:Decrypt", KEY, "kms:ViaService=x"), "A str is no context"),
        (lambda one: Auditor().load(None), "None is no path"),
        (lambda one: Auditor().load("a\0b"), "no character NUL"),
        (lambda one: Auditor().load("now", "now"), "A str is no DecodedShards"),
        (lambda one: Auditor().collect(3), "An int is no path"),
        (lambda one: Auditor().evaluate("snapshots/today"), "A str is no snapshot"),
        (lambda one: Auditor().evaluate(one.snapshot, ""), "is not a date or time"),
        (lambda one: Auditor().judge(one.snapshot), "A Snapshot is no evaluation"),
        (
            lambda one: Auditor().judge(evaluate(one.snapshot, as_of=one.as_of)),
            r"An auditor\.evaluator\.\S+\.Evaluation is no evaluation",
        ),
        (lambda one: Auditor().judge(one, baseline="result.json"), "A str is no baseline"),
        (lambda one: Auditor().routes(one, KEY), "An Evaluation is no snapshot"),
        (lambda one: Auditor().compare(one.snapshot, None), "None is no snapshot"),
        (lambda one: Auditor().rows(one), "An Evaluation is no snapshot"),
        (lambda one: Auditor().evaluate_part(one.snapshot, keys="alias/app"), "A str is no list of keys"),
        (lambda one: Auditor().evaluate_part(one.snapshot, keys=["alias/app"]), "A str is no key"),
        (lambda one: Auditor().evaluate_part(one.snapshot, principals=[KEY]), "A str is no principal"),
        (lambda one: audit.report_folder(one, "reports"), "An Evaluation is no snapshot"),
        (lambda one: audit.newest_snapshot(None), "None is no path"),
        (lambda one: audit.publish(one, "reports"), "An Evaluation is no report"),
        (lambda one: audit.render_one(None, "json"), "None is no report"),
        (lambda one: audit.verdict(one, "high"), "An Evaluation is no report"),
        (lambda one: audit.verdict(Auditor().judge(one), "grave"), "“grave” is no severity. Choose none, critical"),
        (lambda one: audit.publish(Auditor().judge(one), "reports", 3), "An int is no list of formats"),
        (lambda one: audit.render_one(Auditor().judge(one), ["json"]), "A list is no format"),
        (lambda one: audit.attest("result.json", "reports"), "A str is no list of files"),
        (lambda one: audit.attest([one], "reports"), "An Evaluation is no path"),
        (lambda one: audit.request_of(None), "None is no settings of a collection"),
        (lambda one: load_config(3), "An int is no path"),
    ],
)
def test_wrong_arguments_are_errors_of_usage(ask: Callable[[Any], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask(evaluated())


@pytest.mark.parametrize("given", [date(2026, 12, 1), datetime(2026, 12, 1, 2, tzinfo=timezone(timedelta(hours=2)))])
def test_a_time_may_be_an_object(given: date) -> None:
    assert Auditor().evaluate(estate(text(ROOT)), given).as_of == "2026-12-01T00:00:00Z"


def test_folders_may_be_texts_and_one_format_needs_no_list(tmp_path: Path) -> None:
    report = Auditor().judge(evaluated())
    (page,) = audit.publish(report, str(tmp_path), "markdown")
    assert page.parent == tmp_path


def test_keys_of_an_iterator_are_all_evaluated() -> None:
    snapshot = estate(text(ROOT))
    assert Auditor().evaluate_part(snapshot, keys=iter(snapshot.keys)).snapshot.keys == snapshot.keys  # type: ignore[arg-type]


def test_the_table_of_access_says_what_the_questions_say() -> None:
    """It also lists what one layer gives and another takes away."""
    evaluation = evaluated()
    columns = ("principal", "key", "outcome", "condition", "reason", "path", "action", "why")
    told = [tuple(one[name] for name in columns) for one in evaluation.access_frame().to_dict("records")]
    asked = [row(answer) for capability in Capability for answer in evaluation.who_can(capability, "*")]
    assert {tuple(one[name] for name in columns) for one in asked} == {one for one in told if "denied" not in one[2]}
