"""Which principal somebody means: a row of the table, a pattern, or a caller that was never collected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Protocol

from auditor.errors import UnknownNameError
from auditor.evaluator.glob import matches
from auditor.evaluator.mentions import federated_user, is_federated_user, unlisted_kind
from auditor.model.arn import Arn, is_account_id, is_caller, is_infrastructure, is_service, parse_arn, session_role_name
from auditor.model.key import Fact
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.questions.groups import is_group, members_of
from auditor.questions.unknown_names import NAMES_OF_PRINCIPALS, may_exist, quoted

SHOWN = 10


class Known(Protocol):
    """Where names are looked up: an Evaluation, or anything else with a snapshot and its rows."""

    @property
    def snapshot(self) -> Snapshot:
        """The facts."""

    @property
    def principals(self) -> tuple[Principal, ...]:
        """All callers that the facts know."""


def find_principals(known: Known, text: str) -> tuple[Principal, ...]:
    """The principals called ``text``: an ARN, ``role/name``, a name, a unique id, or a pattern (``role/ci-*``).

    ``group/name`` means the members of the group. An account that was not collected is its row for any of its
    principals, and those that policies and grants name. What no row is called may still be a caller that exists outside
    the snapshot; see ``principal_named``.
    """
    if _is_pattern(text):
        return _matching(known, text)
    if is_group(text):
        return _members(known, text)
    found_one = principal_named(known, text)
    if found_one.kind is not PrincipalKind.EXTERNAL_ACCOUNT:
        return (found_one,)
    named = (p for p in known.principals if p.account == found_one.account and p.arn != found_one.arn)
    return (found_one, *named)


def principal_named(known: Known, text: str) -> Principal:
    """The one principal called ``text``.

    Understands session ARNs, root users, service principals, account ids and ARNs of accounts that were not collected.
    Raises UnknownNameError for a name that means several principals, or nothing, and for a group.
    """
    if is_group(text):
        listed = _listed(_members(known, text))
        raise UnknownNameError(f"{quoted(text)} is a group, which calls nothing.", f"Name a member: {listed}.")
    found = list(_matching(known, text)) if _is_pattern(text) else _called(known, text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownNameError(f"{quoted(text)} means {len(found)} principals.", f"Choose one: {_listed(found)}.")
    made = _uncollected(known, text)
    if made is None:
        raise UnknownNameError(f"No principal is called {quoted(text)}.", _nearest(known, text))
    return made


def _is_pattern(text: str) -> bool:
    return ("*" in text or "?" in text) and text != "*"


def _matching(known: Known, text: str) -> tuple[Principal, ...]:
    """The principals that a pattern means. Raises UnknownNameError where it means none."""
    found = tuple(p for p in known.principals if any(matches(text, name) for name in names_of(p)))
    if not found:
        raise UnknownNameError(f"No principal matches {quoted(text)}.", _nearest(known, text))
    return found


def _called(known: Known, text: str) -> list[Principal]:
    """The principals of a name; whoever has it as ARN or unique id comes before those that are only called so."""
    if text.startswith("arn:"):  # no other name begins so
        return [principal for principal in known.principals if principal.arn == text]
    found = [principal for principal in known.principals if text in names_of(principal)]
    return [principal for principal in found if text in (principal.arn, principal.unique_id)] or found


def _members(known: Known, text: str) -> tuple[Principal, ...]:
    """The members of a group. Raises UnknownNameError where there are none."""
    found = tuple(members_of(known.snapshot, text))
    if not found:
        none = may_exist(known.snapshot, NAMES_OF_PRINCIPALS) or " A group without members can do nothing."
        raise UnknownNameError(f"No collected user belongs to {quoted(text)}.", none.strip())
    return found


def names_of(principal: Principal) -> tuple[str, ...]:
    """Everything that a principal is called."""
    names = [principal.arn]
    arn = parse_arn(principal.arn)
    if arn is not None:
        names.append(arn.resource)
    if principal.kind in (PrincipalKind.ROLE, PrincipalKind.SERVICE_LINKED_ROLE, PrincipalKind.USER):
        names += [principal.name, f"{'user' if principal.kind is PrincipalKind.USER else 'role'}/{principal.name}"]
    if principal.unique_id:
        names.append(principal.unique_id)
    return tuple(dict.fromkeys(name for name in names if name))


def _uncollected(known: Known, text: str) -> Principal | None:
    """A caller that is no row: services, sessions, other accounts and their principals, everyone."""
    if text == "*":
        return Principal(kind=PrincipalKind.EVERYONE, arn="*", iam_arn="*", account=None, assume_allowed=True)
    if is_service(text):
        return Principal(kind=PrincipalKind.SERVICE, arn=text, iam_arn=text, account=None, name=text)
    if is_account_id(text):
        return None if _collected(known, text) else _account(text)
    arn = parse_arn(text)
    if arn is None or not is_caller(text):
        return None
    session = session_role_name(text)
    if session is not None:
        return _session(known, text, arn, session)
    if is_federated_user(arn) and any(item.id == arn.account for item in known.snapshot.accounts):
        return federated_user(text, arn)
    return _account(arn.account) if arn.resource == "root" else _of_account(known, text, text, arn)


def _of_account(known: Known, text: str, iam_arn: str, arn: Arn) -> Principal | None:
    """A caller by its account: None where the inventory says that it does not exist."""
    if _collected(known, arn.account):
        return None
    listed = any(item.id == arn.account for item in known.snapshot.accounts)
    return _unlisted(text, iam_arn, arn) if listed else _external(text, iam_arn, arn)


def _session(known: Known, text: str, arn: Arn, session: tuple[str, str]) -> Principal | None:
    role = next(
        (p for p in known.principals if p.account == arn.account and p.name == session[0] and _is_role(p)), None
    )
    if role is not None:
        # A session of a service-linked role is that role: no guardrail binds it.
        kind = role.kind if role.service_linked else PrincipalKind.SESSION
        return replace(role, kind=kind, arn=text, iam_arn=role.arn)
    role_arn = f"arn:{arn.partition}:iam::{arn.account}:role/{session[0]}"
    if is_infrastructure(text) and any(item.id == arn.account for item in known.snapshot.accounts):
        kind = PrincipalKind.SERVICE_LINKED_ROLE  # AWS's own, and nothing in IAM speaks of it
        return Principal(kind=kind, arn=text, iam_arn=role_arn, account=arn.account, name=session[0])
    return _of_account(known, text, role_arn, arn)


def _unlisted(text: str, iam_arn: str, arn: Arn) -> Principal:
    """A user, role or session of an account whose identities could not be read: it may exist, and do anything there."""
    return Principal(
        kind=unlisted_kind(arn),
        arn=text,
        iam_arn=iam_arn,
        account=arn.account,
        name=arn.name,
        unread=frozenset({Fact.IDENTITIES, Fact.BOUNDARY}),
    )


def _collected(known: Known, account: str) -> bool:
    """Whether the identities of an account were read: a name that is not there does not exist."""
    return any(item.id == account and Fact.IDENTITIES not in item.unread for item in known.snapshot.accounts)


def _is_role(principal: Principal) -> bool:
    return principal.kind in (PrincipalKind.ROLE, PrincipalKind.SERVICE_LINKED_ROLE)


def _account(account: str) -> Principal:
    kind = PrincipalKind.EXTERNAL_ACCOUNT
    return Principal(kind=kind, arn=account, iam_arn=account, account=account, assume_allowed=True)


def _external(text: str, iam_arn: str, arn: Arn) -> Principal:
    return Principal(
        kind=PrincipalKind.EXTERNAL_PRINCIPAL,
        arn=text,
        iam_arn=iam_arn,
        account=arn.account,
        name=arn.name,
        assume_allowed=True,
    )


def _listed(found: Iterable[Principal]) -> str:
    arns = [principal.arn for principal in found]
    more = f", and {len(arns) - SHOWN} more" if len(arns) > SHOWN else ""
    return ", ".join(arns[:SHOWN]) + more


def _nearest(known: Known, text: str) -> str:
    return _near(known, text) + may_exist(known.snapshot, NAMES_OF_PRINCIPALS)


def _near(known: Known, text: str) -> str:
    if is_account_id(text):
        return f"It is a collected account, not one caller; its principals are 'arn:*:{text}:*'."
    if text.startswith("alias/"):
        return "That is the name of a key; who-can asks who can use it."
    wrong = parse_arn(text) is not None and not is_caller(text) and not _is_pattern(text)
    told = "That is no ARN of a user, a role, a session or an account. " if wrong else ""
    names = {name: None for principal in known.principals for name in names_of(principal)}
    near = get_close_matches(text, names, n=5, cutoff=0.5)
    if near:
        return f"{told}Did you mean {', '.join(near)}?"
    return (
        f"{told}Principals that the snapshot knows: {len(known.principals)}; name one by ARN, role/NAME or user/NAME."
    )
