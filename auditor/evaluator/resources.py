"""Whether a statement's Resource or NotResource reaches a key, or the alias part of an alias action.

An alias ARN never stands for a key.
Source: IAM user guide, policy elements: Resource; KMS developer guide, alias access.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.evaluator import glob
from auditor.evaluator.conditions import test_outcome
from auditor.evaluator.expressions import any_of, negate, unsettled
from auditor.evaluator.facts import Question
from auditor.evaluator.statements import Compiled, covers_everything
from auditor.evaluator.variables import VARIABLE, resolve
from auditor.model.arn import parse_arn
from auditor.model.key import Fact, Key
from auditor.model.policy import ConditionTest
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

Test = Callable[[str], Residual]
RESOURCE = "the key's ARN"
"""Pseudo condition key of a Resource that holds a variable only a request can fill in."""


def key_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement's resource element covers the key (or, for an action without a key, everything)."""
    if question.action.on_key:
        return _element(compiled, question, lambda pattern: TRUE if glob.matches(pattern, question.key.arn) else FALSE)
    return _element(compiled, question, lambda pattern: _everything(pattern, compiled, question))


def _everything(pattern: str, compiled: Compiled, question: Question) -> Residual:
    """Whether a pattern covers an action without a key. That account-wide patterns do is contested:
    an allow counts whole, but of a pattern for one Region no reading denies, or exempts, what is done in others."""
    caller = parse_arn(question.principal.iam_arn)
    if not covers_everything(pattern, question.principal.account, caller.partition if caller else glob.NAME_RUN):
        return FALSE
    parts = pattern.split(":")
    region = parts[3] if len(parts) > 3 and parts[2] == "kms" else "*"
    if set(region) == {"*"} or (compiled.allows and compiled.statement.resources is not None):
        return TRUE
    operator = "StringLike" if glob.has_wildcard(region) else "StringEquals"
    test = ConditionTest(operator, "aws:RequestedRegion", (region,))
    return test_outcome(test, compiled.statement.effect or "", question, has_variables=False, source=compiled.ref)


def some_alias_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement covers at least one alias that the action could be about."""
    return _element(compiled, question, lambda pattern: _aliases(pattern, question, any))


def every_alias_reached(compiled: Compiled, question: Question) -> Residual:
    """Whether the statement covers every alias that the action could be about."""
    return _element(compiled, question, lambda pattern: _aliases(pattern, question, all))


def changeable_aliases(key: Key) -> list[str]:
    """The aliases of the key that an alias action can be about: those of AWS are not."""
    return [alias.name for alias in key.aliases if not alias.name.startswith("alias/aws/")]


def _aliases(pattern: str, question: Question, how_many: Callable[[list[bool]], bool]) -> Residual:
    """Existing aliases for DeleteAlias and UpdateAlias (any name where the key has none), any name for CreateAlias."""
    key = question.key
    prefix = f"arn:{key.partition}:kms:{key.region}:{key.account}:"
    some, every = glob.overlap(pattern, f"{prefix}alias/{glob.NAME_RUN}"), glob.matches(pattern, f"{prefix}alias/\x00")
    if some == every:
        return TRUE if some else FALSE
    if question.action.short != "CreateAlias":
        if Fact.ALIASES in key.unread:
            return unsettled(str(Fact.ALIASES), f"{how_many.__name__} {pattern}")
        names = changeable_aliases(key)
        if names:
            return TRUE if how_many([glob.matches(pattern, prefix + name) for name in names]) else FALSE
    return TRUE if (some if how_many is any else every) else FALSE


def _element(compiled: Compiled, question: Question, test: Test) -> Residual:
    statement = compiled.statement
    if statement.resources is not None:
        return any_of(_pattern(text, compiled, question, test) for text in statement.resources)
    inside = any_of(_pattern(text, compiled, question, test) for text in statement.not_resources or ())
    return negate(inside)


def _pattern(text: str, compiled: Compiled, question: Question, test: Test) -> Residual:
    if not compiled.has_variables or "${" not in text:
        return test(text)
    resolved = resolve(text, question.value)
    if resolved.unsettled is not None:
        return unsettled(resolved.unsettled, text)
    if resolved.text is None:
        return FALSE
    if resolved.open:
        if test(VARIABLE.sub("*", resolved.text)) == FALSE:
            return FALSE  # whatever the request fills in
        return Leaf("StringLike", RESOURCE, (resolved.text,), compiled.ref)
    return test(resolved.text)
