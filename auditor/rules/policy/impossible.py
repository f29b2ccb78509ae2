"""Rule about conditions that no request can meet on a key, decided against its fixed facts and the date of the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from auditor.evaluator.callers import SOURCE_KEYS
from auditor.evaluator.conditions import LETTER_BY_LETTER, condition_residual, never_passes
from auditor.evaluator.facts import Question
from auditor.evaluator.glob import has_wildcard, overlap
from auditor.evaluator.operators import parse_operator, private
from auditor.evaluator.request_keys import never_met
from auditor.evaluator.simplify import simplify
from auditor.evaluator.statements import action_mask
from auditor.evaluator.vocabulary import family_of, services, via_services
from auditor.model.actions import KEY_POLICY_EFFECTIVE, actions_in
from auditor.model.arn import is_account_id
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer, Statement
from auditor.model.residual import FALSE
from auditor.rules.clock import CLOCK, in_time
from auditor.rules.conditions import as_residual
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, placed_statements
from auditor.rules.policy.service_calls import missed_by_all, of_sources
from auditor.rules.policy.supplied import not_supplied, wrong_sort
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

NO_SERVICE = "names no service that AWS documents"
NO_VARIABLES = "is literal text: variables need Version 2012-10-17 in the document"
OF_CALLERS = "is asked of users and roles, and a service that calls as itself is neither"
PRIVATE = "is never the address of a caller: aws:VpcSourceIp has those of a VPC"
LITERAL_WILDCARD = "takes the wildcard for a letter"
CALLER = ("aws:principal", "aws:userid", "aws:username", "kms:calleraccount", "aws:source", "aws:securetransport")
CHANGING = ("kms:requestalias", "kms:resourcealiases", "aws:resourcetag/", "kms:trailingdayswithoutkeyusage")
ACCOUNT_VALUED = ("aws:principalaccount", "kms:calleraccount", "aws:sourceaccount", "aws:resourceaccount")


def _nobody_passes(view: View, placed: Placed, key: Key, tests: tuple[ConditionTest, ...]) -> bool:
    """Whether no request for any of the statement's actions on the key can meet these tests of its Condition."""
    if any(parse_operator(test.operator) is None for test in tests):
        return False
    mask = action_mask(placed.located.statement) & KEY_POLICY_EFFECTIVE
    usable = mask & view.reach.usable[view.reach.key_at[key.arn]]
    if not usable:
        return False
    statement = placed.located.statement
    for action in actions_in(usable):
        question = Question(view.evaluation.surroundings, view.outsider, key, action, placed.located.ref.layer, {})
        everybody = replace(statement, conditions=_about_the_key(tests))
        residual = condition_residual(
            everybody, question, has_variables=placed.located.variables, source=placed.located.ref
        )
        if simplify(residual) != FALSE:
            return False
    return True


def _about_the_key(tests: tuple[ConditionTest, ...]) -> tuple[ConditionTest, ...]:
    """The tests of what no call and no day changes. Who calls is another rule's business, aliases, tags and use of the
    key are not fixed, and that KMS takes no request without TLS anyway is no mistake of a policy that insists on it, as
    AWS's examples do."""
    return tuple(test for test in tests if not test.key.lower().startswith((*CALLER, *CHANGING)))


