"""Rules about people and long-lived credentials behind key access."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor.evaluator.operators import parse_operator
from auditor.model.actions import CONTROL, SENSITIVE, STORE_BREAKERS, actions_in
from auditor.model.finding import Evidence
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import demands, holds
from auditor.rules.corrections import deny
from auditor.rules.grants.holders import names_principal
from auditor.rules.hit import Hit, given
from auditor.rules.principals import admissions, federated_person, has_usable_credentials, requires_mfa
from auditor.rules.privilege.combined import holding_hit
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import power
from auditor.rules.reach import Openness
from auditor.rules.view import View

OLD_KEY_DAYS = 90


def _mfa_leaf(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only requests with multi-factor authentication, as far as the key is there at all."""
    name, operator = leaf.key.lower(), parse_operator(leaf.operator)
    if operator is None or name not in ("aws:multifactorauthpresent", "aws:multifactorauthage"):
        return False
    if operator.base == "null":
        return name == "aws:multifactorauthage" and {value.lower() for value in leaf.values} == {
            "true" if negated else "false"
        }
    return holds(leaf, negated, "true") if operator.base == "bool" else negated or not operator.if_exists


def _mfa_of_user(leaf: Leaf, negated: bool) -> bool:
    """The same for a user, whose access keys send no such key: a Deny catches them with IfExists or Null alone."""
    operator = parse_operator(leaf.operator)
    if negated and operator is not None and operator.base != "null" and not operator.if_exists:
        return False
    return _mfa_leaf(leaf, negated)


def mfa_bound(view: View, holding: Holding, mask: int) -> bool:
    """Whether every way to one of the actions demands multi-factor authentication."""
    own, reach = power(view), view.reach
    test = _mfa_of_user if holding.principal.kind is PrincipalKind.USER else _mfa_leaf
    asked = {
        (profile, own.held(row, profile, key, *holding.levels) & mask & ~STORE_BREAKERS)
        for row, key, profile in holding.pairs.rows()
    }
    if any(key.custom_key_store_id is not None for key in holding.keys):
        level = int(reach.table.account_level[reach.principal_at[holding.principal.arn]])
        asked.add((level, reach.mask_at(level, *holding.levels) & mask & STORE_BREAKERS))
    return all(
        demands(reach.decision(profile, action.bit).residual, test)
        for profile, held in asked
        for action in actions_in(held)
    )


def _credentials(view: View, user: Principal) -> tuple[Evidence, ...]:
    facts = user.credentials
    if facts is None:
        return (Evidence("credentials", "the credential report was not read"),)
    ages = [str(view.age(key.created)) for key in facts.access_keys if key.active]
    return (
        Evidence("active access keys", f"{len(ages)} (age in days: {', '.join(ages)})" if ages else "none"),
        Evidence("console password", "yes" if facts.password_enabled else "no"),
        Evidence("multi-factor authentication", "yes" if facts.mfa else "no"),
    )


def _weak_credentials(view: View, user: Principal) -> bool:
    facts = user.credentials
    if facts is None:
        return False
    ages = [view.age(key.created) for key in facts.access_keys if key.active]
    return any(age is not None and age > OLD_KEY_DAYS for age in ages) or (facts.password_enabled and not facts.mfa)


def iam_user_key_access(view: View) -> Iterator[Hit]:
    """An IAM user with long-term credentials can use, take over or destroy a key.

    Access keys and passwords do not expire and leak in files and repositories; a role gives temporary credentials.
    Old access keys and a password without MFA raise the finding; a user without any usable credential is information.

    Fix: move the workload or the person to a role and remove the user from policy, group and grants.
    """
    import numpy as np

    own = power(view)
    users = np.array([who.kind is PrincipalKind.USER for who in view.reach.principals], dtype=bool)
    levels = np.maximum(np.maximum(own.read(), own.takeover()), own.destroy())
    levels = np.where(users[own.pairs.principals] & (levels >= int(Openness.MAYBE)), levels, np.int8(0))
    for holding in own.holdings(levels, SENSITIVE):
        user = holding.principal
        named = any(
            names_principal(located.statement, user.arn)
            for key in holding.keys
            if view.tier(key) == "T1"
            for located in view.statements(key)
            if located.statement.effect == "Allow"
        )
        yield holding_hit(
            view,
            holding,
            f"IAM user {user.name or user.arn} has long-term credentials and power over {holding.on_what}.",
            raised=given(
                (_weak_credentials(view, user), "active access key older"),
                (named, "named in the key policy of a T1 key"),
            ),
            lowered=given(
                (mfa_bound(view, holding, holding.mask), "only with MFA"),
                (not has_usable_credentials(user), "no usable credential"),
            ),
            more=_credentials(view, user),
            remedy=_away(user),
            remedy_kind="cli",
        )


