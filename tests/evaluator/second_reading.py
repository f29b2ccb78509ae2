"""A second reading of AWS's documentation: one case, all of whose request facts are known, is allowed or denied.

Written from the reference alone and without a line of the evaluator, in the plainest way: two values, no residuals, no
reasons. It takes the plain data of a case file. Where the two disagree, one of them has misread the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Data = dict[str, Any]
Facts = dict[str, list[str]]
"""Lower-case condition key → its values in this request; none for a key that is absent."""

ACCOUNT_LEVEL = {"CreateKey", "ListKeys"}
CROSS_ACCOUNT = {"CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "ListGrants", "ReEncryptFrom", "Sign"}
CROSS_ACCOUNT |= {"RetireGrant"}
WITH_ALIAS = {"CreateAlias", "DeleteAlias", "UpdateAlias"}
RETIRE = "RetireGrant"
OF_KEY = ("kms:key", "kms:multi", "kms:resourcealiases", "aws:resourcetag/")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def like(pattern: str, text: str) -> bool:
    body = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch(body, text, re.DOTALL) is not None


def arn_like(pattern: str, text: str) -> bool:
    wanted, given = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(given) == 6 and all(map(like, wanted, given))


COMPARE: dict[str, Callable[[str, str], bool]] = {
    "stringequals": str.__eq__,
    "stringequalsignorecase": lambda wanted, given: wanted.lower() == given.lower(),
    "stringlike": like,
    "bool": lambda wanted, given: wanted.lower() == given.lower(),
    "arnlike": arn_like,
    "arnequals": arn_like,
    "ipaddress": lambda wanted, given: ip_address(given) in ip_network(wanted),
    "numericlessthan": lambda wanted, given: float(given) < float(wanted),
}


def passes(operator: str, wanted: list[str], given: list[str]) -> bool:
    """One test of a Condition."""
    name = operator.lower()
    if name == "null":
        return (wanted[0] == "true") != bool(given)
    every, some = name.startswith("forallvalues:"), name.startswith("foranyvalue:")
    name = name.rpartition(":")[2]
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = "not" in name
    compare = COMPARE[name.replace("not", "")]
    if not given:
        return if_exists or every or (negated and not some)
    results = [any(compare(one, value) for one in wanted) != negated for value in given]
    return all(results) if every or (negated and not some) else any(results)


def resolved(text: str, facts: Facts) -> str | None:
    """A value that may be one policy variable with a default; None: no value."""
    found = re.fullmatch(r"\$\{([^,}]+)(?:, '(.*)')?\}", text)
    if found is None:
        return text
    values = facts.get(found.group(1).lower(), [])
    return values[0] if len(values) == 1 else found.group(2)


@dataclass
class Reading:
    """One case with what follows from it for every layer."""

    case: Data
    action: str
    account: str | None
    facts: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key, self.principal = self.case["key"], self.case["principal"]
        self.kind: str = self.principal["type"]
        self.arn: str = self.principal["arn"]
        self.iam_arn: str = self.principal.get("iam_arn", self.arn)
        self.root, self.service = self.kind == "root", self.kind == "service"
        self.on_key = self.action not in ACCOUNT_LEVEL

    # one statement

    def meets(self, statement: Data, facts: Facts) -> bool:
        for operator, block in statement.get("Condition", {}).items():
            for key, values in block.items():
                wanted = [resolved(text_of(value), facts) for value in listed(values)]
                known = [value for value in wanted if value is not None]
                if not passes(operator, known, facts.get(key.lower(), [])):
                    return False
        return True

    def about(self, statement: Data) -> bool:
        element = "Action" if "Action" in statement else "NotAction"
        name = f"kms:{self.action}".lower()
        return any(like(pattern.lower(), name) for pattern in listed(statement[element])) == (element == "Action")

    def covers(self, statement: Data, resource: str) -> bool:
        element = "Resource" if "Resource" in statement else "NotResource"
        return any(like(one, resource) for one in listed(statement[element])) == (element == "Resource")

    def covers_all(self, statement: Data) -> bool:
        """Actions without a key ask for everything; an account-wide pattern counts."""
        everything = ("*", f"arn:aws:kms:us-west-2:{self.account}:*")
        element = "Resource" if "Resource" in statement else "NotResource"
        return any(one in everything for one in listed(statement[element])) == (element == "Resource")

    # one document of the caller's side, an SCP or an RCP

    def says(self, document: Data, effect: str) -> bool:
        return any(
            statement["Effect"] == effect
            and self.about(statement)
            and (self.covers(statement, self.key["arn"]) if self.on_key else self.covers_all(statement))
            and self.meets(statement, self.facts)
            for statement in document["Statement"]
        )

    def says_of_alias(self, document: Data, effect: str) -> bool:
        """The same question about the alias of an alias action: an allow of some, a deny of all."""
        facts = {name: [] if name.startswith(OF_KEY) else values for name, values in self.facts.items()}
        enough = any if effect == "Allow" else all
        return any(
            statement["Effect"] == effect
            and self.about(statement)
            and enough(self.covers(statement, alias) for alias in self.aliases())
            and self.meets(statement, facts)
            for statement in document["Statement"]
        )

    def aliases(self) -> list[str]:
        names = [] if self.action == "CreateAlias" else self.key["aliases"]
        prefix = self.key["arn"].rpartition(":")[0]
        return [f"{prefix}:{name}" for name in names or ("alias/app", "alias/another")]

    def denies(self, document: Data) -> bool:
        return self.says(document, "Deny") or (self.action in WITH_ALIAS and self.says_of_alias(document, "Deny"))

    def allows(self, documents: list[Data]) -> bool:
        return any(self.says(document, "Allow") for document in documents)

    def allows_alias(self, documents: list[Data]) -> bool:
        return self.action not in WITH_ALIAS or any(self.says_of_alias(document, "Allow") for document in documents)

    # how a Principal element names the caller

    def forms(self, element: Any) -> set[str]:
        if element == "*":
            return {"everybody"}
        named = ((kind, value) for kind, values in element.items() for value in listed(values))
        return {self.form(kind, value) for kind, value in named} - {""}

    def form(self, kind: str, value: str) -> str:
        if kind == "Service":
            return "service" if self.service and value == self.arn else ""
        if value == "*":
            return "everybody"
        if self.service:
            return ""
        if value in (self.account, f"arn:aws:iam::{self.account}:root"):
            return "account"
        if value == self.arn and ":sts:" in value:
            return "session"
        if value == self.iam_arn:
            return "user" if ":user/" in value else "role"
        return ""
