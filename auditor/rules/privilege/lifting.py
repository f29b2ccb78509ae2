"""What lifts a Deny that asks for an attribute of the key: an alias or tag that whom it stops may take away or give.

Nothing is guessed: the key is tried with the attribute changed, and told where the action is open then.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import action_mask
from auditor.model.actions import SENSITIVE, actions_in
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer
from auditor.model.principal import Principal
from auditor.rules.hit import Located
from auditor.rules.policy.citations import deny_citations
from auditor.rules.principals import service_linked
from auditor.rules.reach import CERTAIN, Openness, Reach
from auditor.rules.statements import Document
from auditor.rules.view import View

Try = tuple[Principal, Key, int]
"""An identity, a key as it would be, and the actions that a Deny stops today."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A test of a key's attribute in a Deny, and whom it stops from what: (identity, key, actions)."""

    document: Document
    located: Located
    test: ConditionTest
    stopped: tuple[tuple[Principal, Key, int], ...]

    @property
    def negated(self) -> bool:
        """Whether the Deny spares keys that have one of the values."""
        operator = parse_operator(self.test.operator)
        return operator is not None and operator.negated

    @property
    def asks_whether_it_is_there(self) -> bool:
        """Whether it asks nothing else of the attribute."""
        operator = parse_operator(self.test.operator)
        return operator is not None and operator.base == "null"


def denied_by(view: View, prefix: str) -> Iterator[Denied]:
    """The Deny tests of identity policies, boundaries and SCPs about an attribute that begins with ``prefix``, as far
    as they stop an ordinary identity from a power over a key of its account."""
    for document in (*view.identity_documents, *view.boundaries, *view.scps):
        for located in document.statements:
            statement = located.statement
            tests = [test for test in statement.conditions if test.key.lower().startswith(prefix)]
            if statement.effect == "Deny" and tests and action_mask(statement) & SENSITIVE:
                stopped = tuple(_stopped(view, document, located))
                yield from (Denied(document, located, test, stopped) for test in tests if stopped)


def _stopped(view: View, document: Document, located: Located) -> Iterator[tuple[Principal, Key, int]]:
    import numpy as np

    ref, reach, mask = located.ref, view.reach, action_mask(located.statement) & SENSITIVE
    cited = deny_citations(view).get((ref.layer, ref.policy, ref.index))
    if cited is None:
        return
    profiles = np.asarray(np.isin(reach.rows[:, [action.bit for action in actions_in(mask)]], cited).any(axis=1))
    holders = {who.arn for who in document.holders}
    for row, column, profile in reach.all_pairs.select(profiles[reach.all_pairs.profiles]).rows():
        who, key = reach.principals[row], reach.keys[column]
        ours = ref.layer is Layer.SCP or who.arn in holders
        denied = reach.held(profile, column, Openness.LATENT) & mask if ours and who.account == key.account else 0
        if denied and not service_linked(who) and not view.trust.account_admin(who):
            yield who, key, denied


def opened(view: View, tries: Sequence[Try]) -> list[int]:
    """For each of the tries the actions of its mask that are open to the identity on the key as it would be. Decided
    together: most keys and callers are alike."""
    if not tries:
        return []
    callers = {who.arn: who for who, _, _ in tries}
    keys = {_variant(key): key for _, key, _ in tries}
    whose, which = tuple(callers.values()), tuple(keys.values())
    reach = Reach(view.evaluation.table_of(whose, which, SENSITIVE), whose, which, view.as_of.timestamp())
    rows, columns = ({name: place for place, name in enumerate(named)} for named in (callers, keys))
    return [
        reach.held(reach.profile(rows[who.arn], columns[_variant(key)]), columns[_variant(key)], *CERTAIN) & mask
        for who, key, mask in tries
    ]


def _variant(key: Key) -> Hashable:
    return key.arn, key.aliases, key.tags
