"""The organization as far as the caller may see it: tree, accounts, and the SCPs and RCPs attached to each level.

In two steps: ``read_tree`` finds the accounts, which is all that the rest of a collection waits for; ``read_details``
reads tags, attachments and documents, which takes a paced call or three for each account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operation import Operation
from auditor.collectors.operations import (
    DESCRIBE_ORGANIZATION,
    DESCRIBE_POLICY,
    LIST_ACCOUNTS,
    LIST_ATTACHED,
    LIST_MEMBERS,
    LIST_ORG_TAGS,
    LIST_ROOTS,
    LIST_UNITS,
)
from auditor.collectors.plain import plain
from auditor.model.arn import account_of, is_account_id
from auditor.model.key import Fact
from auditor.model.organization import TargetKind
from auditor.model.shard import Kind, Record

POLICY_TYPES = {"SERVICE_CONTROL_POLICY": Fact.SCP, "RESOURCE_CONTROL_POLICY": Fact.RCP}
ANOTHER = Failure(Cause.MALFORMED, "", "The description is that of another policy.")
NAMELESS = Failure(Cause.MALFORMED, "", "The organization names no management account.")
NO_RCP = Failure(Cause.MALFORMED, "", "No RCP is listed, and RCPFullAWSAccess is attached to every level.")
"""DetachPolicy never takes that one away (Organizations API reference). A level without any SCP is taken as told: it
allows nothing."""
ON = "ENABLED"
MOVED = Failure(Cause.MALFORMED, "", "It joined, or moved, while the tree was read: its place is not known.")
CLOSED = frozenset({"SUSPENDED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "CLOSED"})
"""States of accounts that nobody can enter. One in a state that nobody knows is tried: at worst it is a gap."""
NOT_IN_USE = "AWSOrganizationsNotInUseException"
Data = dict[str, Any]


@dataclass(slots=True)
class Tree:
    """What a caller sees. ``described`` None: not even the organization's id could be read. ``in_use`` False: the
    account belongs to no organization. ``targets`` are root, units and accounts with Id, Name, Kind, Parent, Status.
    ``unseen`` are accounts whose place is not known: of other profiles that could not ask for it, and those that
    ``moved`` while the tree was walked. ``types`` of policy are in force; ``switching`` ones are on their way on or
    off, so that nobody can say. ``sound``: what was listed was understood and does not contradict itself, whether or
    not it is all.
    """

    described: Data | None = None
    in_use: bool = True
    targets: list[Data] = field(default_factory=list)
    types: dict[str, Fact] = field(default_factory=dict)
    switching: dict[str, Fact] = field(default_factory=dict)
    complete: bool = True
    sound: bool = True
    known: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    moved: list[Data] = field(default_factory=list)

    @property
    def accounts(self) -> list[Data]:
        """The accounts that may be read, whether or not their place in the tree is known."""
        return [target for target in self.targets if target["Kind"] == TargetKind.ACCOUNT] + self.moved

    def record(self) -> list[Record]:
        """The record of the organization itself; none when nobody could look."""
        if not self.in_use:
            return [Record(Kind.ORGANIZATION, {"NotInUse": True})]
        if self.described is None:
            return []
        unseen = sorted(self.unseen - self.known)
        more: Data = {"Unseen": unseen} if unseen else {}
        if self.targets and self.sound and not self.complete:
            more["BranchesMissing"] = True
        return [Record(Kind.ORGANIZATION, {**self.described, "TreeRead": self.complete, **more})]

    def add(self, target: Data, kind: TargetKind, parent: str | None) -> None:
        """One more level."""
        self.targets.append(_entry(target, kind, parent))
        self.known.add(target["Id"])


def _entry(target: Data, kind: TargetKind, parent: str | None) -> Data:
    return {
        "Id": target["Id"],
        "Name": target.get("Name", ""),
        "Kind": kind,
        "Parent": parent,
        "Status": _status(target),
    }


def _status(target: Data) -> str:
    """The state of an account, by its name of today or that of before; units have none."""
    return str(target.get("State") or target.get("Status") or "ACTIVE")


def read_tree(caller: Caller, *, every_account: bool) -> Tree:
    """The tree; ``every_account``: where a branch is hidden, its accounts are looked up in the flat list."""
    try:
        described = _described(caller)
    except RefusedError as error:
        if error.failure.code == NOT_IN_USE:
            return Tree(in_use=False)
        caller.note(error.failure, Fact.ORGANIZATION, DESCRIBE_ORGANIZATION)
        return Tree(complete=False)
    tree = Tree(described)
    roots = caller.ask_pages(LIST_ROOTS, Fact.ORGANIZATION)
    tree.complete = roots.complete
    if not roots.items and roots.complete:
        _misread(caller, tree, LIST_ROOTS, "The organization has no root.", "")
    for root in roots.items:
        _walk(caller, tree, plain(root))
    if every_account and not tree.complete:
        _hidden_accounts(caller, tree)
    elif every_account and tree.accounts:
        _moved_accounts(caller, tree)
    return tree


def _described(caller: Caller) -> Data:
    """The organization with the id of its management account. Raises RefusedError."""
    told: Data = plain(caller.call(DESCRIBE_ORGANIZATION)["Organization"])
    management = told.get("MasterAccountId") or account_of(told["MasterAccountArn"])
    if not management:
        raise RefusedError(NAMELESS)
    return {**told, "MasterAccountId": management}


def _walk(caller: Caller, tree: Tree, root: Data) -> None:
    """The root with everything below it."""
    _types(caller, tree, root)
    tree.add(root, TargetKind.ROOT, None)
    todo = [root["Id"]]
    while todo:
        parent = todo.pop()
        for operation, kind in ((LIST_UNITS, TargetKind.UNIT), (LIST_MEMBERS, TargetKind.ACCOUNT)):
            listing = caller.ask_pages(operation, Fact.ORGANIZATION, parent, ParentId=parent)
            tree.complete = tree.complete and listing.complete
            tree.sound = tree.sound and (listing.failure is None or listing.failure.cause is not Cause.MALFORMED)
            for item in listing.items:
                if _fits(caller, tree, operation, item):
                    tree.add(plain(item), kind, parent)
                    todo += [item["Id"]] if operation is LIST_UNITS else []


def _types(caller: Caller, tree: Tree, root: Data) -> None:
    """Which types of policy are in force. A type that AWS is switching on or off is a Gap."""
    for told in root["PolicyTypes"]:
        fact, status = POLICY_TYPES.get(told["Type"]), told["Status"]
        if fact is not None and status == ON:
            tree.types[told["Type"]] = fact
        elif fact is not None:
            tree.switching[told["Type"]] = fact
            message = f"{told['Type']} is being switched on or off: which of its policies are in force is not known."
            caller.note(Failure(Cause.OTHER, status, message), fact, LIST_ROOTS, root["Id"])


def _fits(caller: Caller, tree: Tree, operation: Operation, item: Data) -> bool:
    """Whether a level can be added: an account by its number, and nothing twice, or a walk might go round for ever."""
    if item["Id"] in tree.known:
        return _misread(caller, tree, operation, "It is in two places of the tree.", item["Id"])
    if operation is not LIST_UNITS and not is_account_id(item["Id"]):
        return _misread(caller, tree, operation, "It is no account id.", item["Id"])
    return True


def _misread(caller: Caller, tree: Tree, operation: Operation, message: str, subject: str) -> bool:
    """Notes that the tree is not known as a whole, and that no part of it is certain; False."""
    tree.complete = tree.sound = False
    caller.note(Failure(Cause.MALFORMED, "", message), Fact.ORGANIZATION, operation, subject)
    return False


def _hidden_accounts(caller: Caller, tree: Tree) -> None:
    for account in caller.ask_pages(LIST_ACCOUNTS, Fact.ORGANIZATION).items:
        if account["Id"] not in tree.known and _fits(caller, tree, LIST_ACCOUNTS, account):
            tree.add(plain(account), TargetKind.ACCOUNT, None)


def _moved_accounts(caller: Caller, tree: Tree) -> None:
    """Accounts that joined, or moved to a unit that had been listed already, while the tree was walked. They are read
    like all others; their place in the tree is a Gap of their own. The flat list only checks: a refusal is no matter.
    """
    try:
        listed = caller.pages(LIST_ACCOUNTS).items
    except RefusedError:
        return
    for account in listed:
        if account["Id"] not in tree.known and is_account_id(account["Id"]) and _status(account) not in CLOSED:
            tree.moved.append(_entry(account, TargetKind.ACCOUNT, None))
            tree.unseen.add(account["Id"])
            caller.note(MOVED, Fact.ORGANIZATION, LIST_ACCOUNTS, account["Id"])


def read_details(caller: Caller, tree: Tree) -> list[Record]:
    """Every level with tags and attached policies, and every attached document once."""
    policies: dict[str, Fact] = {}
    records = [_target(caller, tree, target, policies) for target in tree.targets]
    for policy_id, fact in sorted(policies.items()):
        answer = caller.ask(DESCRIBE_POLICY, fact, policy_id, PolicyId=policy_id)
        if answer is not None and answer["Policy"]["PolicySummary"]["Id"] != policy_id:
            caller.note(ANOTHER, fact, DESCRIBE_POLICY, policy_id)
        elif answer is not None:
            records.append(Record(Kind.ORG_POLICY, plain(answer["Policy"])))
    return records


def _target(caller: Caller, tree: Tree, target: Data, policies: dict[str, Fact]) -> Record:
    attached: dict[str, list[str]] = {name: [] for name in tree.switching}
    unread = [str(fact) for fact in tree.switching.values()]
    for name, fact in tree.types.items():
        listing = caller.ask_pages(LIST_ATTACHED, fact, target["Id"], TargetId=target["Id"], Filter=name)
        attached[name] = sorted(policy["Id"] for policy in listing.items)
        policies.update(dict.fromkeys(attached[name], fact))
        none = fact is Fact.RCP and not listing.items
        if none and listing.complete:
            caller.note(NO_RCP, fact, LIST_ATTACHED, target["Id"])
        if none or not listing.complete:
            unread.append(str(fact))
    tags = caller.ask_pages(LIST_ORG_TAGS, Fact.TAGS, target["Id"], ResourceId=target["Id"])
    listed = sorted((plain(item) for item in tags.items), key=repr)
    return Record(Kind.ORG_TARGET, {**target, "Attached": attached, "Unread": unread, "Tags": listed})
