"""What could not be read is completed in every way: a verdict that is not ``unknown`` is that of every completion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auditor.cases import Case, load_cases
from auditor.evaluator import decide
from auditor.model.key import ALIAS_QUOTA, Alias, Fact, Key
from tests.laws import examples

Data = dict[str, Any]
COUNT = 400
BASES = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "NumericLessThan")
TAG_VALUES = ("blue", "bl*", "*", "5", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/none, 'blue'}")
TAG_KEYS = ("aws:ResourceTag/team", "aws:ResourceTag/Team", "aws:resourcetag/cost")
ALIAS_VALUES = ("alias/app", "alias/*", "*", "app", "${aws:username}", "alias/${aws:PrincipalTag/team}")
TESTED = {
    Fact.TAGS: (TAG_KEYS, TAG_VALUES),
    Fact.ALIASES: (("kms:ResourceAliases", "kms:RequestAlias"), ALIAS_VALUES),
}
TAGS = (None, "blue", "Blue", "5", "9", "app", "zzz", "")
NAMES = ("alias/app", "alias/zz", "alias/blue")


def condition(random: Random, fact: Fact) -> Data:
    made: Data = {}
    keys, values = TESTED[fact]
    for _ in range(random.choice((1, 1, 2))):
        if random.random() < 0.15:
            made.setdefault("Null", {})[random.choice(keys)] = random.choice(("true", "false"))
            continue
        operator = random.choice(("", "", "ForAnyValue:", "ForAllValues:")) + random.choice(BASES)
        operator += random.choice(("", "", "IfExists"))
        made.setdefault(operator, {})[random.choice(keys)] = random.sample(values, random.choice((1, 1, 2)))
    return made


def document(random: Random, fact: Fact) -> Data:
    effects = ["Allow"] * random.choice((1, 1, 2)) + ["Deny"] * random.choice((0, 1))
    parts = [
        {"Effect": one, "Action": "kms:*", "Resource": "*", "Condition": condition(random, fact)} for one in effects
    ]
    return {"Version": "2012-10-17", "Statement": parts}


def case(random: Random, fact: Fact, name: str) -> Data:
    account = "111122223333"
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    delegate = {**everything, "Principal": {"AWS": account}}
    who: Data = {"type": "iam_user", "arn": f"arn:aws:iam::{account}:user/alice", "tags": {"team": "app"}}
    own = document(random, fact)
    limit = random.random() < 0.4
    who |= {"identity_policies": [{"Statement": everything} if limit and random.random() < 0.5 else own]}
    who |= {"permissions_boundary": document(random, fact)} if limit else {}
    return {
        "id": name,
        "key": {"arn": f"arn:aws:kms:us-west-2:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
        "key_policies": {"default": {"Statement": delegate}},
        "principal": who,
        "action": random.choice(("kms:Decrypt", "kms:DisableKey")),
        "context": {"kms:RequestAlias": None},
        "expect": {"decision": "unknown"},
    }


def completions(key: Key, fact: Fact) -> Iterator[Key]:
    if fact is Fact.TAGS:
        for pair in product(TAGS, repeat=2):
            named = zip(("team", "cost"), pair, strict=True)
            yield replace(key, tags=tuple((name, value) for name, value in named if value is not None))
        return
    many = tuple(f"alias/app{number}" for number in range(ALIAS_QUOTA + 1))
    for names in (*(some for size in range(4) for some in combinations(NAMES, size)), many):
        yield replace(key, aliases=tuple(Alias(name, "") for name in names))


def word(found: Case, key: Key) -> str:
    outcome = decide(found.surroundings, found.principal, key, found.action, found.context).outcome
    return "denied" if outcome.denied else str(outcome)


@pytest.mark.parametrize("fact", TESTED)
def test_a_verdict_without_a_fact_is_that_of_every_completion(fact: Fact, tmp_path: Path) -> None:
    random, seen = Random(7), set()
    made = [case(random, fact, f"C-{number}") for number in range(examples(COUNT))]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(made))
    for data, found in zip(made, load_cases([file]), strict=True):
        verdict = word(found, replace(found.key, unread=frozenset({fact})))
        seen.add(verdict)
        if verdict != "unknown":
            assert {word(found, key) for key in completions(found.key, fact)} == {verdict}, json.dumps(data)
    assert seen == {"allowed", "denied", "unknown"}
