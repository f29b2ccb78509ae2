"""What the rules share about access that depends on an attribute of a key: its tags or its aliases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from auditor.evaluator.glob import covers, matches, overlap
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import action_mask
from auditor.model.access import Role
from auditor.model.actions import READ_PLAINTEXT, SENSITIVE, actions_in, mask_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Statement, StatementRef
from auditor.model.principal import Principal
from auditor.model.residual import Leaf, Residual
from auditor.rules.conditions import demands
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.iam_side import not_stopped
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.principals import service_linked
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View

TAG = mask_of(["TagResource"])
UNTAG = mask_of(["UntagResource"])
NAMING = mask_of(["CreateAlias", "UpdateAlias"])
CHANGING = TAG | UNTAG | NAMING | mask_of(["DeleteAlias"])
REQUEST_ALIAS = "kms:requestalias"
SPOKEN = ("aws:resourcetag/", "kms:resourcealiases", REQUEST_ALIAS)
"""How a condition key begins that asks for an attribute of a key."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """An Allow of an identity policy that hangs on an attribute: ``name`` is a tag key, or empty for an alias."""

    principal: Principal
    located: Located
    name: str
    values: tuple[str, ...]
    mask: int

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.located.statement


def dependences(view: View, prefix: str) -> Iterator[Dependence]:
    """The Allow statements of ordinary identities that ask for a condition key beginning with ``prefix``."""
    for document in view.identity_documents:
        for located in document.statements:
            statement = located.statement
            mask = action_mask(statement) & SENSITIVE
            if statement.effect != "Allow" or not mask:
                continue
            for test in statement.conditions:
                values = opening(test) if test.key.lower().startswith(prefix) else ()
                if not values or any("${" in value for value in values):
                    continue  # a value taken from the caller is another rule's business
                for holder in document.holders:
                    if not service_linked(holder) and not view.trust.account_admin(holder):
                        yield Dependence(holder, located, test.key[len(prefix) :], values, mask)


def opening(test: ConditionTest) -> tuple[str, ...]:
    """The values of an attribute with which a test holds: those that it lists, or any, where the attribute only has to
    be there. Empty for a test that an absent attribute meets, or that another attribute may meet."""
    operator = parse_operator(test.operator)
    if operator is None or operator.negated:
        return ()
    if operator.base != "null":
        return test.values
    return ("*",) if {value.lower() for value in test.values} == {"false"} else ()


def together(found: Iterable[Dependence]) -> list[list[Dependence]]:
    """Those of one principal on the same values of the same attribute, whatever statements they stand in."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Dependence]] = {}
    for one in found:
        groups.setdefault((one.principal.arn, one.name.lower(), one.values), []).append(one)
    return list(groups.values())


def gaining(
    keys: list[Key], group: list[Dependence], gains: Callable[[Dependence, Key], bool]
) -> tuple[Dependence, list[Key]] | None:
    """The keys that one of the dependences opens, and the first that opens some, with the actions of all that do."""
    opened = [[key for key in keys if gains(one, key)] for one in group]
    telling = [one for one, found in zip(group, opened, strict=True) if found]
    if not telling:
        return None
    mask = reduce(or_, (one.mask for one in telling))
    arns = {key.arn for found in opened for key in found}
    return replace(telling[0], mask=mask), [key for key in keys if key.arn in arns]


def dependent(view: View) -> set[str]:
    """The ARNs of all whose own policies or boundary ask for an attribute of a key, and of those who may change what
    an SCP, or the policy of a key of their account, asks for."""
    tied = {
        key.account for key in view.keys if any(_asks(one.statement, REQUEST_ALIAS) for one in view.statements(key))
    }
    limited = any(_asks(one.statement, SPOKEN) for document in view.scps for one in document.statements)
    asking = (
        document
        for document in (*view.identity_documents, *view.boundaries)
        if any(
            _asks(one.statement, SPOKEN)
            or (document.account in tied and action_mask(one.statement) & NAMING)
            or (limited and action_mask(one.statement) & CHANGING)
            for one in document.statements
        )
    )
    return {holder.arn for document in asking for holder in document.holders}


def _asks(statement: Statement, prefix: str | tuple[str, ...]) -> bool:
    """Whether a condition of the statement is about a key that begins so."""
    return any(test.key.lower().startswith(prefix) for test in statement.conditions)


def _delegated(view: View, key: Key, mask: int) -> int:
    return delegated_mask(view, key) & mask & view.reach.usable[view.reach.key_at[key.arn]]


def _in_reach(dependence: Dependence, key: Key) -> bool:
    return key.account == dependence.principal.account and any(
        matches(pattern, key.arn) for pattern in dependence.statement.resources or ()
    )