def _impossible(view: View, placed: Placed) -> list[str]:
    """The single tests that no request can pass: accounts, services, dates that are over, values of an absent key."""
    found = []
    statement, key = placed.located.statement, placed.key
    nulls = {
        test.key.lower()
        for test in statement.conditions
        if test.operator.lower() == "null" and {value.lower() for value in test.values} == {"true"}
    }
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator is None or (test.values and operator.base == "null"):
            continue
        if operator.negated or operator.if_exists or operator.quantifier == "all":
            if placed.key is None and never_passes(test) and not _told_elsewhere(test, placed):
                found.append(f"{test.operator} {test.key} {listing(test.values)}")
            continue
        name = test.key.lower()
        if not test.values:
            found.append(f"{test.operator} {test.key} lists no value")
        elif operator.base in LETTER_BY_LETTER and all(never_met(name, value) for value in test.values):
            found.append(f"{test.operator} {test.key} {listing(test.values)} {LITERAL_WILDCARD}")
        elif name in nulls:
            found.append(f"{test.key} must be absent and have a value at once")
        elif not placed.located.variables and operator.takes_variables and all("${" in one for one in test.values):
            found.append(f"{test.key} {listing(test.values)} {NO_VARIABLES}")
        elif name in SOURCE_KEYS and _of_identities(placed):
            found.append(f"{test.key} comes with calls of AWS services alone, and the statement is about identities")
        elif name in ACCOUNT_VALUED and operator.base in ("stringequals", "stringlike"):
            if not any(is_account_id(value) or set(value) & set("*?$") for value in test.values):
                found.append(f"{test.key} {listing(test.values)}: not a 12-digit account id")
        elif name == "kms:viaservice":
            found += _no_service(test, key)
        elif name == "aws:sourceip" and operator.base == "ipaddress" and all(map(private, test.values)):
            found.append(f"{test.key} {listing(test.values)} {PRIVATE}")
        elif name in CLOCK and all(in_time(operator, one, view.as_of.timestamp()) is False for one in test.values):
            found.append(f"{test.key} before {listing(test.values)} is over")
        elif placed.key is None and never_passes(test) and not _told_elsewhere(test, placed):
            found.append(f"{test.operator} {test.key} {listing(test.values)}")
    found += [f"{test.operator} {test.key} {listing(test.values)} {OF_CALLERS}" for test in missed_by_all(view, placed)]
    return [*found, *_disjoint(statement, nulls)]


def _told_elsewhere(test: ConditionTest, placed: Placed) -> bool:
    """Whether condition-key-not-applicable has the test: no request carries its key, or its values are no such."""
    layer, mask = placed.located.ref.layer, action_mask(placed.located.statement)
    found = not_supplied(test, mask, layer)
    return bool(wrong_sort(test)) or (found is not None and found[0] == mask)


def _of_identities(placed: Placed) -> bool:
    """Whether a statement can only speak of users, roles and sessions, never of a service principal."""
    layer, principals = placed.located.ref.layer, placed.located.statement.principals
    if layer is Layer.KEY_POLICY:
        return bool(principals) and all(entry.kind == "AWS" and entry.value != "*" for entry in principals or ())
    return layer is not Layer.RCP


def _no_service(test: ConditionTest, key: Key | None) -> list[str]:
    """Why no service of the values can call for the key: none exists, or those that do are of other Regions."""
    region = key.region if key is not None else "*"
    known = [value for value in test.values if _known_service(value)]
    if not known:
        meant = [_meant_service(value) for value in test.values]
        hint = f"; meant was probably {listing(meant)}" if all(meant) else ""
        return [f"kms:ViaService {listing(test.values)} {NO_SERVICE}{hint}"]
    if not any(overlap(value, "*.amazonaws.com") for value in known):
        return [
            f"kms:ViaService {listing(test.values)}: names of services end in amazonaws.com here, in every partition"
        ]
    if not any(overlap(value, f"*.{region}.amazonaws.com") for value in known):
        where = f"is not of Region {region}" if key is not None else "names a service without its Region"
        return [f"kms:ViaService {listing(test.values)} {where}"]
    return []


def _known_service(value: str) -> bool:
    """Whether a value of kms:ViaService is a service, or may be one: AWS's own policies also name some that its list of
    services for the key does not have, such as ``sso`` and ``logs``. Calls of ``ebs`` come as ``ec2``."""
    label = value.split(".", maxsplit=1)[0]
    named = label in via_services() or (label in services() and label != "ebs")
    return has_wildcard(label) or "${" in label or named


def _close(label: str) -> list[str]:
    return get_close_matches(label, sorted(via_services()), 1, 0.85)


def _meant_service(value: str) -> str:
    """The documented service that a name nearly spells; empty for one that is right, a pattern or unheard of."""
    close = [] if _known_service(value) else _close(value.split(".", maxsplit=1)[0])
    return close[0] if close else ""


def _disjoint(statement: Statement, told: set[str]) -> list[str]:
    """Keys, other than those in ``told``, whose tests no value passes together, whatever the request carries."""
    by_key: dict[str, list[ConditionTest]] = {}
    for test in statement.conditions:
        by_key.setdefault(test.key.lower(), []).append(test)
    found = []
    for name, tests in by_key.items():
        variable = any("${" in value for test in tests for value in test.values)
        if len(tests) < 2 or name in told or variable or any(parse_operator(test.operator) is None for test in tests):
            continue
        if simplify(as_residual(replace(statement, conditions=tuple(tests)))) == FALSE:
            words = " and ".join(f"{test.operator} {listing(test.values)}" for test in tests)
            found.append(f"{tests[0].key} cannot meet {words} at once")
    return found


