"""Rule about statements, or parts of them, that have no effect: names that do not exist, resources and principals that
never match, actions that the policy cannot decide. Each is located and shown as it was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_

from auditor.evaluator.glob import NAME_RUN
from auditor.evaluator.statements import action_mask
from auditor.model.actions import CRYPTO, KEY_POLICY_EFFECTIVE, actions_in, match_pattern
from auditor.model.arn import is_unique_id, parse_arn
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Statement
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, titled
from auditor.rules.policy.dead_parts import dead_actions, dead_principals, dead_resources, foreign_alone, works_outside
from auditor.rules.policy.mistakes import missing_elements
from auditor.rules.policy.places import Placed, placed_statements
from auditor.rules.privilege.power import PUT_POLICY
from auditor.rules.statements import as_written, render
from auditor.rules.view import View


def _outside_only(statement: Statement, key: Key) -> bool:
    """Whether every principal is of another account and no action works across accounts."""
    return foreign_alone(statement, key) and not works_outside(statement)


def inert_statement(view: View) -> Iterator[Hit]:
    """A statement, or a part of it, has no effect on the key.

    Examples: ``kms:DeleteKey`` or ``kms:ReEncrypt`` (no such actions), ``kms:ListKeys`` in a key policy (no key to act
    on), an alias ARN as Resource of a key operation, a group or a federated provider as principal, ``kms:PutKeyPolicy``
    for another account, ``kms:Sign`` on a symmetric key. A Deny that does nothing is the worst of them.

    Fix: delete the part, or write what was meant; the finding shows the corrected statement.
    """
    for placed in placed_statements(view):
        statement = placed.located.statement
        if statement.effect is None or missing_elements(statement, placed.located.ref.layer):
            continue
        hit = _inert_hit(view, placed, statement)
        if hit is not None:
            yield hit


def _partitions(view: View) -> frozenset[str]:
    """Where the keys of the snapshot are, found once per view: policies of one partition say nothing about another."""
    return view.once("partitions", lambda: _found_in(view.snapshot.keys))


def _found_in(keys: tuple[Key, ...]) -> frozenset[str]:
    found = frozenset(arn.partition for key in keys if (arn := parse_arn(key.arn)) is not None)
    return found or frozenset({NAME_RUN})


def _inert_hit(view: View, placed: Placed, statement: Statement) -> Hit | None:
    actions = dead_actions(statement, placed)
    resources = dead_resources(statement, placed, _partitions(view))
    principals = dead_principals(statement, placed)
    reasons = [f"{name} {why}" for name, why, *_ in (*actions, *resources, *principals)]
    mask = action_mask(statement)
    if placed.key is not None:
        usable = view.reach.usable[view.reach.key_at[placed.key.arn]]
        listed = {match_pattern(name) for name in statement.actions or () if "*" not in name}
        unusable = [one for one in listed if one & CRYPTO and not one & usable]
        names = [action.name for one in unusable for action in actions_in(one)]
        reasons += [f"{name} does not apply to a key of spec {placed.key.spec}" for name in sorted(names)]
        if _outside_only(statement, placed.key):
            reasons.append("principals of another account cannot use these actions on the key")
        effective = mask & KEY_POLICY_EFFECTIVE & usable
    else:
        dead = [match_pattern(name) for name, *_ in actions]
        effective = mask & ~reduce(or_, dead, 0)
    if not reasons or (placed.key is None and not mask and not actions):
        return None
    works = (
        bool(effective)
        and len(resources) < len(statement.resources or ("*",))
        and (not principals or len(principals) < len(statement.principals or ()))
    )
    works = works and not (placed.key is not None and _outside_only(statement, placed.key))
    return placed.hit(
        f"{titled(statement)} of {placed.name}: {reasons[0]}.",
        more=tuple(Evidence("no effect", reason) for reason in reasons),
        raised=given(
            (statement.effect == "Deny" and not works, "the inert statement is a Deny"),
            (not works and _sole_administrator(view, placed, statement), "only statement meant to give"),
        ),
        lowered=given((works, "also grants something effective")),
        identity=(meaning(statement),),
        remedy=_repaired(placed, actions, resources, principals),
        advice="Delete it, or write what was meant: key ARN for alias ARN, role for group, IAM policy for key policy.",
        bare=True,
    )


def _sole_administrator(view: View, placed: Placed, statement: Statement) -> bool:
    if placed.key is None or statement.effect != "Allow" or not action_mask(statement) & PUT_POLICY:
        return False
    return not any(
        other.statement.effect == "Allow"
        and other.statement.index != statement.index
        and action_mask(other.statement) & PUT_POLICY
        and any(not is_unique_id(entry.value) for entry in other.statement.principals or ())
        for other in view.statements(placed.key)
    )


def _repaired(
    placed: Placed,
    actions: list[tuple[str, str, str]],
    resources: list[tuple[str, str]],
    principals: list[tuple[str, str]],
) -> str:
    """The statement without its dead parts, or with what was probably meant; empty when nothing is left to say, or
    nothing is known that was meant."""
    written = as_written(placed.policy, placed.located.statement.index)
    before = dict(written)
    dead = {name: replacement for name, _, replacement in actions}
    names = placed.located.statement.actions or ()
    if dead:
        kept = [dead.get(name, name) for name in names if dead.get(name, name)]
        if not kept:
            return ""
        written["Action"] = kept[0] if len(kept) == 1 else list(dict.fromkeys(kept))
    if resources:
        written |= placed.resource_repair([name for name, _ in resources])
    return "" if principals or written == before else render(written)
