"""Every statement that concerns KMS with the place it stands in, so that one rule serves key and identity policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auditor.evaluator.glob import matches
from auditor.model.actions import find_action
from auditor.model.arn import parse_arn
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import DEFAULT_POLICY, Fact, Key
from auditor.model.policy import Layer, Policy, Statement, StatementRef
from auditor.rules.hit import Hit, Located
from auditor.rules.statements import Document, action_mask, all_as_written, as_written
from auditor.rules.view import View


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement, its document, and the key or the identity document that carries it."""

    located: Located
    policy: Policy
    key: Key | None = None
    document: Document | None = None

    @property
    def name(self) -> str:
        """What people call the policy."""
        if self.key is not None:
            return f"the key policy of {self.key.label}"
        return self.document.name if self.document else self.located.ref.policy

    @property
    def subject(self) -> str:
        """The key ARN, or the document's ARN."""
        return self.key.arn if self.key is not None else (self.document.subject if self.document else "")

    def duplicated(self, corrected: dict[str, Any]) -> bool:
        """Whether another statement of the document already says what the corrected one would."""
        bare = {name: value for name, value in corrected.items() if name != "Sid"}
        return any(
            {name: value for name, value in other.items() if name != "Sid"} == bare
            for index, other in enumerate(all_as_written(self.policy.text))
            if index != self.located.statement.index
        )

    def resource_repair(self, dead: list[str]) -> dict[str, Any]:
        """Resource (and condition) that say what an alias ARN or a foreign ARN was probably meant to say."""
        if self.key is not None:
            return {"Resource": "*"}
        written = as_written(self.policy, self.located.statement.index)
        aliases = [arn.resource for text in dead if (arn := parse_arn(text)) and arn.resource.startswith("alias/")]
        if not aliases:
            return {}
        arn = next(arn for text in dead if (arn := parse_arn(text)) is not None)
        condition = dict(written.get("Condition") or {})
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": aliases}
        pattern = f"arn:{arn.partition}:kms:{arn.region or '*'}:{arn.account or '*'}:key/*"
        return {"Resource": pattern, "Condition": condition}

    def hit(
        self,
        summary: str,
        *,
        more: tuple[Evidence, ...] = (),
        raised: tuple[str, ...] = (),
        lowered: tuple[str, ...] = (),
        identity: tuple[str, ...] = (),
        remedy: str = "",
        advice: str = "",
        bare: bool = False,
        confidence: Confidence = Confidence.CONFIRMED,
    ) -> Hit:
        """A hit about the statement, citing it."""
        ref = self.located.ref
        return Hit(
            subject=self.subject,
            kind="statement",
            summary=summary,
            account=self.key.account if self.key else (self.document.account if self.document else ""),
            keys=(self.key.arn,) if self.key else (),
            principals=tuple(holder.arn for holder in self.document.holders) if self.document else (),
            evidence=(Evidence("statement", f"{ref} (index {ref.index})", ref), *more),
            raised=raised,
            lowered=lowered,
            identity=(*identity, self.document.account) if self.document and self.document.shared else identity,
            remedy=remedy,
            advice=advice,
            bare=bare and not remedy,
            confidence=confidence,
        )


def key_statements(view: View) -> tuple[Placed, ...]:
    """The statements of the default policies of all customer managed keys, made once per view."""
    return view.once("placed-in-keys", lambda: tuple(_key_statements(view)))


def _key_statements(view: View) -> Iterator[Placed]:
    for key in view.keys_with(Fact.KEY_POLICY):
        for attached in key.policies:
            if attached.name != DEFAULT_POLICY:
                continue
            for statement in attached.policy.statements:
                ref = StatementRef(Layer.KEY_POLICY, attached.name, key.arn, statement.index, statement.sid)
                yield Placed(Located(ref, statement, attached.policy.has_variables, key.arn), attached.policy, key=key)


def without_prefix(name: str) -> str:
    """The KMS action that an Action value which does not begin with ``kms:`` was meant to be: ``Decrypt``,
    ``kms.Decrypt``, `` kms:Decrypt``; empty for those of other services."""
    bare = re.split(r"[:./\s]+", name.strip())
    action = find_action(bare[-1])
    if action is None or name.lower().startswith("kms:") or (len(bare) > 1 and bare[-2].lower() != "kms"):
        return ""
    return action.name


def _of_kms(name: str) -> bool:
    """Whether an Action value is of KMS: also ``k*:Decrypt`` and ``*:Decrypt``, but not what is for every service."""
    service, _, action = name.lower().partition(":")
    meant = bool(set(service) - set("*?")) or find_action(action) is not None
    return meant and matches(service, "kms")


def concerns_kms(statement: Statement) -> bool:
    """Whether a statement of an identity policy or SCP is about KMS by its actions or resources."""
    if any(
        _of_kms(action) or without_prefix(action)
        for action in (*(statement.actions or ()), *(statement.not_actions or ()))
    ):
        return True
    return bool(action_mask(statement)) and any(":kms:" in text for text in statement.resources or ())


def _worth_a_look(statement: Statement, policy: Policy) -> bool:
    if concerns_kms(statement):
        return True
    troubled = any(problem.index == statement.index for problem in policy.problems)
    return troubled and '"kms:' in policy.text.lower()


def customer_documents(view: View) -> Iterator[Document]:
    """The identity policies, boundaries, SCPs and RCPs that a customer wrote: those of AWS cannot be corrected."""
    for document in (*view.identity_documents, *view.boundaries, *view.scps, *view.rcps):
        if not (document.name.startswith("arn:") and ":iam::aws:" in document.name):
            yield document


def document_statements(view: View) -> Iterator[Placed]:
    """The KMS statements of those documents."""
    for document in customer_documents(view):
        for located in document.statements:
            if _worth_a_look(located.statement, document.policy):
                yield Placed(located, document.policy, document=document)


def placed_statements(view: View) -> tuple[Placed, ...]:
    """All of them, made once per view."""
    return view.once("placed", lambda: (*key_statements(view), *document_statements(view)))
