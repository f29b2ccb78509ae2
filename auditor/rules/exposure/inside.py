"""Rule about keys that the whole organization, or everybody below a unit of it, may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.evaluator.expressions import UNSETTLED
from auditor.evaluator.strength import Strength
from auditor.evaluator.synthetic import org_peer
from auditor.model.access import Decision
from auditor.model.actions import READ_PLAINTEXT, mask_of
from auditor.model.arn import account_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.model.moments import instant
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.principal import Principal
from auditor.model.residual import Leaf
from auditor.rules.conditions import accounts_in_conditions, asks_for_key, below_units, demands, grant_limited, mentions
from auditor.rules.corrections import one_or_many, with_tests, written_in
from auditor.rules.corrections import statements as corrected
from auditor.rules.exposure.outside import OUTSIDE_USE
from auditor.rules.exposure.strangers import allowing, for_everybody, proof
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, given, listing
from auditor.rules.reach import CERTAIN, LIVE, Openness, openness
from auditor.rules.view import View

DOORS = ("kms:viaservice", "aws:sourcevpc", "aws:sourcevpce")
PEER_KEYS = (*DOORS, "aws:principalorg", "kms:grantisforawsresource")
"""Conditions behind which everybody of the organization stands all the same."""
Unit = tuple[str, tuple[str, ...]]
"""An organizational unit, and the names of the SCPs that some of its accounts carry themselves."""


def org_wide_principal(view: View) -> Iterator[Hit]:
    """Every principal of the organization, or of an organizational unit, may use the key.

    Asks an administrator of a member account that the policy does not name. Keys that the settings list as shared, with
    an owner and a review date, are silent, and so is sharing of encryption or metadata alone.

    Fix: narrow to the accounts or OU path that need the key, and bind the service.
    """
    organization = view.snapshot.organization
    if organization is None:
        return
    for key in view.keys_with(Fact.KEY_POLICY):
        if _shared(view, key) or not any(for_everybody(located.statement) for located in view.statements(key)):
            continue
        if _public(view, key):
            continue
        peers = _peers(view, key, organization)
        let_in = {unit: found for unit, one in peers.items() if (found := _peer_access(view, key, one))}
        if let_in:
            yield _org_hit(view, key, organization, let_in)


def _peers(view: View, key: Key, organization: Organization) -> dict[Unit, Principal]:
    """An administrator of one account per organizational unit, of those that the policy does not name.

    Accounts of one unit that carry other SCPs are asked about by themselves.
    """
    named = {account_of(e.value) or "" for item in view.statements(key) for e in item.statement.principals or ()}
    for item in view.statements(key):
        named |= accounts_in_conditions(item.statement)
    found: dict[Unit, Principal] = {}
    for target in sorted(organization.targets, key=lambda target: target.id):
        if target.kind == TargetKind.ACCOUNT and target.id not in named | {key.account} and _unit(target) not in found:
            found[_unit(target)] = org_peer(target.id, key.partition)
    return found


def _unit(account: OrgTarget) -> Unit:
    return account.parent or "", tuple(sorted(policy.name for policy in account.scps or ()))


def _peer_access(view: View, key: Key, peer: Principal) -> dict[str, Decision]:
    """What the peer may do where nothing but the organization, or a door, is asked about."""
    return {
        name: decision
        for name, decision in view.decisions(peer, key, OUTSIDE_USE).items()
        if openness(decision, view.owner(key)) in LIVE and not mentions(decision.residual, _asks_for_more)
    }


def _asks_for_more(leaf: Leaf, _: bool) -> bool:
    """Whether a test asks for anything but the organization or a door; what could not be read asks for nothing."""
    return leaf.operator != UNSETTLED and not leaf.key.lower().startswith(PEER_KEYS)


def _public(view: View, key: Key) -> bool:
    """Whether strangers get in as well: then the organization is not the boundary, and another rule tells it."""
    return any(
        openness(one, view.owner(key)) in LIVE and proof(view, key, one) < Strength.S3
        for one in view.decisions(view.outsider, key, OUTSIDE_USE).values()
    )


def _shared(view: View, key: Key) -> bool:
    names = {key.arn, key.key_id, *(alias.name for alias in key.aliases)}
    return any(
        entry.key in names and (instant(entry.review) or view.as_of) >= view.as_of
        for entry in view.settings.shared_keys
    )


def _org_hit(view: View, key: Key, organization: Organization, let_in: dict[Unit, dict[str, Decision]]) -> Hit:
    found = [entry for decisions in let_in.values() for entry in decisions.items()]
    sure = any(openness(decision, view.owner(key)) is not Openness.MAYBE for _, decision in found)
    names = sorted({name for name, _ in found})
    statements = {item.ref: item for _, decision in found for item in allowing(view, key, decision)}
    grants = any(name == "CreateGrant" and not grant_limited(decision) for name, decision in found)
    reads = bool(mask_of(names) & READ_PLAINTEXT) and view.tier(key) == "T1"
    doors = all(
        demands(d.residual, lambda leaf, negated: leaf.key.lower() in DOORS and asks_for_key(leaf, negated))
        for _, d in found
    )
    accounts = [one for one in organization.targets if one.kind == TargetKind.ACCOUNT and _unit(one) in let_in]
    bounds = [
        value
        for item in statements.values()
        for test in item.statement.conditions
        if test.key.lower().startswith("aws:principalorg")
        for value in test.values
    ]
    units = all(below_units(item.statement) for item in statements.values())
    who = "Every account below a unit of the organization" if statements and units else "The whole organization"
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{who} can call {listing((f'kms:{n}' for n in names), 4)} on {key.label}.",
        keys=(key.arn,),
        evidence=(
            *(Evidence("statement", str(item.ref), item.ref) for item in statements.values()),
            Evidence("bound to", listing(bounds) or "nothing"),
            Evidence("actions", listing((f"kms:{name}" for name in names), 20)),
            Evidence("units", listing({one.parent or "" for one in accounts})),
            Evidence("accounts", str(len(accounts))),
        ),
        raised=given((grants, "CreateGrant is open"), (reads, "data class is T1")),
        lowered=given((doors, "kms:ViaService or aws:SourceVpc")),
        confidence=Confidence.CONFIRMED if sure else Confidence.POTENTIAL,
        identity=tuple(meaning(item.statement) for item in statements.values()),
        remedy=corrected(*(_for_users(view, key, item) for item in statements.values())),
        advice="Name the accounts that need the key instead of the organization; the list is of those that can use it "
        "today. Split encrypt from decrypt, and bind the service with kms:ViaService.",
    )


def _for_users(view: View, key: Key, located: Located) -> dict[str, Any]:
    """The statement for the accounts whose identities can use the key today."""
    pairs = view.reach.all_pairs
    here = pairs.select(pairs.keys == view.reach.key_at[key.arn])
    here = here.select(view.reach.having(here, OUTSIDE_USE, *CERTAIN))
    users = {view.reach.principals[row].account or "" for row in set(here.principals.tolist())} - {""}
    tests = {"aws:PrincipalAccount": one_or_many(users | {key.account})}
    return with_tests(written_in(key, located), "StringEquals", tests)
