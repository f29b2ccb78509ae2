"""Allow statements that leave out keys with a tag: whoever takes the tag away, or gives it another value, is let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditor.evaluator.glob import matches
from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.statements import action_mask
from auditor.model.actions import SENSITIVE
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import ConditionTest
from auditor.model.principal import Principal
from auditor.rules.hit import Hit, Located
from auditor.rules.principals import service_linked
from auditor.rules.privilege.attributes import TAG, UNTAG, granting, hit_of_gain, missing, on_what, pronoun
from auditor.rules.privilege.retagging import RESOURCE_TAG, Gain, Try, gains, ways
from auditor.rules.statements import Document
from auditor.rules.view import View

Hands = Callable[[Principal], list[Principal]]
"""Of an identity: itself and those that it becomes, as far as they may tag keys."""
Told = dict[tuple[str, str], set[str]]
"""ARN of an identity and tag in lower case → ARNs of the keys of which it is told already."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A test of a tag in an Allow, and the keys that it leaves out today, and would not without or with another tag."""

    document: Document
    located: Located
    test: ConditionTest
    keys: tuple[Key, ...]

    @property
    def tag(self) -> str:
        """The tag key."""
        return self.test.key[len(RESOURCE_TAG) :]

    @property
    def mask(self) -> int:
        """The powerful actions of the statement."""
        return action_mask(self.located.statement) & SENSITIVE


def by_exclusions(view: View, hands: Hands, told: Told) -> Iterator[tuple[str, Key, Hit]]:
    """The hits about those whom an Allow lets in once a key has not the tag any more, or another value of it; each with
    the tag and a key."""
    for exclusion in _exclusions(view):
        for gain in gains(view, list(_tries(view, exclusion, hands, told))):
            known = told.setdefault((gain.who.arn, exclusion.tag.lower()), set())
            known |= {key.arn for key in gain.keys}
            yield exclusion.tag, gain.keys[0], _hit(view, exclusion, gain, hands(gain.who))


def _exclusions(view: View) -> Iterator[Exclusion]:
    keys = view.keys_by_account
    for document in view.identity_documents:
        for located in document.statements:
            statement = located.statement
            if statement.effect != "Allow" or not action_mask(statement) & SENSITIVE:
                continue
            for test in filter(_excludes, statement.conditions):
                left_out = tuple(key for key in keys.get(document.account, ()) if _leaves_out(located, test, key))
                if left_out:
                    yield Exclusion(document, located, test, left_out)


def _excludes(test: ConditionTest) -> bool:
    """Whether a test of a tag is met without the tag, or by whatever it does not list."""
    operator = parse_operator(test.operator)
    if operator is None or not test.key.lower().startswith(RESOURCE_TAG) or any("${" in value for value in test.values):
        return False
    return operator.negated or satisfied(operator, test.values, ())


def _leaves_out(located: Located, test: ConditionTest, key: Key) -> bool:
    operator, carried = parse_operator(test.operator), key.tag_values(test.key[len(RESOURCE_TAG) :])
    reached = any(matches(pattern, key.arn) for pattern in located.statement.resources or ())
    return reached and operator is not None and not satisfied(operator, test.values, carried)


def _tries(view: View, exclusion: Exclusion, hands: Hands, told: Told) -> Iterator[Try]:
    operator = parse_operator(exclusion.test.operator)
    actions = TAG | UNTAG if operator is not None and operator.negated else UNTAG
    for who in exclusion.document.holders:
        if service_linked(who) or view.trust.account_admin(who) or who.arn not in view.reach.principal_at:
            continue
        able, known = hands(who), told.get((who.arn, exclusion.tag.lower()), ())
        for key in exclusion.keys if able else ():
            mask = 0 if key.arn in known else missing(view, who, key, exclusion.mask)
            if mask:
                found = ways(view, able, key, exclusion.test, wanted=True, actions=actions)
                yield from ((who, key, mask, way) for way in found)


def _hit(view: View, exclusion: Exclusion, gain: Gain, hands: list[Principal]) -> Hit:
    who, tag, what, it = gain.who, exclusion.tag, on_what(gain.keys), pronoun(gain.keys)
    done = f"remove the tag {tag} from {what}"
    if gain.action == TAG:
        done = f"set the tag {tag} to another value on {what}"
    evidence = (Evidence("tag", tag), *granting(view, hands, gain.keys[0], gain.action))
    identity = ("allow", "untag" if gain.action == UNTAG else "retag", tag)
    summary = f"{who.arn} can {done} and then use {it}."
    return hit_of_gain(view, who, gain.keys, gain.mask, exclusion.located, summary, evidence, identity)
