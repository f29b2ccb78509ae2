"""Keys by what statements can tell apart: one number per key, equal where they see no difference."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from auditor.evaluator import glob
from auditor.evaluator.callers import principal_value
from auditor.evaluator.facts import over_alias_quota
from auditor.evaluator.numbering import numbered
from auditor.evaluator.operators import Operator, parse_operator, satisfied
from auditor.evaluator.statements import Compiled
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.traits import (
    RESOURCE_ALIASES,
    alias_trait,
    answers_about_aliases,
    key_trait,
    sees_aliases,
    tests_aliases,
)
from auditor.evaluator.values import KeyValue, RunTime
from auditor.evaluator.variables import resolve
from auditor.model.key import Fact, Key
from auditor.model.policy import ConditionTest
from auditor.model.principal import Principal

Codes = NDArray[np.int64]
Name = tuple[str, Hashable]
_WIDEST = 1 << 30
"""Below this bound two codes can still be joined into one of 63 bits; above it a code is numbered anew."""
_TAG = "aws:resourcetag/"
_OF_CALLER = "aws:principaltag/"
_SPELLED = frozenset({"stringequals", "stringlike"})
_FIRST_WILDCARD = re.compile("[*?]")
_BY_LETTER = frozenset({"stringequals", "stringequalsignorecase"})


class KeyCodes:
    """Vectors over all keys that say which keys a resource pattern or condition key tells apart; each made once."""

    def __init__(self, keys: tuple[Key, ...], surroundings: Surroundings) -> None:
        self._keys = keys
        self._surroundings = surroundings
        self._by_arn = {key.arn: index for index, key in enumerate(keys)}
        self._by_account: dict[str, list[int]] = {}
        for index, key in enumerate(keys):
            self._by_account.setdefault(_account_part(key.arn) or "", []).append(index)
        self._patterns: dict[str, Codes] = {}
        self._made: dict[Name, Codes] = {}
        self._by_alias: list[tuple[str, list[int]]] | None = None
        self._tag_values: dict[str, tuple[Codes, dict[str, dict[str, list[int]]]]] = {}

    def pattern(self, pattern: str) -> Codes:
        """1 where the key's ARN matches."""
        found = self._patterns.get(pattern)
        if found is None:
            found = np.zeros(len(self._keys), dtype=np.int64)
            if glob.has_wildcard(pattern):
                found[[index for index in self._near(pattern) if glob.matches(pattern, self._keys[index].arn)]] = 1
            elif pattern in self._by_arn:
                found[self._by_arn[pattern]] = 1
            self._patterns[pattern] = found
        return found

    def _near(self, pattern: str) -> Sequence[int]:
        """The keys that a pattern can match: of one account, where it names one in a place that no ``*`` can shift."""
        account = _account_part(pattern)
        if account is None or glob.has_wildcard(account):
            return range(len(self._keys))
        return [*self._by_account.get(glob.plain(account), ()), *self._by_account.get("", ())]

    def each(self) -> Codes:
        """A different number for every key."""
        return np.arange(len(self._keys), dtype=np.int64)

    def answers(self, compiled: Compiled) -> Codes:
        """Equal where the statement's tests on the key's aliases have the same answers."""
        return self._seen(("answers", compiled), lambda key: answers_about_aliases(compiled, key))

    def aliases(self, pattern: str) -> Codes:
        """Equal where the key's aliases give the same answers to a Resource pattern."""
        return self._seen(("aliases", pattern), lambda key: alias_trait(pattern, key))

    def trait(self, name: str) -> Codes:
        """Equal where the condition key's value is."""
        return self._seen(("trait", name), lambda key: key_trait(name, key))

    def _seen(self, name: tuple[str, Hashable], look: Callable[[Key], Hashable]) -> Codes:
        """A number per key, equal where ``look`` sees the same; made once under ``name``."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = numbered(look(key) for key in self._keys)
        return found

    def _about_aliases(self, compiled: Compiled) -> dict[Name, Codes]:
        """What tells keys apart for the statement's tests on kms:ResourceAliases: the answers."""
        found: dict[Name, Codes] = {
            ("over quota or unread", None): self._seen(("aliases known", None), _unsure_of_aliases)
        }
        for test in compiled.statement.conditions:
            operator = parse_operator(test.operator)
            if test.key.lower() != RESOURCE_ALIASES:
                continue
            if operator is None or operator.quantifier != "any" or operator.negated or operator.base not in _SPELLED:
                return {("answers", compiled): self.answers(compiled)}
            found["any alias", (operator.base, test.values)] = self._any_alias(operator, test.values)
        return found

    def _any_alias(self, operator: Operator, patterns: tuple[str, ...]) -> Codes:
        """1 where an alias of the key is one of some texts, or fits one of some patterns."""
        place = ("any alias", (operator.base, patterns))
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = np.zeros(len(self._keys), dtype=np.int64)
            for pattern in patterns:
                for alias, keys in self._aliases_from(pattern, operator):
                    if satisfied(operator, (pattern,), (alias,)):
                        found[keys] = 1
        return found

    def _aliases_from(self, pattern: str, operator: Operator) -> Iterator[tuple[str, list[int]]]:
        """The aliases that begin as a pattern does before its first wildcard, each with its keys."""
        if self._by_alias is None:
            by_alias: dict[str, list[int]] = {}
            for place, key in enumerate(self._keys):
                for alias in key.aliases:
                    by_alias.setdefault(alias.name, []).append(place)
            self._by_alias = sorted(by_alias.items())
        wild = operator.base == "stringlike"
        start = glob.plain(_FIRST_WILDCARD.split(pattern, maxsplit=1)[0] if wild else pattern)
        for place in range(bisect_left(self._by_alias, start, key=itemgetter(0)), len(self._by_alias)):
            if not self._by_alias[place][0].startswith(start):
                return
            yield self._by_alias[place]

    def tagged(self, name: str, operator: Operator, texts: frozenset[str]) -> Codes:
        """Equal where the key's tag gives the same answer to a test for one of some texts, letter by letter; not kept,
        because callers may be as many as the texts."""
        base, keys_of = self._tags(name)
        found = base.copy()
        for text in texts:
            for value, keys in keys_of.get(glob.plain(text).lower(), {}).items():
                if satisfied(replace(operator, negated=False), (text,), (value,)):
                    found[keys] = 1
        return found

    def _tags(self, name: str) -> tuple[Codes, dict[str, dict[str, list[int]]]]:
        """0 for keys with one settled value of the tag, another number for each other trait; the values, and the keys
        that have them, by the value in lower case."""
        if name not in self._tag_values:
            odd: dict[Hashable, int] = {}
            codes = np.zeros(len(self._keys), dtype=np.int64)
            found: dict[str, dict[str, list[int]]] = {}
            for place, key in enumerate(self._keys):
                values = key.tag_values(name.partition("/")[2])
                if len(values) == 1 and Fact.TAGS not in key.unread:
                    found.setdefault(values[0].lower(), {}).setdefault(values[0], []).append(place)
                else:
                    codes[place] = 2 + odd.setdefault(key_trait(name, key), len(odd))
            self._tag_values[name] = (codes, found)
        return self._tag_values[name]

    def combined(self, statements: tuple[Compiled, ...], principal: Principal | None = None) -> Codes:
        """One number per key, equal for keys that none of the statements tells apart, asked by ``principal`` if only
        its statements are meant."""
        vectors = self._vectors_of(statements, principal) if len(self._keys) > 1 else {}
        code = np.zeros(len(self._keys), dtype=np.int64)
        size = 1
        for vector in vectors.values():
            width = int(vector.max(initial=0)) + 1
            code = code * width + vector
            size *= width
            if size > _WIDEST:
                values, code = np.unique(code, return_inverse=True)
                size = len(values)
        return code

    def _vectors_of(self, statements: tuple[Compiled, ...], principal: Principal | None) -> dict[Name, Codes]:
        """The vectors that tell keys apart for these statements, each once."""
        found: dict[Name, Codes] = {}
        for one in statements:
            for name in one.keys:
                tests = self._tag_tests(one, name, principal)
                if name == RESOURCE_ALIASES and tests_aliases(one):
                    found |= self._about_aliases(one)
                elif tests is not None:
                    for operator, texts in tests:
                        found["tagged", (name, operator, texts)] = self.tagged(name, operator, texts)
                else:
                    found.setdefault(("trait", name), self.trait(name))
            for pattern in one.statement.resources or one.statement.not_resources or ():
                if pattern == "*":
                    continue
                if "${" in pattern and one.has_variables:
                    found.setdefault(("trait", "arn"), self.each())
                    continue
                found.setdefault(("pattern", pattern), self.pattern(pattern))
                if sees_aliases(one, pattern):
                    found.setdefault(("alias", pattern), self.aliases(pattern))
        return found

    def _tag_tests(
        self, compiled: Compiled, name: str, principal: Principal | None
    ) -> list[tuple[Operator, frozenset[str]]] | None:
        """The statement's tests of a tag of the key, each with the texts that it compares letter by letter; None where
        one does not, or where nobody knows yet what a variable will be."""
        if not name.startswith(_TAG) or name in compiled.variables:
            return None
        found = []
        for test in compiled.statement.conditions:
            if test.key.lower() == name:
                operator = parse_operator(test.operator)
                texts = self._texts(test, compiled.has_variables, principal)
                if operator is None or operator.base not in _BY_LETTER or operator.quantifier or texts is None:
                    return None
                found.append((operator, texts))
        return found

    def _texts(self, test: ConditionTest, has_variables: bool, principal: Principal | None) -> frozenset[str] | None:
        """The values of a test with the variables that the caller settles; None where another one is left."""
        if not has_variables:
            return frozenset(test.values)

        def value_of(name: str) -> KeyValue:
            if principal is None or not name.lower().startswith(_OF_CALLER):
                return RunTime()
            return principal_value(name.lower(), principal, self._surroundings)

        resolved = [resolve(text, value_of) for text in test.values]
        if any(one.text is None or one.open for one in resolved):
            return None
        return frozenset(one.text for one in resolved if one.text is not None)


def _unsure_of_aliases(key: Key) -> Hashable:
    """Whether the key has too many aliases for tests to count, none, or some that could not be read."""
    return over_alias_quota(key), Fact.ALIASES in key.unread, not key.aliases


def _account_part(arn: str) -> str | None:
    """The account of an ARN or a pattern of six parts; None for anything else. Parts of two such texts face each
    other whatever wildcards they hold: both have five colons."""
    parts = arn.split(":")
    return parts[4] if len(parts) == 6 else None
