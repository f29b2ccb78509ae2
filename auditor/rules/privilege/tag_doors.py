"""Where policies depend on a tag of the caller: key policies, identity policies, boundaries and SCPs."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.statements import action_mask
from auditor.model.actions import SENSITIVE
from auditor.model.arn import account_of
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer, Statement
from auditor.model.principal import Principal
from auditor.rules.hit import Located
from auditor.rules.iam_side import identities_of
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.policy.places import key_statements
from auditor.rules.privilege.attributes import opening
from auditor.rules.privilege.doors import PREFIX, Door
from auditor.rules.privilege.wide import resources_reach
from auditor.rules.statements import Document
from auditor.rules.view import View

Opening = tuple[Door, tuple[Principal, ...]]
"""A door and the identities of which it speaks."""


def doors_of(view: View) -> Iterator[Opening]:
    """Every door with the identities that it speaks of. SCPs and RCPs that spare callers with a tag are left to the
    rule about exemptions of guardrails."""
    for door in _key_doors(view):
        yield door, tuple(who for who in identities_of(view, door.keys[0].account) if _spoken_of(door, who))
    yield from _identity_doors(view)
    yield from _scp_doors(view)


def _tests(statement: Statement) -> Iterator[ConditionTest]:
    """The tests of a tag of the caller that a change of the tag may turn: in a Deny, any."""
    for test in statement.conditions:
        of_caller = test.key.lower().startswith(PREFIX)
        if of_caller and (statement.effect == "Deny" or opening(test) or _leaves_out(test)):
            yield test


def _leaves_out(test: ConditionTest) -> bool:
    """Whether a test is met without the tag, or by every value but those that it lists."""
    operator = parse_operator(test.operator)
    return operator is not None and (operator.negated or satisfied(operator, test.values, ()))


def _served(view: View, key: Key) -> int:
    """The powerful actions that the key is made for."""
    return SENSITIVE & view.reach.usable[view.reach.key_at[key.arn]]


def _key_doors(view: View) -> Iterator[Door]:
    for placed in key_statements(view):
        statement = placed.located.statement
        if placed.key is not None and action_mask(statement) & _served(view, placed.key):
            for test in _tests(statement):
                yield Door(test, placed.located, f"the key policy of {placed.key.label}", (placed.key,))


def _spoken_of(door: Door, who: Principal) -> bool:
    """Whether the key policy statement speaks of the identity, by name or as one of its account."""
    if who.account != door.keys[0].account:
        return False
    return any(
        entry.value in ("*", who.arn, who.iam_arn)
        or (is_account_principal(entry.value) and account_of(entry.value) == who.account)
        for entry in door.statement.principals or ()
    )


def _identity_doors(view: View) -> Iterator[Opening]:
    documents = (*view.commons.identity_documents, *view.commons.boundaries)
    for document, located in view.commons.once("tagged-statements", lambda: _tagged(documents)):
        for door in _opened(view, document, located, document.account):
            yield door, document.holders


def _scp_doors(view: View) -> Iterator[Opening]:
    """The Deny statements of SCPs for whoever has a tag, account by account."""
    organization = view.snapshot.organization
    if organization is None:
        return
    bound = [account for account in view.keys_by_account if account != organization.management_account]
    for document, located in view.commons.once("tagged-scps", lambda: _tagged(view.scps)):
        targets = set(document.owner.split(", "))
        for account in bound:
            if any(level.id in targets for level in organization.levels(account) or ()):
                doors = (door for door in _opened(view, document, located, account) if not _leaves_out(door.test))
                yield from ((door, identities_of(view, account)) for door in doors)


def _opened(view: View, document: Document, located: Located, account: str) -> Iterator[Door]:
    """The doors that a statement is to the keys of an account; an Allow to those alone that leave the action to it."""
    statement = located.statement
    mask = action_mask(statement) & SENSITIVE
    keys = tuple(
        key
        for key in view.keys_by_account.get(account, ())
        if resources_reach(statement, key.arn)
        and mask & _served(view, key)
        and (statement.effect == "Deny" or delegated_mask(view, key) & mask & _served(view, key))
    )
    for test in _tests(statement) if keys else ():
        yield Door(test, located, document.title, keys)


def _tagged(documents: tuple[Document, ...]) -> list[tuple[Document, Located]]:
    """The statements that give a power to whoever has a tag or has it not, or keep it from them. A boundary gives
    nothing, and so does an SCP."""
    return [
        (document, located)
        for document in documents
        if any(map(_depends_on_a_tag, document.policy.statements))
        for located in document.statements
        if _depends_on_a_tag(located.statement)
        and (located.statement.effect == "Deny" or document.layer is Layer.IDENTITY)
    ]


def _depends_on_a_tag(statement: Statement) -> bool:
    return any(True for _ in _tests(statement)) and bool(action_mask(statement) & SENSITIVE)
