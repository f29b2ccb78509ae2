"""Rule about Allow statements that give everything but a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.model.actions import CONTROL, KEY_POLICY_EFFECTIVE, READ_PLAINTEXT, actions_in
from auditor.model.arn import account_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.policy import Statement
from auditor.model.principal import Principal
from auditor.rules.corrections import without_actions
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.principals import service_linked
from auditor.rules.privilege.wide import reached_by, resources_reach
from auditor.rules.reach import POSSIBLE
from auditor.rules.statements import Document, as_written, render
from auditor.rules.view import View

LIST_THEM = "List the actions that are meant: NotAction widens whenever AWS adds some."
POWERFUL = READ_PLAINTEXT | CONTROL


def notaction_allow(view: View) -> Iterator[Hit]:
    """An Allow with NotAction or NotResource sweeps in powerful KMS permissions.

    NotAction allows everything but the list, and silently widens whenever AWS adds an operation. Told when reading,
    takeover or destruction is among what remains. Silent when kms:* is excluded, and for account administrators. A key
    policy that leaves all but a list to IAM, as AWS advises for enclaves, gives less than the default does.

    Fix: list the actions.
    """
    for document in view.identity_documents:
        for located in document.statements:
            if _sweeps(located.statement):
                placed = Placed(located, document.policy, document=document)
                hit = _document_sweep(view, placed, document)
                if hit is not None:
                    yield hit
    for placed in key_statements(view):
        if _sweeps(placed.located.statement):
            serious, mask = not _delegates(placed), powerful_actions(placed.located.statement)
            yield _sweep_hit(placed, mask, (), serious, _dead(view, placed))


def _dead(view: View, placed: Placed) -> bool:
    """Whether a statement of a key policy that speaks of its own account alone gives nobody there anything today."""
    key, named = placed.key, placed.located.statement.principals
    if key is None or named is None or any(account_of(entry.value) != key.account for entry in named):
        return False
    mask, position = powerful_actions(placed.located.statement), view.reach.key_at[key.arn]
    column = view.reach.table.cells[:, position].tolist()
    own = {profile for who, profile in zip(view.reach.principals, column, strict=True) if who.account == key.account}
    return not any(view.reach.held(profile, position, *POSSIBLE) & mask for profile in own)


def powerful_actions(statement: Statement) -> int:
    """READ_PLAINTEXT, TAKEOVER and DESTROY among the actions of a statement."""
    return action_mask(statement) & POWERFUL


def _sweeps(statement: Statement) -> bool:
    excepts = statement.not_actions is not None or statement.not_resources is not None
    return statement.effect == "Allow" and excepts and bool(powerful_actions(statement))


def _delegates(placed: Placed) -> bool:
    """Whether a statement of a key policy speaks of the key's own account alone: IAM decides who gets it."""
    principals, key = placed.located.statement.principals, placed.key
    return (
        key is not None
        and bool(principals)
        and all(
            is_account_principal(entry.value) and account_of(entry.value) == key.account for entry in principals or ()
        )
    )


def _document_sweep(view: View, placed: Placed, document: Document) -> Hit | None:
    """A sweeping statement of an identity policy, if it grants anything on a key; latent where the key refuses it, and
    potential where that could not be read."""
    mask = powerful_actions(placed.located.statement)
    holders = tuple(
        holder for holder in document.holders if not service_linked(holder) and not _has_it_anyway(view, holder, mask)
    )
    granted = [
        key
        for key in view.keys_by_account.get(document.account, [])
        if resources_reach(placed.located.statement, key.arn)
    ]
    if not holders or not granted:
        return None
    wide = reached_by(view, document, (placed.located,), holders, mask)
    restricted = view.restricted(key.arn for key in wide.reached) and any(
        not view.trust.account_admin(holder) for holder in holders
    )
    hit = _sweep_hit(placed, mask, holders, restricted, not wide.reached and not wide.unsure)
    hit = replace(hit, confidence=Confidence.POTENTIAL if wide.unsure else Confidence.CONFIRMED)
    reached = Evidence("keys", listing(key.arn for key in wide.reached) or ("unknown" if wide.unsure else "none today"))
    return replace(hit, keys=tuple(key.arn for key in wide.reached), evidence=(*hit.evidence, reached))


def _has_it_anyway(view: View, holder: Principal, mask: int) -> bool:
    """Whether an account administrator has the actions by another, plain statement."""
    if not view.trust.account_admin(holder):
        return False
    plain = 0
    for attached in holder.identity_policies:
        for statement in attached.policy.statements:
            if statement.effect == "Allow" and not _sweeps(statement):
                plain |= action_mask(statement)
    return not mask & ~plain


def _sweep_hit(placed: Placed, mask: int, holders: tuple[Principal, ...], serious: bool, latent: bool) -> Hit:
    statement = placed.located.statement
    element = "NotAction" if statement.not_actions is not None else "NotResource"
    names = listing((action.name for action in actions_in(mask)), 4)
    hit = placed.hit(
        f"{titled(statement)} of {placed.name} allows by {element} and sweeps in {names}.",
        more=(
            Evidence("element", element),
            Evidence("swept in", listing((action.name for action in actions_in(mask)), 12)),
            Evidence("held by", listing(holder.arn for holder in holders) or _named(placed)),
        ),
        raised=given((serious, "statement is in a key policy")),
        lowered=given((latent, "latent"), (_delegates(placed), "it leaves things to IAM")),
        identity=(meaning(statement),),
        remedy=_listed(placed) if placed.key is not None else _without_kms(placed),
        advice=LIST_THEM if placed.key is not None else f"{LIST_THEM} Until then keep KMS out of the statement.",
    )
    return replace(hit, latent=latent)


def _named(placed: Placed) -> str:
    return "whom IAM gives it to" if _delegates(placed) else "the principals of the key policy"


def _listed(placed: Placed) -> str:
    """The statement of a key policy with the actions that it allows today by name; empty for NotResource."""
    statement = placed.located.statement
    if statement.not_actions is None:
        return ""
    allowed = actions_in(action_mask(statement) & KEY_POLICY_EFFECTIVE)
    return render(without_actions(as_written(placed.policy, statement.index), (), (one.name for one in allowed)))


def _without_kms(placed: Placed) -> str:
    """The statement of an identity policy with KMS among what NotAction leaves out; empty for NotResource."""
    statement = placed.located.statement
    if statement.not_actions is None:
        return ""
    written = as_written(placed.policy, statement.index)
    return render({**written, "NotAction": [*statement.not_actions, "kms:*"]})
