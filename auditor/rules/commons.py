"""What all views of one estate have in common, whatever keys and access they look at: callers, policies, trust."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property, partial
from typing import Any, TypeVar

from auditor.model.policy import Layer
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.rules.statements import Document, boundary_documents, identity_documents, organization_documents
from auditor.rules.trust import Trust

T = TypeVar("T")


class Memo:
    """Tables that several rules share, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` returns, made once under ``name``."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found


class Commons(Memo):
    """Answers from the callers, the organization and the settings alone; ``snapshot`` may hold any keys.

    ``of_documents`` keeps what rests on single documents, told apart by object, and ``of_account`` what rests on the
    callers of one account and the SCPs and RCPs above it. Both are those of ``other`` where that has the same: the
    other side of a comparison, of the same time, whose accounts and whose organization differ in SCPs and RCPs at most.
    """

    def __init__(self, snapshot: Snapshot, settings: RuleSettings, today: date, other: Commons | None = None) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.trust: Trust = other.trust if other else Trust(snapshot, settings, today)
        self.of_documents: Memo = other.of_documents if other else Memo()
        self._of_accounts: dict[str, Memo] = {}
        self._other = other

    def of_account(self, account: str) -> Memo:
        """What rests on an account's callers and guardrails alone."""
        found = self._of_accounts.get(account)
        if found is None:
            other = self._other
            same = other is not None and self._seen_of(account) == other._seen_of(account)
            found = self._of_accounts[account] = other.of_account(account) if other and same else Memo()
        return found

    def _seen_of(self, account: str) -> tuple[object, ...]:
        organization = self.snapshot.organization
        return self.callers(account), organization.levels(account) if organization else None

    def callers(self, account: str) -> tuple[Principal, ...]:
        """The collected users and roles of an account."""
        return self._callers.get(account, ())

    @cached_property
    def _callers(self) -> dict[str, tuple[Principal, ...]]:
        found: dict[str, list[Principal]] = {}
        for who in self.snapshot.principals:
            found.setdefault(who.account or "", []).append(who)
        return {account: tuple(callers) for account, callers in found.items()}

    @cached_property
    def identity_documents(self) -> tuple[Document, ...]:
        """Identity policies in effect, each once."""
        return self._documents("identity-documents", identity_documents)

    @cached_property
    def scps(self) -> tuple[Document, ...]:
        """Service control policies, each once."""
        return organization_documents(self.snapshot, Layer.SCP)

    @cached_property
    def rcps(self) -> tuple[Document, ...]:
        """Resource control policies, each once."""
        return organization_documents(self.snapshot, Layer.RCP)

    @cached_property
    def boundaries(self) -> tuple[Document, ...]:
        """Permissions boundaries, each once."""
        return self._documents("boundaries", boundary_documents)

    def _documents(
        self, name: str, collect: Callable[[tuple[Principal, ...]], tuple[Document, ...]]
    ) -> tuple[Document, ...]:
        """The documents of all accounts by ARN; no two accounts have one in common."""
        found = (
            document
            for account, callers in self._callers.items()
            for document in self.of_account(account).once(name, partial(collect, callers))
        )
        return tuple(sorted(found, key=lambda document: (document.arn, document.policy.text)))
