"""What could not be read of a layer is completed in many ways: a verdict other than ``unknown`` is that of them all,
and ``unknown`` is said only where two of them differ. The requests are known, all other layers are random."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from auditor.cases import Case, load_cases
from auditor.evaluator import decide
from auditor.model.access import Decision, Outcome
from tests.evaluator.random_cases import random_case
from tests.evaluator.test_second_reading import open_in_the_reference
from tests.laws import examples

Data = dict[str, Any]
Change = Callable[[Data], None]
"""Changes the plain data of a case in place."""
COUNT = 150
OF_ALIASES = "arn:aws:kms:*:*:alias/*"
LAYERS = ("identity", "boundary", "grants", "key_policy", "tags", "aliases", "scps", "rcps")


def document(effect: str, action: str = "*", resource: str = "*", **more: Any) -> Data:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


FULL, OTHER_SERVICE, DENY = document("Allow"), document("Allow", "s3:*"), document("Deny")
NOTHING: Data = {"Version": "2012-10-17", "Statement": []}


def caller_of(case: Data) -> tuple[str, str, str | None]:
    """The kind, the ARN that a grant or key policy names it by, and the account."""
    caller = case["principal"]
    kind, arn = caller["type"], caller["arn"]
    named = arn if kind == "federated_user" else caller.get("iam_arn", arn)
    return kind, named, None if kind == "service" else arn.split(":")[4]


def identity(case: Data) -> list[Change]:
    def adding(*more: Data) -> Change:
        return lambda made: made["principal"].setdefault("identity_policies", []).extend(more)

    denies = [DENY, document("Deny", case["action"]), document("Deny", resource=OF_ALIASES)]
    return [adding(), adding(FULL), *map(adding, denies), adding(document("Allow", "kms:*", "arn:aws:kms:*:*:key/*"))]


def boundary(_: Data) -> list[Change]:
    return [setting("principal", "permissions_boundary", one) for one in (FULL, OTHER_SERVICE, DENY, NOTHING)]


def setting(place: str, name: str, value: Any) -> Change:
    return lambda made: made[place].update({name: value})


def grants(case: Data) -> list[Change]:
    def adding(*more: Data) -> Change:
        return lambda made: made["grants"].extend(more)

    kind, named, account = caller_of(case)
    usual = ["Decrypt", "GenerateDataKey", "ReEncryptFrom"] if case["key"]["usage"] == "ENCRYPT_DECRYPT" else []
    made: Data = {"GrantId": "new", "Operations": [*usual, "DescribeKey", "CreateGrant", "RetireGrant"]}
    if kind == "service":
        return [adding(), adding({**made, "GranteeServicePrincipal": named})]
    made["IssuingAccount"] = f"arn:aws:iam::{account}:root"
    somebody = {"GranteePrincipal": "arn:aws:iam::123456789012:role/Z", "RetiringPrincipal": named}
    return [adding(), adding({**made, "GranteePrincipal": named}), adding({**made, **somebody})]


def key_policy(case: Data) -> list[Change]:
    kind, named, account = caller_of(case)
    who: list[Any] = [{"Service" if kind == "service" else "AWS": named}, "*", *([{"AWS": account}] if account else [])]
    allows = [document("Allow", "kms:*", Principal=one) for one in who]
    return [setting("key_policies", "default", one) for one in (NOTHING, *allows, document("Deny", Principal="*"))]


def tags(_: Data) -> list[Change]:
    return [setting("key", "tags", one) for one in ({}, {"team": "blue"}, {"team": "red"}, {"Team": "zzz"})]


def aliases(_: Data) -> list[Change]:
    many = [f"alias/n{number}" for number in range(51)]
    some = ([], ["alias/app"], ["alias/b"], ["alias/zz"], ["alias/app", "alias/zz"], many)
    return [setting("key", "aliases", one) for one in some]


def level(kind: str, account: str, place: int, documents: Any) -> Change:
    def change(made: Data) -> None:
        levels = made["organization"][kind].setdefault(account, [[], []])
        levels[place] = documents

    return change


def of_level(case: Data, layer: str, random: Random) -> tuple[Change, list[Change]] | None:
    """How a level of SCPs or RCPs is marked as unread, and what may be attached there."""
    account = caller_of(case)[2] if layer == "scps" else case["key"]["account"]
    if case["organization"] is None or (layer == "scps" and account not in case["organization"]["scps"]):
        return None
    place = random.randrange(len(case["organization"]["scps"][account])) if layer == "scps" else 1
    fence = document("Deny", "kms:*", Principal="*"), document("Deny", resource=OF_ALIASES, Principal="*")
    limits = [[FULL], [], [OTHER_SERVICE], [FULL, DENY], [FULL, document("Deny", resource=OF_ALIASES)]]
    attached = limits if layer == "scps" else [[], *([one] for one in fence)]
    made = [level(layer, account, place, one) for one in attached]
    return level(layer, account, place, "unread"), made


def of_fact(case: Data, layer: str) -> tuple[Change, list[Change]] | None:
    """The same for a fact of the field ``unread``."""
    kind = case["principal"]["type"]
    if layer in ("identity", "boundary") and kind in ("root", "service"):
        return None
    if layer == "boundary" and kind == "service_linked_role_session":
        return None

    def mark(made: Data) -> None:
        made["unread"] = [*made.get("unread", ()), layer]
        forgotten = {"boundary": ("principal", "permissions_boundary"), "key_policy": ("key_policies", "default")}
        place, name = forgotten.get(layer, ("key", layer))
        made[place].pop(name, None)

    return mark, {one.__name__: one for one in (identity, boundary, grants, key_policy, tags, aliases)}[layer](case)


def worlds(random: Random) -> Iterator[tuple[Data, list[Data]]]:
    """A case in which one or two layers are unread, and its completions."""
    while True:
        reading = random_case(random, "C")
        chosen = random.sample(LAYERS, random.choice((1, 1, 2)))
        found = [
            of_level(reading.case, one, random) if one in ("scps", "rcps") else of_fact(reading.case, one)
            for one in chosen
        ]
        known = [one for one in found if one is not None]
        if open_in_the_reference(reading) or len(known) < len(chosen):
            continue
        complete = [with_changes(reading.case, *changes) for changes in product(*(made for _, made in known))]
        yield with_changes(reading.case, *(mark for mark, _ in known)), complete


def with_changes(case: Data, *changes: Change) -> Data:
    made = {**deepcopy(case), "expect": {"decision": "unknown"}}
    for change in changes:
        change(made)
    return made


def asked(case: Case) -> Decision:
    return decide(case.surroundings, case.principal, case.key, case.action, case.context)


def word(decision: Decision) -> str:
    return "denied" if decision.outcome.denied else str(decision.outcome)


def test_a_verdict_without_a_layer_is_that_of_every_completion_and_unknown_where_they_differ(tmp_path: Path) -> None:
    seen, made = set(), worlds(Random(6))
    for _ in range(examples(COUNT)):
        unread, complete = next(made)
        file = tmp_path / "cases.json"
        file.write_text(json.dumps([{**one, "id": str(place)} for place, one in enumerate((unread, *complete))]))
        cases = load_cases([file])
        verdict, others = asked(cases[0]), [asked(one) for one in cases[1:]]
        words = {word(one) for one in others}
        seen.add(word(verdict))
        assert words == {word(verdict)} or (word(verdict) == "unknown" and len(words) > 1), json.dumps(unread)
        if verdict.outcome is Outcome.EXPLICITLY_DENIED:
            assert {one.outcome for one in others} == {Outcome.EXPLICITLY_DENIED}, json.dumps(unread)
    assert seen == {"allowed", "denied", "unknown"}
