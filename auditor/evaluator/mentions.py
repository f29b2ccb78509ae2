"""The rows of the access table: collected principals, and the callers that only policies and grants mention.

Callers of accounts that were not collected stand for an upper bound: they are assumed to hold every permission on
their own side. A collected account whose identities could not be read gets a row of its own with that gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.evaluator.glob import has_wildcard
from auditor.model.arn import (
    SERVICE_LINKED_PATH,
    Arn,
    account_of,
    is_account_id,
    is_infrastructure,
    is_root,
    parse_arn,
    session_role_name,
)
from auditor.model.key import Fact, Key
from auditor.model.policy import PrincipalValue, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot

EVERYBODY = PrincipalValue("AWS", "*")
_ACCOUNT_KEYS = ("aws:principalaccount", "kms:calleraccount", "aws:principalarn")


def rows(snapshot: Snapshot) -> tuple[Principal, ...]:
    """Every caller that the table answers for, sorted by ARN; each ARN once."""
    collected = {principal.arn: principal for principal in snapshot.principals}
    found: dict[str, Principal] = dict(collected)
    accounts = {account.id: account.partition for account in snapshot.accounts}
    for key in snapshot.keys:
        accounts.setdefault(key.account, key.partition)
    unread = {account.id for account in snapshot.accounts if Fact.IDENTITIES in account.unread}
    unread |= set(accounts) - {account.id for account in snapshot.accounts}
    for account, partition in accounts.items():
        root = f"arn:{partition}:iam::{account}:root"
        found[root] = Principal(kind=PrincipalKind.ROOT, arn=root, iam_arn=root, account=account, name="root")
        if account in unread:
            found[account] = _unread_account(account, partition)
    for mention in _mentions(snapshot.keys):
        row = _row(mention, accounts, unread)
        if row is not None:
            found.setdefault(row.arn, row)
    return tuple(found[arn] for arn in sorted(found))


def _unread_account(account: str, partition: str) -> Principal:
    return Principal(
        kind=PrincipalKind.EXTERNAL_ACCOUNT,
        arn=account,
        iam_arn=f"arn:{partition}:iam::{account}:root",
        account=account,
        name=f"any principal of {account}",
        unread=frozenset({Fact.IDENTITIES}),
    )


def _mentions(keys: Iterable[Key]) -> Iterator[PrincipalValue]:
    """Callers that Allow statements and grants name, each once."""
    seen: dict[PrincipalValue, None] = {}
    texts: set[str] = set()
    for key in keys:
        for attached in key.policies:
            if attached.policy.text in texts:
                continue
            texts.add(attached.policy.text)
            for statement in attached.policy.statements:
                seen.update(dict.fromkeys(_of_statement(statement)))
        for grant in key.grants:
            for arn in (grant.grantee, grant.retiring):
                if arn is not None and ":" in arn:
                    seen.setdefault(PrincipalValue("AWS", arn))
            for service in (grant.service, grant.retiring_by):
                if service is not None:
                    seen.setdefault(PrincipalValue("Service", service))
    return iter(seen)


def _of_statement(statement: Statement) -> Iterator[PrincipalValue]:
    if statement.effect != "Allow":
        return
    if statement.not_principals is not None:
        yield EVERYBODY
    yield from statement.principals or ()
    if any(entry.value == "*" for entry in statement.principals or ()):
        yield from _of_conditions(statement)


def _of_conditions(statement: Statement) -> Iterator[PrincipalValue]:
    """Accounts that the conditions of a statement for everybody let in."""
    for test in statement.conditions:
        if test.key.lower() in _ACCOUNT_KEYS and "not" not in test.operator.lower():
            for value in test.values:
                account = account_of(value)
                if account is not None:
                    yield PrincipalValue("AWS", account)


def _row(mention: PrincipalValue, accounts: dict[str, str], unread: set[str]) -> Principal | None:
    value = mention.value
    if has_wildcard(value) and mention != EVERYBODY:
        return None  # no pattern names anybody (IAM user guide, policy elements: Principal)
    if mention.kind == "Service":
        return Principal(kind=PrincipalKind.SERVICE, arn=value, iam_arn=value, account=None, name=value)
    if mention.kind != "AWS":
        return None
    if value == "*":
        return Principal(
            kind=PrincipalKind.EVERYONE, arn="*", iam_arn="*", account=None, name="everyone", assume_allowed=True
        )
    account = account_of(value)
    if account is None:
        return None
    if is_account_id(value) or is_root(value):
        return None if account in accounts else _external_account(account)
    return _named(value, account, accounts, unread)


def _external_account(account: str) -> Principal:
    return Principal(
        kind=PrincipalKind.EXTERNAL_ACCOUNT,
        arn=account,
        iam_arn=account,
        account=account,
        name=f"any principal of {account}",
        assume_allowed=True,
    )


def _named(value: str, account: str, accounts: dict[str, str], unread: set[str]) -> Principal | None:
    """A user, role or session by its ARN; None where the collected inventory decides that it does not exist."""
    arn = parse_arn(value)
    if arn is None:
        return None
    session = session_role_name(value)
    role_arn = f"arn:{arn.partition}:iam::{account}:role/{session[0]}" if session else value
    name = f"{session[0]}/{session[1]}" if session else arn.name
    if account not in accounts:
        return Principal(
            kind=PrincipalKind.EXTERNAL_PRINCIPAL,
            arn=value,
            iam_arn=role_arn,
            account=account,
            name=name,
            assume_allowed=True,
        )
    if is_federated_user(arn):
        return federated_user(value, arn)
    if account not in unread or is_infrastructure(value):
        return None  # AWS's own sessions come and go with the instances of an account, and no inventory lists them
    missing = frozenset({Fact.IDENTITIES, Fact.BOUNDARY})
    kind = unlisted_kind(arn)
    return Principal(kind=kind, arn=value, iam_arn=role_arn, account=account, name=name, unread=missing)


def is_federated_user(arn: Arn) -> bool:
    """Whether the ARN is that of a GetFederationToken session."""
    return arn.service == "sts" and arn.resource.startswith("federated-user/")


def federated_user(value: str, arn: Arn) -> Principal:
    """A federated user by its ARN alone, which tells neither the user who asked for the token nor the session policy
    that came with it."""
    return Principal(
        kind=PrincipalKind.FEDERATED_USER,
        arn=value,
        iam_arn=value,
        account=arn.account,
        name=arn.name,
        unread=frozenset({Fact.IDENTITIES}),
    )


def unlisted_kind(arn: Arn) -> PrincipalKind:
    """What a user, role or session is by its ARN alone."""
    if arn.service == "sts":
        return PrincipalKind.SESSION
    if arn.resource.startswith("user/"):
        return PrincipalKind.USER
    linked = arn.resource.startswith(f"role{SERVICE_LINKED_PATH}")
    return PrincipalKind.SERVICE_LINKED_ROLE if linked else PrincipalKind.ROLE
