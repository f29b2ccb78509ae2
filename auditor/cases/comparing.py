"""Whether two residual conditions mean the same: compared by truth table, not by how they are written.

Every leaf becomes a formula over a few atoms per condition key, and both trees are evaluated under every state that a
key can be in: absent, or present with one of the mentioned values or another one. So order and nesting do not matter,
``StringNotEquals`` equals the negation of ``StringEquals``, several values equal an ``any`` of single ones, and
``…IfExists`` equals "absent, or …". States that no request for the action is in do not count: the absence of a key
that is always there, a value outside of those that exist. Where they differ, the evaluator's knowledge of impossible
requests has the last word. It compares; it never simplifies what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from auditor.cases.operators import Atom, Shape, atoms_of, holds
from auditor.evaluator.consistency import GRANT_SOURCE
from auditor.evaluator.expressions import all_of, negate, with_leaves
from auditor.evaluator.grants import CONTEXT
from auditor.evaluator.simplify import simplify
from auditor.evaluator.values import ANY, KeyValue, RunTime
from auditor.model.residual import TRUE, AllOf, AnyOf, Constant, Leaf, Not, Residual

MAX_STATES = 200_000
"""Beyond this many combinations the trees are compared as written, after sorting."""

State = Mapping[str, frozenset[Atom] | None]
"""Condition key → the atoms that are true; None for a key that is absent."""
ValueOf = Callable[[str], KeyValue]
"""What is known of a condition key's value in requests for the action at hand."""


def anything(_: str) -> KeyValue:
    """Nothing is known of any key."""
    return ANY


def equivalent(left: Residual | None, right: Residual | None, value_of: ValueOf = anything) -> bool:
    """Whether the two trees give the same answer in every state; None means "no condition left" (true)."""
    left, right = _by_pairs(TRUE if left is None else left), _by_pairs(TRUE if right is None else right)
    atoms = _atoms(left) | _atoms(right)
    states = {key: tuple(_states(atoms, key, value_of(key))) for key in sorted({atom.key for atom in atoms})}
    if prod(len(options) for options in states.values()) > MAX_STATES:
        return _sorted_form(left) == _sorted_form(right) or _no_request_between(left, right)
    worlds = (dict(zip(states, combination, strict=True)) for combination in product(*states.values()))
    return all(_true(left, world) == _true(right, world) for world in worlds) or _no_request_between(left, right)


def _no_request_between(left: Residual, right: Residual) -> bool:
    """Whether every state that tells the trees apart is one that no request can be in (patterns that have no text in
    common, a call through a service that is none): such parts drop out of a residual."""
    return all(
        simplify(all_of((one, negate(other)))) == Constant(False) for one, other in ((left, right), (right, left))
    )


def _by_pairs(tree: Residual) -> Residual:
    """Grant constraints in comparable form: "at least these pairs" is a test of each pair, in the words of conditions;
    pair names, which have no case, in lower case."""
    return with_leaves(tree, _of_pairs)


def _of_pairs(leaf: Leaf) -> Residual:
    operator = leaf.operator.lower()
    if operator == GRANT_SOURCE.lower():
        return Leaf("StringEquals", leaf.key, leaf.values)
    if not operator.startswith("grantencryptioncontext"):
        return leaf
    pairs = tuple(name.lower() + mark + value for name, mark, value in (text.partition("=") for text in leaf.values))
    if operator.endswith("equals"):
        return Leaf(leaf.operator, leaf.key, tuple(sorted(pairs)))
    parts = (pair.partition("=") for pair in pairs)
    return all_of(Leaf("StringEquals", f"{CONTEXT}:{name}", (value,)) for name, _, value in parts)


def _atoms(tree: Residual) -> set[Atom]:
    match tree:
        case Leaf():
            return set(atoms_of(tree))
        case Not(item):
            return _atoms(item)
        case AllOf(items) | AnyOf(items):
            return {atom for item in items for atom in _atoms(item)}
        case _:
            return set()


def _states(atoms: set[Atom], key: str, value: KeyValue) -> Iterator[frozenset[Atom] | None]:
    """The states of one key: absent, then present with every set of atoms that one value could make true."""
    own = sorted(atom for atom in atoms if atom.key == key)
    if not isinstance(value, RunTime) or value.may_be_absent:
        yield None
    listed = _listed(own, value.domain) if isinstance(value, RunTime) and value.domain else None
    yield from _free(own) if listed is None else listed


def _listed(own: list[Atom], domain: tuple[str, ...]) -> list[frozenset[Atom]] | None:
    """The states of a key that has one of these values, or None where an atom is about more than one value."""
    states = []
    for text in domain:
        truths = {atom: atom.true_of(text) for atom in own}
        if None in truths.values():
            return None
        states.append(frozenset(atom for atom, truth in truths.items() if truth))
    return states


def _free(own: list[Atom]) -> Iterator[frozenset[Atom]]:
    """The states of a key that may have any value."""
    exact = [atom for atom in own if atom.shape is Shape.EXACT]
    boolean = [atom for atom in own if atom.shape is Shape.BOOLEAN]
    free = [atom for atom in own if atom.shape is Shape.FREE and atom.operator]
    always = {atom for atom in own if not atom.operator}
    for value in [None, *exact]:
        for truth in ("true", "false") if boolean else ("",):
            certain = {atom for atom in boolean if atom.value == truth} | ({value} if value else set()) | always
            open_atoms = [atom for atom in free if value is None or atom.true_of(value.value) is None]
            certain |= {atom for atom in free if value is not None and atom.true_of(value.value)}
            for choice in product((False, True), repeat=len(open_atoms)):
                yield frozenset(certain | {atom for atom, chosen in zip(open_atoms, choice, strict=True) if chosen})


def _true(tree: Residual, world: State) -> bool:
    match tree:
        case Constant(value):
            return value
        case Leaf():
            return holds(tree, world)
        case Not(item):
            return not _true(item, world)
        case AllOf(items):
            return all(_true(item, world) for item in items)
        case AnyOf(items):
            return any(_true(item, world) for item in items)


@dataclass(frozen=True, slots=True, order=True)
class _Form:
    """A tree as a sortable value."""

    kind: str
    text: str
    items: tuple[_Form, ...] = ()


def _sorted_form(tree: Residual) -> _Form:
    match tree:
        case Constant(value):
            return _Form("constant", str(value))
        case Leaf(operator, key, values):
            return _Form("leaf", "\0".join([operator.lower(), key.lower(), *sorted(values)]))
        case Not(item):
            return _Form("not", "", (_sorted_form(item),))
        case AllOf(items):
            return _Form("all", "", tuple(sorted({_sorted_form(item) for item in items})))
        case AnyOf(items):
            return _Form("any", "", tuple(sorted({_sorted_form(item) for item in items})))
