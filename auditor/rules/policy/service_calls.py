"""What a statement asks of an AWS service that calls as itself: tests of users and roles, which no such call meets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from auditor.evaluator.callers import SOURCE_KEYS
from auditor.evaluator.conditions import condition_residual
from auditor.evaluator.facts import Question
from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.simplify import simplify
from auditor.evaluator.statements import action_mask
from auditor.model.actions import KEY_POLICY_EFFECTIVE, actions_in
from auditor.model.policy import ConditionTest, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import FALSE, Leaf
from auditor.rules.closing import demanding
from auditor.rules.conditions import asks_for_values, holds
from auditor.rules.corrections import with_tests_alone
from auditor.rules.policy.places import Placed
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

OF_CALLERS = ("aws:principal", "aws:userid", "aws:username", "kms:calleraccount", "kms:viaservice", "aws:calledvia")
SERVICE_NAMES = ("aws:principalservicename", "aws:principalservicenameslist")
EVERY_SERVICE = "Every AWS service"
"""Stands for a service that a statement does not name."""
OF_SOURCES = {
    "aws:principalorgid": "aws:SourceOrgID",
    "aws:principalorgpaths": "aws:SourceOrgPaths",
    "aws:principalaccount": "aws:SourceAccount",
    "kms:calleraccount": "aws:SourceAccount",
}
"""Condition key of users and roles → the one that says the same of whom a service acts for."""


def named_services(placed: Placed) -> list[str]:
    """The service principals that the statement names, sorted; EVERY_SERVICE where it names everybody and asks for what
    a service alone has when it calls as itself."""
    statement = placed.located.statement
    named = {entry.value for entry in statement.principals or () if entry.kind == "Service"}
    if any(entry.value == "*" and entry.kind == "AWS" for entry in statement.principals or ()):
        named.update(_by_conditions(statement))
    return sorted(value for value in named if not has_wildcard(value))


def _by_conditions(statement: Statement) -> Iterator[str]:
    """The services that a statement for everybody is about by its tests, which no user or role meets."""
    leaves = [Leaf(test.operator, test.key.lower(), test.values) for test in demanding(statement.conditions)]
    asked = [leaf for leaf in leaves if asks_for_values(leaf, False)]
    named = [value for leaf in asked if leaf.key in SERVICE_NAMES for value in leaf.values]
    if named:
        yield from named
    elif any(leaf.key in SOURCE_KEYS for leaf in asked) or any(
        leaf.key == "aws:principalisawsservice" and holds(leaf, False, "true") for leaf in leaves
    ):
        yield EVERY_SERVICE


def service_principal(view: View, name: str) -> Principal:
    """A service that calls as itself."""
    known = view.principal_by_arn.get(name)
    return known or Principal(kind=PrincipalKind.SERVICE, arn=name, iam_arn=name, account=None, name=name)


def _services_alone(placed: Placed) -> bool:
    """Whether a statement of a key policy speaks of service principals and of nobody else."""
    principals = placed.located.statement.principals
    return placed.key is not None and bool(principals) and all(entry.kind == "Service" for entry in principals or ())


def missed_by(view: View, placed: Placed, service: str) -> list[ConditionTest]:
    """The tests about who calls that the service never meets when it calls as itself (IAM user guide, global condition
    keys: it is of no account or organization of the customer, and comes through no other service)."""
    who, key, statement = service_principal(view, service), placed.key, placed.located.statement
    action = next(actions_in(action_mask(statement) & KEY_POLICY_EFFECTIVE), None)
    if key is None or action is None:
        return []
    question = Question(view.evaluation.surroundings, who, key, action, placed.located.ref.layer, {})
    return [test for test in statement.conditions if _about_callers(test) and _fails(test, placed, question)]


def _about_callers(test: ConditionTest) -> bool:
    return test.key.lower().startswith(OF_CALLERS)


def _fails(test: ConditionTest, placed: Placed, question: Question) -> bool:
    alone = replace(placed.located.statement, conditions=(test,))
    residual = condition_residual(alone, question, has_variables=placed.located.variables, source=placed.located.ref)
    return simplify(residual) == FALSE


def missed_by_all(view: View, placed: Placed) -> list[ConditionTest]:
    """Those tests of a statement that speaks of services alone which none of them meets."""
    if not _services_alone(placed) or not any(map(_about_callers, placed.located.statement.conditions)):
        return []
    missed = [missed_by(view, placed, service) for service in named_services(placed)]
    return [test for test in missed[0] if all(test in other for other in missed)] if missed else []


def of_sources(placed: Placed, missed: list[ConditionTest]) -> str:
    """The statement with the tests of users and roles put as tests of whom the service acts for."""
    written = as_written(placed.policy, placed.located.statement.index)
    gone = {(test.operator, test.key) for test in missed}
    condition: dict[str, dict[str, Any]] = {}
    moved: dict[str, Any] = {}
    for operator, block in (written.get("Condition") or {}).items():
        for name, value in block.items():
            if (operator, name) not in gone:
                condition.setdefault(operator, {})[name] = value
            elif name.lower() in OF_SOURCES:
                moved[OF_SOURCES[name.lower()]] = value
    bound = any(name.lower().startswith("aws:source") for block in condition.values() for name in block)
    if not moved and not bound:
        moved["aws:SourceAccount"] = placed.key.account if placed.key is not None else ""
    statement = {**written, "Condition": condition}
    return render(with_tests_alone(statement, "StringEquals", moved) if moved else statement)
