"""Condition operators as formulas over atoms: what makes two differently written leaves comparable.

Meaning after the IAM reference, condition operators: a negated operator is the negation of its positive twin, also for
an absent key; ``…IfExists`` adds "or the key is absent"; several values are an OR (NOR under a negated operator).
The evaluator has its own account of this; this one is kept separate so that each checks the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from auditor.model.residual import Leaf
from auditor.model.wildcards import expression

NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}
SAME = {"arnequals": "arnlike"}
COMPLEMENTS = {
    "numericgreaterthan": "numericlessthanequals",
    "numericgreaterthanequals": "numericlessthan",
    "dategreaterthan": "datelessthanequals",
    "dategreaterthanequals": "datelessthan",
}
"""Of a key that is present, exactly one of the pair is true; of an absent one, neither."""
SET_OPERATORS = ("forallvalues:", "foranyvalue:")
IF_EXISTS = "ifexists"


class Shape(StrEnum):
    """How an atom behaves: EXACT values of a key exclude each other, a BOOLEAN has two, FREE atoms are independent."""

    EXACT = "exact"
    BOOLEAN = "boolean"
    FREE = "free"


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """One test of one value; ``operator`` is positive and lower-case."""

    key: str
    operator: str
    value: str
    shape: Shape

    def true_of(self, value: str) -> bool | None:
        """Whether a key with this one value makes the atom true, or None where that is not worked out here."""
        match self.operator:
            case "":
                return True
            case "stringequals":
                return value == self.value
            case "bool":
                return value.lower() == self.value
            case "stringlike":
                return _glob(self.value).fullmatch(value) is not None
            case "stringequalsignorecase":
                return value.casefold() == self.value.casefold()
        return None


@dataclass(frozen=True, slots=True)
class _Test:
    """A leaf taken apart: ``atoms`` are OR-ed, then ``complement`` and ``negated`` apply, then ``if_exists``."""

    key: str
    atoms: tuple[Atom, ...]
    negated: bool = False
    complement: bool = False
    if_exists: bool = False
    empty_is_true: bool = False
    existence: str = ""


def atoms_of(leaf: Leaf) -> tuple[Atom, ...]:
    """The atoms that a leaf tests. A test for existence alone keeps one, so that its key has states."""
    test = _test(leaf)
    return test.atoms or (Atom(test.key, "", "", Shape.FREE),)


def holds(leaf: Leaf, world: Mapping[str, frozenset[Atom] | None]) -> bool:
    """Whether the leaf is true in a state of the keys."""
    test = _test(leaf)
    state = world[test.key]
    if test.existence:
        return (state is None) == (test.existence == "true")
    if state is None:
        return True if test.if_exists else test.empty_is_true != test.negated
    found = any(atom in state for atom in test.atoms)
    return found != (test.negated != test.complement)


@lru_cache(maxsize=4096)
def _test(leaf: Leaf) -> _Test:
    key, operator = leaf.key.lower(), leaf.operator.lower()
    if operator == "null":
        return _Test(key, (), existence=leaf.values[0].lower() if leaf.values else "true")
    if_exists = operator.endswith(IF_EXISTS)
    operator = operator.removesuffix(IF_EXISTS)
    qualifier = next((word for word in SET_OPERATORS if operator.startswith(word)), "")
    operator = operator.removeprefix(qualifier)
    negated = operator in NEGATED
    operator = NEGATED.get(operator, SAME.get(operator, operator))
    complement = operator in COMPLEMENTS
    operator = COMPLEMENTS.get(operator, operator)
    if qualifier and negated:
        qualifier = SET_OPERATORS[1 - SET_OPERATORS.index(qualifier)]
    return _Test(
        key=key,
        atoms=tuple(_atoms(key, qualifier, operator, leaf.values)),
        negated=negated,
        complement=complement,
        if_exists=if_exists,
        empty_is_true=qualifier == SET_OPERATORS[0],
    )


def _atoms(key: str, qualifier: str, operator: str, values: tuple[str, ...]) -> Iterator[Atom]:
    if qualifier == SET_OPERATORS[0] or operator.startswith("grant"):
        # "every value is among these" and grant constraints say something about the whole list
        yield Atom(key, qualifier + operator, "\0".join(sorted(set(values))), Shape.FREE)
        return
    for value in sorted(set(values)):
        yield _atom(key, qualifier, operator, value)


def _atom(key: str, qualifier: str, operator: str, value: str) -> Atom:
    if operator == "stringequalsignorecase":
        value = value.lower()
    if qualifier:
        return Atom(key, qualifier + operator, value, Shape.FREE)
    if operator == "stringlike" and set(value) == {"*"}:
        return Atom(key, "", "", Shape.FREE)  # true of every value
    if operator == "bool":
        return Atom(key, operator, value.lower(), Shape.BOOLEAN)
    if operator == "stringequals" or (operator == "stringlike" and not re.search(r"[*?]", value)):
        return Atom(key, "stringequals", value, Shape.EXACT)
    return Atom(key, operator, value, Shape.FREE)


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return expression(pattern)
