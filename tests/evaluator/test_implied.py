"""What some facts of a request say about its other facts is true of the request that they were taken from."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from auditor.cases import load_cases
from auditor.evaluator import glob
from auditor.evaluator.facts import Question
from auditor.evaluator.values import KeyValue, Known, RunTime
from auditor.model.actions import find_action
from auditor.model.policy import Layer
from tests.evaluator.random_cases import random_case

COUNT = 1500


def admits(value: KeyValue, actual: tuple[str, ...]) -> bool:
    """Whether a condition key of which ``value`` is known may have the values ``actual``."""
    if isinstance(value, Known):
        return value.values == actual
    if not isinstance(value, RunTime) or not actual:
        return not isinstance(value, RunTime) or value.may_be_absent
    carried = {text.lower() for text in actual}
    return (
        (value.domain is None or set(actual) <= set(value.domain))
        and (not value.forms or all(any(glob.matches(form, text) for form in value.forms) for text in actual))
        and {text.lower() for text in value.includes} <= carried
    )


def test_what_is_implied_is_true_of_the_request(tmp_path: Path) -> None:
    random = Random(11)
    made = [random_case(random, f"I-{number}").case for number in range(COUNT)]
    file = tmp_path / "random.json"
    file.write_text(json.dumps([{**one, "expect": {"decision": "allowed"}} for one in made]))
    settled = 0
    for case in load_cases([file]):
        action = find_action(case.action)
        assert action is not None
        given = {name: case.context[name] for name in case.context if random.random() < 0.3}
        question = Question(case.surroundings, case.principal, case.key, action, Layer.IDENTITY, given)
        alone = Question(case.surroundings, case.principal, case.key, action, Layer.IDENTITY, {})
        for name in (name for name in case.context if name not in given):
            value, actual = question.value(name), case.context[name] or ()
            assert admits(value, actual), f"{name} is {actual}, not {value}, in {case.action} with {given}"
            settled += value != alone.value(name)
    assert settled > COUNT
