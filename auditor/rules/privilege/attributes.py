"""Rules about access that depends on tags and aliases of keys: who can change the attribute opens the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.evaluator.glob import matches
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import action_mask
from auditor.model.actions import DESTROY, FORGE, READ_PLAINTEXT, TAKEOVER, actions_in, mask_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Statement
from auditor.model.principal import Principal
from auditor.model.residual import Leaf, Residual
from auditor.rules.conditions import demands
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.iam_side import may
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.principals import service_linked
from auditor.rules.privilege.steps import ASSUME, step_to, ways_into
from auditor.rules.reach import Openness
from auditor.rules.view import View

POWER = READ_PLAINTEXT | FORGE | TAKEOVER | DESTROY
TAG = mask_of(["TagResource"])
UNTAG = mask_of(["UntagResource"])
CREATE_ALIAS, UPDATE_ALIAS, DELETE_ALIAS = (mask_of([f"{verb}Alias"]) for verb in ("Create", "Update", "Delete"))
NAMING = CREATE_ALIAS | UPDATE_ALIAS
LIVE = (Openness.OPEN, Openness.GUARDED)


@dataclass(frozen=True, slots=True)
class Dependence:
    """An Allow of an identity policy that hangs on an attribute: ``name`` is a tag key, or empty for an alias."""

    principal: Principal
    statement: Statement
    name: str
    values: tuple[str, ...]
    mask: int


def _dependences(view: View, prefix: str) -> Iterator[Dependence]:
    for document in view.identity_documents:
        for located in document.statements():
            statement = located.statement
            mask = action_mask(statement) & POWER
            if statement.effect != "Allow" or not mask:
                continue
            for test in statement.conditions:
                operator = parse_operator(test.operator)
                if operator is None or operator.negated or not test.key.lower().startswith(prefix):
                    continue
                if operator.base == "null" or any("${" in value for value in test.values):
                    continue  # a value taken from the caller is another rule's business
                for holder in document.holders:
                    if not service_linked(holder) and not view.trust.account_admin(holder):
                        yield Dependence(holder, statement, test.key[len(prefix) :], test.values, mask)


def _delegated(view: View, key: Key, mask: int) -> int:
    return delegated_mask(view, key) & mask & view.reach.usable[view.reach.key_at[key.arn]]


def _in_reach(view: View, dependence: Dependence, key: Key) -> bool:
    return key.account == dependence.principal.account and any(
        matches(pattern, key.arn) for pattern in dependence.statement.resources or ()
    )


def _tag_locked(residual: Residual | None, tag: str) -> bool:
    def stops(leaf: Leaf, negated: bool) -> bool:
        name = leaf.key.lower()
        if name == f"aws:requesttag/{tag.lower()}":
            return not negated
        if name == "aws:tagkeys":
            listed = any(matches(value.lower(), tag.lower()) for value in leaf.values)
            return negated == listed
        return False

    return demands(residual, stops)


def _gain_hit(view: View, dependence: Dependence, keys: list[Key], summary: str, evidence: tuple[Evidence, ...]) -> Hit:
    reads = dependence.mask & READ_PLAINTEXT
    restricted = bool(reads) and view.restricted(key.arn for key in keys)
    who = dependence.principal
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=summary,
        account=who.account or "",
        keys=tuple(key.arn for key in keys),
        principals=(who.arn,),
        evidence=(
            *evidence,
            Evidence("actions gained", listing((a.name for a in actions_in(dependence.mask)), 6)),
            Evidence("keys gained", listing(key.arn for key in keys)),
        ),
        raised=given((restricted, "T1 key")),
        identity=(who.unique_id or who.arn, dependence.name, *dependence.values),
    )


def abac_tag_escalation(view: View) -> Iterator[Hit]:
    """A principal whose access depends on a key's tag may set that tag on keys that it cannot use today.

    TagResource then is the same as decryption. Told when the key delegates to IAM, the identity statement covers it,
    and nothing in the tagging permission locks the tag; also when a role that the principal may assume can do the
    tagging. Taking a tag away counts where a Deny depends on it.

    Fix: protect the authorization tags from everybody but the tagging pipeline.
    """
    seen: set[tuple[str, str, tuple[str, ...]]] = set()
    for dependence in _dependences(view, "aws:resourcetag/"):
        who = dependence.principal
        told = (who.arn, dependence.name.lower(), dependence.values)
        hands = [] if told in seen else [one for one in (who, *_one_hop(view, who)) if _tags_anything(view, one)]
        gained = [key for key in view.keys if _gains_by_tag(view, dependence, key, hands)] if hands else []
        seen.add(told)
        if gained:
            tag = f"{dependence.name}={listing(dependence.values)}"
            summary = f"{who.arn} can set the tag {tag} on {_what(gained)} and then use {_pronoun(gained)}."
            hit = _gain_hit(view, dependence, gained, summary, (Evidence("tag", tag),))
            yield replace(hit, remedy=_sealed_tag(view, dependence.name))
    yield from untagging(view)


def _sealed_tag(view: View, tag: str) -> str:
    """An SCP statement that leaves the tag to the key administrators."""
    admins = view.settings.key_admins or ("arn:aws:iam::*:role/NAME-OF-THE-TAGGING-ROLE",)
    condition = {
        "ForAnyValue:StringEquals": {"aws:TagKeys": tag},
        "ArnNotLike": {"aws:PrincipalArn": one_or_many(admins)},
    }
    actions = ("kms:TagResource", "kms:UntagResource", "kms:CreateKey")
    return deny("AuthorizationTagIsSealed", actions, condition, in_key_policy=False)


def _what(keys: list[Key]) -> str:
    return keys[0].label if len(keys) == 1 else count(len(keys), "key")


def _pronoun(keys: list[Key]) -> str:
    return "it" if len(keys) == 1 else "them"


def _gains_by_tag(view: View, dependence: Dependence, key: Key, hands: list[Principal]) -> bool:
    """Whether the key becomes usable once one of ``hands`` has tagged it."""
    held = key.tag(dependence.name)
    if held is not None and any(matches(value, held) for value in dependence.values):
        return False
    return _would_gain(view, dependence, key) and any(_may_tag(view, who, key, TAG, dependence.name) for who in hands)


def _would_gain(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the identity statement would give something new on the key, if the key carried the attribute."""
    row = view.reach.principal_at.get(dependence.principal.arn)
    if row is None or not _in_reach(view, dependence, key):
        return False
    position = view.reach.key_at[key.arn]
    held = view.reach.held(view.reach.profile(row, position), position, *LIVE)
    return bool(_delegated(view, key, dependence.mask) & ~held)


