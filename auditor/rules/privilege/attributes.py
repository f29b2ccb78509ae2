"""Rules about access that depends on tags and aliases: who can change the attribute opens the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.iam_side import may
from auditor.rules.policy.delegation import delegations
from auditor.rules.policy.places import key_statements
from auditor.rules.principals import service_linked
from auditor.rules.reach import Openness
from auditor.rules.view import View

POWER = READ_PLAINTEXT | FORGE | TAKEOVER | DESTROY
TAG = mask_of(["TagResource"])
CREATE_ALIAS = mask_of(["CreateAlias"])
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
                for holder in document.holders:
                    if not service_linked(holder) and not view.trust.account_admin(holder):
                        yield Dependence(holder, statement, test.key[len(prefix) :], test.values, mask)


def _delegated(view: View, key: Key, mask: int) -> int:
    found = 0
    for located in delegations(key, view):
        found |= action_mask(located.statement)
    return found & mask & view.reach.usable[view.reach.key_at[key.arn]]


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
    and nothing in the tagging permission locks the tag.

    Fix: protect the authorization tags from everybody but the tagging pipeline.
    """
    bit = TAG.bit_length() - 1
    for dependence in _dependences(view, "aws:resourcetag/"):
        row = view.reach.principal_at.get(dependence.principal.arn)
        gained = []
        for key in view.keys:
            if row is None or key.tag(dependence.name) in dependence.values or not _in_reach(view, dependence, key):
                continue
            position = view.reach.key_at[key.arn]
            profile = view.reach.profile(row, position)
            tags = view.reach.held(profile, position, *LIVE) & TAG
            new = _delegated(view, key, dependence.mask) & ~view.reach.held(profile, position, *LIVE)
            if tags and new and not _tag_locked(view.reach.decision(profile, bit).residual, dependence.name):
                gained.append(key)
        if gained:
            tag = f"{dependence.name}={listing(dependence.values)}"
            summary = f"{dependence.principal.arn} can set the tag {tag} on {len(gained)} keys and then use them."
            yield _gain_hit(view, dependence, gained, summary, (Evidence("tag", tag),))


def _pointable(view: View, dependence: Dependence, key: Key) -> bool:
    """Whether the principal may create an alias of a fitting name for the key; identity policies decide the alias."""
    who = dependence.principal
    names = [value.replace("*", "x").replace("?", "x") for value in dependence.values]
    partition = key.arn.split(":")[1]
    aliases = [f"arn:{partition}:kms:{key.region}:{key.account}:{name}" for name in names if name.startswith("alias/")]
    return any(may(view, who, "kms:CreateAlias", alias) for alias in aliases)


def abac_alias_hijack(view: View) -> Iterator[Hit]:
    """A principal whose access depends on an alias name may give that name to keys that it cannot use today.

    CreateAlias is checked on the alias and on the key; told when both are open, the key delegates to IAM, and the
    identity statement covers the key.

    Fix: reserve the alias names that policies use for the key pipeline.
    """
    for prefix in ("kms:resourcealiases", "kms:requestalias"):
        for dependence in _dependences(view, prefix):
            row = view.reach.principal_at.get(dependence.principal.arn)
            gained = []
            for key in view.keys:
                named = any(matches(value, alias.name) for value in dependence.values for alias in key.aliases)
                if row is None or named or not _in_reach(view, dependence, key):
                    continue
                position = view.reach.key_at[key.arn]
                held = view.reach.held(view.reach.profile(row, position), position, *LIVE)
                new = _delegated(view, key, dependence.mask) & ~held
                if held & CREATE_ALIAS and new and _pointable(view, dependence, key):
                    gained.append(key)
            if gained:
                pattern = listing(dependence.values)
                summary = f"{dependence.principal.arn} can name {len(gained)} keys {pattern} and then use them."
                yield _gain_hit(view, dependence, gained, summary, (Evidence("alias pattern", pattern),))


def abac_principal_tag_self_service(view: View) -> Iterator[Hit]:
    """Access depends on a tag of the principal, and the principal can set that tag on itself.

    Looks at ``aws:PrincipalTag`` conditions of key policies and asks which ordinary identities may call iam:TagRole or
    iam:TagUser on themselves. Tags that come from a directory are listed in ``trusted_session_tags``.

    Fix: deny tagging of the authorization tag to everybody but the identity pipeline.
    """
    prefix = "aws:principaltag/"
    for placed in key_statements(view):
        statement, key = placed.located.statement, placed.key
        if statement.effect != "Allow" or key is None or not action_mask(statement) & POWER:
            continue
        for test in statement.conditions:
            name = test.key[len(prefix) :]
            if not test.key.lower().startswith(prefix) or name in view.settings.trusted_session_tags:
                continue
            able = [who for who in view.snapshot.principals if _tags_itself(view, who, key, name)]
            ordinary = [who for who in able if not view.trust.account_admin(who)]
            if able:
                yield placed.hit(
                    f"{len(able)} identities can give themselves the tag {name} that {titled(statement)} of "
                    f"{placed.name} trusts.",
                    more=(Evidence("tag", name), Evidence("can set it", listing(who.arn for who in able))),
                    raised=given((view.tier(key) == "T1" and ordinary, "T1 key readable")),
                    lowered=given((not ordinary, "only by account administrators")),
                    identity=(name, *(who.arn for who in able)),
                )


def _tags_itself(view: View, who: Principal, key: Key, tag: str) -> bool:
    if who.account != key.account or service_linked(who):
        return False
    action = "iam:TagUser" if ":user/" in who.arn else "iam:TagRole"
    return may(view, who, action, who.arn, tag)
