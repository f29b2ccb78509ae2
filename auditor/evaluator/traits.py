"""What decides whether two keys, or two callers, can be told apart by the statements in play."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache

from auditor.evaluator import glob
from auditor.evaluator.callers import OF_KIND, principal_value
from auditor.evaluator.conditions import passes_empty
from auditor.evaluator.facts import over_alias_quota
from auditor.evaluator.operators import Operator, parse_operator, satisfied
from auditor.evaluator.resources import changeable_aliases
from auditor.evaluator.statements import Compiled
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.values import Known
from auditor.model.actions import ACCOUNT_LEVEL, ALIAS_ACTIONS
from auditor.model.key import Fact, Key
from auditor.model.policy import ConditionTest
from auditor.model.principal import Principal

RESOURCE_ALIASES = "kms:resourcealiases"
_ACCOUNT_KEYS = (
    *("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths"),
    *("aws:principalaccount", "kms:calleraccount"),  # a service is never of the key's account
)
_ALIAS_KEYS = (RESOURCE_ALIASES, "kms:requestalias")
ACCOUNT_SCOPED = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "kms:calleraccount"}
    | {"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist"}
    | {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:viaawsservice"}
    | OF_KIND
)
"""Condition keys of the caller that are equal for all principals of one kind and account."""


def key_trait(name: str, key: Key) -> Hashable:
    """Everything about the key that the value of condition key ``name`` (lower case) can depend on."""
    if name.startswith("aws:resourcetag/"):
        return (key.tag_values(name.partition("/")[2]), Fact.TAGS in key.unread)
    if name in _ALIAS_KEYS:
        return (tuple(alias.name for alias in key.aliases), Fact.ALIASES in key.unread)
    if name == "aws:requestedregion":
        return key.region
    if name in _ACCOUNT_KEYS:
        return key.account
    if name == "kms:trailingdayswithoutkeyusage":
        return key.arn
    if name.startswith("kms:") and name not in ("kms:viaservice", "kms:calleraccount"):
        return (
            key.spec,
            key.usage,
            key.origin,
            key.multi_region_key_type if key.multi_region else "single-Region",
            key.encryption_algorithms,
            key.signing_algorithms,
            key.mac_algorithms,
            Fact.KEY_METADATA in key.unread,
        )
    return None


def alias_trait(pattern: str, key: Key) -> Hashable:
    """What a Resource pattern can see of the key's aliases."""
    prefix = f"arn:{key.partition}:kms:{key.region}:{key.account}:"
    names = tuple(glob.matches(pattern, prefix + name) for name in changeable_aliases(key))
    some = glob.overlap(pattern, f"{prefix}alias/{glob.NAME_RUN}")
    every = glob.matches(pattern, f"{prefix}alias/\x00")
    return (any(names), all(names), bool(names), some, every, Fact.ALIASES in key.unread)


def sees_aliases(compiled: Compiled, pattern: str) -> bool:
    """Whether the Resource pattern of a statement may be about an alias."""
    return bool(compiled.mask & ALIAS_ACTIONS) and ":key/" not in pattern


def key_sight(compiled: Compiled, key: Key) -> Hashable:
    """What the statement can see of the key; equal sights cannot be told apart by it."""
    tested = tests_aliases(compiled)
    names = compiled.keys - {RESOURCE_ALIASES} if tested else compiled.keys
    found: list[Hashable] = [key_trait(name, key) for name in sorted(names)]
    if tested:
        found.append(answers_about_aliases(compiled, key))
    for pattern in compiled.statement.resources or compiled.statement.not_resources or ():
        if pattern == "*":
            continue
        if "${" in pattern and compiled.has_variables:
            found.append(key.arn)
            continue
        found.append(glob.matches(pattern, key.arn))
        if sees_aliases(compiled, pattern):
            found.append(alias_trait(pattern, key))
    return tuple(found)


def tests_aliases(compiled: Compiled) -> bool:
    """Whether kms:ResourceAliases counts by the answers of tests alone: their values are as they are written."""
    if RESOURCE_ALIASES not in compiled.keys or compiled.variables:
        return False
    tests = (test for test in compiled.statement.conditions if test.key.lower() == RESOURCE_ALIASES)
    return not (compiled.has_variables and any("${" in value for test in tests for value in test.values))


def answers_about_aliases(compiled: Compiled, key: Key) -> Hashable:
    """The answers of tests on kms:ResourceAliases: every key has other aliases, but they mostly get the same answer."""
    aliases = tuple(alias.name for alias in key.aliases)
    found: list[Hashable] = [over_alias_quota(key), Fact.ALIASES in key.unread]
    for test in compiled.statement.conditions:
        if test.key.lower() == RESOURCE_ALIASES:
            operator = parse_operator(test.operator)
            found.append(operator is not None and satisfied(operator, test.values, aliases))
            found.append(passes_empty(test, Known(aliases)))
    return tuple(found)


@lru_cache(maxsize=16384)
def caller_scoped(names: frozenset[str]) -> tuple[str, ...]:
    """The condition keys among ``names`` whose value belongs to the individual caller."""
    return tuple(
        sorted(
            name
            for name in names
            if name not in ACCOUNT_SCOPED
            and (name.startswith("aws:principal") or name in ("aws:userid", "aws:username", "aws:assumedroot"))
        )
    )


def caller_values(names: Iterable[str], principal: Principal, surroundings: Surroundings) -> tuple[Hashable, ...]:
    """What is known of the caller for each name of ``names``; equal tuples cannot be told apart by them."""
    return tuple(
        principal_value("aws:principalaccount" if name == "kms:calleraccount" else name, principal, surroundings)
        for name in names
    )


def caller_answers(
    statements: Iterable[Compiled], principal: Principal, surroundings: Surroundings
) -> tuple[Hashable, ...]:
    """What the statements can see of the individual caller; equal tuples cannot be told apart by them.

    A plain test of a settled caller fact counts by its answer, everything else by the fact's value.
    """
    found: dict[Hashable, Hashable] = {}
    for one in statements:
        if not one.keys or (not caller_scoped(one.keys) and not one.keys & ACCOUNT_SCOPED):
            continue
        answered, still_open = set(), set(one.variables)
        for test, name, operator in _plain_tests(one):
            value = principal_value(name, principal, surroundings) if operator is not None else None
            if operator is not None and isinstance(value, Known):
                found[test] = (satisfied(operator, test.values, value.values), passes_empty(test, value))
                answered.add(name)
            else:
                still_open.add(name)
        names = sorted(one.keys - (answered - still_open))
        found.update(zip(names, caller_values(names, principal, surroundings), strict=True))
    return tuple(found.items())


@lru_cache(maxsize=16384)
def _plain_tests(compiled: Compiled) -> tuple[tuple[ConditionTest, str, Operator | None], ...]:
    """The tests of a statement by key; with the operator where the answer for a settled fact says all about it."""
    found = []
    for test in compiled.statement.conditions:
        name = test.key.lower()
        plain = not (compiled.has_variables and any("${" in text for text in test.values)) and name.startswith("aws:")
        found.append((test, name, parse_operator(test.operator) if plain else None))
    return tuple(found)


def caller_sight(compiled: Compiled, principal: Principal, surroundings: Surroundings) -> Hashable:
    """What the statement can see of the caller; equal sights cannot be told apart by it."""
    answers = caller_answers((compiled,), principal, surroundings)
    by_account = compiled.mask & ACCOUNT_LEVEL and compiled.statement.resources != ("*",)
    return (principal.kind, principal.account if by_account else None, answers)
