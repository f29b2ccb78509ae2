"""What is known of an AWS operation before it is called: its name, what it answers with, and when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache


class Level(StrEnum):
    """What a permission attaches to."""

    KEY = "key"
    ACCOUNT = "account"
    ORGANIZATION = "organization"
    NONE = "none"


class Need(StrEnum):
    """When an operation is called: always, for evidence, or for an option."""

    CORE = "core"
    EVIDENCE = "evidence"
    LAST_USAGE = "last-usage"
    LAST_ACCESSED = "last-accessed"
    KEY_EVENTS = "key-events"
    RETIRABLE_GRANTS = "retirable-grants"
    RESOURCES = "resources"
    ORG_ROLE = "org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. ``items`` is the member of the answer that holds a list; ``page_size`` the most to ask for.

    ``prefix`` and ``permit``: the IAM action that permits it, where that is not spelt as the operation is.
    ``must`` are members one of which every whole answer has: without them it was cut or changed on the way.
    ``needs`` are paths of members that say nothing when they are missing, as ``shapes.lacking`` reads them; those that
    begin with a list are asked of each item. ``identity``: list → the member by which its items are told apart.
    ``bare``: AWS leaves the list out when it is empty, so that an answer may hold nothing at all.
    """

    service: str
    name: str
    level: Level = Level.ACCOUNT
    need: Need = Need.CORE
    items: str = ""
    page_size: int | None = None
    prefix: str = ""
    permit: str = ""
    must: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict, hash=False)
    bare: bool = False

    @property
    def lists(self) -> tuple[str, ...]:
        """The members of an answer that hold the items of a list."""
        return tuple(self.identity) if not self.items else (self.items,)

    def needs_of(self, name: str) -> tuple[str, ...]:
        """What each item of a list needs."""
        return _inside(self.needs, name)

    def needs_beside(self, lists: tuple[str, ...]) -> tuple[str, ...]:
        """What an answer needs beside the items of ``lists``."""
        return _outside(self.needs, lists)

    @property
    def everywhere(self) -> bool:
        """Whether every endpoint that is worth an audit has it, so that an error page is no sign that it is missing."""
        return self.need in (Need.CORE, Need.ORG_ROLE) and self.service in ("kms", "iam", "sts", "organizations")

    @property
    def action(self) -> str:
        """The IAM action that permits it."""
        return f"{self.prefix or self.service}:{self.permit or self.name}"

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


@cache
def _inside(needs: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(need.removeprefix(f"{name}.") for need in needs if need.startswith(f"{name}."))


@cache
def _outside(needs: tuple[str, ...], lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(need for need in needs if not any(need.startswith(f"{name}.") for name in lists))
