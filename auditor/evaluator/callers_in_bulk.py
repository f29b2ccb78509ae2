"""Callers by classes of equals: those that no identity policy, boundary, SCP or caller fact in play tells apart."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import ScpPart, cited_owner, joined, own_part, scp_part
from auditor.evaluator.contributions import CallerSide
from auditor.evaluator.deciding_in_bulk import Decider
from auditor.evaluator.key_codes import KeyCodes
from auditor.evaluator.memory import Memory
from auditor.evaluator.statements import Compiled, compile_policy
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.traits import (
    caller_answers,
)
from auditor.model.key import Fact, Key
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal, PrincipalKind

_SHARED_KINDS = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SERVICE_LINKED_ROLE)
"""Kinds with many members; any other caller is a class of its own."""
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CallerClass:
    """A representative, its own statements, those of the SCPs that bind it, and what these can see of it."""

    principal: Principal
    own: tuple[Compiled, ...]
    guardrails: tuple[Compiled, ...]

    def scp_identity(self, surroundings: Surroundings) -> Hashable:
        """Equal for callers that no SCP tells apart."""
        shared = self.principal.kind in _SHARED_KINDS and not self.principal.assume_allowed
        answers = caller_answers(self.guardrails, self.principal, surroundings)
        return (self.principal.kind, self.principal.account, answers, "" if shared else self.principal.arn)


def classify(
    principals: tuple[Principal, ...], surroundings: Surroundings
) -> tuple[tuple[CallerClass, ...], NDArray[np.int32]]:
    """The classes and, for each principal, the number of its class."""
    guardrails = _Guardrails(surroundings)
    numbers: dict[Hashable, int] = {}
    classes: list[CallerClass] = []
    members = np.empty(len(principals), dtype=np.int32)
    for index, principal in enumerate(principals):
        own, signature = _signature(principal, surroundings, guardrails)
        number = numbers.setdefault(signature, len(classes))
        if number == len(classes):
            classes.append(CallerClass(principal, own, guardrails.of(principal.account)))
        members[index] = number
    return tuple(classes), members


class _Guardrails:
    """The SCP statements of each account, compiled once."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._found: dict[str | None, tuple[Compiled, ...]] = {}

    def of(self, account: str | None) -> tuple[Compiled, ...]:
        if account not in self._found:
            organization = self._surroundings.organization
            levels = organization.levels(account) if organization and account else None
            self._found[account] = tuple(
                compiled
                for level in levels or ()
                for attached in level.scps or ()
                for compiled in compile_policy(attached, attached.owner)
            )
        return self._found[account]


def _signature(
    principal: Principal, surroundings: Surroundings, guardrails: _Guardrails
) -> tuple[tuple[Compiled, ...], Hashable]:
    documents = [*principal.identity_policies, *(principal.session_policies or ())]
    if principal.boundary is not None:
        documents.append(principal.boundary)
    parts = [(attached, compile_policy(attached, cited_owner(attached, principal))) for attached in documents]
    own = tuple(one for _, compiled in parts for one in compiled)
    if principal.kind not in _SHARED_KINDS or principal.assume_allowed:
        return own, principal.arn
    return own, (
        principal.kind,
        principal.account,
        tuple(
            _identity(attached, principal) for attached, compiled in parts if compiled or not attached.policy.readable
        ),
        principal.boundary is not None,
        principal.session_policies is not None,
        principal.unread & {Fact.IDENTITIES, Fact.IDENTITY_POLICY, Fact.BOUNDARY},
        caller_answers((*own, *guardrails.of(principal.account)), principal, surroundings),
    )


def _identity(attached: AttachedPolicy, principal: Principal) -> Hashable:
    """Everything about a document that a decision or its citations can show."""
    return (attached.layer, attached.name, cited_owner(attached, principal), attached.policy.text)


class CallerSides:
    """The interned caller sides of every class and key, each with its contributions in the decider's numbers."""

    def __init__(self, decider: Decider) -> None:
        self.sides: list[tuple[PrincipalKind, CallerSide, tuple[int, ...]]] = []
        self._numbers: dict[Hashable, int] = {}
        self._decider = decider

    def number(self, kind: PrincipalKind, side: CallerSide) -> int:
        """The number of a side, new or known."""
        contributions = self._decider.numbers(side.contributions)
        identity = (kind, side.boundary, side.session, side.scp_levels, contributions)
        found = self._numbers.setdefault(identity, len(self.sides))
        if found == len(self.sides):
            self.sides.append((kind, side, contributions))
        return found

    def matrix(
        self,
        classes: tuple[CallerClass, ...],
        keys: tuple[Key, ...],
        surroundings: Surroundings,
        asked: int,
        memory: Memory,
    ) -> NDArray[np.int64]:
        """classes × keys of the numbers of sides about the actions ``asked``; keys that a class cannot tell apart share
        one evaluation."""
        codes = KeyCodes(keys, surroundings)
        scps = _ScpParts(codes, surroundings)
        result = np.empty((len(classes), len(keys)), dtype=np.int64)
        for row, one in enumerate(classes):
            own_code = codes.combined(one.own, one.principal)
            scp_code, scp_of = scps.of(one)
            joint = own_code * (int(scp_code.max(initial=0)) + 1) + scp_code
            _, first, inverse = np.unique(joint, return_index=True, return_inverse=True)
            known: dict[Hashable, int] = {}
            numbers = []
            for index in first.tolist():
                pair = Pair(surroundings, one.principal, keys[index], asked, memory=memory)
                sight = (memory.key_sights(one.own, pair.key), int(scp_code[index]))
                if sight not in known:
                    side = joined(one.principal, own_part(pair), scp_of(pair, sight[1]))
                    known[sight] = self.number(one.principal.kind, side)
                numbers.append(known[sight])
            result[row] = np.array(numbers, dtype=np.int64)[inverse] if numbers else 0
        return result


class _ScpParts:
    """The SCP part of every caller and key, each evaluated once for callers and keys that SCPs cannot tell apart."""

    def __init__(self, codes: KeyCodes, surroundings: Surroundings) -> None:
        self._codes = codes
        self._surroundings = surroundings
        self._vectors: dict[str | None, Codes] = {}
        self._parts: dict[Hashable, ScpPart] = {}

    def of(self, one: CallerClass) -> tuple[Codes, Callable[[Pair, int], ScpPart]]:
        """A number per key, equal where SCPs see no difference, and the part for a pair of such a number."""
        account = one.principal.account
        if account not in self._vectors:
            self._vectors[account] = self._codes.combined(one.guardrails)
        identity = one.scp_identity(self._surroundings)

        def part(pair: Pair, code: int) -> ScpPart:
            found = self._parts.get((identity, code))
            if found is None:
                found = self._parts[identity, code] = scp_part(pair)
            return found

        return self._vectors[account], part
