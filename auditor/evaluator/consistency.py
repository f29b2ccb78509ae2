"""Whether tests of one condition key can hold together.

Sound in one direction: "no" is certain, "yes" may be optimistic. So a contradiction found here is a deny, and one that
is missed only leaves a residual that no request can meet.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise, product

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.operators import Operator, network, number, parse_operator, satisfied, timestamp
from auditor.evaluator.request_keys import usual
from auditor.model.residual import Leaf

Literal = tuple[Leaf, bool]
"""A leaf and whether it must hold (False: must not hold)."""
Test = tuple[Operator, tuple[str, ...], bool]
"""An operator, the values of its test, and whether the test must hold."""
GRANT_SOURCE = "GrantSourceArn"
_FRESH = "\x00some other value"
_THERE: Test = (Operator("", "null", negated=False, if_exists=False), ("false",), True)
_TEXTUAL = ("stringequals", "stringlike", "arnlike", "bool")
_PLAIN_TEXT = ("stringequals", "stringlike")
_MANY = 400
"""More pairs of patterns or networks than these are not compared."""
_COMPARISONS = 400_000
"""More comparisons than these are not made: hostile lists of values must not cost seconds."""


def satisfiable(literals: Sequence[Literal]) -> bool:
    """Whether some request may meet all literals; they must be about one condition key."""
    wanted = dict.fromkeys(literals)
    if any((leaf, not holds) in wanted for leaf, holds in wanted):
        return False
    tests = [test for literal in wanted if (test := _certain(literal)) is not None]
    if not tests:
        return True
    name = literals[0][0].key.lower()
    known = usual(name)
    if known.may_be_absent and all(_holds(test, ()) for test in tests):
        return True
    nulls = [test for test in tests if test[0].base == "null"]
    if not all(_holds(test, (_FRESH,)) for test in nulls):
        return False
    about_values = [test for test in tests if test[0].base != "null"]
    domain = next((leaf.among for leaf, _ in wanted if leaf.among), known.domain)
    if not _may_be_several(name, about_values):
        return _some_value([_of_one_value(test) for test in about_values], domain, known.forms)
    # Some values are asked for, each must be one that is not ruled out for all of them.
    every = [_of_one_value(test) for test in about_values if not _asks_for_one(test)]
    asked = [[_of_one_value(test), *every] for test in about_values if _asks_for_one(test)]
    return all(_some_value(group, domain, known.forms) for group in asked or [every])


def operator_of(leaf: Leaf) -> Operator | None:
    """The operator of a leaf. A grant's constraint on its source is a test of ``aws:SourceArn``, letter by letter."""
    return parse_operator("StringEquals" if leaf.operator == GRANT_SOURCE else leaf.operator)


def excludes(literal: Literal, values: tuple[str, ...]) -> bool:
    """Whether no request meets the literal whose key has these values (none: is absent)."""
    operator = operator_of(literal[0])
    return operator is not None and satisfied(operator, literal[0].values, values) != literal[1]


def needs_absence(literal: Literal) -> bool:
    """Whether no request meets the literal that carries its key."""
    operator = operator_of(literal[0])
    return operator is not None and operator.base == "null" and excludes(literal, (_FRESH,))


def asks_for_values(operator: Operator, literal: Literal) -> bool:
    """Whether some value of the key is one that the leaf lists, in every request that meets the literal."""
    of_each = "any" if operator.negated else "all"
    asks = operator.negated != literal[1] and operator.quantifier != of_each and operator.base != "null"
    return asks and excludes(literal, ())


def _certain(literal: Literal) -> Test | None:
    """What the literal says whatever its policy variables stand for: of a list of which nothing may match, the other
    values; of any other test, at most that the key is there."""
    leaf, holds = literal
    operator = operator_of(leaf)
    finished = tuple(value for value in leaf.values if "${" not in value)
    if operator is None or len(finished) == len(leaf.values):
        return None if operator is None else (operator, leaf.values, holds)
    # A variable without a value makes a test with IfExists true: it then says nothing of the others.
    if finished and operator.negated == holds and not (operator.if_exists and holds):
        return operator, finished, holds
    return _THERE if excludes(literal, ()) else None


def _may_be_several(name: str, tests: list[Test]) -> bool:
    """Whether the key has several values; of one that AWS does not list for KMS, a set operator says so."""
    return vocabulary.multi_valued(name) or (not vocabulary.exists(name) and any(test[0].quantifier for test in tests))


def _asks_for_one(test: Test) -> bool:
    """Whether the test of a multi-valued key is met by one value; otherwise each value has to be as it says."""
    operator, _, holds = test
    some = operator.quantifier == "any" or (not operator.quantifier and not operator.negated)
    return some == holds


def _of_one_value(test: Test) -> Test:
    """What the test says of one value that is there."""
    return replace(test[0], quantifier="", if_exists=False), test[1], test[2]


def _some_value(tests: list[Test], domain: tuple[str, ...] | None, forms: tuple[str, ...]) -> bool:
    """Whether some value meets all tests; ``forms`` are patterns of which each value matches one."""
    values = _candidates(tests) if domain is None else domain
    if values is not None and len(values) * sum(len(test[1]) for test in tests) <= _COMPARISONS:
        return any(all(_holds(test, (value,)) for test in tests) for value in values)
    return not _disjoint(tests, forms or ("*",))


