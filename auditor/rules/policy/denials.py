"""Rules about denials with a hole: actions, principals or keys that slip through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.evaluator.glob import covers
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.evaluator.vocabulary import carried_by
from auditor.model.access import Outcome
from auditor.model.actions import (
    ABAC_TAMPER,
    ALL,
    DESTROY,
    NEW_DATA_KEYS,
    READ_PLAINTEXT,
    STORE_BREAKERS,
    TAKEOVER,
    actions_in,
    mask_of,
)
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Layer
from auditor.model.principal import Principal
from auditor.rules.doubt import also_in_doubt
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, naming, titled
from auditor.rules.policy.citations import deny_citations
from auditor.rules.policy.places import Placed, placed_statements
from auditor.rules.principals import service_linked
from auditor.rules.privilege.power import power
from auditor.rules.reach import CERTAIN, INSIDE, Pairs
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FAMILIES = {
    "plaintext": READ_PLAINTEXT | NEW_DATA_KEYS,
    "takeover": TAKEOVER,
    "destruction": DESTROY & ~STORE_BREAKERS,
    "naming": ABAC_TAMPER & ~mask_of(["UntagResource", "DeleteAlias"]),
}


def _pairs_of(view: View, key: Key) -> Pairs | None:
    """The pairs of one key, grouped once per view."""
    grouped = view.once("pairs-by-key", lambda: dict(view.reach.all_pairs.by_key()))
    return grouped.get(view.reach.key_at[key.arn])


def _spoken_of(placed: Placed, who: Principal) -> bool:
    """Whether the Deny's Principal element names the caller; SCPs, RCPs and boundaries speak of everybody below."""
    if placed.key is None:
        return True
    values = {entry.value for entry in placed.located.statement.principals or ()}
    accounts = {account_of(value) for value in values if is_account_principal(value)}
    return "*" in values or who.arn in values or who.iam_arn in values or who.account in accounts


@also_in_doubt
def deny_has_gap(view: View) -> Iterator[Hit]:
    """A Deny protects one action of a family and leaves its twin open to those it speaks of.

    Families: plaintext (Decrypt and ReEncryptFrom, data keys), takeover, destruction, naming. A Deny on Decrypt with
    ReEncryptFrom left open still lets its target read everything. Told only when a target really holds the twin.

    Fix: complete the family in the same statement.
    """
    for placed in placed_statements(view):
        statement = placed.located.statement
        if (
            statement.effect != "Deny"
            or statement.not_principals is not None
            or placed.located.ref.layer is Layer.IDENTITY
        ):
            continue
        denied = action_mask(statement)
        for name, family in FAMILIES.items():
            covered, uncovered = denied & family, family & ~denied
            if covered and uncovered and denied != ALL:
                hit = _gap_hit(view, placed, name, covered, uncovered)
                if hit is not None:
                    yield hit


def _gap_hit(view: View, placed: Placed, name: str, covered: int, uncovered: int) -> Hit | None:
    pairs = _pairs_of(view, placed.key) if placed.key is not None else view.reach.all_pairs
    stopped = _stopped_by(view, placed, covered)
    if pairs is None or stopped is None:
        return None
    own = power(view)
    hit = pairs.select(stopped[pairs.profiles] & view.reach.having(pairs, uncovered, *CERTAIN))
    still: dict[str, int] = {}
    touched: set[str] = set()
    for row, column, profile in hit.rows():
        who = view.reach.principals[row]
        held = own.held(row, profile, column, *CERTAIN)
        held &= _left_open(view, placed, profile, covered, uncovered)
        if held and who.kind in INSIDE and not service_linked(who) and _spoken_of(placed, who):
            still[who.arn] = still.get(who.arn, 0) | held
            touched.add(view.reach.keys[column].arn)
    if not still:
        return None
    open_mask = 0
    for mask in still.values():
        open_mask |= mask
    statement, partition = placed.located.statement, view.key_by_arn[min(touched)].partition
    written = as_written(placed.policy, statement.index)
    if statement.actions is not None:
        written["Action"] = [*statement.actions, *(action.name for action in actions_in(open_mask))]
    return placed.hit(
        f"{titled(statement)} of {placed.name} denies {listing(a.name for a in actions_in(covered))} "
        f"and leaves {listing(a.name for a in actions_in(open_mask))} open.",
        more=(
            Evidence("family", name),
            Evidence("covered", listing((a.name for a in actions_in(covered)), 12)),
            Evidence("uncovered", listing((a.name for a in actions_in(uncovered)), 12)),
            naming("still allowed", still),
        ),
        raised=given((view.restricted(touched) or _claims_every_key(placed, partition), "T1 key, or SCP")),
        identity=(meaning(statement), name),
        remedy=render(written),
    )


def _claims_every_key(placed: Placed, partition: str) -> bool:
    """Whether the statement is of an SCP and speaks of every key of the partition."""
    resources = placed.located.statement.resources or ()
    every = f"arn:{partition}:kms:*:*:key/*"
    return placed.located.ref.layer is Layer.SCP and any(covers(pattern, every) for pattern in resources)


def _left_open(view: View, placed: Placed, profile: int, covered: int, uncovered: int) -> int:
    """The uncovered actions that count as open: whose requests carry what the condition of the Deny asks for, and where
    it only narrows, those that nothing else narrows too."""
    for test in placed.located.statement.conditions:
        if test.key.lower().startswith("kms:"):
            uncovered &= carried_by(test.key)
    if any(view.reach.decision(profile, action.bit).outcome.denied for action in actions_in(covered)):
        return uncovered
    decisions = {action: view.reach.decision(profile, action.bit) for action in actions_in(uncovered)}
    return mask_of([action.short for action, one in decisions.items() if one.outcome is Outcome.ALLOWED])


def _stopped_by(view: View, placed: Placed, covered: int) -> NDArray[np.bool_] | None:
    """Profile → whether this very statement denies or narrows a covered action there; None when it never does."""
    import numpy as np

    ref = placed.located.ref
    cited = deny_citations(view).get((ref.layer, ref.policy, ref.index))
    if cited is None:
        return None
    rows = view.reach.rows[:, [action.bit for action in actions_in(covered)]]
    return np.asarray(np.isin(rows, cited).any(axis=1))
