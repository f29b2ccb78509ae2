"""Questions about residual conditions and condition blocks that several rules ask."""

from __future__ import annotations

from collections.abc import Callable

from auditor.evaluator.expressions import UNSETTLED, all_of
from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.operators import parse_operator, passes_when_absent
from auditor.evaluator.strength import Owner, Strength, conjuncts, holds_without_key, strength
from auditor.model.access import Decision, Role
from auditor.model.actions import USE, match_pattern
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.policy import Statement, StatementRef
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual
from auditor.rules.closing import demanded, demanding

IDENTITY_ONLY = ("aws:resourcetag/", "kms:resourcealiases")
"""Condition keys that are documented for identity policies; their effect in a key policy or an RCP is not."""
Test = Callable[[Leaf, bool], bool]
"""A question about one leaf; the flag says whether the leaf is negated."""


def demands(residual: Residual | None, test: Test) -> bool:
    """Whether every way to meet ``residual`` goes through a leaf that passes ``test``."""
    match residual:
        case Leaf():
            return test(residual, False)
        case Not(Leaf() as leaf):
            return test(leaf, True)
        case AllOf(items):
            return any(demands(item, test) for item in items)
        case AnyOf(items):
            return all(demands(item, test) for item in items)
        case Constant(value):
            return not value
    return False


def mentions(residual: Residual | None, test: Test) -> bool:
    """Whether any leaf of ``residual`` passes ``test``."""
    match residual:
        case Leaf():
            return test(residual, False)
        case Not(Leaf() as leaf):
            return test(leaf, True)
        case AllOf(items) | AnyOf(items):
            return any(mentions(item, test) for item in items)
    return False


def holds(leaf: Leaf, negated: bool, value: str) -> bool:
    """Whether a Bool test, as it stands or denied, leaves only requests whose key is ``value`` (true or false)."""
    operator = parse_operator(leaf.operator)
    if operator is None or operator.base not in ("bool", "stringequals", "stringequalsignorecase"):
        return False
    if operator.negated:
        return negated and not operator.quantifier and {item.strip().lower() for item in leaf.values} == {value}
    wanted = {item.strip().lower() for item in leaf.values}
    if negated:
        return wanted == {"false" if value == "true" else "true"}
    return wanted == {value} and not operator.if_exists


def in_text(residual: Residual) -> str:
    """A residual with its tests as policies write them: ``unless`` before one that must not hold."""
    match residual:
        case Leaf():
            words = (residual.operator, residual.key, ", ".join(residual.values))
            return " ".join(words[1:] if residual.operator == UNSETTLED else words)
        case Not(item):
            return f"unless {in_text(item) if isinstance(item, Leaf) else f'({in_text(item)})'}"
        case AllOf(items) | AnyOf(items):
            inner = (in_text(item) if isinstance(item, Leaf) else f"({in_text(item)})" for item in items)
            return (" and " if isinstance(residual, AllOf) else ", or ").join(inner)
        case Constant(value):
            return "always" if value else "never"


def first_source(residual: Residual) -> StatementRef | None:
    """The statement that the first test of a residual stands in."""
    match residual:
        case Leaf():
            return residual.source
        case Not(item):
            return first_source(item)
        case AllOf(items) | AnyOf(items):
            return next((found for item in items if (found := first_source(item)) is not None), None)
    return None


def asks_for_values(leaf: Leaf, negated: bool) -> bool:
    """Whether a test, as it stands or denied, leaves only requests that carry its key with a value that it names."""
    operator = parse_operator(leaf.operator)
    if operator is None or operator.base == "null" or operator.negated != negated:
        return False
    return passes_when_absent(operator) == negated


def asks_for_key(leaf: Leaf, negated: bool) -> bool:
    """Whether a request without the key of a test fails it, as it stands or denied."""
    return holds_without_key(leaf) is negated


