"""Who may be meant by a name, looked up: a key may have 50,000 grants (KMS quotas) and a policy hundreds of principals,
and each caller is asked about its own alone.

It only leaves out what cannot be about a caller; ``naming`` and ``grants`` decide whether the rest is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from auditor.evaluator.naming import is_account_principal
from auditor.model.arn import account_of, parse_arn, session_role_name
from auditor.model.grant import Grant
from auditor.model.policy import PrincipalValue
from auditor.model.principal import Principal

Item = TypeVar("Item")
_EVERYBODY = "*"


class NameIndex(Generic[Item]):
    """Items with the names by which a caller may find them; made once."""

    def __init__(self, named: Iterable[tuple[Item, Iterable[Hashable]]]) -> None:
        self._items: list[Item] = []
        self._places: dict[Hashable, list[int]] = {}
        for place, (item, names) in enumerate(named):
            self._items.append(item)
            for name in set(names):
                self._places.setdefault(name, []).append(place)

    def about(self, principal: Principal) -> tuple[Item, ...]:
        """The items that may name the caller or its account, in their order."""
        places = {place for name in _of_caller(principal) for place in self._places.get(name, ())}
        return tuple([self._items[place] for place in sorted(places)])


def index_of_values(values: Iterable[PrincipalValue]) -> NameIndex[PrincipalValue]:
    """The entries of a Principal element."""
    return NameIndex((entry, _of_value(entry.value)) for entry in values)


class GrantIndex:
    """The grants of a key by their grantees and retiring principals; ``issuers`` are the accounts that issued one."""

    def __init__(self, grants: tuple[Grant, ...]) -> None:
        self.issuers = frozenset(grant.issuing_account for grant in grants if grant.issuing_account is not None)
        self._index = NameIndex(
            (grant, (*_of_holder(grant.grantee, grant.service), *_of_holder(grant.retiring, grant.retiring_by)))
            for grant in grants
        )

    def about(self, principal: Principal) -> tuple[Grant, ...]:
        """The grants whose grantee or retiring principal may be the caller or its account, in their order."""
        return self._index.about(principal)


def _of_holder(holder: str | None, service: str | None) -> Iterator[Hashable]:
    if service is not None:
        yield service
    elif holder is not None:
        yield from _of_value(holder)


def _of_value(value: str) -> Iterator[Hashable]:
    """What each caller that is meant has; a role or one of its sessions also by the name of the role."""
    if is_account_principal(value):
        yield "account", account_of(value)
        return
    yield value
    session, arn = session_role_name(value), parse_arn(value)
    if session is not None:
        yield "role", account_of(value), session[0]
    elif arn is not None:
        yield "role", arn.account, arn.name


def _of_caller(principal: Principal) -> Iterator[Hashable]:
    yield from (principal.arn, principal.iam_arn, principal.unique_id, _EVERYBODY)
    yield "account", principal.account
    yield "role", principal.account, principal.iam_arn.rsplit("/", 1)[-1]
    session = session_role_name(principal.arn)
    if session is not None:
        yield "role", principal.account, session[0]
