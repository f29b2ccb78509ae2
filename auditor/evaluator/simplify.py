"""Residual trees in normal form: no decided parts, no duplicates, contradictions and tautologies folded.

What siblings already say is assumed while a part is looked at: in a conjunction the other tests hold, in a disjunction
they do not. That absorbs, removes repetition, and finds contradictions across layers.
"""

from __future__ import annotations

import json
from dataclasses import replace

from auditor.evaluator.assumed import Assumed
from auditor.evaluator.consequences import said_by
from auditor.evaluator.consistency import Literal, operator_of, satisfiable
from auditor.evaluator.exact_context import EXACT, settled
from auditor.evaluator.expressions import all_of, any_of, leaves, negate
from auditor.model.residual import FALSE, TRUE, AllOf, AnyOf, Constant, Leaf, Not, Residual, to_json

LEAF_LIMIT = 300
"""Above this size only the constants are folded: hostile policies must not cost minutes."""
VALUE_LIMIT = 60
"""A test of more values than these keeps them all."""
TEST_LIMIT = 100
"""More tests of one condition key than these are not compared with each other."""
_PASSES = 4
_CONTEXT = "kms:encryptioncontext"
"""The pseudo condition key of grant constraints, and what the keys of an encryption context begin with."""


def simplify(tree: Residual) -> Residual:
    """The normal form of ``tree``; equal inputs in another order give the equal output."""
    if isinstance(tree, Constant):
        return tree
    if sum(1 for _ in leaves(tree)) > LEAF_LIMIT:
        return _sorted(tree)
    tree = _sorted(tree)  # equal trees in another order must take the same steps
    for _ in range(_PASSES):
        before = tree
        tree = _sorted(_reduce(tree, Assumed()))
        if tree == before:
            break
    return tree


def literal_of(item: Residual) -> Literal | None:
    """The leaf and its sign when ``item`` is a leaf or a negated leaf."""
    if isinstance(item, Leaf):
        return item, True
    if isinstance(item, Not) and isinstance(item.item, Leaf):
        return item.item, False
    return None


def _sort_key(item: Residual) -> str:
    return json.dumps(to_json(item), ensure_ascii=True)


def _sorted(item: Residual) -> Residual:
    match item:
        case AllOf(items):
            return all_of(sorted((_sorted(part) for part in items), key=_sort_key))
        case AnyOf(items):
            return any_of(sorted((_sorted(part) for part in items), key=_sort_key))
        case Not(inner):
            return negate(_sorted(inner))
    return item


def _reduce(item: Residual, assumed: Assumed) -> Residual:
    literal = literal_of(item)
    if literal is not None:
        return _reduce_literal(item, literal, assumed)
    if isinstance(item, AllOf):
        return _absorb(_reduce_parts(item.items, assumed, conjunction=True))
    if isinstance(item, AnyOf):
        return _factor(_absorb(_reduce_parts(item.items, assumed, conjunction=False)))
    return item


def _reduce_literal(item: Residual, literal: Literal, assumed: Assumed) -> Residual:
    if not satisfiable((literal,)):
        return FALSE
    if not satisfiable(((literal[0], not literal[1]),)):
        return TRUE
    if not assumed:
        return item
    if _contradicted(literal, assumed):
        return FALSE
    exactly = _under_exact_context(literal, assumed)
    if exactly is not None:
        return Constant(exactly)
    given = _given(literal, assumed)
    if given and not satisfiable((*given, literal)):
        return FALSE
    opposite = (literal[0], not literal[1])
    if (given and not satisfiable((*given, opposite))) or _contradicted(opposite, assumed):
        return TRUE
    return _within(literal, assumed) if _mergeable(literal[0]) and literal[1] else item


def _given(literal: Literal, assumed: Assumed) -> tuple[Literal, ...]:
    """What is assumed of the literal's own key, as far as it is compared with it."""
    given = assumed.of(literal[0].key.lower())
    # only its opposite contradicts a constraint of a grant, and is looked for where there are too many others
    if operator_of(literal[0]) is None or len(given) > TEST_LIMIT:
        return tuple(one for one in given if one[0] == literal[0])
    return given


def _contradicted(literal: Literal, assumed: Assumed) -> bool:
    """Whether the literal says something of another key that no request meets together with what is assumed of it."""
    return any(
        not satisfiable((*known, said)) for said in said_by(literal) if (known := assumed.of(said[0].key.lower()))
    )