def _holds(test: Test, value: tuple[str, ...]) -> bool:
    operator, wanted, holds = test
    return satisfied(operator, wanted, value) == holds


def _is_literal(test: Test) -> bool:
    operator, wanted, _ = test
    if operator.base in ("stringlike", "arnlike"):
        return not any(glob.has_wildcard(value) for value in wanted)
    return operator.base in ("stringequals", "bool")


def _candidates(tests: list[Test]) -> tuple[str, ...] | None:
    """Values that are enough to decide the question exactly, or None when there is no such list."""
    for test in tests:
        if _is_literal(test) and not _holds(test, (_FRESH,)):
            return ("true", "false") if test[0].base == "bool" else test[1]
    bases = {test[0].base for test in tests}
    values = tuple(value for test in tests for value in test[1])
    if bases <= {"stringequals", "stringequalsignorecase"}:
        return (_FRESH, *values, *_respelled(values)) if len(bases) > 1 else (_FRESH, *values)
    if all(base.startswith(("numeric", "date")) for base in bases):
        return _around(tests)
    return _edges(values) if bases == {"ipaddress"} and len(values) * len(tests) <= _MANY else None


def _respelled(values: tuple[str, ...]) -> Iterator[str]:
    """Each value in a case in which none of them is written, where its letters have one."""
    written = frozenset(values)
    for value in values:
        cases = product(*(dict.fromkeys((letter.lower(), letter.upper())) for letter in value))
        yield from islice((text for text in map("".join, cases) if text not in written), 1)


def _edges(values: tuple[str, ...]) -> tuple[str, ...]:
    """An address of each part into which the networks cut the address space: the first of each and what follows it."""
    found = dict.fromkeys((str(ipaddress.IPv4Address(0)), str(ipaddress.IPv6Address(0))))
    for value in values:
        named = network(value)
        if named is None:
            continue
        found[str(named.network_address)] = None
        following = int(named.broadcast_address) + 1
        if following < 1 << named.max_prefixlen:
            kind = ipaddress.IPv4Address if named.version == 4 else ipaddress.IPv6Address
            found[str(kind(following))] = None
    return tuple(found)


def _around(tests: list[Test]) -> tuple[str, ...] | None:
    """A number of each stretch into which the limits cut all numbers; a date is its seconds since 1970."""
    found = {
        (timestamp if operator.base.startswith("date") else number)(value)
        for operator, values, _ in tests
        for value in values
    }
    ordered = sorted(limit for limit in found if limit is not None)
    if len(ordered) < len(found):
        return None
    between = [(left + right) / 2 for left, right in pairwise(ordered)]
    ends = [ordered[0] - 1, ordered[-1] + 1] if ordered else [0.0]
    return tuple(repr(number) for number in [*ordered, *between, *ends])


def _disjoint(tests: list[Test], forms: tuple[str, ...]) -> bool:
    """Whether two tests that need a value accept no common one: patterns without overlap, networks apart, or patterns
    that others rule out entirely."""
    needing = [test for test in tests if test[0].negated != test[2]]
    textual = [test[1] for test in needing if test[0].base in _TEXTUAL]
    ranges = [test[1] for test in needing if test[0].base == "ipaddress"]
    if _some_pair_apart(textual, glob.overlap) or _some_pair_apart(ranges, _networks_meet):
        return True
    in_any_case = [test[1] for test in needing if test[0].base == "stringequalsignorecase"]
    if in_any_case and _some_pair_apart([*in_any_case, *textual], _meet_in_any_case):
        return True
    barred = [pattern for test in tests if test[0].negated == test[2] for pattern in _patterns(test)]
    if all(any(glob.covers(outer, form) for outer in barred) for form in forms):
        return True
    return any(
        all(any(glob.covers(outer, inner) for outer in barred) for inner in _patterns(test))
        for test in needing
        if test[0].base in _PLAIN_TEXT and len(test[1]) * len(barred) <= _MANY
    )


def _patterns(test: Test) -> tuple[str, ...]:
    """The values of a test on plain text as patterns; of any other test, none."""
    if test[0].base == "stringequals":
        return tuple(glob.literal(value) for value in test[1])
    return test[1] if test[0].base == "stringlike" else ()


def _some_pair_apart(groups: list[tuple[str, ...]], meet: Callable[[str, str], bool]) -> bool:
    several = sum(map(len, groups)) ** 2 // 2
    if several * len(groups) > _COMPARISONS:
        return False
    for place, left in enumerate(groups):
        for right in groups[place + 1 :]:
            if len(left) * len(right) <= _MANY and not any(meet(a, b) for a in left for b in right):
                return True
    return False


def _meet_in_any_case(left: str, right: str) -> bool:
    return glob.overlap(left.lower(), right.lower())


def _networks_meet(left: str, right: str) -> bool:
    first, second = network(left), network(right)
    if first is None or second is None or first.version != second.version:
        return False
    return first.overlaps(second)
