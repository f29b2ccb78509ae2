"""What callers of any AWS account may do with a key, and by which statements."""

from __future__ import annotations

from auditor.evaluator.operators import parse_operator
from auditor.evaluator.strength import ACCOUNT_KEYS, Strength, strength
from auditor.evaluator.synthetic import external
from auditor.model.access import Decision, Outcome, Role
from auditor.model.actions import CROSS_ACCOUNT_EFFECTIVE, mask_of
from auditor.model.arn import is_account_id
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.clock import settled
from auditor.rules.conditions import written_for_keys
from auditor.rules.hit import Located, listing
from auditor.rules.reach import Openness, openness
from auditor.rules.view import View

ACCOUNT_DIGITS = 12


def for_everybody(statement: Statement) -> bool:
    """Whether an Allow speaks of every AWS principal: ``*``, or everybody but those in NotPrincipal."""
    star = any(entry.kind == "AWS" and entry.value == "*" for entry in statement.principals or ())
    return statement.effect == "Allow" and (star or statement.not_principals is not None)


def outsider_access(view: View, key: Key) -> dict[str, Decision]:
    """What OUTSIDER may do with the key; empty when no statement speaks of everybody."""
    if not any(for_everybody(located.statement) for located in view.statements(key)):
        return {}
    return view.decisions(view.outsider, key, CROSS_ACCOUNT_EFFECTIVE)


def held_by_strangers(view: View, who: Principal, key: Key, mask: int) -> Openness:
    """What OUTSIDER has of the actions that the policy gives to everybody, MAYBE at least, else CLOSED: a condition on
    the organization keeps strangers out. CLOSED for all other principals."""
    if who.kind is not PrincipalKind.EVERYONE:
        return Openness.CLOSED
    levels = (openness(decision, view.owner(key)) for decision in view.decisions(view.outsider, key, mask).values())
    return max((level for level in levels if level >= Openness.MAYBE), default=Openness.CLOSED)


def patterned_access(view: View, key: Key) -> dict[str, Decision]:
    """What strangers may do whose account fits a pattern such as ``1111*``; anybody may open one that does."""
    patterns = {
        value.split(":")[4] if value.startswith("arn:") else value
        for located in view.statements(key)
        if for_everybody(located.statement)
        for test in located.statement.conditions
        if test.key.lower() in (*ACCOUNT_KEYS, "aws:principalarn") and value_is_pattern(test)
        for value in test.values
        if not value.startswith("arn:") or value.count(":") > 4
    }
    accounts = sorted({fitting_account(pattern, view.named_accounts) for pattern in patterns} - {""})
    wanted = CROSS_ACCOUNT_EFFECTIVE & view.reach.usable[view.reach.key_at[key.arn]]
    found: dict[str, Decision] = {}
    for together in (accounts[:1], accounts[1:]):  # mostly the first of hundreds may do all that any of them may
        if wanted & ~mask_of(found):
            view.decide_together(map(external, together), key, wanted)
        for account in together:
            decisions = view.decisions(external(account), key, wanted & ~mask_of(found))
            found |= {name: decision for name, decision in decisions.items() if not decision.outcome.denied}
    return found


def value_is_pattern(test: ConditionTest) -> bool:
    """Whether a test asks for its values as patterns, and for nothing else."""
    operator = parse_operator(test.operator)
    return operator is not None and operator.base in ("stringlike", "arnlike") and not operator.negated


def fitting_account(pattern: str, taken: frozenset[str]) -> str:
    """An account id that a pattern with a wildcard matches and that is not in ``taken``; empty when there is none."""
    fixed = pattern.replace("*", "")
    if not set(pattern) & set("*?") or set(pattern) <= {"*"} or len(fixed) > ACCOUNT_DIGITS:
        return ""
    for digit in "9876543210":
        filled = pattern.replace("*", digit * (ACCOUNT_DIGITS - len(fixed)), 1).replace("*", "").replace("?", digit)
        if is_account_id(filled) and filled not in taken:
            return filled
    return ""


def allowing(view: View, key: Key, decision: Decision) -> list[Located]:
    """The statements of the key's policies that the decision rests on."""
    cited = {
        (cause.statement.policy, cause.statement.index)
        for cause in decision.causes
        if cause.role is Role.ALLOWS and cause.statement is not None
    }
    return [located for located in view.statements(key) if (located.ref.policy, located.ref.index) in cited]


def proof(view: View, key: Key, decision: Decision) -> Strength:
    """How strong the condition is that keeps OUTSIDER out, also where another layer or a gap hides the residual."""
    if decision.outcome is Outcome.ALLOWED:
        return Strength.S0
    if decision.outcome is Outcome.CONDITIONAL and decision.residual is not None:
        return strength(decision.residual, view.owner(key))
    now = view.as_of.timestamp()
    written = [settled(written_for_keys(located.statement), now) for located in allowing(view, key, decision)]
    return min((strength(block, view.owner(key)) for block in written), default=Strength.S4)


def stopped_by(decision: Decision) -> str:
    """What takes the access away today, for a latent finding."""
    names = [
        f"{cause.layer}: {cause.note}" if cause.role is Role.MISSING else str(cause.statement or cause.note)
        for cause in decision.causes
        if cause.role in (Role.DENIES, Role.LIMITS, Role.MISSING)
    ]
    return listing(names)
