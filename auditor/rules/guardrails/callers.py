"""Rules about what real callers may do because no organization policy says no: bypass a check, use foreign keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.synthetic import data_role, unused_account
from auditor.model.access import Decision
from auditor.model.actions import CREATE_KEY, actions_in, mask_of
from auditor.model.arn import account_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Key
from auditor.model.policy import Layer, Statement
from auditor.model.principal import Principal
from auditor.model.residual import Leaf
from auditor.rules.conditions import demands
from auditor.rules.guardrails.accounts import account_hit, any_restricted, how_open, is_management, open_key
from auditor.rules.hit import Hit, count, given, listing, naming
from auditor.rules.iam_side import Likeness, identities_of, likeness, may, speaks_of
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import SHOWN, allowing
from auditor.rules.privilege.power import PUT_POLICY, creators
from auditor.rules.reach import CERTAIN, INSIDE, LIVE, Openness, openness
from auditor.rules.resources import tier_of
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOREIGN_USE = ("GenerateDataKey", "Encrypt", "ReEncryptTo", "CreateGrant")
STORAGE_WRITES = (
    "s3:PutObject",
    "ec2:CreateVolume",
    "ec2:CopySnapshot",
    "rds:CreateDBInstance",
    "rds:CopyDBSnapshot",
    "dynamodb:CreateTable",
    "backup:StartCopyJob",
)
RESOURCE_OWNER = "aws:resourceaccount"
UNBOUND_ADVICE = (
    "No SCP binds the management account: narrow the permissions of these identities to keys of the organization "
    "(aws:ResourceOrgID), or move the workload to a member account."
)
BYPASS = "kms:bypasspolicylockoutsafetycheck"


def lockout_bypass_allowed(view: View) -> Iterator[Hit]:
    """Principals may switch off the check that keeps them from locking everybody out of a key.

    ``BypassPolicyLockoutSafetyCheck`` lets a PutKeyPolicy or CreateKey store a policy that nobody can change again.
    Looks for somebody other than account administrators who may call them with it: no policy in force refuses that.

    Fix: deny the bypass for the organization.
    """
    able = _bypassing(view, CERTAIN)
    perhaps = _bypassing(view, LIVE)
    for account, keys in view.keys_by_account.items():
        held = able.get(account) or perhaps.get(account)
        if not held:
            continue
        names = sorted(held)
        shown = [item for name in names[:SHOWN] for item in allowing(held[name])]
        hit = account_hit(
            view,
            account,
            keys,
            f"{count(len(names), 'principal')} of account {account} may bypass the lockout safety check.",
            raised=given((any_restricted(view, keys), "T1 keys")),
            more=(naming("principals", names), *dict.fromkeys(shown)),
        )
        confidence = Confidence.CONFIRMED if account in able else Confidence.POTENTIAL
        yield replace(hit, confidence=confidence)


def _bypassing(view: View, levels: tuple[Openness, ...]) -> dict[str, dict[str, Decision]]:
    """Account → those who may call PutKeyPolicy or CreateKey with the bypass, each with the decision that shows it."""
    import numpy as np

    reach, found = view.reach, dict[str, dict[str, Decision]]()

    def told(row: int, profile: int, mask: int) -> None:
        who = reach.principals[row]
        if who.account and _ordinary(view, row):
            decision = reach.decision(profile, mask.bit_length() - 1)
            found.setdefault(who.account, {}).setdefault(who.arn, decision)

    pairs = reach.all_pairs
    writing = reach.having(pairs, PUT_POLICY, *levels) & ~_checked_profiles(view, PUT_POLICY)[pairs.profiles]
    chosen = pairs.select(writing)
    _, firsts = np.unique(chosen.principals, return_index=True)
    for row, _, profile in chosen.select(firsts).rows():
        told(row, profile, PUT_POLICY)
    free = creators(reach, levels) & ~_checked_profiles(view, CREATE_KEY)[reach.table.account_level]
    for row in np.flatnonzero(free).tolist():
        told(row, int(reach.table.account_level[row]), CREATE_KEY)
    return found


def _checked_profiles(view: View, mask: int) -> NDArray[np.bool_]:
    """Profile → whether a policy lets the one action of ``mask`` through without the bypass alone."""
    import numpy as np

    bit = mask.bit_length() - 1
    column = np.array([row[bit] for row in view.reach.table.profiles], dtype=np.int64)
    checked = np.array([demands(one.residual, _without_bypass) for one in view.reach.table.decisions], dtype=bool)
    found: NDArray[np.bool_] = checked[column]
    return found


def _without_bypass(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves no request that switches the check off."""
    operator = parse_operator(leaf.operator)
    return (
        leaf.key.lower() == BYPASS and operator is not None and satisfied(operator, leaf.values, ("true",)) is negated
    )


def _ordinary(view: View, position: int) -> bool:
    who = view.reach.principals[position]
    return who.kind in INSIDE and not service_linked(who) and not view.trust.account_admin(who)


