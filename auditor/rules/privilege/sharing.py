"""Giving other accounts a key through AWS RAM: a share of it, or more in a share that holds it already.

What RAM asks for itself is documented (service authorization reference; RAM User Guide, “Example IAM policies” and
“AccessDeniedException”): a new share takes two actions, each asked of every resource and every principal apart, and a
version of a permission changes nothing in shares that are there. Of many services RAM asks the right to change the
resource's policy besides; whether of KMS, nobody says. So nothing here is certain, and a Deny of that right counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.access import Outcome
from auditor.model.actions import BY_NAME
from auditor.model.evidence import KeyShare
from auditor.model.key import RAM_POLICY, Key
from auditor.model.principal import Principal
from auditor.rules.iam_side import may
from auditor.rules.privilege.path import SHARE, Path
from auditor.rules.view import View

CREATE, ASSOCIATE = "ram:CreateResourceShare", "ram:AssociateResourceShare"
REPERMIT = ("ram:AssociateResourceSharePermission", "ram:ReplacePermissionAssociations")
SHARING = frozenset((CREATE, ASSOCIATE, *REPERMIT))
KEY_TYPE = "kms:Key"
STRANGER = "000000000000"
"""An account id that nobody has: whoever may name it may name any."""
ASKED = (
    "AWS does not document what RAM asks of keys; of other services it asks the right to change the resource's policy, "
    "which is kms:PutKeyPolicy here"
)
LACKING = f"{ASKED}, and this identity is not known to have it"
HAVING = f"{ASKED}, and this identity has it for the policy AWS_RAM"
PUT_POLICY = BY_NAME["kms:putkeypolicy"].bit
Known = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Circle:
    """Whom a share is made for: in words, and what the calls say of it when they name the key and when the account."""

    words: str
    external: str
    account: Known = ()

    def share(self, name: str) -> Known:
        """The condition key of a call about external accounts."""
        return ((name, self.external),)


ANYBODY = Circle("any account", "true", (("ram:principal", STRANGER),))
OURS = Circle("accounts of the organization", "false")


def shares_of_keys(view: View) -> dict[str, list[KeyShare]]:
    """Key ARN → the shares of its account that hold it."""

    def make() -> dict[str, list[KeyShare]]:
        found: dict[str, list[KeyShare]] = {}
        for share in view.snapshot.evidence.shares:
            for arn in share.keys if share.live and not share.inbound else ():
                found.setdefault(arn, []).append(share)
        return found

    return view.once("shares-of-keys", make)


def by_sharing(view: View, who: Principal, verbs: frozenset[str], keys: Iterable[Key]) -> Iterator[Path]:
    """The paths of an identity that may share keys of its account, one for each way: none is certain. ``verbs``: the
    step actions of which its policies speak."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for key in keys:
        outcome = _of_the_policy(view, who, key)
        way = None if outcome is Outcome.EXPLICITLY_DENIED else next(_ways(view, who, key, verbs), None)
        if way is not None:
            need = HAVING if outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) else LACKING
            found.setdefault((*way, need), set()).add(key.arn)
    for (action, end, need), arns in found.items():
        words = f"{who.arn} → {action} → {SHARE} {end}"
        yield Path(words, 1, (need,), frozenset(arns), certain=False, shared=True)


def inside(path: Path) -> bool:
    """Whether a path by a share stays inside the organization."""
    return path.words.endswith(OURS.words)


def _of_the_policy(view: View, who: Principal, key: Key) -> Outcome:
    """Whether the identity may put the key's policy: RAM may ask for it."""
    profile = view.reach.profile(view.reach.principal_at[who.arn], view.reach.key_at[key.arn])
    return view.reach.decision(profile, PUT_POLICY).outcome


def _ways(view: View, who: Principal, key: Key, verbs: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The actions by which the identity shares the key, and with whom, the widest circle first."""
    for circle in (ANYBODY, OURS):
        if ASSOCIATE in verbs and _adds_accounts(view, who, key, circle):
            yield ASSOCIATE, f"with {circle.words}"
        if {CREATE, ASSOCIATE} <= verbs and _makes_a_share(view, who, key, circle):
            yield f"{CREATE} + {ASSOCIATE}", f"with {circle.words}"
    for action in REPERMIT:
        if action in verbs and _changes_a_permission(view, who, key, action):
            yield action, "with another permission"


def _adds_accounts(view: View, who: Principal, key: Key, circle: Circle) -> bool:
    """Whether the identity may name more accounts in a share that holds the key."""
    for share in shares_of_keys(view).get(key.arn, ()):
        open_to = "true" if share.allows_external else "false"
        known = (*_of_share(share), ("ram:allowsexternalprincipals", open_to), *circle.account)
        if (share.allows_external or circle is OURS) and may(view, who, ASSOCIATE, share.arn, known=known):
            return True
    known = (*circle.share("ram:allowsexternalprincipals"), *circle.account)
    return _in_unread_share(view, key) and may(view, who, ASSOCIATE, None, known=known)


def _in_unread_share(view: View, key: Key) -> bool:
    """Whether the policy that AWS RAM wrote tells of a share that was not read."""
    return RAM_POLICY in key.policy_names and key.arn not in shares_of_keys(view)


def _makes_a_share(view: View, who: Principal, key: Key, circle: Circle) -> bool:
    """Whether the identity may make a share, put the key into it, and name accounts in it."""
    place = f"arn:{key.partition}:ram:{key.region}:{key.account}:resource-share/any"
    named = (("ram:requestedresourcetype", KEY_TYPE), *_arn_if_asked(view, who, key))
    parts = (named, circle.account) if circle.account else (named,)
    return all(
        may(view, who, action, place, known=(*circle.share(about), *part))
        for action, about in (
            (CREATE, "ram:requestedallowsexternalprincipals"),
            (ASSOCIATE, "ram:allowsexternalprincipals"),
        )
        for part in parts
    )


def _arn_if_asked(view: View, who: Principal, key: Key) -> Known:
    """The key's ARN as a call says it, where some policy looks at it: keys are alike otherwise."""
    memo = view.commons.of_account(key.account).once("asks-for-shared-arns", dict[str, bool])
    if who.arn not in memo:
        own = (*who.identity_policies, *([who.boundary] if who.boundary else ()))
        texts = (*(one.policy.text for one in own), *(one.policy.text for one in view.scps))
        memo[who.arn] = any("ram:resourcearn" in text.lower() for text in texts)
    return (("ram:resourcearn", key.arn),) if memo[who.arn] else ()


def _changes_a_permission(view: View, who: Principal, key: Key, action: str) -> bool:
    """Whether the identity may give the accounts of a share that holds the key other actions."""
    of_share = REPERMIT[0]
    shares = [share for share in shares_of_keys(view).get(key.arn, ()) if share.principals]
    if action == of_share and shares:
        return any(may(view, who, of_share, share.arn, known=_of_share(share)) for share in shares)
    known = (("ram:permissionresourcetype", KEY_TYPE), ("aws:requestedregion", key.region))
    return bool(shares or _in_unread_share(view, key)) and may(view, who, action, None, known=known)


def _of_share(share: KeyShare) -> Known:
    return (("ram:resourcesharename", share.name),)
