"""Keys as somebody could make them by a tag: without it, or with another value, whichever turns a test.

Nothing is guessed: each such key is tried, and told where an action is open then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from auditor.evaluator.expressions import leaves
from auditor.evaluator.operators import parse_operator, satisfied
from auditor.model.key import Key
from auditor.model.policy import ConditionTest
from auditor.model.principal import Principal
from auditor.rules.privilege.attributes import TAG, UNTAG, held_today, may_tag_key, tagging_residual
from auditor.rules.privilege.lifting import opened
from auditor.rules.privilege.naming import ANY_VALUES, fitting_each
from auditor.rules.view import View

RESOURCE_TAG = "aws:resourcetag/"
Try = tuple[Principal, Key, int, "Way"]
"""An identity, a key as it is, actions that it has not, and how the key could be made."""


@dataclass(frozen=True, slots=True)
class Way:
    """A key as it could be: without a tag (``action``: the mask UNTAG), or with a value of it (TAG)."""

    action: int
    key: Key


@dataclass(slots=True)
class Gain:
    """What an identity comes to by one way of retagging: the keys, and the actions on any of them."""

    who: Principal
    action: int
    keys: list[Key]
    mask: int = 0


def ways(
    view: View, hands: Iterable[Principal], key: Key, test: ConditionTest, *, wanted: bool, actions: int = TAG | UNTAG
) -> Iterator[Way]:
    """How one of ``hands`` could make the key so that a test of its tag holds, or not, as wanted: the first value that
    does it stands for all. ``actions``: a mask of those that count."""
    operator, tag = parse_operator(test.operator), test.key[len(RESOURCE_TAG) :]
    if operator is None:
        return
    people, rest = list(hands), tuple(pair for pair in key.tags if pair[0].lower() != tag.lower())
    turned = len(rest) < len(key.tags) and satisfied(operator, test.values, ()) is wanted
    if actions & UNTAG and turned and any(may_tag_key(view, who, key, UNTAG, tag) for who in people):
        yield Way(UNTAG, replace(key, tags=rest))
    for who in [one for one in people if held_today(view, one, key) & actions & TAG]:
        for value in dict.fromkeys((*fitting_each(test.values), *_requested(view, who, key, tag), *ANY_VALUES)):
            turned = satisfied(operator, test.values, (value,)) is wanted
            if turned and may_tag_key(view, who, key, TAG, tag, (value,)):
                yield Way(TAG, replace(key, tags=(*rest, (tag, value))))
                return


def _requested(view: View, who: Principal, key: Key, tag: str) -> tuple[str, ...]:
    """Values of a tag of which the identity's right to tag the key speaks."""
    residual, name = tagging_residual(view, who, key, TAG), f"aws:requesttag/{tag.lower()}"
    found = leaves(residual) if residual is not None else ()
    return fitting_each(value for leaf in found if leaf.key.lower() == name for value in leaf.values)


def gains(view: View, tries: list[Try]) -> list[Gain]:
    """What opens, by identity and by the action that makes it: of each identity and key the first way that gives
    something."""
    found: dict[tuple[str, int], Gain] = {}
    told: set[tuple[str, str]] = set()
    masks = opened(view, [(who, way.key, mask) for who, _, mask, way in tries])
    for (who, key, _, way), mask in zip(tries, masks, strict=True):
        if mask and (who.arn, key.arn) not in told:
            told.add((who.arn, key.arn))
            gain = found.setdefault((who.arn, way.action), Gain(who, way.action, []))
            gain.keys.append(key)
            gain.mask |= mask
    return list(found.values())
