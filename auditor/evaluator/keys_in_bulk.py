"""Key sides in bulk: which callers a key's policies, RCPs and grants tell apart, and what they contribute for each.

Callers that a key names one by one (in its policies or grants) are evaluated one by one; all others share one
evaluation per kind and account, and per answer to conditions on the individual caller.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import certainly_bounded, is_bounded
from auditor.evaluator.conditions import passes_empty, test_outcome
from auditor.evaluator.deciding_in_bulk import Decider
from auditor.evaluator.facts import Question
from auditor.evaluator.key_side import key_side
from auditor.evaluator.key_view import CallerIndex, CallerTest, KeyView, named_accounts, negated, view_of
from auditor.evaluator.memory import Memory
from auditor.evaluator.numbering import Numbers, numbered
from auditor.evaluator.statements import Compiled, compile_policy
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.traits import caller_values
from auditor.model.actions import ON_KEY
from auditor.model.arn import parse_arn
from auditor.model.key import Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import FALSE, TRUE, Residual

PLAIN_KINDS = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.ROOT, PrincipalKind.SERVICE_LINKED_ROLE)
"""Kinds that a key side tells apart by name, account and the few facts of ``coarse_group`` only."""
Codes = NDArray[np.int64]


def coarse_group(principal: Principal) -> Hashable:
    """What a key side can see of a caller that it does not name and whose own facts it does not test."""
    if principal.kind in PLAIN_KINDS:
        return (principal.kind, principal.account, is_bounded(principal), certainly_bounded(principal))
    return principal.arn


@dataclass(frozen=True, slots=True)
class Column:
    """Side numbers of one key: by coarse group, or by row where conditions test the individual caller; ``named`` rows
    override both."""

    by_group: Codes | None
    by_row: Codes | None
    named: dict[int, int]


class KeySides:
    """The interned key sides: flags, the key's state (which flags decisions) and contributions in numbers.

    Columns are kept by key, which is told apart by object: keep it alive.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        principals: tuple[Principal, ...],
        asked: int,
        memory: Memory,
        decider: Decider,
    ) -> None:
        self._interned: Numbers[tuple[tuple[str, ...], str, tuple[int, ...]]] = Numbers()
        self.sides = self._interned.values
        self._decider = decider
        self._surroundings = surroundings
        self._asked = asked
        self._memory = memory
        self._principals = principals
        self._index = CallerIndex.of(principals)
        self._rcps: dict[str, tuple[Compiled, ...]] = {}
        self._columns: dict[int, Column] = {}
        self._tests: dict[CallerTest, Codes] = {}
        self._codes: dict[Hashable, Codes] = {}
        groups: dict[Hashable, int] = {}
        self._representatives: list[Principal] = []
        self._plain_rows: dict[str, list[int]] = {}
        self._odd_rows: list[int] = []
        self.group_of_row = np.empty(len(principals), dtype=np.int64)
        for row, principal in enumerate(principals):
            number = groups.setdefault(coarse_group(principal), len(groups))
            if number == len(self._representatives):
                self._representatives.append(_anonymous(principal))
            self.group_of_row[row] = number
            if principal.kind in PLAIN_KINDS and principal.account is not None:
                self._plain_rows.setdefault(principal.account, []).append(row)
            else:
                self._odd_rows.append(row)
        self._accounts: dict[str | None, int] = {}
        of_groups = [self._accounts.setdefault(one.account, len(self._accounts)) for one in self._representatives]
        self._account_of_group = np.array(of_groups, dtype=np.int64)

    def column(self, key: Key) -> Column:
        """The side numbers of one key for all callers; made once."""
        found = self._columns.get(id(key))
        if found is None:
            found = self._columns[id(key)] = self._column(key)
        return found

    def _column(self, key: Key) -> Column:
        view = view_of(key, self._compiled(key))
        named = sorted({row for value in view.named for row in self._index.rows(value)})
        overrides = {row: self._number(self._principals[row], key) for row in named}
        codes = self._group_codes(view)
        if view.tests or view.caller_facts:
            return Column(None, self._by_row(key, view, codes, named), overrides)
        _, first = np.unique(codes, return_index=True)
        numbers = np.array([self._number(self._representatives[int(index)], key) for index in first], dtype=np.int64)
        return Column(numbers[codes], None, overrides)

    def _by_row(self, key: Key, view: KeyView, codes: Codes, named: list[int]) -> Codes:
        rows = codes[self.group_of_row]
        vectors = [*(self._outcomes(test, key) for test in view.tests), *map(self._facts, view.caller_facts)]
        for vector in vectors:
            _, rows = np.unique(rows * (int(vector.max(initial=0)) + 1) + vector, return_inverse=True)
        rows = rows + 1
        rows[named] = 0  # evaluated one by one: they must not stand for others
        _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        numbers = [self._number(self._principals[int(index)], key) for index in first]
        return np.array(numbers, dtype=np.int64)[inverse]

    def _outcomes(self, test: CallerTest, key: Key) -> Codes:
        """A number per row, equal where the test has the same answer; kept when the key plays no part in it."""
        found = self._tests.get(test)
        if found is not None:
            return found
        numbers: dict[Hashable, int] = {}
        near, answers = self._near(test), np.zeros(len(self._principals), dtype=np.int64)
        if len(near) < len(answers):
            numbers[((FALSE if not negated(test) else TRUE, False),)] = 0
        for row in near:
            pair = Pair(self._surroundings, self._principals[row], key, ON_KEY)
            identity = tuple([_answer(test, pair.question(bit, test.layer)) for bit in test.bits])
            answers[row] = numbers.setdefault(identity, len(numbers))
        if not test.of_key:
            self._tests[test] = answers
        return answers

    def _facts(self, name: str) -> Codes:
        """A number per row, equal where the condition key has the same value for the caller."""
        found = self._codes.get(name)
        if found is None:
            values = (caller_values((name,), one, self._surroundings) for one in self._principals)
            found = self._codes[name] = numbered(values)
        return found

    def _near(self, test: CallerTest) -> Sequence[int]:
        """The rows whose answer is not settled by their account: a test on aws:PrincipalArn that names accounts says
        the same of every user and role of any other account."""
        accounts = named_accounts(test)
        if accounts is None:
            return range(len(self._principals))
        return [*self._odd_rows, *(row for account in accounts for row in self._plain_rows.get(account, ()))]

    def _compiled(self, key: Key) -> tuple[Compiled, ...]:
        own = tuple(one for attached in key.policies for one in compile_policy(attached, ""))
        return (*own, *self._rcp_statements(key.account))

    def _rcp_statements(self, account: str) -> tuple[Compiled, ...]:
        if account not in self._rcps:
            organization = self._surroundings.organization
            levels = organization.levels(account) if organization else None
            self._rcps[account] = tuple(
                one
                for level in levels or ()
                for attached in level.rcps or ()
                for one in compile_policy(attached, attached.owner)
            )
        return self._rcps[account]

    def _number(self, principal: Principal, key: Key) -> int:
        pair = Pair(self._surroundings, principal, key, self._asked, memory=self._memory)
        side = key_side(pair)
        return self._interned.of((side.flags, key.state, self._decider.numbers(side.contributions)))

    def _group_codes(self, view: KeyView) -> Codes:
        """A number per coarse group, equal for those that the key's side cannot tell apart."""
        seen = (view.accounts, view.account_facts, view.not_principal)
        found = self._codes.get(seen)
        if found is None:
            named = [self._accounts[account] for account in view.accounts if account in self._accounts]
            inside = np.where(np.isin(self._account_of_group, named), self._account_of_group + 1, 0)
            kinds = self._kinds(view.account_facts, view.not_principal)
            found = np.unique(kinds * (len(self._accounts) + 1) + inside, return_inverse=True)[1]
            self._codes[seen] = found
        return found

    def _kinds(self, account_facts: tuple[str, ...], not_principal: bool) -> Codes:
        """What a key side can see of a coarse group besides its account, as a number."""
        known = (account_facts, not_principal)
        found = self._codes.get(known)
        if found is None:
            signatures = (self._signature(one, account_facts, not_principal) for one in self._representatives)
            found = self._codes[known] = numbered(signatures)
        return found

    def _signature(self, principal: Principal, account_facts: tuple[str, ...], not_principal: bool) -> Hashable:
        plain = principal.kind in PLAIN_KINDS
        kind: Hashable = principal.kind if not_principal else principal.kind is PrincipalKind.SERVICE_LINKED_ROLE
        return (
            kind if plain else principal.arn,
            not_principal and (is_bounded(principal), certainly_bounded(principal)),
            caller_values(account_facts, principal, self._surroundings),
        )


def _answer(test: CallerTest, question: Question) -> tuple[Residual, bool]:
    """What the test says of one caller, key and action."""
    answer = test_outcome(test.test, test.effect, question, has_variables=test.has_variables)
    return answer, passes_empty(test.test, question.value(test.test.key))


def _anonymous(principal: Principal) -> Principal:
    """A stand-in of the same kind, account and boundary that no policy names."""
    if principal.kind not in PLAIN_KINDS or principal.kind is PrincipalKind.ROOT:
        return principal
    arn = parse_arn(principal.arn)
    nobody = f"arn:{arn.partition if arn else 'aws'}:iam::{principal.account}:\0unnamed/{principal.kind}"
    return replace(principal, arn=nobody, iam_arn=nobody, unique_id=None)
