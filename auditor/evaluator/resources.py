"""Whether a statement's Resource or NotResource reaches a key, or the alias part of an alias action.

Source: kms-authorization.md sections 3, 4 and 6. An alias ARN never stands for a key.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.evaluator import glob
from auditor.evaluator.expressions import any_of, negate, unsettled
from auditor.evaluator.facts import Question
from auditor.evaluator.statements import Compiled, covers_everything
from auditor.evaluator.variables import resolve
from auditor.model.arn import parse_arn
from auditor.model.key import Fact
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

Test = Callable[[str], bool]
RESOURCE = "the key's ARN"
"""Pseudo condition key of a Resource that holds a variable only a request can fill in."""


def key_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement's resource element covers the key (or, for an action without a key, everything)."""
    return _element(compiled, question, lambda pattern: _reaches(pattern, question))


def _reaches(pattern: str, question: Question) -> bool:
    if question.action.on_key:
        return glob.matches(pattern, question.key.arn)
    return covers_everything(pattern, question.principal.account)


def some_alias_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement covers at least one alias that the action could be about."""
    return _element(compiled, question, lambda pattern: any(_candidates(pattern, question)))


def every_alias_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement covers every alias that the action could be about."""
    return _element(compiled, question, lambda pattern: all(_candidates(pattern, question, everything=True)))


def _candidates(pattern: str, question: Question, *, everything: bool = False) -> list[bool]:
    key = question.key
    arn = parse_arn(key.arn)
    prefix = f"arn:{arn.partition if arn else 'aws'}:kms:{key.region}:{key.account}:"
    names = [alias.name for alias in key.aliases if not alias.name.startswith("alias/aws/")]
    if question.action.short != "CreateAlias" and names and Fact.ALIASES not in key.unread:
        return [glob.matches(pattern, prefix + name) for name in names]
    if everything:
        return [glob.matches(pattern, f"{prefix}alias/\x00")]
    return [glob.overlap(pattern, f"{prefix}alias/*")]


def _element(compiled: Compiled, question: Question, test: Test) -> Residual:
    statement = compiled.statement
    if statement.resources is not None:
        return any_of(_pattern(text, compiled, question, test) for text in statement.resources)
    inside = any_of(_pattern(text, compiled, question, test) for text in statement.not_resources or ())
    return negate(inside)


def _pattern(text: str, compiled: Compiled, question: Question, test: Test) -> Residual:
    if not compiled.has_variables or "${" not in text:
        return TRUE if test(text) else FALSE
    resolved = resolve(text, question.value)
    if resolved.unsettled is not None:
        return unsettled(resolved.unsettled)
    if resolved.text is None:
        return FALSE
    if resolved.open:
        return Leaf("StringLike", RESOURCE, (resolved.text,), compiled.ref)
    return TRUE if test(resolved.text) else FALSE
