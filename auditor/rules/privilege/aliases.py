"""Rule about access that depends on alias names: who can give a key a name opens the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import matches
from auditor.model.actions import actions_in, mask_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.hit import Hit, listing
from auditor.rules.iam_side import may
from auditor.rules.privilege.attributes import (
    Dependence,
    dependences,
    gain_hit,
    granting,
    on_what,
    own_keys,
    pronoun,
    would_gain,
)
from auditor.rules.privilege.naming import open_on_key
from auditor.rules.view import View

CREATE_ALIAS, UPDATE_ALIAS, DELETE_ALIAS = (mask_of([f"{verb}Alias"]) for verb in ("Create", "Update", "Delete"))
NAMING = CREATE_ALIAS | UPDATE_ALIAS


def abac_alias_hijack(view: View) -> Iterator[Hit]:
    """A principal whose access depends on an alias name may give that name to keys that it cannot use today.

    CreateAlias is checked on the alias and on the key, UpdateAlias on the alias, its current key and the new one. A
    literal name that exists already must be moved, or deleted and made again. Told when the key delegates to IAM and
    the identity statement covers it.

    Fix: reserve the alias names that policies use for the key pipeline.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for prefix in ("kms:resourcealiases", "kms:requestalias"):
        for dependence in dependences(view, prefix):
            who = dependence.principal
            told = (who.arn, dependence.values)
            gained = (
                [] if told in seen else [key for key in own_keys(view, who) if _gains_by_alias(view, dependence, key)]
            )
            seen.add(told)
            if gained:
                pattern = listing(dependence.values)
                summary = f"{who.arn} can name {on_what(gained)} {pattern} and then use {pronoun(gained)}."
                naming = granting(view, [who], gained[0], NAMING)
                hit = gain_hit(view, dependence, gained, summary, (Evidence("alias pattern", pattern), *naming))
                name = dependence.values[0].removeprefix("alias/")
                yield replace(hit, fix=(("restricted-*", name),))


def _gains_by_alias(view: View, dependence: Dependence, key: Key) -> bool:
    named = any(matches(value, alias.name) for value in dependence.values for alias in key.aliases)
    if named or not would_gain(view, dependence, key):
        return False
    may_name = any(open_on_key(view, dependence.principal, key, action) for action in (CREATE_ALIAS, UPDATE_ALIAS))
    return may_name and _pointable(view, dependence, key)


def _pointable(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the principal may give the key a fitting alias: a new one, or one that another key carries today."""
    who, taken = dependence.principal, _aliases_at(view, key)
    for value in dependence.values:
        fitting = [(alias, owner) for alias, owner in taken.items() if matches(value, alias)]
        fresh = value.replace("*", "x").replace("?", "x")
        arn = f"arn:{key.partition}:kms:{key.region}:{key.account}:{fresh}"
        if value.startswith(("alias/", "*")) and fresh not in taken and _may_alias(view, who, arn, key, CREATE_ALIAS):
            return True
        for alias, owner in fitting:
            arn = f"arn:{key.partition}:kms:{key.region}:{key.account}:{alias}"
            moved = _may_alias(view, who, arn, key, UPDATE_ALIAS) and _may_alias(view, who, arn, owner, UPDATE_ALIAS)
            again = _may_alias(view, who, arn, owner, DELETE_ALIAS) and _may_alias(view, who, arn, key, CREATE_ALIAS)
            if moved or again:
                return True
    return False


def _aliases_at(view: View, key: Key) -> dict[str, Key]:
    """The aliases of the key's account and Region, each with its key; aliases do not cross."""
    memo = view.once("aliases-by-place", dict[tuple[str, str], dict[str, Key]])
    place = (key.account, key.region)
    if place not in memo:
        here = [other for other in view.keys if (other.account, other.region) == place]
        memo[place] = {alias.name: other for other in here for alias in other.aliases}
    return memo[place]


def _may_alias(view: View, who: Principal, alias: str, key: Key, action: int) -> bool:
    """Whether an alias action is open on the alias (identity policies decide) and on the key."""
    return may(view, who, next(actions_in(action)).name, alias) and open_on_key(view, who, key, action)