def _tag_locked(residual: Residual | None, tag: str, values: tuple[str, ...]) -> bool:
    """Whether what remains of a tagging permission keeps the tag from getting one of ``values`` (none: any at all)."""

    def stops(leaf: Leaf, negated: bool) -> bool:
        name, operator = leaf.key.lower(), parse_operator(leaf.operator)
        if operator is None or operator.base == "null":
            return False
        accepts = operator.negated == negated
        if name == f"aws:requesttag/{tag.lower()}":
            if any("${" in one for one in leaf.values):
                return accepts  # the value comes from the caller, whose tags are another rule's business
            if accepts:
                return not any(overlap(one, value) for one in leaf.values for value in values)
            return bool(values) and all(any(covers(one, value) for one in leaf.values) for value in values)
        if name == "aws:tagkeys" and (operator.quantifier == "all") != negated:
            return accepts != any(matches(value.lower(), tag.lower()) for value in leaf.values)
        return False

    return demands(residual, stops)


def granting(view: View, hands: list[Principal], key: Key, mask: int) -> tuple[Evidence, ...]:
    """The statements by which one of ``hands`` may change the attribute of a key."""
    position = view.reach.key_at[key.arn]
    found: dict[StatementRef, Evidence] = {}
    for who in hands:
        profile = view.reach.profile(view.reach.principal_at[who.arn], position)
        for action in actions_in(view.reach.held(profile, position, *CERTAIN) & mask):
            for cause in view.reach.decision(profile, action.bit).causes:
                if cause.role is Role.ALLOWS and cause.statement is not None:
                    words = f"{action.name} of {who.arn}: {cause.statement}"
                    found.setdefault(
                        cause.statement, Evidence("changes the attribute", words, cause.statement, names=(who.arn,))
                    )
    return tuple(found.values())


def gain_hit(view: View, dependence: Dependence, keys: list[Key], summary: str, evidence: tuple[Evidence, ...]) -> Hit:
    """A hit about a principal that changes an attribute and gains keys by it."""
    who, identity = dependence.principal, (dependence.name, *dependence.values)
    return hit_of_gain(view, who, keys, dependence.mask, dependence.located, summary, evidence, identity)


def hit_of_gain(
    view: View,
    who: Principal,
    keys: list[Key],
    mask: int,
    located: Located,
    summary: str,
    evidence: tuple[Evidence, ...],
    identity: tuple[str, ...],
) -> Hit:
    """A hit about a principal that gains actions (``mask``) on keys by an attribute of which ``located`` speaks."""
    restricted = bool(mask & READ_PLAINTEXT) and view.restricted(key.arn for key in keys)
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=summary,
        account=who.account or "",
        keys=tuple(key.arn for key in keys),
        principals=(who.arn,),
        evidence=(
            *evidence,
            Evidence("depends on it", str(located.ref), located.ref),
            Evidence("actions gained", listing((a.name for a in actions_in(mask)), 6)),
            Evidence("keys gained", listing(key.arn for key in keys)),
        ),
        raised=given((restricted, "T1 key")),
        identity=(who.unique_id or who.arn, *identity),
    )


def on_what(keys: list[Key]) -> str:
    """The keys in words: the label of one, the number of many."""
    return keys[0].label if len(keys) == 1 else count(len(keys), "key")


def pronoun(keys: list[Key]) -> str:
    """The word that stands for the keys."""
    return "it" if len(keys) == 1 else "them"


def own_keys(view: View, who: Principal) -> list[Key]:
    """The keys of the principal's account: an identity policy alone opens no others."""
    return view.keys_by_account.get(who.account or "", [])


def would_gain(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the identity statement would give something new on the key, if the key carried the attribute: nothing
    that a boundary, an SCP or a Deny of its own keeps from it anyway."""
    who = dependence.principal
    if who.arn not in view.reach.principal_at or not _in_reach(dependence, key):
        return False
    new = actions_in(missing(view, who, key, dependence.mask))
    return any(not_stopped(view, who, action.name, key.arn) for action in new)


def missing(view: View, who: Principal, key: Key, mask: int) -> int:
    """The actions of a mask that the key can serve and leaves to identity policies, and the identity has not."""
    return _delegated(view, key, mask) & ~held_today(view, who, key)


def held_today(view: View, who: Principal, key: Key) -> int:
    """The actions that the identity has on the key, behind a guard or not; none where the view is about others."""
    row, position = view.reach.principal_at.get(who.arn), view.reach.key_at[key.arn]
    return 0 if row is None else view.reach.held(view.reach.profile(row, position), position, *CERTAIN)


def may_tag_key(view: View, who: Principal, key: Key, action: int, tag: str, values: tuple[str, ...] = ()) -> bool:
    """Whether the identity may take a tag from the key, or set it to one of ``values`` (``action``: a mask)."""
    if not held_today(view, who, key) & action:
        return False
    return not _tag_locked(tagging_residual(view, who, key, action), tag, values)


def tagging_residual(view: View, who: Principal, key: Key, action: int) -> Residual | None:
    """What remains to be met for an action (a mask of one bit) of an identity on a key; None for nothing."""
    row = view.reach.principal_at.get(who.arn)
    if row is None:
        return None
    profile = view.reach.profile(row, view.reach.key_at[key.arn])
    return view.reach.decision(profile, action.bit_length() - 1).residual
