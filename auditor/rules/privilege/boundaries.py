"""Rules about identities whose permissions boundary does not bound them, because a key policy names them directly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.statements import action_mask
from auditor.model.actions import CONTROL, SENSITIVE, actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Key
from auditor.model.policy import StatementRef
from auditor.model.principal import Principal
from auditor.rules.doubt import also_in_doubt
from auditor.rules.exposure.strangers import allowing, for_everybody
from auditor.rules.hit import Hit, Located, given, listing
from auditor.rules.privilege.power import power
from auditor.rules.privilege.wide import resources_reach
from auditor.rules.reach import CERTAIN, Openness
from auditor.rules.statements import render
from auditor.rules.view import View


def _allowed_by_boundary(principal: Principal, key: Key) -> int:
    """The actions that the boundary allows on the key; a condition counts as met."""
    mask = 0
    for statement in principal.boundary.policy.statements if principal.boundary else ():
        if statement.effect == "Allow" and resources_reach(statement, key.arn):
            mask |= action_mask(statement)
    return mask


@also_in_doubt
def boundary_bypassed_by_key_policy(view: View) -> Iterator[Hit]:
    """A key policy gives an identity more than its permissions boundary allows.

    A boundary does not limit what a key policy gives to an IAM user, to a session or to everybody; only naming the role
    keeps it in force. An explicit Deny in the boundary always wins, and is the remedy.

    Fix: name the role instead, or deny key actions explicitly in the boundary.
    """
    bounded = {row: who for row, who in enumerate(view.reach.principals) if who.boundary is not None}
    own_power = power(view)
    pairs = view.reach.all_pairs
    for row, own in pairs.by_principal():
        who = bounded.get(row)
        if who is None:
            continue
        keys: dict[str, Key] = {}
        opening: dict[StatementRef, str] = {}
        guarded, documented = True, False
        mask = 0
        for profile, position in zip(own.profiles.tolist(), own.keys.tolist(), strict=True):
            beyond = SENSITIVE & ~_allowed_by_boundary(who, view.reach.keys[position])
            held = own_power.held(row, profile, position, *CERTAIN) & beyond
            key = view.reach.keys[position]
            for action in actions_in(held):
                found = allowing(view, key, view.reach.decision(profile, action.bit))
                for located in found:
                    ref = replace(located.ref, owner=key.arn)
                    opening.setdefault(ref, f"{located.ref}, Principal {_form(located, who)}")
                    documented = documented or _documented(located)
                if found:
                    mask |= 1 << action.bit
                    keys[key.arn] = key
                    guarded = guarded and not view.reach.held(profile, position, Openness.OPEN) >> action.bit & 1
        if keys:
            hit = _hit(view, who, keys, mask, guarded, opening)
            yield hit if documented else replace(hit, confidence=Confidence.POTENTIAL)


def _documented(located: Located) -> bool:
    """Whether AWS says that a boundary does not limit what the statement gives: of a wildcard without a test of
    ``aws:PrincipalArn`` it does not (IAM user guide, permissions boundaries)."""
    tested = any(test.key.lower() == "aws:principalarn" for test in located.statement.conditions)
    return tested or not for_everybody(located.statement)


def _form(located: Located, who: Principal) -> str:
    """How a statement speaks of the identity: the values of its Principal element, as far as they are about it."""
    values = sorted(entry.value for entry in located.statement.principals or ())
    own = [value for value in values if value in ("*", who.arn, who.iam_arn) or f"/{who.name}/" in value]
    return listing(own or values, 3)


def _hit(
    view: View, who: Principal, keys: dict[str, Key], mask: int, guarded: bool, opening: dict[StatementRef, str]
) -> Hit:
    names = listing((action.name for action in actions_in(mask)), 6)
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"The boundary of {who.arn} does not stop {names}: a key policy gives it directly.",
        account=who.account or "",
        keys=tuple(keys),
        principals=(who.arn,),
        evidence=(
            Evidence("boundary", who.boundary.name if who.boundary else ""),
            *(Evidence("statement", words, ref) for ref, words in opening.items()),
            Evidence("actions", names),
            Evidence("keys", listing(keys)),
        ),
        raised=given((view.restricted(keys) or mask & CONTROL, "T1 key, or TAKEOVER")),
        lowered=given((guarded, "residual S2")),
        identity=(who.unique_id or who.arn,),
        remedy=_closed(mask),
        advice="Name the role instead of the user or session in the key policy, or deny the actions in the boundary.",
    )


def _closed(mask: int) -> str:
    """A Deny for the boundary: an explicit one always counts."""
    actions = [action.name for action in actions_in(mask)]
    return render({"Sid": "KeysStayOut", "Effect": "Deny", "Action": actions, "Resource": "*"})
