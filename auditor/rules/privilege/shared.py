"""What indirect-key-access-path says of keys that somebody may be able to share through AWS RAM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model.finding import Confidence, Evidence
from auditor.model.principal import Principal
from auditor.rules.corrections import one_or_many, statements
from auditor.rules.hit import Hit, count, first_of, given, listing
from auditor.rules.privilege.edges import enabling_statements
from auditor.rules.privilege.path import Path
from auditor.rules.privilege.sharing import ASSOCIATE, CREATE, inside
from auditor.rules.view import View

ADVICE = (
    "Bind the permission to the types of resource that are meant (ram:RequestedResourceType), or deny sharing of keys "
    "by an SCP; a Deny of kms:PutKeyPolicy counts as well."
)


def share_hit(view: View, who: Principal, paths: list[Path]) -> Hit:
    """The hit about an identity that may be able to give other accounts keys of its own."""
    keys = sorted(frozenset().union(*(path.keys for path in paths)))
    what = view.key_by_arn[keys[0]].label if len(keys) == 1 else count(len(keys), "key")
    words = [path.words for path in paths]
    needs = dict.fromkeys(need for path in paths for need in path.needs)
    ways = sorted({text.split(" → ")[1] for text in words})
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} may be able to give other accounts {what} through AWS RAM ({listing(ways)}).",
        account=who.account or "",
        keys=tuple(keys),
        principals=(who.arn,),
        evidence=(
            *first_of([Evidence("path", text) for text in words]),
            *enabling_statements(words, view.principal_by_arn),
            *(Evidence("not documented", need) for need in needs),
            Evidence("keys reached", listing(keys)),
        ),
        lowered=("share of AWS RAM gives it", *given((all(map(inside, paths)), "inside the organization"))),
        confidence=Confidence.POTENTIAL,
        identity=(who.unique_id or who.arn, "ram"),
        remedy=statements(*_denying(who, ways)),
        advice=ADVICE,
    )


def _denying(who: Principal, ways: list[str]) -> Iterator[dict[str, Any]]:
    """SCP statements against the ways, for this identity alone: it may go on sharing what is no key. A call that names
    an account says nothing of the share's resources, so there is no such exception for shares that are there."""
    mine = {"ArnEquals": {"aws:PrincipalArn": who.iam_arn}}
    new = f"{CREATE} + {ASSOCIATE}"
    if new in ways:
        tests = {"StringLike": {"ram:RequestedResourceType": "kms:*"}, **mine}
        yield _deny("NoSharesOfKeys", new.split(" + "), tests)
    if rest := [way for way in ways if way != new]:
        yield _deny("NoChangesOfShares", rest, mine)


def _deny(sid: str, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": one_or_many(actions), "Resource": "*", "Condition": condition}
