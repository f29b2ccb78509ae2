"""Rules about conditions that AWS never supplies, or that pass when their key is absent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from auditor.evaluator.glob import matches
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import action_mask
from auditor.evaluator.strength import ALWAYS_PRESENT, Owner, Strength, strength
from auditor.evaluator.synthetic import external
from auditor.evaluator.vocabulary import carried_by, family_of, meant, misspelt
from auditor.model.actions import (
    ALL,
    CREATE_GRANT,
    KEY_POLICY_EFFECTIVE,
    META,
    ON_KEY,
    SENSITIVE,
    actions_in,
    mask_of,
    match_pattern,
)
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer, Statement
from auditor.model.principal import Principal
from auditor.rules.conditions import as_residual, true_when_absent
from auditor.rules.corrections import one_or_many
from auditor.rules.exposure.strangers import for_everybody
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, placed_statements
from auditor.rules.policy.supplied import (
    ALIAS_KEYS,
    LEGACY,
    alias_name,
    names_aliases,
    names_session,
    not_supplied,
    other_mistake,
    role_of,
    wrong_sort,
)
from auditor.rules.statements import as_written, render, render_all
from auditor.rules.view import View

READS = META | mask_of(["GetPublicKey"])


def _constant_in_scp(view: View, test: ConditionTest, layer: Layer) -> bool | None:
    """What a test of the caller's organization always says in an SCP; None where it may still tell members apart."""
    operator, organization = parse_operator(test.operator), view.snapshot.organization
    if layer is not Layer.SCP or test.key.lower() != "aws:principalorgid" or operator is None or organization is None:
        return None
    return any(matches(value, organization.id) for value in test.values) != operator.negated


def condition_key_not_applicable(view: View) -> Iterator[Hit]:
    """A condition key stands where AWS does not supply it, so the test does not do what it says.

    Examples: ``kms:GrantIsForAWSResource`` next to Decrypt, ``kms:RequestAlias`` with alias operations,
    ``aws:ResourceTag`` in a key policy, ``aws:PrincipalOrgID`` in an SCP, an alias ARN as value of an alias condition,
    the legacy name ``kms:CustomerMasterKeySpec``. Silent where Null asks for absence on purpose, for
    metadata that a pattern such as ``kms:Describe*`` sweeps in, and for tags by which an RCP exempts keys.

    Fix: split the statement so that each condition stands only with the actions that carry its key.
    """
    for placed in placed_statements(view):
        statement, layer = placed.located.statement, placed.located.ref.layer
        mask = action_mask(statement) & ((ON_KEY & KEY_POLICY_EFFECTIVE) if placed.key else ALL)
        broad = any("*" in name for name in statement.actions or ("*",))
        nulls = {test.key.lower() for test in statement.conditions if test.operator.lower() == "null"}
        for test in statement.conditions:
            if test.key.lower() in nulls:
                continue
            found = not_supplied(test, mask, layer) if mask else None
            other = other_mistake(test, layer)
            if found is None and not other:
                continue
            missing, why = found if found is not None else (mask, other)
            if missing != mask and broad and (statement.effect == "Deny" or _swept_in(statement, missing)):
                continue  # a broad statement whose condition narrows it to the actions that carry the key is meant
            yield _not_applicable_hit(view, placed, test, missing, mask, other or why)


def _swept_in(statement: Statement, missing: int) -> bool:
    """Whether the actions are metadata alone, and come with a pattern such as ``kms:Describe*``: nobody misses them."""
    named = reduce(or_, (match_pattern(name) for name in statement.actions or () if "*" not in name), 0)
    return not missing & (~READS | named)


def _not_applicable_hit(view: View, placed: Placed, test: ConditionTest, missing: int, mask: int, why: str) -> Hit:
    statement = placed.located.statement
    operator = parse_operator(test.operator)
    passes = operator is not None and (operator.if_exists or operator.negated or operator.quantifier == "all")
    constant = _constant_in_scp(view, test, placed.located.ref.layer)
    passes = passes if constant is None else constant
    legacy = test.key.lower() in LEGACY
    deny_never = statement.effect == "Deny" and not passes and missing == mask and not legacy
    allow_always = statement.effect == "Allow" and passes and not legacy
    elsewhere = statement.effect == "Allow" and not passes and _covered_elsewhere(placed, missing, test.key.lower())
    effect = "the test always passes" if passes else "the test never passes"
    return placed.hit(
        f"{titled(statement)} of {placed.name}: {why}.",
        more=(
            Evidence("element", f"Condition {test.operator} {test.key}"),
            Evidence("actions", listing((action.name for action in actions_in(missing)), 8)),
            Evidence("effect of absence", "the legacy name still works" if legacy else effect),
        ),
        raised=given((deny_never or allow_always, "Deny that therefore never applies")),
        lowered=given((elsewhere or legacy, "Allow that therefore never applies and another")),
        identity=(meaning(statement), test.key.lower()),
        remedy=_split(placed, test, missing, mask),
        advice=_advice(test),
        bare=True,
    )


def _advice(test: ConditionTest) -> str:
    if wrong_sort(test):
        return "Write the values as the condition key has them; until then the test says nothing about any request."
    if misspelt(test.key.lower()):
        return "Write the name of the condition key as AWS spells it."
    return "Take the test out, or split the statement: each condition stands with the actions that carry its key."


