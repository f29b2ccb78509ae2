"""One case through the evaluator, and the comparison of what came out with what was expected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from auditor.cases.comparing import ValueOf, anything, equivalent
from auditor.cases.schema import Case, Expectation
from auditor.evaluator import decide, in_words
from auditor.evaluator.conditions import test_outcome
from auditor.evaluator.expressions import with_leaves
from auditor.evaluator.facts import Question
from auditor.model.access import Decision, Outcome
from auditor.model.actions import find_action
from auditor.model.policy import ConditionTest, Layer
from auditor.model.residual import Leaf, Residual, to_json


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, the decision, and what differs; ``differences`` is empty when the case passed."""

    case: Case
    decision: Decision
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything that the case expects came out."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """The plain object of ``kms-audit test -f json``.

        ``decision`` uses the three words of case files plus ``unknown``; ``outcome`` tells the two denials apart.
        ``residual`` is the remaining condition in the form of case files, or null; ``words`` says it in plain words.
        """
        residual = self.decision.residual
        return {
            "id": self.case.id,
            "file": self.case.file,
            "title": self.case.title,
            "decision": decision_word(self.decision.outcome),
            "outcome": str(self.decision.outcome),
            "reason": self.decision.reason,
            "residual": None if residual is None else to_json(residual),
            "words": "" if residual is None else in_words(residual),
            "flags": list(self.decision.flags),
            "expected": expected_json(self.case.expect),
            "passed": self.passed,
            "differences": list(self.differences),
        }


def run_case(case: Case) -> CaseResult:
    """Asks the evaluator for the decision of a case and compares it with the expectation."""
    decision = decide(case.surroundings, case.principal, case.key, case.action, case.context)
    expect, question = case.expect, _question(case)
    if expect.residual is not None and question is not None:
        expect = replace(expect, residual=_resolved(expect.residual, question))
    return CaseResult(case, decision, tuple(_differences(expect, decision, question.value if question else None)))


def _question(case: Case) -> Question | None:
    """What condition keys are asked of in this case; None for an action that does not exist."""
    action = find_action(case.action)
    if action is None:
        return None
    return Question(case.surroundings, case.principal, case.key, action, Layer.IDENTITY, case.context)


def _resolved(tree: Residual, question: Question) -> Residual:
    """The expected tree with its policy variables resolved, as the evaluator does it with those of a statement."""

    def resolved(leaf: Leaf) -> Residual:
        if not any("${" in value for value in leaf.values):
            return leaf
        return test_outcome(ConditionTest(leaf.operator, leaf.key, leaf.values), "", question, has_variables=True)

    return with_leaves(tree, resolved)


def decision_word(outcome: Outcome) -> str:
    """The word that case files use for an outcome: both denials are ``denied``."""
    return "denied" if outcome.denied else str(outcome)


def expected_json(expect: Expectation) -> dict[str, Any]:
    """The expectation in the form of case files, without what was left out."""
    found: dict[str, Any] = {"decision": expect.decision}
    if expect.reason:
        found["reason"] = expect.reason
    if expect.residual is not None:
        found["residual"] = to_json(expect.residual)
    if expect.flags:
        found["flags"] = list(expect.flags)
    return found


def _differences(expect: Expectation, decision: Decision, value_of: ValueOf | None) -> list[str]:
    found = []
    if expect.decision not in (str(decision.outcome), decision_word(decision.outcome)):
        found.append(f"decision: expected {expect.decision}, got {decision.outcome}")
    if expect.reason and expect.reason != decision.reason:
        found.append(f"reason: expected {expect.reason}, got {decision.reason or 'none'}")
    if expect.residual is not None and not equivalent(expect.residual, decision.residual, value_of or anything):
        got = "no condition" if decision.residual is None else in_words(decision.residual)
        found.append(f"residual: expected {in_words(expect.residual)}; got {got}")
    missing = sorted(set(expect.flags) - set(decision.flags))
    if missing:
        found.append(f"flags: missing {', '.join(missing)}; got {', '.join(decision.flags) or 'none'}")
    return found
