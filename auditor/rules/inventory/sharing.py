"""With whom a resource policy shares what is stored, as far as it says so by itself.

Only what reads or writes the data counts, and only callers that the policy names: other accounts, or everybody of an
organization or account that a condition names. Statements for everybody under other conditions say nothing certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.evaluator.glob import matches
from auditor.model.arn import account_of
from auditor.model.policy import ConditionTest, PrincipalValue, Statement
from auditor.model.resource import Resource

DATA_ACTIONS = {
    "AWS::S3::Bucket": ("s3:getobject", "s3:putobject"),
    "AWS::SQS::Queue": ("sqs:receivemessage", "sqs:sendmessage"),
    "AWS::SNS::Topic": ("sns:publish",),
    "AWS::SecretsManager::Secret": ("secretsmanager:getsecretvalue",),
}
"""What takes the key of the resource, by kind."""
EVERYBODY = PrincipalValue("AWS", "*")
ORGANIZATIONS = ("aws:principalorgid", "aws:principalorgpaths")
ACCOUNTS = ("aws:principalaccount", "aws:principalarn")
EQUAL = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")


def shared_with(resource: Resource) -> tuple[str, ...]:
    """The other accounts and the organizations (ids) that the resource policy lets read or write; sorted."""
    if resource.policy is None:
        return ()
    statements = resource.policy.statements
    stopped = [one for one in statements if one.effect == "Deny" and _for_all(one) and not one.conditions]
    found: set[str] = set()
    for action in DATA_ACTIONS.get(resource.kind, ()):
        if not any(_does(one, action) for one in stopped):
            allowing = (one for one in statements if one.effect == "Allow" and _does(one, action))
            found.update(name for one in allowing for name in _callers(one))
    return tuple(sorted(found - {resource.account}))


def _does(statement: Statement, action: str) -> bool:
    if statement.actions is not None:
        return any(matches(pattern.lower(), action) for pattern in statement.actions)
    return not any(matches(pattern.lower(), action) for pattern in statement.not_actions or ("*",))


def _for_all(statement: Statement) -> bool:
    return EVERYBODY in (statement.principals or ())


def _callers(statement: Statement) -> Iterator[str]:
    if not statement.condition_readable:
        return
    if _for_all(statement):
        yield from _of_conditions(statement.conditions)
    for principal in statement.principals or ():
        account = account_of(principal.value) if principal.kind == "AWS" else None
        if account is not None:
            yield account


def _of_conditions(tests: Iterable[ConditionTest]) -> Iterator[str]:
    """The accounts, or else the organizations, that the caller has to be of."""
    named = [test for test in tests if test.operator.rsplit(":", 1)[-1].lower() in EQUAL]
    accounts = [account_of(value) for test in named if test.key.lower() in ACCOUNTS for value in test.values]
    if accounts and None not in accounts:
        yield from (account for account in accounts if account)
        return
    for test in named:
        if test.key.lower() in ORGANIZATIONS:
            yield from (value.partition("/")[0] for value in test.values)