def foreign_key_encryption_not_blocked(view: View) -> Iterator[Hit]:
    """Identities of the account may encrypt its data under a key of somebody outside the organization.

    Whoever owns that key can then withhold the data: the KMS form of ransomware. Asks an invented storage role against
    keys of an account that nobody has named, and of outside accounts that the SCPs let through and
    ``trusted_key_accounts`` does not list; looks for a real identity with the same reach, also in accounts without
    keys of their own.

    Fix: deny KMS use of resources outside the organization by SCP (``aws:ResourceOrgID``).
    """
    stranger = unused_account(view.named_accounts)
    owned = view.keys_by_account
    for account in sorted(view.trust.collected | owned.keys()):
        for foreign in (stranger, *_let_through(view, account)):
            if hit := _under_keys_of(view, account, owned.get(account, []), foreign, named=foreign != stranger):
                yield hit
                break


def _under_keys_of(view: View, account: str, keys: list[Key], foreign: str, *, named: bool) -> Hit | None:
    """A hit when identities of ``account`` may encrypt under the keys of the account ``foreign``."""
    region, partition = _place(view, account, keys)
    probe = open_key(foreign, region, partition)
    role = data_role(account, partition)
    reachable = [name for name in FOREIGN_USE if how_open(view, role, probe, name, account) is Openness.OPEN]
    holders = _writers(view, account, probe) if reachable else []
    if not holders:
        return None
    whose = f"keys of account {foreign}, which is outside the organization" if named else "foreign keys"
    hit = account_hit(
        view,
        account,
        keys,
        f"{count(len(holders), 'identity')} of account {account} can encrypt data under {whose}.",
        raised=given((any_restricted(view, keys) or account in _with_restricted_data(view), "T1 data")),
        more=(
            naming("identities", holders),
            Evidence("open", listing(reachable)),
            *_given(view, holders[0], probe, reachable),
        ),
    )
    return replace(hit, advice=UNBOUND_ADVICE, bare=True) if is_management(view, account) else hit


def _with_restricted_data(view: View) -> frozenset[str]:
    """The accounts with a resource of tier T1."""
    resources = view.snapshot.evidence.resources
    return view.once(
        "accounts of restricted resources",
        lambda: frozenset(one.account for one in resources if tier_of(view, one) == "T1"),
    )


def _let_through(view: View, account: str) -> list[str]:
    """The outside accounts that SCPs above ``account`` name as owners of keys, but for the registered ones."""
    organization = view.snapshot.organization
    levels = organization.levels(account) if organization else None
    named = {
        owner
        for level in levels or ()
        for attached in level.scps or ()
        for statement in attached.policy.statements
        for owner in _owners_named(statement)
    }
    return sorted(named - view.trust.organization_accounts - set(view.settings.trusted_key_accounts))


def _owners_named(statement: Statement) -> Iterator[str]:
    """Account ids that a statement's resources and conditions name as owners of what is asked for."""
    values = [*(statement.resources or ()), *(statement.not_resources or ())]
    values += (value for test in statement.conditions if test.key.lower() == RESOURCE_OWNER for value in test.values)
    return (account for value in values if (account := account_of(value)))


def _given(view: View, holder: str, probe: Key, names: list[str]) -> list[Evidence]:
    """The statements of the first identity that reach the foreign key."""
    decisions = [view.evaluation.decide(view.principal_by_arn[holder], probe, f"kms:{name}") for name in names]
    found = [item for decision in decisions for item in allowing(decision)]
    return [item for item in dict.fromkeys(found) if item.statement and item.statement.layer is Layer.IDENTITY]


def _place(view: View, account: str, keys: list[Key]) -> tuple[str, str]:
    """A Region and the partition of an account, which may have no keys of its own."""
    if keys:
        return keys[0].region, keys[0].partition
    facts = view.snapshot.account(account)
    return next(iter(facts.regions), "us-east-1") if facts else "us-east-1", facts.partition if facts else "aws"


def _writers(view: View, account: str, foreign: Key) -> list[str]:
    """Identities that may use a foreign key, as far as their own side goes, and may write to storage; asked once.

    That they may do so through one service alone is no barrier: the service encrypts for them."""
    memo = view.commons.of_account(account)
    return memo.once(f"writers to {foreign.arn}", lambda: _find_writers(view, account, foreign))


def _find_writers(view: View, account: str, foreign: Key) -> list[str]:
    alike: dict[Likeness, list[Principal]] = {}
    for who in identities_of(view, account):
        if not service_linked(who):
            alike.setdefault(likeness(view, who), []).append(who)
    writing = [members for members in alike.values() if _writes(view, members[0])]
    asked = mask_of(FOREIGN_USE)
    table = view.evaluation.table_of(tuple(members[0] for members in writing), (foreign,), asked)
    return sorted(
        who.arn
        for row, members in enumerate(writing)
        if any(openness(table.decision(row, 0, action)) in CERTAIN for action in actions_in(asked))
        for who in members
    )


def _writes(view: View, who: Principal) -> bool:
    return any(may(view, who, action, None) for action in STORAGE_WRITES if speaks_of(view, who, action))
