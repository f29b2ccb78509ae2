"""Aliases on which a Deny hangs, and whom it stops may take them from a key, or give it one that the Deny spares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.model.finding import Evidence
from auditor.model.key import Alias, Key
from auditor.model.principal import Principal
from auditor.rules.hit import Hit, count, listing
from auditor.rules.privilege.attributes import granting, held_today, hit_of_gain, on_what
from auditor.rules.privilege.lifting import Denied, denied_by, opened
from auditor.rules.privilege.naming import CREATE_ALIAS, DELETE_ALIAS, UPDATE_ALIAS, aliases_at, fitting, may_alias
from auditor.rules.view import View

RESOURCE_ALIASES = "kms:resourcealiases"
ANY_NAME = "alias/x"


@dataclass(slots=True)
class Lifted:
    """What one identity comes to by one way of renaming: the keys, the actions, and the alias action that it takes."""

    who: Principal
    takes: bool
    names: set[str]
    keys: list[Key]
    mask: int = 0


def renaming(view: View) -> Iterator[Hit]:
    """Identities that may take away the alias that a Deny against them asks for, or give the key one that it spares."""
    for denied in denied_by(view, RESOURCE_ALIASES):
        found: dict[tuple[str, bool], Lifted] = {}
        ways = [(who, key, mask, way) for who, key, mask in denied.stopped for way in _ways(view, denied, who, key)]
        told: set[tuple[str, str]] = set()
        gains = opened(view, [(who, changed, mask) for who, _, mask, (changed, _, _) in ways])
        for (who, key, _, (_, names, takes)), gained in zip(ways, gains, strict=True):
            if gained and (who.arn, key.arn) not in told:
                told.add((who.arn, key.arn))
                one = found.setdefault((who.arn, takes), Lifted(who, takes, set(), []))
                one.names |= names
                one.keys.append(key)
                one.mask |= gained
        yield from (_hit(view, denied, one) for one in found.values())


def _ways(view: View, denied: Denied, who: Principal, key: Key) -> Iterator[tuple[Key, set[str], bool]]:
    """The key as the identity could make it, with the names that it takes away (True) or gives (False)."""
    gone = {alias.name for alias in key.aliases if _may_take(view, who, key, alias)}
    if gone:
        yield replace(key, aliases=tuple(alias for alias in key.aliases if alias.name not in gone)), gone, True
    for value in (*(value for value in denied.test.values if "${" not in value), ANY_NAME):
        name = fitting(value)
        arn = f"arn:{key.partition}:kms:{key.region}:{key.account}:{name}"
        fresh = name.startswith("alias/") and name not in aliases_at(view, key)
        if fresh and may_alias(view, who, arn, key, CREATE_ALIAS):
            yield replace(key, aliases=(*key.aliases, Alias(name, arn))), {name}, False


def _may_take(view: View, who: Principal, key: Key, alias: Alias) -> bool:
    """Whether the identity may delete an alias of the key as it is, or point it at another key of its place."""
    held = held_today(view, who, key)
    if held & DELETE_ALIAS and may_alias(view, who, alias.arn, key, DELETE_ALIAS):
        return True
    others = {other.arn: other for other in aliases_at(view, key).values() if other.arn != key.arn}
    moves = bool(others) and bool(held & UPDATE_ALIAS)
    return moves and any(may_alias(view, who, alias.arn, other, UPDATE_ALIAS) for other in others.values())


def _hit(view: View, denied: Denied, one: Lifted) -> Hit:
    who, what, names = one.who, on_what(one.keys), listing(sorted(one.names))
    summary = f"{who.arn} can name {what} {names}, and a Deny against it spares such keys."
    if one.takes:
        summary = f"{who.arn} can take {names} away from {count(len(one.keys), 'key')}; a Deny against it hangs on it."
    evidence = (
        Evidence("alias pattern", listing(denied.test.values)),
        *granting(view, [who], one.keys[0], DELETE_ALIAS | UPDATE_ALIAS if one.takes else CREATE_ALIAS),
    )
    identity = ("rename", str(one.takes), *denied.test.values)
    return replace(
        hit_of_gain(view, who, one.keys, one.mask, denied.located, summary, evidence, identity),
        lowered=("a Deny depends on the alias",) if one.takes else (),
        fix=(("restricted-*", denied.test.values[0].removeprefix("alias/")),),
    )
