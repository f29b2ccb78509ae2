"""The AWS organization as far as it was readable: tree, accounts, SCPs and RCPs per target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from auditor.model.key import Fact, Tags
from auditor.model.policy import AttachedPolicy


class TargetKind(StrEnum):
    """What SCPs and RCPs can be attached to; UNKNOWN stands for what no organization has."""

    ROOT = "root"
    UNIT = "organizational-unit"
    ACCOUNT = "account"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgTarget:
    """The root, an organizational unit or an account, with the policies attached directly to it.

    ``parent`` is None for the root. ``scps`` / ``rcps`` are None when that type is switched off for the organization.
    ``unread`` holds Fact.SCP or Fact.RCP where the attachments, or one of the documents, could not be read.
    """

    id: str
    name: str
    kind: TargetKind
    parent: str | None
    tags: Tags = ()
    status: str = "ACTIVE"
    scps: tuple[AttachedPolicy, ...] | None = ()
    rcps: tuple[AttachedPolicy, ...] | None = ()
    unread: frozenset[Fact] = field(default_factory=frozenset)


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An organization. ``tree_read`` False: only its id and management account are known, not who belongs to it.

    ``branches_missing``: some branches of the tree could not be read, and all else is where it stands; ``tree_read`` is
    False then. ``unseen`` are accounts that are not in it and that nobody could ask to which organization they belong,
    if to any.
    """

    id: str
    management_account: str
    targets: tuple[OrgTarget, ...] = ()
    tree_read: bool = True
    branches_missing: bool = False
    unseen: frozenset[str] = frozenset()

    def target(self, target_id: str) -> OrgTarget | None:
        """The target with this id, or None."""
        return next((target for target in self.targets if target.id == target_id), None)

    def unread(self, account: str | None) -> bool:
        """Whether the guardrails of an account are not known: those of the tree, or of an organization of its own."""
        return account in self.unseen or not (self.tree_read or self.placed(account))

    def placed(self, account: str | None) -> bool:
        """Whether all levels above an account are known, although others may not be."""
        return (self.tree_read or self.branches_missing) and account in self._paths

    def levels(self, account: str) -> tuple[OrgTarget, ...] | None:
        """The path root → organizational units → account, or None when the account is not in the tree."""
        return self._levels.get(account)

    @cached_property
    def _levels(self) -> dict[str, tuple[OrgTarget, ...]]:
        """Account → its path; the tree never changes, and it is asked for once per caller and key."""
        by_id = {target.id: target for target in self.targets}
        return {target.id: _path_to(target, by_id) for target in by_id.values() if target.kind == TargetKind.ACCOUNT}

    @property
    def rooted(self) -> bool:
        """Whether every account hangs from a root by units alone, as in every organization."""
        known = all(target.kind != TargetKind.UNKNOWN for target in self.targets)
        return known and all(map(_rooted, self._levels.values()))

    def path(self, account: str) -> str | None:
        """The ``aws:PrincipalOrgPaths`` value of an account, ``o-…/r-…/ou-…/``, or None when it is not in the tree, or
        nobody knows where."""
        return self._paths.get(account)

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {
            account: "/".join([self.id, *(level.id for level in levels[:-1])]) + "/"
            for account, levels in self._levels.items()
            if _rooted(levels)
        }


def _rooted(path: tuple[OrgTarget, ...]) -> bool:
    """Whether an account hangs from a root by units alone."""
    root, *units = path[:-1] or path
    top = root.kind == TargetKind.ROOT and root.parent is None
    return top and all(level.kind == TargetKind.UNIT for level in units)


def _path_to(target: OrgTarget, by_id: Mapping[str, OrgTarget]) -> tuple[OrgTarget, ...]:
    """The targets from the root down to ``target``; a circle of parents, which no organization has, ends somewhere."""
    path = [target]
    while target.parent is not None and target.parent in by_id and len(path) <= len(by_id):
        target = by_id[target.parent]
        path.append(target)
    return tuple(reversed(path))