def _may_tag(view: View, who: Principal, key: Key, action: int, tag: str) -> bool:
    row, position = view.reach.principal_at.get(who.arn), view.reach.key_at[key.arn]
    if row is None:
        return False
    profile = view.reach.profile(row, position)
    if not view.reach.held(profile, position, *LIVE) & action:
        return False
    return not _tag_locked(view.reach.decision(profile, action.bit_length() - 1).residual, tag)


def _one_hop(view: View, who: Principal) -> list[Principal]:
    """The roles that hold TagResource on some key and that the principal may assume."""
    roles = [role for role in _taggers(view).values() if role.account == who.account and role.arn != who.arn]
    return [role for role in roles if step_to(view, who, role, ways_into(role), frozenset({ASSUME}))]


def _tags_anything(view: View, who: Principal) -> bool:
    return who.arn in _taggers(view)


def _taggers(view: View) -> dict[str, Principal]:
    """ARN → the identities that hold TagResource on some key; account administrators aside."""

    def make() -> dict[str, Principal]:
        pairs = view.reach.all_pairs
        rows = set(pairs.principals[view.reach.having(pairs, TAG, *LIVE)].tolist())
        found = [view.reach.principals[row] for row in sorted(rows)]
        return {who.arn: who for who in found if not service_linked(who) and not view.trust.account_admin(who)}

    return view.once("taggers", make)


def untagging(view: View) -> Iterator[Hit]:
    """Identities that may remove the tag on which a Deny against them depends."""
    for document in (*view.identity_documents, *view.boundaries):
        for located in document.statements():
            for name in _denied_by_tag(located.statement):
                for who in document.holders:
                    keys = [key for key in view.keys if _gains_by_untagging(view, who, located.statement, key, name)]
                    if keys and not view.trust.account_admin(who):
                        yield _untag_hit(view, who, name, located.statement, keys)


