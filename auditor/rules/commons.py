"""What all views of one estate have in common, whatever keys and access they look at: callers, policies, trust."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from auditor.model.policy import Layer
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
    """Answers from the callers, the organization and the settings alone; ``snapshot`` may hold any keys."""

    def __init__(self, snapshot: Snapshot, settings: RuleSettings, today: date) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.trust = Trust(snapshot, settings, today)

    @cached_property
    def identity_documents(self) -> tuple[Document, ...]:
        """Identity policies in effect, each once."""
        return identity_documents(self.snapshot)

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
        return boundary_documents(self.snapshot)