def _covered_elsewhere(placed: Placed, mask: int, key: str = "") -> bool:
    """Whether another statement gives the actions to the same principals: without a test of the condition key
    (lower case), or without any condition when no key is named."""
    return any(
        other.effect == "Allow"
        and other.index != placed.located.statement.index
        and not mask & ~action_mask(other)
        and other.principals == placed.located.statement.principals
        and not (key in {test.key.lower() for test in other.conditions} if key else other.conditions)
        for other in placed.policy.statements
    )


def _split(placed: Placed, test: ConditionTest, missing: int, mask: int) -> str:
    """The statement corrected: another name, alias names instead of ARNs, or two statements."""
    written = as_written(placed.policy, placed.located.statement.index)
    condition = {
        name: dict(block) for name, block in (written.get("Condition") or {}).items() if isinstance(block, dict)
    }
    block = condition.get(test.operator, {})
    name = test.key.lower()
    if name in LEGACY or meant(name):
        block[LEGACY.get(name) or meant(name)] = block.pop(test.key, None)
        return render({**written, "Condition": condition})
    if name in ALIAS_KEYS and not all(map(names_aliases, test.values)):
        block[test.key] = one_or_many(map(alias_name, test.values))
        return render({**written, "Condition": condition})
    if name == "aws:principalarn" and all(map(names_session, test.values)):
        block[test.key] = one_or_many(map(role_of, test.values))
        return render({**written, "Condition": condition})
    if placed.located.ref.layer is Layer.SCP and name in ("aws:principalorgid", "aws:principalorgpaths"):
        return render(_without(written, condition, test))
    carrying = mask & ~missing
    if not carrying or not missing or placed.located.statement.actions is None:
        return ""
    block.pop(test.key, None)
    rest = {operator: tests for operator, tests in condition.items() if tests}
    first = {**written, "Action": [action.name for action in actions_in(missing)], "Condition": rest}
    second = {**written, "Action": [action.name for action in actions_in(carrying)]}
    if not rest:
        del first["Condition"]
    if "Sid" in second:
        second["Sid"] = f"{second['Sid']}WithCondition"
    return render_all((first, second))


def _without(written: dict[str, Any], condition: dict[str, Any], test: ConditionTest) -> dict[str, Any]:
    """The statement without one test."""
    condition.get(test.operator, {}).pop(test.key, None)
    rest = {operator: tests for operator, tests in condition.items() if tests}
    kept = {name: value for name, value in written.items() if name != "Condition"}
    return {**kept, "Condition": rest} if rest else kept


def permissive_condition_operator(view: View) -> Iterator[Hit]:
    """The operator of an Allow lets requests through that do not carry the condition key at all.

    ``ForAllValues`` is true for an empty set, ``…IfExists`` and negated operators are true when the key is absent. So
    the condition looks like a restriction and is none. Silent with a ``Null false`` guard, next to a condition that
    fixes the caller, and for keys that every request carries.

    Fix: use a positive operator, or add ``Null: false`` for the key.
    """
    for placed in placed_statements(view):
        statement = placed.located.statement
        mask = action_mask(statement) & (SENSITIVE | CREATE_GRANT)
        if statement.effect != "Allow" or not mask:
            continue
        loose = [name for name in true_when_absent(statement) if name.lower() not in ALWAYS_PRESENT]
        loose = [name for name in loose if family_of(name) in ("kms:encryptioncontext:",) or mask & _carriers(name)]
        if loose and not _bound_otherwise(view, placed, statement):
            yield _permissive_hit(view, placed, loose)


def _carriers(name: str) -> int:
    return carried_by(name) if name.lower().startswith("kms:") else ALL


def _bound_otherwise(view: View, placed: Placed, statement: Statement) -> bool:
    owner = view.owner(placed.key) if placed.key else Owner(placed.document.account if placed.document else "")
    return strength(as_residual(statement), owner) >= Strength.S3


def _permissive_hit(view: View, placed: Placed, loose: list[str]) -> Hit:
    statement = placed.located.statement
    tests = [test for test in statement.conditions if test.key in loose]
    named = {account_of(entry.value) for entry in statement.principals or ()}
    key = placed.key
    foreign = sorted(one for one in named if one and key and view.trust.standing(one, key.account).foreign)
    outside = key is not None and any(_let_in(view, key, statement, external(one)) for one in foreign)
    everybody = for_everybody(statement) and (key is None or _let_in(view, key, statement, view.outsider))
    written = as_written(placed.policy, statement.index)
    condition = dict(written.get("Condition") or {})
    condition["Null"] = {**condition.get("Null", {}), **dict.fromkeys(loose, "false")}
    covered = _covered_elsewhere(placed, action_mask(statement) & SENSITIVE)
    return placed.hit(
        f"{titled(statement)} of {placed.name} also allows requests without {listing(loose)}.",
        more=tuple(Evidence("operator", f"{test.operator} {test.key}") for test in tests),
        raised=given((everybody, "principal is a wildcard"), (outside, "external principal")),
        lowered=given((covered, "already allowed by another statement")),
        identity=(meaning(statement),),
        remedy=render({**written, "Condition": condition}),
    )


def _let_in(view: View, key: Key, statement: Statement, caller: Principal) -> bool:
    """Whether a caller from outside gets one of the statement's actions today, past Deny statements and guardrails."""
    decisions = view.decisions(caller, key, action_mask(statement) & (SENSITIVE | CREATE_GRANT)).values()
    return any(
        not one.outcome.denied and (one.residual is None or strength(one.residual, view.owner(key)) < Strength.S3)
        for one in decisions
    )
