"""Statements and grants that are about the action but do not apply to this caller and key, and why they do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from auditor.evaluator import naming
from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import cited_owner
from auditor.evaluator.conditions import test_outcome
from auditor.evaluator.contributions import CallerSide
from auditor.evaluator.facts import Question
from auditor.evaluator.grants import out_of_reach
from auditor.evaluator.resources import key_reached
from auditor.evaluator.statements import Compiled, action_mask, compile_policy
from auditor.model.actions import ACTIONS, KEY_POLICY_EFFECTIVE, RCP_APPLIES
from auditor.model.grant import Grant
from auditor.model.policy import AttachedPolicy, ConditionTest, Layer, Statement, StatementRef
from auditor.model.residual import FALSE


def without_effect(pair: Pair, caller: CallerSide) -> dict[Layer, str]:
    """The layers none of whose statements counts for this caller, key and action, and why."""
    found = {}
    if caller.scp_levels is None:
        found[Layer.SCP] = "SCPs do not bind this caller"
    if not pair.mask & KEY_POLICY_EFFECTIVE:
        found[Layer.KEY_POLICY] = "key policies have no effect on this action"
    if not pair.mask & RCP_APPLIES:
        found[Layer.RCP] = "RCPs have no effect on this action"
    elif pair.principal.service_linked:
        found[Layer.RCP] = "RCPs do not bind service-linked roles"
    elif not pair.key.customer_managed or _of_management(pair):
        found[Layer.RCP] = "RCPs do not bind this key"
    return found


def _of_management(pair: Pair) -> bool:
    organization = pair.surroundings.organization
    return organization is not None and organization.management_account == pair.key.account


def near_misses(
    layer: Layer, pair: Pair, seen: Collection[StatementRef | None], idle: str = ""
) -> Iterator[tuple[str, str, bool, str]]:
    """``(source, effect, False, why not)`` for statements of ``layer`` that are not in ``seen``, and for grants to the
    caller; ``idle`` says why no statement of the layer counts, if so."""
    if layer is Layer.GRANT:
        for grant in out_of_reach(pair):
            yield f"grant {grant.grant_id}", "Allow", False, f"its constraint cannot hold here: {_constraints(grant)}"
    for attached, owner in _policies(layer, pair):
        where = f" on {owner}" if owner else ""
        for compiled in compile_policy(attached, owner):
            if compiled.ref in seen or not compiled.mask & pair.mask or _irrelevant(layer, compiled):
                continue
            yield f"{compiled.ref}{where}", str(compiled.statement.effect), False, idle or _why(layer, pair, compiled)
        for statement in attached.policy.statements:
            if (missing := _missing(statement)) and action_mask(statement) & pair.mask:
                ref = StatementRef(layer, attached.name, owner, statement.index, statement.sid)
                yield f"{ref}{where}", statement.effect or "", False, idle or f"has no {missing} and no effect"


def _constraints(grant: Grant) -> str:
    """The constraints of a grant, as ListGrants calls them."""
    contexts = {"EncryptionContextEquals": grant.context_equals, "EncryptionContextSubset": grant.context_subset}
    told = [
        f"{name} {', '.join(f'{pair}={value}' for pair, value in pairs) or 'of no pairs'}"
        for name, pairs in contexts.items()
        if pairs is not None
    ]
    return "; ".join([*told, *([f"SourceArn {grant.source_arn}"] if grant.source_arn is not None else [])])


def _missing(statement: Statement) -> str:
    """The element without which a statement is not looked at; empty when it has what it takes."""
    if statement.effect is None:
        return "Effect"
    return "Resource" if statement.resources is None and statement.not_resources is None else ""


def _irrelevant(layer: Layer, compiled: Compiled) -> bool:
    """An RCP's Allow decides nothing."""
    return layer is Layer.RCP and compiled.allows


def _policies(layer: Layer, pair: Pair) -> Iterator[tuple[AttachedPolicy, str]]:
    principal, organization = pair.principal, pair.surroundings.organization
    if layer is Layer.KEY_POLICY:
        yield from ((attached, "") for attached in pair.key.policies)
    elif layer is Layer.IDENTITY:
        yield from ((attached, cited_owner(attached, principal)) for attached in principal.identity_policies)
    elif layer is Layer.BOUNDARY and principal.boundary is not None:
        yield principal.boundary, cited_owner(principal.boundary, principal)
    elif layer is Layer.SESSION:
        yield from ((attached, cited_owner(attached, principal)) for attached in principal.session_policies or ())
    elif layer is Layer.SCP and organization is not None and principal.account is not None:
        for level in organization.levels(principal.account) or ():
            yield from ((attached, cited_owner(attached, principal)) for attached in level.scps or ())
    elif layer is Layer.RCP and organization is not None:
        for level in organization.levels(pair.key.account) or ():
            yield from ((attached, attached.owner) for attached in level.rcps or ())


def _why(layer: Layer, pair: Pair, compiled: Compiled) -> str:
    statement = compiled.statement
    if layer is Layer.KEY_POLICY and statement.not_principals is None:
        if statement.principals is None:
            return "has no Principal and no effect"
        if not naming.matches(statement.principals, pair.principal):
            return "names other principals"
    elif layer is Layer.KEY_POLICY and naming.matches(statement.not_principals or (), pair.principal):
        return "exempts this caller"
    question = pair.question(next(a.bit for a in ACTIONS if pair.mask >> a.bit & 1), layer)
    if key_reached(compiled, question) == FALSE:
        return "names other resources" if statement.not_resources is None else "exempts this resource"
    if statement.conditions:
        failing = tuple(test for test in statement.conditions if _fails(test, compiled, question))
        told = failing or statement.conditions  # where no test alone fails, they contradict one another
        tests = "; ".join(f"{test.operator} {test.key} {', '.join(test.values)}" for test in told)
        return f"its condition cannot hold here: {tests}"
    return "does not apply to this caller"


def _fails(test: ConditionTest, compiled: Compiled, question: Question) -> bool:
    """Whether one test of a statement rules this question out by itself."""
    effect = compiled.statement.effect or ""
    return test_outcome(test, effect, question, has_variables=compiled.has_variables) == FALSE
