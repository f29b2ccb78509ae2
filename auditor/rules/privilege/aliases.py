"""Rule about access that depends on alias names: who can give a key a name opens the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from auditor.evaluator.glob import matches
from auditor.evaluator.statements import action_mask
from auditor.model.actions import SENSITIVE, actions_in, mask_of
from auditor.model.finding import Evidence
from auditor.model.key import Alias, Fact, Key
from auditor.model.principal import Principal
from auditor.model.residual import Leaf
from auditor.rules.conditions import asks_for_values
from auditor.rules.doubt import also_in_doubt
from auditor.rules.hit import Hit, Located, listing
from auditor.rules.principals import service_linked
from auditor.rules.privilege.attributes import (
    NAMING,
    REQUEST_ALIAS,
    Dependence,
    dependences,
    gain_hit,
    gaining,
    granting,
    on_what,
    own_keys,
    pronoun,
    together,
    would_gain,
)
from auditor.rules.privilege.naming import (
    CREATE_ALIAS,
    DELETE_ALIAS,
    UPDATE_ALIAS,
    aliases_at,
    fitting,
    may_alias,
    open_on_key,
)
from auditor.rules.privilege.renaming import renaming
from auditor.rules.reach import CERTAIN, openness
from auditor.rules.view import View


@also_in_doubt
def abac_alias_hijack(view: View) -> Iterator[Hit]:
    """A principal whose access depends on an alias name may give that name to keys that it cannot use today.

    CreateAlias is checked on the alias and on the key, UpdateAlias on the alias, its current key and the new one. A
    literal name that exists already must be moved, or deleted and made again. A Deny of an identity policy, boundary
    or SCP that hangs on aliases counts as well, where whom it stops may take the alias away or give another. Told when
    the key delegates to IAM and the identity statement covers it, or when the key's own policy asks for the alias of
    the request.

    Fix: reserve the alias names that policies use for the key pipeline.
    """
    yield from _by_identity_policies(view)
    yield from renaming(view)
    for dependence, keys in _by_key_policies(view):
        yield _hit(view, dependence, keys)


def _by_identity_policies(view: View) -> Iterator[Hit]:
    found = (one for prefix in ("kms:resourcealiases", REQUEST_ALIAS) for one in dependences(view, prefix))
    for group in together(found):
        told = gaining(own_keys(view, group[0].principal), group, partial(_gains_by_alias, view))
        if told is not None:
            yield _hit(view, *told)


def _hit(view: View, dependence: Dependence, gained: list[Key]) -> Hit:
    who, pattern = dependence.principal, listing(dependence.values)
    summary = f"{who.arn} can name {on_what(gained)} {pattern} and then use {pronoun(gained)}."
    naming = granting(view, [who], gained[0], NAMING)
    carriers = sorted({key.arn for one in gained for key in _carriers(view, dependence, one)})
    hit = gain_hit(view, dependence, gained, summary, (Evidence("alias pattern", pattern, names=(*carriers,)), *naming))
    return replace(hit, fix=(("restricted-*", dependence.values[0].removeprefix("alias/")),))


def _by_key_policies(view: View) -> Iterator[tuple[Dependence, list[Key]]]:
    """Principals who get what a key policy ties to the alias of a request once the key carries it, with their keys."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Dependence, list[Key]]] = {}
    for key in view.keys_with(Fact.KEY_POLICY):
        for located, values in _tied(view, key):
            for who, held in _namers(view, key):
                mask = (
                    action_mask(located.statement) & SENSITIVE & view.reach.usable[view.reach.key_at[key.arn]] & ~held
                )
                dependence = Dependence(who, located, "", values, _gained(view, who, key, mask, values))
                if dependence.mask and _pointable(view, dependence, key):
                    found.setdefault((who.arn, values), (dependence, []))[1].append(key)
    yield from found.values()


def _tied(view: View, key: Key) -> Iterator[tuple[Located, tuple[str, ...]]]:
    """The Allow statements of a key policy that ask for the alias of the request, and the aliases that they ask for."""
    for located in view.statements(key):
        for test in located.statement.conditions if located.statement.effect == "Allow" else ():
            if test.key.lower() == REQUEST_ALIAS and asks_for_values(Leaf(test.operator, test.key, test.values), False):
                yield located, tuple(value for value in test.values if "${" not in value)


def _namers(view: View, key: Key) -> Iterator[tuple[Principal, int]]:
    """Ordinary identities that may give the key an alias, with the actions that they hold on it."""
    position, pairs = view.reach.key_at[key.arn], view.reach.all_pairs
    here = pairs.select(pairs.keys == position)
    for row, _, profile in here.select(view.reach.having(here, NAMING, *CERTAIN)).rows():
        who = view.reach.principals[row]
        if not service_linked(who) and not view.trust.account_admin(who):
            yield who, view.reach.held(profile, position, *CERTAIN)


def _gained(view: View, who: Principal, key: Key, mask: int, values: tuple[str, ...]) -> int:
    """The actions of the mask that the principal would have on the key if it carried a fitting alias."""
    fresh = tuple(Alias(fitting(value), key.arn.replace(f"key/{key.key_id}", fitting(value))) for value in values)
    renamed = replace(key, aliases=(*key.aliases, *fresh))
    decided = ((action, view.evaluation.decide(who, renamed, action.name)) for action in actions_in(mask))
    return mask_of(action.name for action, one in decided if openness(one) in CERTAIN)


def _gains_by_alias(view: View, dependence: Dependence, key: Key) -> bool:
    named = any(matches(value, alias.name) for value in dependence.values for alias in key.aliases)
    if named or not would_gain(view, dependence, key):
        return False
    may_name = any(open_on_key(view, dependence.principal, key, action) for action in (CREATE_ALIAS, UPDATE_ALIAS))
    return may_name and _pointable(view, dependence, key)


def _pointable(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the principal may give the key a fitting alias: a new one, or one that another key carries today."""
    who, taken = dependence.principal, aliases_at(view, key)
    for value in dependence.values:
        fresh = fitting(value)
        arn = f"arn:{key.partition}:kms:{key.region}:{key.account}:{fresh}"
        if value.startswith(("alias/", "*")) and fresh not in taken and may_alias(view, who, arn, key, CREATE_ALIAS):
            return True
        for alias, owner in _carried(view, value, key):
            arn = f"arn:{key.partition}:kms:{key.region}:{key.account}:{alias}"
            moved = may_alias(view, who, arn, key, UPDATE_ALIAS) and may_alias(view, who, arn, owner, UPDATE_ALIAS)
            again = may_alias(view, who, arn, owner, DELETE_ALIAS) and may_alias(view, who, arn, key, CREATE_ALIAS)
            if moved or again:
                return True
    return False


def _carriers(view: View, dependence: Dependence, key: Key) -> list[Key]:
    """The keys that carry a fitting alias today, and from which it would be taken."""
    return [owner for value in dependence.values for _, owner in _carried(view, value, key)]


def _carried(view: View, value: str, key: Key) -> list[tuple[str, Key]]:
    """The aliases of the key's account and Region that a value fits, with the keys that carry them; gathered once."""
    memo = view.once("aliases-that-fit", dict[tuple[str, str, str], list[tuple[str, Key]]])
    place = (value, key.account, key.region)
    if place not in memo:
        memo[place] = [(alias, owner) for alias, owner in aliases_at(view, key).items() if matches(value, alias)]
    return memo[place]
