"""The grants of one key by what a caller has in common with their holders: a key may have 50,000 of them (KMS quotas),
and each caller is asked about its own alone.

It only leaves out what cannot be about a caller; ``grants`` decides whether the rest is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from auditor.evaluator.naming import is_account_principal
from auditor.model.arn import account_of, parse_arn, session_role_name
from auditor.model.grant import Grant
from auditor.model.principal import Principal


class GrantIndex:
    """Made once per key; ``issuers`` are the accounts that issued one of its grants."""

    def __init__(self, grants: tuple[Grant, ...]) -> None:
        self._grants = grants
        self.issuers = frozenset(grant.issuing_account for grant in grants if grant.issuing_account is not None)
        self._places: dict[Hashable, list[int]] = {}
        for place, grant in enumerate(grants):
            names = {*_of_holder(grant.grantee, grant.service), *_of_holder(grant.retiring, grant.retiring_by)}
            for name in names:
                self._places.setdefault(name, []).append(place)

    def about(self, principal: Principal) -> tuple[Grant, ...]:
        """The grants whose grantee or retiring principal may be the caller or its account, in their order."""
        places = {place for name in _of_caller(principal) for place in self._places.get(name, ())}
        return tuple([self._grants[place] for place in sorted(places)])


def _of_holder(holder: str | None, service: str | None) -> Iterator[Hashable]:
    """What each caller that is the holder has; a role or one of its sessions also by the name of the role."""
    if service is not None:
        yield service
    elif holder is not None and is_account_principal(holder):
        yield "account", account_of(holder)
    elif holder is not None:
        yield holder
        session, arn = session_role_name(holder), parse_arn(holder)
        if session is not None:
            yield "role", account_of(holder), session[0]
        elif arn is not None:
            yield "role", arn.account, arn.name


def _of_caller(principal: Principal) -> Iterator[Hashable]:
    yield from (principal.arn, principal.iam_arn, principal.unique_id)
    yield "account", principal.account
    yield "role", principal.account, principal.iam_arn.rsplit("/", 1)[-1]
    session = session_role_name(principal.arn)
    if session is not None:
        yield "role", principal.account, session[0]
