"""With whom a resource policy shares what is stored, as far as it says so by itself.

Only what reads or writes the data counts, and only callers that the policy names: other accounts, or everybody of an
organization or account that a condition names. Statements for everybody under other conditions say nothing certain.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.evaluator.glob import has_wildcard, matches
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


def _callers(statement: Statement) -> set[str]:
    if not statement.condition_readable:
        return set()
    named = [test for test in statement.conditions if test.operator.rsplit(":", 1)[-1].lower() in EQUAL]
    demanded = _accounts_of(named)
    if _for_all(statement):
        return _organizations_of(named) if demanded is None else demanded
    principals = (account_of(one.value) for one in statement.principals or () if one.kind == "AWS")
    found = {account for account in principals if account is not None}
    return found if demanded is None else found & demanded


def _accounts_of(tests: Iterable[ConditionTest]) -> set[str] | None:
    """The accounts that the caller has to be of; None where no test names some."""
    found: set[str] | None = None
    for test in tests:
        accounts = {account_of(value) for value in test.values} if test.key.lower() in ACCOUNTS else {None}
        if None not in accounts:
            demanded = {account for account in accounts if account}
            found = demanded if found is None else found & demanded
    return found


def _organizations_of(tests: Iterable[ConditionTest]) -> set[str]:
    """The organizations that the caller may be of, by tests that name them."""
    values = {value.partition("/")[0] for test in tests if test.key.lower() in ORGANIZATIONS for value in test.values}
    return {value for value in values if not has_wildcard(value)}
