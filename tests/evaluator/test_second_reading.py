"""The evaluator against a second reading of the reference, on random cases of all layers at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from auditor.cases import Case, load_cases
from auditor.evaluator import decide
from auditor.evaluator.expressions import leaves
from auditor.evaluator.words import in_words
from auditor.model.access import Decision, Outcome
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual
from tests.evaluator.random_cases import another_request, random_case
from tests.evaluator.second_decision import decision
from tests.evaluator.second_reading import Facts, Reading, passes, resolved
from tests.evaluator.second_reasons import reasons

COUNT = 2000
REQUESTS = 2000
"""Enough to meet each condition of the random cases."""
UNSETTLED = (
    ("service", "PrincipalType|userid|PrincipalAccount|CallerAccount"),  # what a service's own calls carry
    ("federated_user", "NotPrincipal"),  # whether naming the user spares its sessions
    ("GENERATE_VERIFY_MAC", "EncryptionAlgorithm"),  # Decrypt with a key that cannot
    ("CreateKey|ListKeys", "kms:(Key|Multi|via|Grant|Request|Encr)|RequestedRegion|NotResource"),
    ("Alias$", "aws:Resource(Org|Account)"),
)
"""Where the reference does not say: what a case has, and the condition keys or elements that it leaves open."""


def open_in_the_reference(reading: Reading) -> bool:
    case = reading.case
    has = "|".join((reading.kind, case["key"]["usage"], reading.action))
    texts = json.dumps([case["key_policies"], case["principal"], case["organization"]])
    return any(re.search(kind, has) and re.search(what, texts, re.IGNORECASE) for kind, what in UNSETTLED)


def readings(seed: int) -> Iterator[Reading]:
    random, found = Random(seed), 0
    while found < COUNT:
        reading = random_case(random, f"R-{found}")
        if not open_in_the_reference(reading):
            found += 1
            yield reading


def as_cases(made: list[Reading], folder: Path) -> tuple[Case, ...]:
    file = folder / "random.json"
    file.write_text(json.dumps([{**one.case, "expect": {"decision": decision(one)}} for one in made]))
    return load_cases([file])


def holds(tree: Residual, facts: Facts) -> bool:
    match tree:
        case Constant(value):
            return value
        case Not(item):
            return not holds(item, facts)
        case AllOf(items):
            return all(holds(item, facts) for item in items)
        case AnyOf(items):
            return any(holds(item, facts) for item in items)
        case Leaf(operator, _, values) if operator.startswith("Grant"):
            given = {(n, facts[f"kms:encryptioncontext:{n}"][0]) for n in low(facts["kms:encryptioncontextkeys"])}
            wanted = {(name.lower(), value) for name, _, value in (pair.partition("=") for pair in values)}
            return given == wanted if operator.endswith("Equals") else wanted <= given
        case Leaf(operator, key, values):
            known = [known_text for text in values if (known_text := resolved(text, facts)) is not None]
            return passes(operator, known, facts.get(key.lower(), []))
    raise AssertionError(tree)


def low(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


def asked(case: Case, context: dict[str, tuple[str, ...] | None]) -> Decision:
    return decide(case.surroundings, case.principal, case.key, case.action, context)


@pytest.fixture(scope="module", params=(1, pytest.param(2, marks=pytest.mark.slow)))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Reading, Case]]:
    made = list(readings(request.param))
    return list(zip(made, as_cases(made, tmp_path_factory.mktemp("random")), strict=True))


@pytest.fixture(scope="module")
def answered(world: list[tuple[Reading, Case]]) -> list[tuple[Reading, Case, Decision]]:
    """The same with the answers when all facts are known."""
    return [(reading, case, asked(case, dict(case.context))) for reading, case in world]


def test_with_all_facts_known_both_readings_agree(answered: list[tuple[Reading, Case, Decision]]) -> None:
    outcomes = set()
    for reading, case, found in answered:
        outcomes.add(found.outcome)
        same = str(found.outcome) == case.expect.decision or (case.expect.decision == "denied" and found.outcome.denied)
        assert same, f"{found.outcome} ({found.reason}), not {case.expect.decision}: {json.dumps(reading.case)}"
    assert outcomes == {Outcome.ALLOWED, Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED}


def test_the_reason_is_a_path_that_holds_or_a_layer_that_stops(answered: list[tuple[Reading, Case, Decision]]) -> None:
    seen = set()
    for reading, _, found in answered:
        seen.add(found.reason)
        accepted = reasons(reading, str(found.outcome))
        assert found.reason in accepted, f"{found.reason}, not one of {sorted(accepted)}: {json.dumps(reading.case)}"
    assert len(seen) > 15


def test_with_few_facts_known_the_residual_says_the_rest(world: list[tuple[Reading, Case]]) -> None:
    random, conditional = Random(3), 0
    for reading, case in world:
        found = asked(case, {name: value for name, value in case.context.items() if random.random() < 0.2})
        conditional += found.outcome is Outcome.CONDITIONAL
        residual = found.residual or Constant(found.outcome is Outcome.ALLOWED)
        assert not any(leaf.operator == "Unsettled" for leaf in leaves(residual)), json.dumps(reading.case)
        expected = case.expect.decision == "allowed"
        assert holds(residual, reading.facts) == expected, f"{residual}: {json.dumps(reading.case)}"
    assert conditional > 10


def test_a_condition_remains_only_where_requests_differ(world: list[tuple[Reading, Case]]) -> None:
    """With nothing known of the request: what is decided holds for every request, and a condition for some alone."""
    random, alike = Random(4), []
    for reading, case in world[:600]:
        found = asked(case, {})
        conditional = found.outcome is Outcome.CONDITIONAL
        residual = found.residual or Constant(found.outcome is Outcome.ALLOWED)
        answers = set()
        for turn in range(REQUESTS if conditional else 3):
            request = another_request(random, reading)
            answers.add(decision(request) == "allowed")
            assert holds(residual, request.facts) == (decision(request) == "allowed"), json.dumps(request.case)
            if turn > 5 and len(answers) == 2:
                break
        if conditional and len(answers) == 1:
            alike.append(f"{answers} {in_words(residual)}: {json.dumps(reading.case)}")
    assert not alike, alike[0]
