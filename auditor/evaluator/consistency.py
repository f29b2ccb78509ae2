"""Whether tests of one condition key can hold together.

Sound in one direction: "no" is certain, "yes" may be optimistic. So a contradiction found here is a deny, and one that
is missed only leaves a residual that no request can meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.operators import Operator, network, number, parse_operator, satisfied, timestamp
from auditor.model.residual import Leaf

Literal = tuple[Leaf, bool]
"""A leaf and whether it must hold (False: must not hold)."""
_FRESH = "\x00some other value"
_TEXTUAL = ("stringequals", "stringlike", "arnlike", "bool")
_PLAIN_TEXT = ("stringequals", "stringlike")
_EQUALITY = ("stringequals", "null")


def satisfiable(literals: Sequence[Literal]) -> bool:
    """Whether some request may meet all literals; they must be about one condition key."""
    wanted = dict.fromkeys(literals)
    if any((leaf, not holds) in wanted for leaf, holds in wanted):
        return False
    tests = [(operator, leaf.values, holds) for leaf, holds in wanted if (operator := _transparent(leaf)) is not None]
    if len(tests) < 2:
        return True
    candidates = _candidates(tests)
    if candidates is not None:
        return any(all(_holds(test, value) for test in tests) for value in candidates)
    return not _disjoint(tests)


Test = tuple[Operator, tuple[str, ...], bool]


def _transparent(leaf: Leaf) -> Operator | None:
    """The operator of a leaf whose meaning for a single value is fully known here, else None."""
    operator = parse_operator(leaf.operator)
    if operator is None or operator.quantifier or (operator.base != "null" and vocabulary.multi_valued(leaf.key)):
        return None
    return None if any("${" in value for value in leaf.values) else operator


def _holds(test: Test, value: tuple[str, ...]) -> bool:
    operator, wanted, holds = test
    return satisfied(operator, wanted, value) == holds


def _is_literal(test: Test) -> bool:
    operator, wanted, _ = test
    if operator.base in ("stringlike", "arnlike"):
        return not any(glob.has_wildcard(value) for value in wanted)
    return operator.base in ("stringequals", "bool")


def _candidates(tests: list[Test]) -> list[tuple[str, ...]] | None:
    """Values that are enough to decide the question exactly, or None when there is no such list."""
    if any(test[0].base == "null" and not _holds(test, (_FRESH,)) for test in tests):
        return [()]
    for test in tests:
        if _is_literal(test) and not _holds(test, (_FRESH,)):
            values = ("true", "false") if test[0].base == "bool" else test[1]
            return [(), *((value,) for value in values)]
    bases = {test[0].base for test in tests}
    values = tuple(value for test in tests if test[0].base != "null" for value in test[1])
    if bases <= set(_EQUALITY):
        return [(), (_FRESH,), *((value,) for value in values)]
    if all(base.startswith("numeric") or base == "null" for base in bases):
        return _around(values, dates=False)
    if all(base.startswith("date") or base == "null" for base in bases):
        return _around(values, dates=True)
    return None


def _around(values: tuple[str, ...], *, dates: bool) -> list[tuple[str, ...]] | None:
    numbers = []
    for value in values:
        found = timestamp(value) if dates else number(value)
        if found is None:
            return None
        numbers.append(found)
    ordered = sorted(set(numbers))
    between = [(left + right) / 2 for left, right in pairwise(ordered)]
    ends = [ordered[0] - 1, ordered[-1] + 1] if ordered else [0.0]
    return [(), *((repr(number),) for number in [*ordered, *between, *ends])]


def _disjoint(tests: list[Test]) -> bool:
    """Whether two tests that need a value accept no common one: patterns without overlap, networks apart, or patterns
    that others rule out entirely."""
    needing = [test for test in tests if not _holds(test, ()) and test[0].negated != test[2]]
    textual = [test[1] for test in needing if test[0].base in _TEXTUAL]
    ranges = [test[1] for test in needing if test[0].base == "ipaddress"]
    if _some_pair_apart(textual, glob.overlap) or _some_pair_apart(ranges, _networks_meet):
        return True
    barred = [pattern for test in tests if test[0].negated == test[2] for pattern in _patterns(test)]
    return any(
        all(any(glob.covers(outer, inner) for outer in barred) for inner in _patterns(test))
        for test in needing
        if test[0].base in _PLAIN_TEXT and len(test[1]) * len(barred) <= 400
    )


def _patterns(test: Test) -> tuple[str, ...]:
    """The values of a test on plain text as patterns; of any other test, none."""
    if test[0].base == "stringequals":
        return tuple(glob.literal(value) for value in test[1])
    return test[1] if test[0].base == "stringlike" else ()


def _some_pair_apart(groups: list[tuple[str, ...]], meet: Callable[[str, str], bool]) -> bool:
    for place, left in enumerate(groups):
        for right in groups[place + 1 :]:
            if len(left) * len(right) <= 400 and not any(meet(a, b) for a in left for b in right):
                return True
    return False


def _networks_meet(left: str, right: str) -> bool:
    first, second = network(left), network(right)
    if first is None or second is None or first.version != second.version:
        return False
    return first.overlaps(second)
