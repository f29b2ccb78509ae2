"""Rule about access that depends on tags of keys: who can set one, or take one away, opens the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from auditor.evaluator.glob import matches
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.corrections import but_by, deny
from auditor.rules.doubt import also_in_doubt
from auditor.rules.hit import Hit, listing
from auditor.rules.principals import service_linked
from auditor.rules.privilege.attributes import (
    TAG,
    UNTAG,
    Dependence,
    dependences,
    gain_hit,
    gaining,
    granting,
    hit_of_gain,
    may_tag_key,
    on_what,
    own_keys,
    pronoun,
    together,
    would_gain,
)
from auditor.rules.privilege.lifting import Denied, denied_by
from auditor.rules.privilege.retagging import RESOURCE_TAG, Gain, gains, ways
from auditor.rules.privilege.steps import ASSUME, step_to, ways_into
from auditor.rules.privilege.untagging import Told, by_exclusions
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View


@also_in_doubt
def abac_tag_escalation(view: View) -> Iterator[Hit]:
    """A principal whose access depends on a key's tag may set that tag on keys that it cannot use today.

    TagResource then is the same as decryption. Told when the key delegates to IAM, the identity statement covers it,
    and nothing in the tagging permission locks the tag; also when a role that the principal may assume can do the
    tagging. Taking a tag away, or giving it another value, counts where the statement leaves out keys with the tag, and
    where a Deny of an identity policy, boundary or SCP depends on it. What key policies ask of tags is not documented.

    Fix: protect the authorization tags from everybody but the tagging pipeline.
    """
    told: Told = {}
    for group in together(dependences(view, RESOURCE_TAG)):
        who = group[0].principal
        hands = _hands(view, who)
        found = gaining(own_keys(view, who), group, partial(_gains_by_tag, view, hands)) if hands else None
        if found is not None:
            dependence, gained = found
            told.setdefault((who.arn, dependence.name.lower()), set()).update(key.arn for key in gained)
            tag = f"{dependence.name}={listing(dependence.values)}"
            summary = f"{who.arn} can set the tag {tag} on {on_what(gained)} and then use {pronoun(gained)}."
            tagging = granting(view, hands, gained[0], TAG)
            hit = gain_hit(view, dependence, gained, summary, (Evidence("tag", tag), *tagging))
            yield replace(hit, remedy=_sealed_tag(view, dependence.name, gained[0]))
    for tag, key, hit in by_exclusions(view, partial(_hands, view), told):
        yield replace(hit, remedy=_sealed_tag(view, tag, key))
    yield from _lifting(view)


def _sealed_tag(view: View, tag: str, key: Key) -> str:
    """An SCP statement that leaves the tag of such keys to the key administrators."""
    others = but_by(view.settings.key_admins, "NAME-OF-THE-TAGGING-ROLE", key.partition)
    condition = {"ForAnyValue:StringEquals": {"aws:TagKeys": tag}, **others}
    actions = ("kms:TagResource", "kms:UntagResource", "kms:CreateKey")
    return deny("AuthorizationTagIsSealed", actions, condition, in_key_policy=False)


def _gains_by_tag(view: View, hands: list[Principal], dependence: Dependence, key: Key) -> bool:
    """Whether the key becomes usable once one of ``hands`` has tagged it."""
    held = key.tag(dependence.name)
    if held is not None and any(matches(value, held) for value in dependence.values):
        return False
    return would_gain(view, dependence, key) and any(
        may_tag_key(view, who, key, TAG, dependence.name, dependence.values) for who in hands
    )


def _hands(view: View, who: Principal) -> list[Principal]:
    """The identity, and the roles that it may assume, as far as they may set or remove tags of some key."""
    memo = view.once("tagging-hands", dict[str, list[Principal]])
    if who.arn not in memo:
        taggers = _taggers(view)
        roles = [role for role in taggers.values() if role.account == who.account and role.arn != who.arn]
        near = [role for role in roles if step_to(view, who, role, ways_into(role), frozenset({ASSUME}))]
        memo[who.arn] = [who, *near] if who.arn in taggers else near
    return memo[who.arn]


def _taggers(view: View) -> dict[str, Principal]:
    """ARN → the identities that may set or remove tags of some key; account administrators aside."""

    def make() -> dict[str, Principal]:
        pairs = view.reach.all_pairs
        rows = set(pairs.principals[view.reach.having(pairs, TAG | UNTAG, *CERTAIN)].tolist())
        found = [view.reach.principals[row] for row in sorted(rows)]
        return {who.arn: who for who in found if not service_linked(who) and not view.trust.account_admin(who)}

    return view.once("taggers", make)


def _lifting(view: View) -> Iterator[Hit]:
    """Identities that may change the tag on which a Deny against them depends so that it spares the key."""
    for denied in denied_by(view, RESOURCE_TAG):
        tries = [
            (who, key, mask, way)
            for who, key, mask in denied.stopped
            for way in ways(view, [who], key, denied.test, wanted=False)
        ]
        yield from (_lifted_hit(view, denied, gain) for gain in gains(view, tries))


def _lifted_hit(view: View, denied: Denied, gain: Gain) -> Hit:
    tag, values = denied.test.key[len(RESOURCE_TAG) :], listing(denied.test.values)
    who, what, taken, absent = gain.who, on_what(gain.keys), gain.action == UNTAG, denied.asks_whether_it_is_there
    shown, kind = f"{tag}={'*' if absent else values}", "tag"
    summary = f"{who.arn} can set the tag {shown} on {what}, and a Deny against it spares such keys."
    if taken:
        shown, kind = tag, "untag"
        summary = f"{who.arn} can remove the tag {tag} from {what}, on which a Deny against it depends."
    elif not denied.negated and not absent:
        shown, kind = tag, "retag"
        summary = f"{who.arn} can set the tag {tag} to another value on {what}, on which a Deny against it depends."
    evidence = (Evidence("tag", shown), *granting(view, [who], gain.keys[0], gain.action))
    return replace(
        hit_of_gain(view, who, gain.keys, gain.mask, denied.located, summary, evidence, (kind, tag)),
        lowered=("only UntagResource matters",) if taken else (),
        remedy=_sealed_tag(view, tag, gain.keys[0]),
    )
