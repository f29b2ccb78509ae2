"""Rule about statements and documents that lack, misspell or misplace an element: they say one thing and do another.
Each is located (policy, statement, element) and shown corrected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditor.model.finding import Evidence
from auditor.model.policy import Layer, Policy, PolicyProblem, Statement
from auditor.model.policy_document import DOCUMENT_ELEMENTS, STATEMENT_ELEMENTS
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, customer_documents, placed_statements
from auditor.rules.policy.tests_as_written import corrected_condition, mistakes_in_tests
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

REQUIRED = {Layer.KEY_POLICY: ("Principal", "Action", "Resource")}
OTHERS = ("Action", "Resource")
ELEMENTS = (*STATEMENT_ELEMENTS, *DOCUMENT_ELEMENTS)


def missing_elements(statement: Statement, layer: Layer) -> list[str]:
    """The elements that a statement of this layer needs and lacks."""
    present = {
        "Principal": statement.principals is not None or statement.not_principals is not None,
        "Action": statement.actions is not None or statement.not_actions is not None,
        "Resource": statement.resources is not None or statement.not_resources is not None,
    }
    return [element for element in REQUIRED.get(layer, OTHERS) if not present[element]]


def _problems(policy: Policy, index: int | None) -> list[PolicyProblem]:
    """The mistakes of a statement, or (None) of the document; an element that resembles none is somebody's note."""
    return [
        problem
        for problem in policy.problems
        if problem.index == index
        and (problem.code != "unknown-element" or problem.suggestion or problem.element in ELEMENTS)
    ]


def _misplaced(placed: Placed) -> list[PolicyProblem]:
    """A Principal in a policy that is attached to principals: an element in the wrong place."""
    statement, layer = placed.located.statement, placed.located.ref.layer
    if layer not in (Layer.IDENTITY, Layer.BOUNDARY, Layer.SCP):
        return []
    present = {"Principal": statement.principals, "NotPrincipal": statement.not_principals}
    message = "{} does not belong into an {}: it speaks of whom it is attached to."
    words = {Layer.IDENTITY: "identity policy", Layer.BOUNDARY: "permissions boundary", Layer.SCP: "SCP"}
    return [
        PolicyProblem(statement.index, statement.sid, name, "wrong-place", message.format(name, words[layer]))
        for name, value in present.items()
        if value is not None
    ]


def _corrected(policy: Policy, index: int, missing: list[str], dropped: tuple[str, ...] = ()) -> dict[str, Any]:
    """The statement with misspelt names put right; what cannot be guessed is left to the reader."""
    written = as_written(policy, index)
    renamed = {problem.element: problem.suggestion for problem in _problems(policy, index) if problem.suggestion}
    fixed = {renamed.get(name, name): value for name, value in written.items() if name not in dropped}
    if "Resource" in missing and "Resource" not in fixed and "NotResource" not in fixed:
        fixed["Resource"] = "*"
    if "Condition" in fixed:
        fixed["Condition"] = corrected_condition(fixed["Condition"])
    effect = fixed.get("Effect")
    if isinstance(effect, str) and effect.strip().capitalize() in ("Allow", "Deny"):
        fixed["Effect"] = effect.strip().capitalize()
    return fixed


def malformed_statement(view: View) -> Iterator[Hit]:
    """A statement lacks a required element or misspells one, so it does nothing, or not what it says.

    KMS stores a statement without Action or Resource and ignores it. ``Pricipal``, ``Actions`` or ``Conditions`` are no
    elements: the element counts as missing. A Deny written that way protects nothing, and a misspelt Condition leaves
    an Allow unconditional.

    Fix: correct the element; where it can be guessed, the finding shows the statement as it was probably meant. In CI,
    refuse unknown elements.
    """
    for placed in placed_statements(view):
        located, policy = placed.located, placed.policy
        missing = missing_elements(located.statement, located.ref.layer)
        misplaced = _misplaced(placed)
        problems = [*_problems(policy, located.statement.index), *misplaced]
        problems += mistakes_in_tests(policy, located.statement)
        if missing or problems or located.statement.effect is None:
            yield _malformed_hit(placed, missing, problems, tuple(problem.element for problem in misplaced))
    yield from _malformed_documents(view)


def _malformed_hit(placed: Placed, missing: list[str], problems: list[PolicyProblem], dropped: tuple[str, ...]) -> Hit:
    statement = placed.located.statement
    lost_condition = any(problem.suggestion == "Condition" for problem in problems)
    said = [problem.message for problem in problems] or [f"{listing(missing)} is missing; the statement does nothing."]
    fixed = _corrected(placed.policy, statement.index, missing, dropped)
    deny = fixed.get("Effect") == "Deny"
    return placed.hit(
        f"{titled(statement)} of {placed.name}: {said[0]}",
        more=(
            Evidence("element", listing([*missing, *(problem.element for problem in problems)])),
            *(Evidence("mistake", message) for message in said),
        ),
        raised=given((deny or (lost_condition and statement.effect == "Allow"), "statement is a Deny")),
        lowered=given((placed.duplicated(fixed), "duplicates another")),
        identity=(meaning(statement), *missing, *(problem.element for problem in problems)),
        remedy="" if fixed == as_written(placed.policy, statement.index) else render(fixed),
        bare=True,
    )


def _malformed_documents(view: View) -> Iterator[Hit]:
    """Documents that cannot be read as a policy at all, or repeat or misspell one of their own elements."""
    for key in view.keys:
        for attached in key.policies:
            problems = _problems(attached.policy, None)
            if problems:
                name = f"The key policy of {key.label}"
                yield _document_hit(key.arn, key.account, name, attached.policy, problems, keys=(key.arn,))
    for document in customer_documents(view):
        problems = _problems(document.policy, None)
        # What cannot be read at all may be about KMS.
        if problems and (not document.policy.readable or '"kms:' in document.policy.text.lower()):
            holders = tuple(holder.arn for holder in document.holders)
            yield _document_hit(
                document.arn, document.account, document.name, document.policy, problems, principals=holders
            )


def _document_hit(
    subject: str,
    account: str,
    name: str,
    policy: Policy,
    problems: list[PolicyProblem],
    keys: tuple[str, ...] = (),
    principals: tuple[str, ...] = (),
) -> Hit:
    return Hit(
        subject=subject,
        kind="statement",
        summary=f"{name}: {problems[0].message}",
        account=account,
        keys=keys,
        principals=principals,
        evidence=tuple(Evidence("mistake", problem.message) for problem in problems),
        identity=tuple(f"{problem.code} {problem.element}" for problem in problems),
        remedy=_wrapped(policy, problems),
        advice="Write the document as one object with Version and a list of statements; KMS and IAM refuse the rest.",
    )


def _wrapped(policy: Policy, problems: list[PolicyProblem]) -> str:
    """The document with its elements put right, or a bare statement wrapped in one."""
    try:
        loaded = json.loads(policy.text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(loaded, dict):
        return ""
    if "Effect" in loaded and "Statement" not in loaded:
        return render({"Version": "2012-10-17", "Statement": [loaded]})
    renamed: dict[str, str] = {problem.element: problem.suggestion for problem in problems if problem.suggestion}
    fixed = {renamed.get(str(name), str(name)): value for name, value in loaded.items()}
    return render(fixed) if renamed else ""