def _away(user: Principal) -> str:
    """The commands that find the user's keys and take its policies and groups away."""
    name = shlex.quote(user.name or user.arn.rsplit("/", 1)[-1])
    lines = [f"aws iam list-access-keys --user-name {name}"]
    facts = user.credentials
    if facts is None or any(key.active for key in facts.access_keys):
        lines.append(f"aws iam update-access-key --user-name {name} --status Inactive --access-key-id ID-FROM-THE-LIST")
    for attached in user.identity_policies:
        if ":group/" in attached.owner:
            group = shlex.quote(attached.owner.rsplit("/", 1)[-1])
            lines.append(f"aws iam remove-user-from-group --user-name {name} --group-name {group}")
        elif attached.name.startswith("arn:"):
            lines.append(f"aws iam detach-user-policy --user-name {name} --policy-arn {attached.name}")
        else:
            lines.append(f"aws iam delete-user-policy --user-name {name} --policy-name {shlex.quote(attached.name)}")
    return "\n".join(dict.fromkeys(lines))


def mfa_not_required_for_destruction(view: View) -> Iterator[Hit]:
    """A person can destroy a key or rewrite its access without multi-factor authentication.

    People are IAM users that can sign in, and roles that IAM users, a whole account or a federation let people into.
    For federated people this is information: the key never sees their MFA, the identity provider has to show it.

    Fix: require recent MFA for the dangerous actions; use BoolIfExists in Deny statements only.
    """
    import numpy as np

    own = power(view)
    levels = np.maximum(own.takeover(), own.destroy())
    levels = np.where(levels >= int(Openness.MAYBE), levels, np.int8(0))
    for holding in own.holdings(levels, CONTROL):
        who = holding.principal
        if not _people(who) or mfa_bound(view, holding, holding.mask):
            continue
        yield holding_hit(
            view,
            holding,
            _without_mfa(holding),
            raised=given((not federated_person(who) and view.restricted(holding.arns), "T1 key")),
            lowered=given((federated_person(who), "federated human")),
            more=_credentials(view, who) if who.kind is PrincipalKind.USER else (),
            remedy=deny(
                "OnlyWithMfa",
                (action.name for action in actions_in(holding.mask)),
                {
                    "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
                    "ArnEquals": {"aws:PrincipalArn": who.iam_arn},
                },
                in_key_policy=not holding.mask & STORE_BREAKERS,  # no key policy has a say about key stores
            ),
        )


def _without_mfa(holding: Holding) -> str:
    """What is said of a person: of a federated one, the key never sees the second factor."""
    who, what = holding.principal.arn, holding.on_what
    if federated_person(holding.principal):
        return f"Federated people can destroy or re-permission {what} as {who}; only their directory can show MFA."
    return f"{who} can destroy or re-permission {what} without multi-factor authentication."


def _people(who: Principal) -> bool:
    """Whether people act as this principal and nothing on its way in demands MFA."""
    if who.kind is PrincipalKind.USER:
        return has_usable_credentials(who)
    if federated_person(who):
        return True
    ways = [admission for admission in admissions(who) if admission.kind in ("account", "principal", "everyone")]
    people = [way for way in ways if way.kind == "account" or ":user/" in way.value]
    return bool(people) and not all(requires_mfa(way.statement) for way in people)
