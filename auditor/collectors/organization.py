"""The organization as far as the caller may see it: tree, accounts, and the SCPs and RCPs attached to each level."""

from __future__ import annotations

from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import RefusedError
from auditor.collectors.operations import (
    DESCRIBE_ORGANIZATION,
    DESCRIBE_POLICY,
    LIST_ATTACHED,
    LIST_MEMBERS,
    LIST_ORG_TAGS,
    LIST_ROOTS,
    LIST_UNITS,
)
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

POLICY_TYPES = {"SERVICE_CONTROL_POLICY": Fact.SCP, "RESOURCE_CONTROL_POLICY": Fact.RCP}
NOT_IN_USE = "AWSOrganizationsNotInUseException"
Data = dict[str, Any]


def read_organization(caller: Caller) -> list[Record]:
    """The records of the organization; empty (with a Gap) when not even its id could be read."""
    try:
        described = plain(caller.call(DESCRIBE_ORGANIZATION).get("Organization") or {})
    except RefusedError as error:
        if error.failure.code == NOT_IN_USE:
            return [Record(Kind.ORGANIZATION, {"NotInUse": True})]
        caller.note(error.failure, Fact.ORGANIZATION, DESCRIBE_ORGANIZATION)
        return []
    roots = caller.ask_pages(LIST_ROOTS, Fact.ORGANIZATION)
    tree = _Tree(caller)
    for root in roots.items:
        tree.walk_root(plain(root))
    complete = roots.complete and bool(roots.items) and tree.complete
    return [Record(Kind.ORGANIZATION, {**described, "TreeRead": complete}), *tree.records, *tree.documents()]


class _Tree:
    """Walks the tree from a root down, and remembers which policies were seen."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.records: list[Record] = []
        self.complete = True
        self._policies: dict[str, Fact] = {}
        self._types: dict[str, Fact] = {}

    def walk_root(self, root: Data) -> None:
        """The root with everything below it."""
        enabled = {str(kind.get("Type")) for kind in root.get("PolicyTypes") or () if kind.get("Status") == "ENABLED"}
        self._types = {name: fact for name, fact in POLICY_TYPES.items() if name in enabled}
        self._target(root, "root", None)
        todo = [str(root["Id"])]
        while todo:
            parent = todo.pop()
            for unit in self._children(parent, "unit"):
                self._target(unit, "organizational-unit", parent)
                todo.append(str(unit["Id"]))
            for account in self._children(parent, "account"):
                self._target(account, "account", parent)

    def documents(self) -> list[Record]:
        """Every policy that is attached somewhere, once."""
        found = []
        for policy_id, fact in sorted(self._policies.items()):
            answer = self.caller.ask(DESCRIBE_POLICY, fact, policy_id, PolicyId=policy_id)
            if answer is not None:
                found.append(Record(Kind.ORG_POLICY, plain(answer.get("Policy") or {})))
        return found

    def _children(self, parent: str, kind: str) -> list[Data]:
        operation = LIST_UNITS if kind == "unit" else LIST_MEMBERS
        listing = self.caller.ask_pages(operation, Fact.ORGANIZATION, parent, ParentId=parent)
        self.complete = self.complete and listing.complete
        return [plain(item) for item in listing.items if item.get("Id")]

    def _target(self, target: Data, kind: str, parent: str | None) -> None:
        target_id = str(target.get("Id"))
        attached: dict[str, list[str] | None] = {}
        unread = []
        for name, fact in self._types.items():
            listing = self.caller.ask_pages(LIST_ATTACHED, fact, target_id, TargetId=target_id, Filter=name)
            attached[name] = sorted(str(policy.get("Id")) for policy in listing.items)
            self._policies.update(dict.fromkeys(attached[name] or (), fact))
            if not listing.complete:
                unread.append(str(fact))
        data = {
            "Id": target_id,
            "Name": target.get("Name", ""),
            "Kind": kind,
            "Parent": parent,
            "Status": target.get("State") or target.get("Status") or "ACTIVE",
            "Tags": self._tags(target_id),
            "Attached": attached,
            "Unread": unread,
        }
        self.records.append(Record(Kind.ORG_TARGET, data))

    def _tags(self, target_id: str) -> list[Data]:
        listing = self.caller.ask_pages(LIST_ORG_TAGS, Fact.TAGS, target_id, ResourceId=target_id)
        return sorted((plain(item) for item in listing.items), key=repr)
