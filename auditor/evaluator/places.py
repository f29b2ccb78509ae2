"""What a test says about the organization of an account: the account's place, the organization's id and the path in it.

Whoever is in an organization has its id and one path, which begins with the id; whoever is in none has neither (IAM
user guide, global condition keys).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator import glob
from auditor.evaluator.consistency import Literal, asks_for_values, excludes, needs_absence, operator_of
from auditor.evaluator.implied import ID_OF, PATHS_OF
from auditor.model.residual import Leaf

_LETTER_BY_LETTER = "stringequals"
_COMPARED = (_LETTER_BY_LETTER, "stringlike")


def of_organization(literal: Literal) -> Iterator[Leaf]:
    """What every request says of an organization that meets the literal."""
    leaf, key = literal[0], literal[0].key.lower()
    other = PATHS_OF.get(key) or ID_OF.get(key)
    if leaf.places:
        yield from _of_accounts(literal)
    if other is None or operator_of(leaf) is None or any("${" in value for value in leaf.values):
        return
    if excludes(literal, ()) or needs_absence(literal):
        yield Leaf("Null", other, ("false" if excludes(literal, ()) else "true",))
    yield from _of_id(literal, other) if key in PATHS_OF else _of_path(literal, other)


def _of_accounts(literal: Literal) -> Iterator[Leaf]:
    """What all accounts have in common that a test lists: the organization they are in, or are not."""
    leaf, operator = literal[0], operator_of(literal[0])
    if operator is None or not asks_for_values(operator, literal):
        return
    places = dict(leaf.places)
    found = [places.get(value, ()) for value in leaf.values]
    for one in found[0]:
        same = [other for said in found for other in said if (other.operator, other.key) == (one.operator, one.key)]
        if len(same) == len(found):
            yield replace(one, values=tuple(dict.fromkeys(value for other in same for value in other.values)))


def _of_id(literal: Literal, paths: str) -> Iterator[Leaf]:
    """The path by the id."""
    leaf, operator = literal[0], operator_of(literal[0])
    if operator is None or operator.base not in _COMPARED:
        return
    if asks_for_values(operator, literal):
        spell = glob.literal if operator.base == _LETTER_BY_LETTER else str
        below = tuple(f"{spell(value)}/*" for value in leaf.values)
        yield from (Leaf(f"{each}:StringLike", paths, below) for each in ("ForAnyValue", "ForAllValues"))
    others = tuple(f"{value}/*" for value in leaf.values if _is_no(literal, value, value))
    if others:
        yield Leaf("ForAllValues:StringNotLike", paths, others)


def _of_path(literal: Literal, name: str) -> Iterator[Leaf]:
    """The id by the path."""
    leaf, operator = literal[0], operator_of(literal[0])
    if operator is None or operator.base not in _COMPARED:
        return
    ids = [value.partition("/") for value in leaf.values]
    if asks_for_values(operator, literal) and all(mark and not glob.has_wildcard(one) for one, mark, _ in ids):
        yield Leaf("StringEquals", name, tuple(sorted({one for one, _, _ in ids})))
    others = tuple(one for one, _, rest in ids if rest == "*" and _is_no(literal, one, f"{one}/r"))
    if others:
        yield Leaf("StringNotEquals", name, others)


def _is_no(literal: Literal, identity: str, value: str) -> bool:
    """Whether no request meets the literal whose key has this value, of the organization with this id."""
    return not glob.has_wildcard(identity) and excludes(literal, (value,))