def _within(literal: Literal, assumed: Assumed) -> Residual:
    """A test of several values without those that are ruled out by what is assumed of its key, or of others."""
    leaf = literal[0]
    given = _given(literal, assumed)
    if not 1 < len(leaf.values) <= VALUE_LIMIT or not (given or leaf.places):
        return leaf
    each = [replace(leaf, values=(value,)) for value in leaf.values]
    possible = [
        one.values[0] for one in each if satisfiable((*given, (one, True))) and not _contradicted((one, True), assumed)
    ]
    return replace(leaf, values=tuple(possible)) if 0 < len(possible) < len(leaf.values) else leaf


def _under_exact_context(literal: Literal, assumed: Assumed) -> bool | None:
    """What an exact encryption context decides: the literal under one that is assumed, or one that the literal demands
    against what is assumed of its keys."""
    if literal[0].operator == EXACT:
        said = assumed.beginning(_CONTEXT)
        return False if any(settled(one, (literal,)) is False for one in said) else None
    return settled(literal, assumed.of(_CONTEXT))


def _reduce_parts(items: tuple[Residual, ...], assumed: Assumed, *, conjunction: bool) -> Residual:
    """Each part under what the others say; parts that say nothing new drop out one after the other."""
    ends = FALSE if conjunction else TRUE
    join = all_of if conjunction else any_of
    joined = join(_merge(items, conjunction=conjunction))
    if not isinstance(joined, AllOf if conjunction else AnyOf):
        return _reduce(joined, assumed)
    parts: list[Residual] = list(joined.items)
    siblings = Assumed(assumed)
    for index, part in enumerate(parts):
        siblings.state(index, _assumed_of(part, holds=conjunction))
    for index in range(len(parts)):
        parts[index] = _reduce(parts[index], siblings.besides(index))
        if parts[index] == ends:
            return ends
        siblings.state(index, _assumed_of(parts[index], holds=conjunction))
    return join(parts)


def _assumed_of(part: Residual, *, holds: bool) -> Literal | None:
    """What a part that is a literal says to the others while it holds, or does not."""
    literal = literal_of(part)
    return (literal[0], literal[1] == holds) if literal is not None else None


def _merge(items: tuple[Residual, ...], *, conjunction: bool) -> list[Residual]:
    """In a disjunction, equal operators on one key become one test with all values (values are OR); in a conjunction
    the same holds for what must not match."""
    merged: dict[tuple[str, str], list[Leaf]] = {}
    rest: list[Residual] = []
    for item in items:
        literal = literal_of(item)
        if literal is not None and literal[1] is not conjunction and _mergeable(literal[0]):
            merged.setdefault((literal[0].operator, literal[0].key), []).append(literal[0])
        else:
            rest.append(item)
    for same in merged.values():
        values = tuple(sorted({value for leaf in same for value in leaf.values}))
        places = tuple(dict.fromkeys(place for leaf in same for place in leaf.places))
        leaf = replace(same[0], values=values, places=places)
        rest.append(negate(leaf) if conjunction else leaf)
    return rest


def _mergeable(leaf: Leaf) -> bool:
    operator = operator_of(leaf)
    return (
        operator is not None
        and not operator.negated
        and operator.quantifier != "all"
        and operator.base in ("stringequals", "stringlike", "arnlike", "stringequalsignorecase", "ipaddress")
    )


def _absorb(item: Residual) -> Residual:
    """Drops what a simpler sibling already says: (a ∧ b) ∨ (a ∧ b ∧ c) = a ∧ b, and its dual."""
    if not isinstance(item, AllOf | AnyOf):
        return item
    inner, join = (AnyOf, all_of) if isinstance(item, AllOf) else (AllOf, any_of)
    sets = [frozenset(part.items if isinstance(part, inner) else (part,)) for part in item.items]
    return join(part for part, own in zip(item.items, sets, strict=True) if not any(other < own for other in sets))


def _factor(item: Residual) -> Residual:
    """(a ∧ b) ∨ (a ∧ c) = a ∧ (b ∨ c), when every alternative shares something."""
    if not isinstance(item, AnyOf):
        return item
    sets = [list(part.items) if isinstance(part, AllOf) else [part] for part in item.items]
    shared = [part for part in sets[0] if all(part in other for other in sets[1:])]
    if not shared:
        return item
    rests = [all_of(part for part in parts if part not in shared) for parts in sets]
    return all_of([*shared, any_of(rests)])
