"""Corrected statements and commands with the real names, for findings whose remedy is not in the catalogue's example.

Works on the JSON as it was written, so that a reader can lay the correction over the document. Decides nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.hit import Located
from auditor.rules.statements import Document, as_written, render, render_all

Written = dict[str, Any]


def written_in(key: Key, located: Located) -> Written:
    """A statement of a key's policy as it was written."""
    policy = next((item.policy for item in key.policies if item.name == located.ref.policy), None)
    return as_written(policy, located.statement.index) if policy is not None else {}


def one_or_many(values: Iterable[str]) -> str | list[str]:
    """A JSON value as people write it: a bare string for one, a sorted list for more."""
    listed = sorted(set(values))
    return listed[0] if len(listed) == 1 else listed


def with_tests(statement: Written, operator: str, tests: dict[str, Any]) -> Written:
    """The statement with more tests under an operator of its Condition."""
    condition = {name: dict(block) for name, block in (statement.get("Condition") or {}).items()}
    condition[operator] = {**condition.get(operator, {}), **tests}
    return {**statement, "Condition": condition}


def with_tests_alone(statement: Written, operator: str, tests: dict[str, Any]) -> Written:
    """The statement with these tests under an operator, and without any other test of their keys."""
    names = {name.lower() for name in tests}
    condition: Written = {}
    for other, block in (statement.get("Condition") or {}).items():
        left = {name: value for name, value in block.items() if name.lower() not in names}
        if left:
            condition[other] = left
    return with_tests({**statement, "Condition": condition}, operator, tests)


def holding_always(statement: Written) -> Written:
    """The statement with operators that fail when their key is absent: ForAnyValue for ForAllValues, no IfExists."""
    condition: Written = {}
    for name, block in (statement.get("Condition") or {}).items():
        fixed = re.sub(r"^ForAllValues:", "ForAnyValue:", re.sub(r"IfExists$", "", name))
        condition[fixed] = {**condition.get(fixed, {}), **block}
    return {**statement, "Condition": condition} if condition else statement


def bound_to_account(statement: Written, account: str) -> Written:
    """The statement for callers of one account only."""
    return with_tests(holding_always(statement), "StringEquals", {"kms:CallerAccount": account})


def without_actions(statement: Written, names: Iterable[str], kept: Iterable[str]) -> Written:
    """The statement with ``kept`` as its actions: what was listed, or matched a pattern, minus ``names``."""
    gone = {name.lower() for name in names}
    rest = {name: value for name, value in statement.items() if name not in ("Action", "NotAction")}
    return {**rest, "Action": one_or_many(name for name in kept if name.lower() not in gone)}


def but_by(named: Iterable[str], duty: str, partition: str) -> Written:
    """A Deny's condition that spares the roles named for a duty, or one to be named by it where there are none."""
    roles = tuple(named) or (f"arn:{partition}:iam::*:role/{duty}",)
    return {"ArnNotLike": {"aws:PrincipalArn": one_or_many(roles)}}


def deny(sid: str, actions: Iterable[str], condition: Written, *, in_key_policy: bool) -> str:
    """A Deny for a key policy or, without a principal, for an SCP."""
    who: Written = {"Principal": {"AWS": "*"}} if in_key_policy else {}
    rest = {"Action": one_or_many(actions), "Resource": "*", "Condition": condition}
    return render({"Sid": sid, "Effect": "Deny", **who, **rest})


def statements(*parts: Written) -> str:
    """One statement, or several as the list that a document has them in."""
    return render(parts[0]) if len(parts) == 1 else render_all(parts)


def detaching(document: Document, limit: int = 12) -> str:
    """The commands that take an identity policy from everybody who holds it."""
    lines: list[str] = []
    for holder in document.holders:
        line = _detach(document, holder)
        if line not in lines:
            lines.append(line)
    more = [f"# and {len(lines) - limit} more"] if len(lines) > limit else []
    return "\n".join([*lines[:limit], *more])


def _detach(document: Document, holder: Principal) -> str:
    attached = next(item for item in holder.identity_policies if item.policy.text == document.policy.text)
    owner = attached.owner if ":group/" in attached.owner else holder.arn
    word = "group" if ":group/" in owner else "user" if ":user/" in owner else "role"
    name = shlex.quote(owner.rsplit("/", 1)[-1])
    if attached.name.startswith("arn:"):
        return f"aws iam detach-{word}-policy --{word}-name {name} --policy-arn {attached.name}"
    return f"aws iam delete-{word}-policy --{word}-name {name} --policy-name {shlex.quote(attached.name)}"
