"""What every rule is given: the snapshot, the evaluated access, the settings, and the few notions all rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.evaluator import Evaluation
from auditor.evaluator.strength import Owner
from auditor.evaluator.synthetic import external, outsider
from auditor.model.access import Decision
from auditor.model.actions import BY_NAME, Action, actions_in
from auditor.model.key import Fact, Key
from auditor.model.moments import instant
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.rules.as_if_read import evaluation_as_if_read, reach_as_if_read
from auditor.rules.clock import by_now
from auditor.rules.commons import Commons, Memo
from auditor.rules.conditions import accounts_in_conditions
from auditor.rules.hit import Hit, Located
from auditor.rules.reach import Reach
from auditor.rules.statements import Document, in_key
from auditor.rules.trust import Trust

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class View(Memo):
    """One run as the rules see it. ``as_of`` is the moment that ages are counted from.

    ``commons`` are those of another view of the same callers, organization and time; made anew without. ``members``
    are the accounts whose identity policies and boundaries are looked at, None for all.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        settings: RuleSettings,
        as_of: datetime,
        baseline: Report | None = None,
        commons: Commons | None = None,
        members: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self.evaluation = evaluation
        self.snapshot: Snapshot = evaluation.snapshot
        self.settings = settings
        self.as_of = as_of
        self.baseline = baseline
        self.commons = commons or Commons(self.snapshot, settings, as_of.date())
        self._members = members
        self.reach = Reach(evaluation.table, evaluation.principals, self.snapshot.keys, as_of.timestamp())
        self._decisions: dict[tuple[str, str, int], Decision] = {}
        self._hits: dict[Callable[[View], Iterator[Hit]], tuple[Hit, ...]] = {}
        self._statements: dict[int, tuple[Key, tuple[Located, ...]]] = {}

    @cached_property
    def in_doubt(self) -> View | None:
        """The run as it would be if nothing that could not be read denied anything; None where that is the same."""
        reach = reach_as_if_read(self.reach)
        if reach is None:
            return None
        evaluation = evaluation_as_if_read(self.evaluation, reach)
        found = View(evaluation, self.settings, self.as_of, self.baseline, self.commons, self._members)
        found.reach = reach
        return found

    def part(self, evaluation: Evaluation, members: frozenset[str] | None = None) -> View:
        """The view of other rows or columns of the same estate, with the same callers and organization around them."""
        return View(evaluation, self.settings, self.as_of, self.baseline, self.commons, members)

    @property
    def trust(self) -> Trust:
        """Who is inside."""
        return self.commons.trust

    @cached_property
    def identity_documents(self) -> tuple[Document, ...]:
        """Identity policies in effect, each once."""
        return self._of_members(self.commons.identity_documents)

    @property
    def scps(self) -> tuple[Document, ...]:
        """Service control policies, each once."""
        return self.commons.scps

    @property
    def rcps(self) -> tuple[Document, ...]:
        """Resource control policies, each once."""
        return self.commons.rcps

    @cached_property
    def boundaries(self) -> tuple[Document, ...]:
        """Permissions boundaries, each once."""
        return self._of_members(self.commons.boundaries)

    def _of_members(self, documents: tuple[Document, ...]) -> tuple[Document, ...]:
        if self._members is None:
            return documents
        return tuple(document for document in documents if document.account in self._members)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The customer managed keys: what the rules are about."""
        return tuple(key for key in self.snapshot.keys if key.customer_managed)

    @cached_property
    def keys_by_account(self) -> dict[str, list[Key]]:
        """Account → its customer managed keys, by account."""
        found: dict[str, list[Key]] = {}
        for key in self.keys:
            found.setdefault(key.account, []).append(key)
        return dict(sorted(found.items()))

    def keys_with(self, *facts: Fact) -> Iterator[Key]:
        """The customer managed keys about which all ``facts`` could be read; the rest is listed as not evaluated."""
        wanted = frozenset(facts)
        return (key for key in self.keys if not key.unread & wanted)

    @property
    def decided(self) -> bool:
        """Whether access was evaluated at all; where not, this view is for looking at facts."""
        return len(self.evaluation.table.decisions) > 1

    @cached_property
    def key_by_arn(self) -> dict[str, Key]:
        """All keys of the snapshot by ARN."""
        return {key.arn: key for key in self.snapshot.keys}

    @cached_property
    def principal_by_arn(self) -> dict[str, Principal]:
        """All rows of the access table by ARN."""
        return {principal.arn: principal for principal in self.evaluation.principals}

    @cached_property
    def key_admins(self) -> NDArray[np.bool_]:
        """Row of the table → whether the settings name the principal as an administrator of keys or of its account."""
        import numpy as np

        return np.array([self.trust.key_admin(who) for who in self.evaluation.principals], dtype=bool)

    def hits(self, check: Callable[[View], Iterator[Hit]]) -> tuple[Hit, ...]:
        """What a check finds here, found once: some rules rest on the hits of others."""
        if check not in self._hits:
            self._hits[check] = tuple(check(self))
        return self._hits[check]

    def statements(self, key: Key) -> tuple[Located, ...]:
        """The statements of the key's policies."""
        known = self._statements.get(id(key))
        if known is None:
            known = self._statements[id(key)] = (key, tuple(in_key(key)))
        return known[1]

    def tier(self, key: Key) -> str:
        """The tier of the key, T1 to T4."""
        return self.trust.tier(key)

    def restricted(self, keys: Iterable[str]) -> bool:
        """Whether one of the keys (ARNs) is of tier T1."""
        return not self._restricted.isdisjoint(keys)

    @cached_property
    def _restricted(self) -> frozenset[str]:
        return frozenset(arn for arn, key in self.key_by_arn.items() if self.tier(key) == "T1")

    def owner(self, key: Key) -> Owner:
        """Whose key it is, for the strength of conditions."""
        organization = self.snapshot.organization
        return Owner(key.account, organization.id if organization else None)

    def age(self, moment: str | None) -> int | None:
        """Whole days from ``moment`` (ISO 8601) to the run; None when it is not known. Negative for the future."""
        parsed = instant(moment)
        return None if parsed is None else (self.as_of - parsed).days

    @property
    def today(self) -> date:
        """The day of the run."""
        return self.as_of.date()

    def decide(self, principal: Principal, key: Key, action: str) -> Decision:
        """The evaluator's answer for any principal, also an invented one; asked once, if the table does not have it."""
        found = BY_NAME[f"kms:{action}".lower()]
        known = self._in_table(principal, key, found) if found.on_key else None
        if known is not None:
            return known
        identity = (principal.arn, key.arn, found.bit)
        if identity not in self._decisions:
            self._decisions[identity] = self.evaluation.decide(principal, key, found.name)
        return self._decisions[identity]

    def external(self, account: str) -> Principal:
        """EXTERNAL(account): its row of the table, if it has one."""
        row = self.principal_by_arn.get(account)
        return row if row is not None and row.assume_allowed else external(account)

    def decide_together(self, principals: Iterable[Principal], key: Key, mask: int) -> None:
        """Ask for many invented callers at once about the actions of a mask: what they share is decided once."""
        callers = tuple(who for who in principals if who.arn not in self.reach.principal_at)
        if not callers:
            return
        table = self.evaluation.table_of(callers, (key,), mask)
        for number, who in enumerate(callers):
            for action in actions_in(mask):
                decision = table.decision(number, 0, action)
                self._decisions.setdefault((who.arn, key.arn, action.bit), decision)

    def _in_table(self, principal: Principal, key: Key, action: Action) -> Decision | None:
        """What the table says of one of its own rows and columns."""
        reach = self.reach
        row, column = reach.principal_at.get(principal.arn), reach.key_at.get(key.arn)
        if row is None or column is None or not self.decided:
            return None
        if reach.principals[row] is not principal or reach.keys[column] is not key:
            return None
        return reach.decision(reach.profile(row, column), action.bit)

    def decisions(self, principal: Principal, key: Key, mask: int) -> dict[str, Decision]:
        """Short action name → decision, for the actions of ``mask`` that the key can serve."""
        usable = self.reach.usable[self.reach.key_at[key.arn]]
        now = self.as_of.timestamp()
        names = [action.short for action in actions_in(mask & usable)]
        return {name: by_now(self.decide(principal, key, name), now) for name in names}

    @cached_property
    def named_accounts(self) -> frozenset[str]:
        """Every account id that the estate knows or a policy or grant names: no synthetic outsider may have it."""
        found = set(self.trust.collected | self.trust.organization_accounts)
        found |= {principal.account for principal in self.evaluation.principals if principal.account}
        found |= {entry.account for entry in self.settings.trusted_accounts}
        for key in self.snapshot.keys:
            for located in self.statements(key):
                found |= accounts_in_conditions(located.statement)
        return frozenset(found)

    @cached_property
    def outsider(self) -> Principal:
        """OUTSIDER: a caller of an account that nobody in the estate has named."""
        return outsider(self.named_accounts)