def _contradictions(view: View, placed: Placed) -> list[str]:
    """What makes the Condition impossible on the key: the tests that are so by themselves, else the whole block."""
    every, key = placed.located.statement.conditions, placed.key
    alone = [test for test in every if key is not None and _nobody_passes(view, placed, key, (test,))]
    return [f"{test.operator} {test.key} {listing(test.values)}" for test in alone or every]


def never_true_condition(view: View) -> Iterator[Hit]:
    """The Condition of a statement can never be met on this key.

    Found by evaluating the block against the key's fixed facts and the date of the run: ``kms:ViaService`` of another
    Region, a date that has passed, an encryption context on a key that has none, disjoint values, an account id that is
    not one, a service that calls as itself and is asked for its organization. A Deny with such a condition protects
    nothing.

    Fix: correct the condition, or remove the statement so that reviewers stop counting it.
    """
    for placed in placed_statements(view):
        statement, key = placed.located.statement, placed.key
        if not statement.conditions or statement.effect is None:
            continue
        bad = _impossible(view, placed)
        if not bad and (
            key is None or _never_sent(placed) or not _nobody_passes(view, placed, key, statement.conditions)
        ):
            continue
        core = bad or _contradictions(view, placed)
        remedy = _repaired(view, placed, bad[0]) if bad else ""
        yield placed.hit(
            f"The condition of {titled(statement)} of {placed.name} can never be met: {core[0]}.",
            more=(Evidence("element", "Condition"), *(Evidence("never true", text) for text in core)),
            raised=given((statement.effect == "Deny", "statement is a Deny")),
            identity=(meaning(statement),),
            remedy=remedy,
            confidence=Confidence.POTENTIAL if core[0].endswith(NO_SERVICE) else Confidence.CONFIRMED,
            advice="Correct the condition, or remove the statement so that reviewers stop counting it.",
            bare=True,
        )


def _never_sent(placed: Placed) -> bool:
    """Whether no request carries a condition key of the statement: condition-key-not-applicable tells it. A key without
    encryption context is a fact of the key, and told here."""
    layer, mask = placed.located.ref.layer, action_mask(placed.located.statement) & KEY_POLICY_EFFECTIVE
    for test in placed.located.statement.conditions:
        found = not_supplied(test, mask, layer) if family_of(test.key) != "kms:encryptioncontext:" else None
        if (found is not None and found[0] == mask) or wrong_sort(test):
            return True
    return False


def _repaired(view: View, placed: Placed, first: str) -> str:
    """The statement corrected where the first mistake tells what was meant, else empty."""
    if first.endswith(OF_CALLERS):
        return of_sources(placed, missed_by_all(view, placed))
    if first.endswith(LITERAL_WILDCARD):
        return _with_patterns(placed)
    moved = first.startswith("kms:ViaService") and not first.endswith(NO_SERVICE)
    return _in_region(placed) if moved else ""


def _with_patterns(placed: Placed) -> str:
    """The statement with StringLike where StringEquals is asked to find a pattern."""
    written = as_written(placed.policy, placed.located.statement.index)
    condition: dict[str, dict[str, Any]] = {}
    for name, block in (written.get("Condition") or {}).items():
        for key, value in block.items():
            values = value if isinstance(value, list) else [value]
            literal = name.lower().startswith(LETTER_BY_LETTER) and any(never_met(key.lower(), str(v)) for v in values)
            condition.setdefault("StringLike" if literal else name, {})[key] = value
    return render({**written, "Condition": condition})


def _in_region(placed: Placed) -> str:
    """The statement with the services of ``kms:ViaService`` in the key's own Region, or empty."""
    written = as_written(placed.policy, placed.located.statement.index)
    if placed.key is None:
        return ""
    region = placed.key.region
    for block in (written.get("Condition") or {}).values():
        for name, value in block.items() if isinstance(block, dict) else ():
            if name.lower() == "kms:viaservice":
                values = value if isinstance(value, list) else [value]
                named = [_meant_service(text) or text.split(".")[0] for text in values if isinstance(text, str)]
                moved = [f"{label}.{region}.amazonaws.com" for label in named]
                block[name] = moved[0] if len(moved) == 1 else moved
    return render(written)