def fixes_holder(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only grants for AWS services, to fixed grantees, or of operations that reveal nothing."""
    name = leaf.key.lower()
    if name == "kms:grantisforawsresource":
        return holds(leaf, negated, "true")
    if name in ("kms:granteeprincipal", "kms:granteeserviceprincipal"):
        return asks_for_values(leaf, negated) and not any(map(has_wildcard, leaf.values))
    return name == "kms:grantoperations" and _harmless(leaf, negated)


def _harmless(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only grants all of whose operations are among those that it names, and reveal nothing."""
    operator = parse_operator(leaf.operator)
    if operator is None or operator.negated != negated or operator.quantifier != ("any" if negated else "all"):
        return False
    allowed = 0
    for value in leaf.values:
        allowed |= match_pattern(f"kms:{value}")
    return not allowed & USE


def for_services(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only grants for AWS services, to fixed grantees or of harmless operations, or only calls
    that a service makes: its grants are for itself, as in the policies that DynamoDB or Secrets Manager ask for."""
    if fixes_holder(leaf, negated) or (leaf.key.lower() == "aws:viaawsservice" and holds(leaf, negated, "true")):
        return True
    return leaf.key.lower() == "kms:viaservice" and asks_for_values(leaf, negated)


def _constrains(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only grants that carry a constraint."""
    name = leaf.key.lower()
    if name in ("kms:grantconstrainttype", "kms:encryptioncontextkeys") or name.startswith("kms:encryptioncontext:"):
        return asks_for_key(leaf, negated)  # a request for a grant carries the context as the grant's constraint
    fixed = not any(map(has_wildcard, leaf.values))
    return name == "kms:grantconstraintsourcearn" and asks_for_values(leaf, negated) and fixed


def grant_limited(decision: Decision) -> bool:
    """Whether a CreateGrant decision lets only harmless grants through: for services, fixed grantees or operations, or
    by a grant alone, which hands on no more than it gives (developer guide, grants)."""
    return by_grant_alone(decision) or (decision.residual is not None and demands(decision.residual, for_services))


def by_grant_alone(decision: Decision) -> bool:
    """Whether nothing but grants gives the access, as far as could be read."""
    roles = {cause.role for cause in decision.causes}
    allows = [cause for cause in decision.causes if cause.role is Role.ALLOWS]
    return bool(allows) and Role.UNREAD not in roles and all(cause.grant is not None for cause in allows)


def grant_constrained(decision: Decision) -> bool:
    """Whether it is limited, or every grant that it lets through carries a constraint."""
    if by_grant_alone(decision):
        return True
    if decision.residual is None:
        return False
    return demands(decision.residual, lambda leaf, negated: for_services(leaf, negated) or _constrains(leaf, negated))


def below_units(statement: Statement) -> bool:
    """Whether the statement lets in only what is below units of an organization, not the whole of it."""
    return any(
        test.key.lower() == "aws:principalorgpaths"
        and "not" not in test.operator.lower()
        and all("/ou-" in value for value in test.values)
        for test in statement.conditions
    )


def as_residual(statement: Statement) -> Residual:
    """The statement's whole Condition as a residual, undecided: for verdicts that do not carry one."""
    return all_of(Leaf(test.operator, test.key, test.values) for test in demanding(statement.conditions))


def written_for_keys(statement: Statement) -> Residual:
    """The Condition of a key policy's statement without tests that nobody knows to restrict anything there."""
    tests = (test for test in demanding(statement.conditions) if not test.key.lower().startswith(IDENTITY_ONLY))
    return all_of(Leaf(test.operator, test.key, test.values) for test in tests)


def block_strength(statement: Statement, owner: Owner) -> Strength:
    """The strength of the statement's Condition as written."""
    return strength(as_residual(statement), owner)


def true_when_absent(statement: Statement) -> list[str]:
    """The condition keys whose tests all hold when the request does not carry them."""
    guarded = demanded(statement.conditions)
    found = []
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator and operator.base != "null" and test.key.lower() not in guarded:
            found.append(test.key)
    return found


def accounts_in_conditions(statement: Statement) -> frozenset[str]:
    """Account ids that the statement's conditions bind the caller to."""
    found = set()
    for test in statement.conditions:
        if test.key.lower() in ("aws:principalaccount", "kms:calleraccount", "aws:principalarn"):
            found |= {account for value in test.values if (account := account_of(value))}
    return frozenset(found)


def residual_evidence(decision: Decision, owner: Owner) -> tuple[Evidence, ...]:
    """The conditions that remain, each with its strength; what could not be read is none."""
    if decision.residual is None:
        return ()
    return tuple(
        Evidence("condition", f"{in_text(item)} ({level.name})", first_source(item))
        for item, level in conjuncts(decision.residual, owner)
        if mentions(item, lambda leaf, _: leaf.operator != UNSETTLED)
    )
