"""Statements in their places: those of key policies, identity policies, boundaries, SCPs and RCPs of a snapshot.

A document that is attached to many identities is one document: its statements come once, with all holders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from auditor.evaluator.statements import action_mask
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Layer, Policy, StatementRef
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.rules.hit import Located

__all__ = ["Document", "action_mask", "identity_documents", "in_key", "organization_documents"]


@dataclass(frozen=True)
class Document:
    """A policy document and who carries it.

    ``arn`` is what a finding is about: the managed policy's ARN, ``OWNER#NAME`` for an inline policy, the id of an SCP.
    """

    arn: str
    layer: Layer
    name: str
    owner: str
    policy: Policy
    account: str
    holders: tuple[Principal, ...] = ()

    @property
    def subject(self) -> str:
        """What a finding is about: the ARN that IAM knows, also for a policy of AWS that several accounts hold."""
        return self.name if self.shared else self.arn

    @property
    def shared(self) -> bool:
        """Whether the same document may be told for other accounts as well: then the account belongs to the fact."""
        return self.name.startswith("arn:") and f"@{self.account}" in self.arn

    @property
    def title(self) -> str:
        """What people call the document, with its owner when the name alone would not find it."""
        owner = self.arn.split("#", 1)[0]
        return self.name if owner == self.arn else f"{self.name} of {owner.rsplit(':', 1)[-1]}"

    @cached_property
    def statements(self) -> tuple[Located, ...]:
        """The statements in order."""
        return tuple(
            Located(
                StatementRef(self.layer, self.name, self.owner, statement.index, statement.sid),
                statement,
                self.policy.has_variables,
            )
            for statement in self.policy.statements
        )


def in_key(key: Key) -> Iterator[Located]:
    """The statements of all policies of a key, in order."""
    for attached in key.policies:
        for statement in attached.policy.statements:
            ref = StatementRef(Layer.KEY_POLICY, attached.name, key.arn, statement.index, statement.sid)
            yield Located(ref, statement, attached.policy.has_variables, key.arn)


def identity_documents(callers: Iterable[Principal]) -> tuple[Document, ...]:
    """Every identity policy once, with the callers that hold it."""
    return _collected(callers, boundaries=False)


def boundary_documents(callers: Iterable[Principal]) -> tuple[Document, ...]:
    """Every permissions boundary once, with the callers it limits."""
    return _collected(callers, boundaries=True)


def _collected(callers: Iterable[Principal], *, boundaries: bool) -> tuple[Document, ...]:
    found: dict[tuple[str, str], tuple[AttachedPolicy, list[Principal]]] = {}
    for principal in callers:
        attached_policies = (principal.boundary,) if boundaries else principal.identity_policies
        for attached in attached_policies:
            if attached is None:
                continue
            identity = (_document_arn(attached, principal), attached.policy.text)
            found.setdefault(identity, (attached, []))[1].append(principal)
    return tuple(
        Document(arn, attached.layer, attached.name, attached.owner, attached.policy, _account(holders), tuple(holders))
        for (arn, _), (attached, holders) in found.items()
    )


def _document_arn(attached: AttachedPolicy, principal: Principal) -> str:
    if attached.name.startswith("arn:"):
        # An AWS managed policy is one document per account: another account's holders are another finding.
        return attached.name if f":{principal.account}:" in attached.name else f"{attached.name}@{principal.account}"
    return f"{attached.owner or principal.arn}#{attached.name}"


def _account(holders: list[Principal]) -> str:
    return holders[0].account or ""


def organization_documents(snapshot: Snapshot, layer: Layer) -> tuple[Document, ...]:
    """Every SCP or RCP once, with the ids of its targets in ``owner``, sorted by name."""
    organization = snapshot.organization
    found: dict[tuple[str, str], tuple[AttachedPolicy, list[str]]] = {}
    for target in organization.targets if organization else ():
        for attached in (target.scps if layer is Layer.SCP else target.rcps) or ():
            found.setdefault((attached.name, attached.policy.text), (attached, []))[1].append(target.id)
    account = organization.management_account if organization else ""
    return tuple(
        Document(name, layer, name, ", ".join(sorted(targets)), attached.policy, account)
        for (name, _), (attached, targets) in sorted(found.items(), key=lambda item: item[0])
    )


def as_written(policy: Policy, index: int) -> dict[str, Any]:
    """The statement's JSON as the document has it, for a corrected copy; empty when it cannot be read."""
    listed = all_as_written(policy.text)
    return deepcopy(listed[index]) if index < len(listed) else {}


@lru_cache(maxsize=256)
def all_as_written(text: str) -> tuple[dict[str, Any], ...]:
    """``as_written`` of each statement of a document, read once: to look at, never to change."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    statements = loaded.get("Statement") if isinstance(loaded, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return tuple(_readable(entry) if isinstance(entry, dict) else {} for entry in listed)


def _readable(entry: dict[str, Any]) -> dict[str, Any]:
    written = dict(entry)
    if "Condition" in written:
        # A corrected copy builds on the blocks that can be read; what is wrong with the others is told elsewhere.
        blocks = written["Condition"] if isinstance(written["Condition"], dict) else {}
        written["Condition"] = {name: dict(block) for name, block in blocks.items() if isinstance(block, dict)}
    return written


def render(statement: dict[str, Any]) -> str:
    """A corrected statement as JSON text."""
    return json.dumps(statement, indent=2, ensure_ascii=False)


def render_all(statements: Iterable[dict[str, Any]]) -> str:
    """Corrected statements as the JSON list that a document has them in."""
    return json.dumps(list(statements), indent=2, ensure_ascii=False)
