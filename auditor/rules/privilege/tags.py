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
from auditor.rules.privilege.lifting import Denied, denied_by, opened
from auditor.rules.privilege.naming import fitting
from auditor.rules.privilege.steps import ASSUME, step_to, ways_into
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View

RESOURCE_TAG = "aws:resourcetag/"


@also_in_doubt
def abac_tag_escalation(view: View) -> Iterator[Hit]:
    """A principal whose access depends on a key's tag may set that tag on keys that it cannot use today.

    TagResource then is the same as decryption. Told when the key delegates to IAM, the identity statement covers it,
    and nothing in the tagging permission locks the tag; also when a role that the principal may assume can do the
    tagging. Taking a tag away counts where a Deny of an identity policy, boundary or SCP asks for it, and setting
    one that such a Deny spares.

    Fix: protect the authorization tags from everybody but the tagging pipeline.
    """
    for group in together(dependences(view, RESOURCE_TAG)):
        who = group[0].principal
        hands = [one for one in (who, *_one_hop(view, who)) if _tags_anything(view, one)]
        found = gaining(own_keys(view, who), group, partial(_gains_by_tag, view, hands)) if hands else None
        if found is not None:
            dependence, gained = found
            tag = f"{dependence.name}={listing(dependence.values)}"
            summary = f"{who.arn} can set the tag {tag} on {on_what(gained)} and then use {pronoun(gained)}."
            tagging = granting(view, hands, gained[0], TAG)
            hit = gain_hit(view, dependence, gained, summary, (Evidence("tag", tag), *tagging))
            yield replace(hit, remedy=_sealed_tag(view, dependence.name, gained[0]))
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
        rows = set(pairs.principals[view.reach.having(pairs, TAG, *CERTAIN)].tolist())
        found = [view.reach.principals[row] for row in sorted(rows)]
        return {who.arn: who for who in found if not service_linked(who) and not view.trust.account_admin(who)}

    return view.once("taggers", make)


def _lifting(view: View) -> Iterator[Hit]:
    """Identities that may take away the tag that a Deny against them asks for, or set the one that it spares."""
    for denied in denied_by(view, RESOURCE_TAG):
        tag, lifted = denied.test.key[len(RESOURCE_TAG) :], dict[str, tuple[Principal, list[Key], int]]()
        tries = [
            (who, changed, mask)
            for who, key, mask in denied.stopped
            if (changed := _changed(view, denied, who, key, tag)) is not None
        ]
        for (who, changed, _), gained in zip(tries, opened(view, tries), strict=True):
            if gained:
                _, keys, held = lifted.get(who.arn, (who, [], 0))
                lifted[who.arn] = (who, [*keys, view.key_by_arn[changed.arn]], held | gained)
        yield from (_lifted_hit(view, denied, tag, *found) for found in lifted.values())


def _changed(view: View, denied: Denied, who: Principal, key: Key, tag: str) -> Key | None:
    """The key as the identity could make it: without the tag, or with a value that the Deny spares."""
    rest = tuple(pair for pair in key.tags or () if pair[0].lower() != tag.lower())
    if not denied.negated:
        takes = key.tag(tag) is not None and may_tag_key(view, who, key, UNTAG, tag)
        return replace(key, tags=rest) if takes else None
    spared = [value for value in denied.test.values if "${" not in value]
    sets = bool(spared) and may_tag_key(view, who, key, TAG, tag, tuple(spared))
    return replace(key, tags=(*rest, (tag, fitting(spared[0])))) if sets else None


def _lifted_hit(view: View, denied: Denied, tag: str, who: Principal, keys: list[Key], mask: int) -> Hit:
    what, values = on_what(keys), listing(denied.test.values)
    summary = f"{who.arn} can remove the tag {tag} from {what}, on which a Deny against it depends."
    if denied.negated:
        summary = f"{who.arn} can set the tag {tag}={values} on {what}, and a Deny against it spares such keys."
    evidence = (
        Evidence("tag", f"{tag}={values}" if denied.negated else tag),
        *granting(view, [who], keys[0], TAG if denied.negated else UNTAG),
    )
    identity = ("tag" if denied.negated else "untag", tag)
    return replace(
        hit_of_gain(view, who, keys, mask, denied.located, summary, evidence, identity),
        lowered=() if denied.negated else ("only UntagResource matters",),
        remedy=_sealed_tag(view, tag, keys[0]),
    )
