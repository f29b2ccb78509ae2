"""An organization that a test writes down, served over HTTP to the real collectors.

A test names only what it is about: accounts with their users, roles, keys and aliases as AWS would return them, the
tree with its policies, and refusals. Everything else answers as an account where nothing of the kind exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.aws.serial import spelt
from tests.aws.wire import Call, error_answer
from tests.aws.written import THEN, document, plain_metadata
from tests.aws.written_server import Wire, WrittenAws

Data = dict[str, Any]
REGION = "eu-central-1"
MANAGEMENT = "123456789012"
"""Whom the credentials of a test belong to, unless it says otherwise."""
FULL = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
FULL_RCP = document({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


@dataclass
class Account:
    """One account. ``keys``: Region → keys made by ``key``. ``regions`` besides those with keys are empty."""

    id: str
    keys: dict[str, list[Data]] = field(default_factory=dict)
    aliases: dict[str, list[Data]] = field(default_factory=dict)
    users: list[Data] = field(default_factory=list)
    groups: list[Data] = field(default_factory=list)
    roles: list[Data] = field(default_factory=list)
    policies: list[Data] = field(default_factory=list)
    regions: tuple[str, ...] = (REGION,)
    status: str = "ACTIVE"


@dataclass
class Level:
    """A root, unit or account of the tree: ``scps`` and ``rcps`` are documents by name; None: the full-access ones."""

    id: str
    below: list[Level] = field(default_factory=list)
    scps: dict[str, str] | None = None
    rcps: dict[str, str] | None = None

    def all(self) -> Iterator[Level]:
        yield self
        for level in self.below:
            yield from level.all()

    def attached(self, kind: str) -> dict[str, str]:
        if kind == SCP:
            return {"FullAWSAccess": FULL} if self.scps is None else self.scps
        return {"RCPFullAWSAccess": FULL_RCP, **(self.rcps or {})}


Refusal = Callable[[Call, Data], bool]


@dataclass
class Organization:
    """Everything that is served. ``root`` None: the accounts are in no organization. ``page``: the size of lists."""

    accounts: list[Account]
    root: Level | None = None
    types: dict[str, str] = field(default_factory=lambda: {SCP: "ENABLED", RCP: "ENABLED"})
    identity: str = "o-exampleorgid"
    management: str = MANAGEMENT
    caller: str = MANAGEMENT
    refused: list[Refusal] = field(default_factory=list)
    page: int = 1000

    def account(self, number: str) -> Account:
        return next((item for item in self.accounts if item.id == number), Account(number))

    def levels(self) -> dict[str, Level]:
        return {level.id: level for level in self.root.all()} if self.root else {}

    def documents(self) -> dict[str, tuple[str, str, str, str]]:
        """Policy id → the level that it is attached to, name, type and content."""
        attached = [
            (level.id, name, kind, content)
            for level in self.levels().values()
            for kind in (SCP, RCP)
            for name, content in level.attached(kind).items()
        ]
        return {f"p-{number:08}": policy for number, policy in enumerate(attached)}


def key(account: str, key_id: str, policy: str | Data, *, region: str = REGION, **facts: Any) -> Data:
    """A key: ``policy`` is the default document, ``facts`` replace members of its metadata, or are ``grants``,
    ``tags``, ``policies`` (other named documents) or ``rotation``."""
    arn = f"arn:aws:kms:{region}:{account}:key/{key_id}"
    metadata = {**plain_metadata(account, key_id, arn), "Description": ""}
    around = {name: facts.pop(name) for name in ("grants", "tags", "policies", "rotation") if name in facts}
    text = policy if isinstance(policy, str) else json.dumps(policy)
    named = {"default": text, **around.pop("policies", {})}
    return {"Metadata": {**metadata, **facts}, "Policies": named, "Grants": [], "Tags": [], **_titled(around)}


def _titled(around: Data) -> Data:
    return {name.capitalize(): value for name, value in around.items()}


def grant(number: int, operations: list[str], **more: Any) -> Data:
    """A grant as ListGrants shows it."""
    return {"GrantId": f"{number:064x}", "Operations": operations, "CreationDate": THEN, **more}


def role(account: str, name: str, *policies: str, path: str = "/", **more: Any) -> Data:
    """A role with inline ``policies``."""
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": f"AROA{_letters(account + path + name)}",
        "Arn": f"arn:aws:iam::{account}:role{path}{name}",
        "CreateDate": THEN,
        "AssumeRolePolicyDocument": TRUST,
        "InstanceProfileList": [],
        "RolePolicyList": _inline(policies),
        "AttachedManagedPolicies": [],
        **more,
    }


def user(account: str, name: str, *policies: str, path: str = "/", **more: Any) -> Data:
    """A user with inline ``policies``."""
    own = {"UserPolicyList": _inline(policies)} if policies else {}
    return {
        "Path": path,
        "UserName": name,
        "UserId": f"AIDA{_letters(account + path + name)}",
        "Arn": f"arn:aws:iam::{account}:user{path}{name}",
        "CreateDate": THEN,
        "GroupList": [],
        "AttachedManagedPolicies": [],
        **own,
        **more,
    }


def managed(arn: str, text: str) -> Data:
    """A managed policy with one version."""
    version = {"Document": text, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": THEN}
    return {
        "PolicyName": arn.rsplit("/", 1)[-1],
        "Arn": arn,
        "DefaultVersionId": "v1",
        "PolicyVersionList": [version],
    }


def _inline(policies: tuple[str, ...]) -> list[Data]:
    return [{"PolicyName": f"inline-{number}", "PolicyDocument": text} for number, text in enumerate(policies)]


def _letters(text: str) -> str:
    number = int.from_bytes(text.encode(), "big") % 26**17
    return "".join(chr(65 + number // 26**place % 26) for place in range(17))


def refuse(action: str, account: str = "", holding: str = "") -> Refusal:
    """Refuses calls of an action by an account whose parameters hold a text."""
    return lambda call, asked: call.action == action and account in ("", call.account) and holding in json.dumps(asked)


class InventedAws(WrittenAws):
    """Serves an ``Organization``; start with ``with``, ``url`` is the endpoint."""

    def __init__(self, organization: Organization) -> None:
        super().__init__()
        self.organization = organization
        self.known.default = organization.caller

    def good(self, call: Call, asked: Data) -> Wire:
        """What the organization answers."""
        from tests.aws.invented_answers import answer

        if any(refused(call, asked) for refused in self.organization.refused):
            code = "AccessDenied" if call.service in ("iam", "sts", "ec2") else "AccessDeniedException"
            return error_answer(call, code, "not authorized", 403 if call.service in ("iam", "sts") else 400)
        found = answer(self.organization, call, asked)
        if isinstance(found, str):
            return error_answer(call, found, "no", 400)
        kind, content = spelt(call.service, call.operation, found)
        return 200, {"Content-Type": kind}, content