def _denied_by_tag(statement: Statement) -> list[str]:
    """Tag names that a Deny of powerful actions asks for."""
    if statement.effect != "Deny" or not action_mask(statement) & POWER:
        return []
    prefix = "aws:resourcetag/"
    tests = [test for test in statement.conditions if test.key.lower().startswith(prefix)]
    return [test.key[len(prefix) :] for test in tests if not (op := parse_operator(test.operator)) or not op.negated]


def _gains_by_untagging(view: View, who: Principal, statement: Statement, key: Key, tag: str) -> bool:
    row, position = view.reach.principal_at.get(who.arn), view.reach.key_at[key.arn]
    if row is None or key.account != who.account or key.tag(tag) is None:
        return False
    profile = view.reach.profile(row, position)
    stopped = view.reach.held(profile, position, Openness.LATENT) & action_mask(statement) & POWER
    return bool(stopped) and _may_tag(view, who, key, UNTAG, tag)


def _untag_hit(view: View, who: Principal, tag: str, statement: Statement, keys: list[Key]) -> Hit:
    mask = action_mask(statement) & POWER
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} can remove the tag {tag} from {_what(keys)}, on which a Deny against it depends.",
        account=who.account or "",
        keys=tuple(key.arn for key in keys),
        principals=(who.arn,),
        evidence=(
            Evidence("tag", tag),
            Evidence("actions gained", listing((action.name for action in actions_in(mask)), 6)),
            Evidence("keys gained", listing(key.arn for key in keys)),
        ),
        raised=given((bool(mask & READ_PLAINTEXT) and view.restricted(key.arn for key in keys), "T1 key")),
        lowered=("only UntagResource matters",),
        identity=(who.unique_id or who.arn, "untag", tag),
    )


def abac_alias_hijack(view: View) -> Iterator[Hit]:
    """A principal whose access depends on an alias name may give that name to keys that it cannot use today.

    CreateAlias is checked on the alias and on the key, UpdateAlias on the alias, its current key and the new one. A
    literal name that exists already must be moved, or deleted and made again. Told when the key delegates to IAM and
    the identity statement covers it.

    Fix: reserve the alias names that policies use for the key pipeline.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for prefix in ("kms:resourcealiases", "kms:requestalias"):
        for dependence in _dependences(view, prefix):
            who = dependence.principal
            told = (who.arn, dependence.values)
            gained = [] if told in seen else [key for key in view.keys if _gains_by_alias(view, dependence, key)]
            seen.add(told)
            if gained:
                pattern = listing(dependence.values)
                summary = f"{who.arn} can name {_what(gained)} {pattern} and then use {_pronoun(gained)}."
                hit = _gain_hit(view, dependence, gained, summary, (Evidence("alias pattern", pattern),))
                name = dependence.values[0].removeprefix("alias/")
                yield replace(hit, fix=(("restricted-*", name),))


def _gains_by_alias(view: View, dependence: Dependence, key: Key) -> bool:
    row, position = view.reach.principal_at.get(dependence.principal.arn), view.reach.key_at[key.arn]
    if row is None or not view.reach.held(view.reach.profile(row, position), position, *LIVE) & NAMING:
        return False
    named = any(matches(value, alias.name) for value in dependence.values for alias in key.aliases)
    return not named and _would_gain(view, dependence, key) and _pointable(view, dependence, key)


def _pointable(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the principal may give the key a fitting alias: a new one, or one that another key carries today."""
    who, taken = dependence.principal, _aliases_at(view, key)
    partition = key.arn.split(":")[1]
    for value in dependence.values:
        fitting = [(alias, owner) for alias, owner in taken.items() if matches(value, alias)]
        fresh = value.replace("*", "x").replace("?", "x")
        arn = f"arn:{partition}:kms:{key.region}:{key.account}:{fresh}"
        if value.startswith(("alias/", "*")) and fresh not in taken and _may_alias(view, who, arn, key, CREATE_ALIAS):
            return True
        for alias, owner in fitting:
            arn = f"arn:{partition}:kms:{key.region}:{key.account}:{alias}"
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
    row, position = view.reach.principal_at[who.arn], view.reach.key_at[key.arn]
    held = view.reach.held(view.reach.profile(row, position), position, *LIVE)
    return bool(held & action) and may(view, who, next(actions_in(action)).name, alias)
