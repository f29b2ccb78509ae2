"""The rule about RCPs that keep outsiders away from an account's keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from auditor.model.actions import READ_PLAINTEXT, actions_in, mask_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.model.policy import Layer
from auditor.rules.corrections import one_or_many
from auditor.rules.exposure.environments import cross_environment_access
from auditor.rules.exposure.external import external_account_access, external_can_delegate
from auditor.rules.exposure.inside import org_wide_principal
from auditor.rules.exposure.public import notprincipal_allow, public_key_policy, public_key_policy_soft_condition
from auditor.rules.exposure.ram import ram_shared_key
from auditor.rules.exposure.whole import external_account_root
from auditor.rules.guardrails.accounts import account_hit, any_restricted, how_open, is_management, probes
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.reach import Openness
from auditor.rules.statements import render
from auditor.rules.view import View

EXPOSURES = (
    public_key_policy,
    public_key_policy_soft_condition,
    notprincipal_allow,
    external_account_access,
    external_account_root,
    external_can_delegate,
    org_wide_principal,
    cross_environment_access,
    ram_shared_key,
)


def no_guardrail_external_principals(view: View) -> Iterator[Hit]:
    """No resource control policy keeps outsiders away from the account's keys.

    Asks whether a stranger could read, in whatever way, with a key whose policy is wide open, in each Region that has
    keys: a mistake in one key policy would then be enough. Potential where that goes for keys alone whose type could
    not be read. Silent for the management account, where RCPs have no effect, and without an organization.

    Fix: attach an RCP that refuses KMS to principals outside the organization.
    """
    if view.snapshot.organization is None:
        return
    for account, keys in view.keys_by_account.items():
        if is_management(view, account) or account not in view.trust.organization_accounts:
            continue
        certain = _left(
            view, account, keys, _reading(view, (key for key in keys if Fact.KEY_METADATA not in key.unread))
        )
        left = certain or _left(view, account, keys, _reading(view, keys))
        if left:
            yield _hit(view, account, keys, left, Confidence.CONFIRMED if certain else Confidence.POTENTIAL)


def _reading(view: View, keys: Iterable[Key]) -> list[str]:
    """The ways to read with a symmetric key, and with the other types that the keys have, or may have."""
    usable = mask_of(("Decrypt", "ReEncryptFrom"))
    for key in keys:
        usable |= view.reach.usable[view.reach.key_at[key.arn]]
    return [action.short for action in actions_in(READ_PLAINTEXT & usable)]


def _left(view: View, account: str, keys: list[Key], names: list[str]) -> list[str]:
    """Those of the actions that guardrails leave to a stranger on an invented key of the account."""
    asked = probes(account, keys)
    return [
        name
        for name in names
        if any(how_open(view, view.outsider, probe, name, account) is Openness.OPEN for probe in asked)
    ]


def _hit(view: View, account: str, keys: list[Key], left: list[str], confidence: Confidence) -> Hit:
    some = "" if "Decrypt" in left else f" that call {listing(f'kms:{name}' for name in left)}"
    hit = account_hit(
        view,
        account,
        keys,
        f"No RCP keeps outsiders{some} away from the {count(len(keys), 'key')} of account {account}.",
        raised=given((any_restricted(view, keys) or account in _exposed_accounts(view), "account has T1 keys")),
        remedy=_perimeter(view),
        layer=Layer.RCP,
        more=(Evidence("open", listing(left)),),
    )
    return replace(hit, confidence=confidence)


def _exposed_accounts(view: View) -> frozenset[str]:
    """Accounts with a key that a wider circle than meant can use today: any live finding of the exposure category."""

    def make() -> frozenset[str]:
        hits = [hit for check in EXPOSURES for hit in view.hits(check) if not hit.latent]
        return frozenset(view.key_by_arn[arn].account for hit in hits for arn in hit.keys)

    return view.once("exposed-accounts", make)


def _perimeter(view: View) -> str:
    """An RCP statement that keeps everybody out but the organization, registered accounts and AWS services."""
    organization = view.snapshot.organization
    tests: dict[str, Any] = {"aws:PrincipalOrgID": organization.id if organization else ""}
    partners = sorted(entry.account for entry in view.settings.trusted_accounts)
    if partners:
        tests["aws:PrincipalAccount"] = one_or_many(partners)
    condition = {"StringNotEqualsIfExists": tests, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    statement = {"Sid": "KeysForTheOrganizationOnly", "Effect": "Deny", "Principal": "*", "Action": "kms:*"}
    return render({**statement, "Resource": "*", "Condition": condition})
