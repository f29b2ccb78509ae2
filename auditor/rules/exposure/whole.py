"""The rule about trusted outside accounts that a key policy names as a whole, by its text and by what is left of it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.operators import parse_operator
from auditor.model.actions import READ_PLAINTEXT, actions_in
from auditor.model.arn import account_of, is_root
from auditor.model.finding import Evidence
from auditor.model.key import DEFAULT_POLICY, Fact, Key
from auditor.model.residual import Leaf, Residual
from auditor.rules.conditions import as_residual, asks_for_values, demands, holds
from auditor.rules.corrections import statements as corrected
from auditor.rules.corrections import with_tests, written_in
from auditor.rules.exposure.outside import OUTSIDE_USE
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, given, listing, titled
from auditor.rules.reach import Openness, openness
from auditor.rules.statements import action_mask
from auditor.rules.trust import Standing
from auditor.rules.view import View


def _names_a_role(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only callers with fixed ARNs of roles or users."""
    operator = parse_operator(leaf.operator)
    if operator is None or operator.base == "null" or operator.negated != negated:
        return False
    named = leaf.key.lower() == "aws:principalarn"  # every caller has one, so IfExists changes nothing
    return named and not any(has_wildcard(value) or is_root(value) for value in leaf.values)


def _through_a_door(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only calls that an AWS service makes."""
    name = leaf.key.lower()
    if name == "kms:grantisforawsresource":
        return holds(leaf, negated, "true")
    anything = any(set(value) <= {"*"} for value in leaf.values)
    return name == "kms:viaservice" and asks_for_values(leaf, negated) and not anything


def external_account_root(view: View) -> Iterator[Hit]:
    """A trusted outside account is named as a whole, so everybody there decides who uses the key.

    Naming the account leaves the choice of role to its administrators. Silent when ``aws:PrincipalArn`` fixes the
    role, when every action is limited to services, and for accounts of the own organization.

    Fix: name the partner's role, or keep the account principal and add ``aws:PrincipalArn``.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        for located in view.statements(key):
            if located.ref.policy != DEFAULT_POLICY:
                continue  # RAM names accounts as a whole, and nobody else can edit its policy
            for account in _whole_accounts(view, key, located):
                mask = action_mask(located.statement) & OUTSIDE_USE & view.reach.usable[view.reach.key_at[key.arn]]
                live, stopped = _left_open(view, key, account, mask)
                if live or stopped:
                    yield _whole_account_hit(key, located, account, mask, view.tier(key), latent=not live)


def _whole_accounts(view: View, key: Key, located: Located) -> list[str]:
    statement = located.statement
    if (
        statement.effect != "Allow"
        or not action_mask(statement) & OUTSIDE_USE & view.reach.usable[view.reach.key_at[key.arn]]
    ):
        return []
    if _narrowed(as_residual(statement)):
        return []
    accounts = {account_of(entry.value) for entry in statement.principals or () if is_account_principal(entry.value)}
    return sorted(a for a in accounts if a and view.trust.standing(a, key.account) is Standing.TRUSTED)


def _narrowed(residual: Residual | None) -> bool:
    """Whether a condition leaves only fixed callers, or only calls that an AWS service makes."""
    return any(demands(residual, test) for test in (_names_a_role, _through_a_door))


def _left_open(view: View, key: Key, account: str, mask: int) -> tuple[bool, bool]:
    """Whether somebody of the account can use the key, and whether a Deny stops it; a Deny can also fix the caller."""
    decisions = view.decisions(view.external(account), key, mask).values()
    found = {openness(one, view.owner(key)) for one in decisions if not _narrowed(one.residual)}
    latent = Openness.LATENT in found
    return bool(found - {Openness.CLOSED, Openness.BLIND, Openness.LATENT}), latent


def _whole_account_hit(key: Key, located: Located, account: str, mask: int, tier: str, *, latent: bool) -> Hit:
    reads = bool(mask & READ_PLAINTEXT)
    return Hit(
        subject=key.arn,
        kind="statement",
        summary=f"{titled(located.statement)} of {key.label} trusts all of account {account}, not one role.",
        keys=(key.arn,),
        principals=(account,),
        evidence=(
            Evidence("statement", str(located.ref), located.ref),
            Evidence("account", account),
            Evidence("actions", listing((action.name for action in actions_in(mask)), 20)),
        ),
        raised=given((reads and tier == "T1", "T1 key with READ_PLAINTEXT")),
        latent=latent,
        identity=(account, meaning(located.statement)),
        remedy=corrected(
            with_tests(
                written_in(key, located),
                "ArnEquals",
                {"aws:PrincipalArn": f"arn:{key.arn.split(':')[1]}:iam::{account}:role/NAME-GIVEN-BY-THE-PARTNER"},
            )
        ),
    )
