"""Whether an identity may act on a key by an alias action, whatever aliases the key carries today.

The table decides UpdateAlias and DeleteAlias for the aliases that a key has. Pointing another alias at the key asks the
key's side of the same action, for a name that the key does not carry yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from auditor.evaluator.statements import action_mask
from auditor.model.actions import actions_in, mask_of
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.iam_side import may
from auditor.rules.privilege.attributes import held_today
from auditor.rules.privilege.wide import resources_reach
from auditor.rules.reach import CERTAIN, openness
from auditor.rules.view import View

CREATE_ALIAS, UPDATE_ALIAS, DELETE_ALIAS = (mask_of([f"{verb}Alias"]) for verb in ("Create", "Update", "Delete"))
Asked = dict[tuple[str, str, int], bool]
ANY_VALUES = ("x", "other")
"""Values of a tag that stand for all that nobody lists."""


def open_on_key(view: View, who: Principal, key: Key, action: int) -> bool:
    """Whether an alias action (a mask of one bit) is open to the identity on the key, for some alias or other."""
    if who.arn not in view.reach.principal_at:
        return False
    if held_today(view, who, key) & action:
        return True
    memo = view.once("open-on-key", Asked)
    asked = (who.arn, key.arn, action)
    if asked not in memo:
        memo[asked] = bool(key.aliases) and _speaks_of(who, key, action) and _without_aliases(view, who, key, action)
    return memo[asked]


def _speaks_of(who: Principal, key: Key, action: int) -> bool:
    """Whether an identity policy allows the action on the key at all: without it nothing is allowed on an alias."""
    return any(
        statement.effect == "Allow" and action_mask(statement) & action and resources_reach(statement, key.arn)
        for attached in who.identity_policies
        for statement in attached.policy.statements
    )


def _without_aliases(view: View, who: Principal, key: Key, action: int) -> bool:
    name = next(actions_in(action)).name
    return openness(view.evaluation.decide(who, replace(key, aliases=()), name)) in CERTAIN


def aliases_at(view: View, key: Key) -> dict[str, Key]:
    """The aliases of the key's account and Region, each with its key; aliases do not cross."""
    memo = view.once("aliases-by-place", dict[tuple[str, str], dict[str, Key]])
    place = (key.account, key.region)
    if place not in memo:
        here = [other for other in view.keys if (other.account, other.region) == place]
        memo[place] = {alias.name: other for other in here for alias in other.aliases}
    return memo[place]


def may_alias(view: View, who: Principal, alias: str, key: Key, action: int) -> bool:
    """Whether an alias action is open on the alias (identity policies decide) and on the key."""
    return may(view, who, next(actions_in(action)).name, alias) and open_on_key(view, who, key, action)


def fitting(value: str) -> str:
    """A name or value that a pattern fits."""
    return value.replace("*", "x").replace("?", "x")


def fitting_each(values: Iterable[str]) -> tuple[str, ...]:
    """A name or value for each of the patterns that no variable leaves open."""
    return _fitting_each(tuple(values))


@lru_cache(maxsize=4096)
def _fitting_each(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fitting(value) for value in values if "${" not in value)
