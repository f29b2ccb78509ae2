"""Callers and keys that are almost alike: the bulk engine must not answer for one of them with the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.evaluator import evaluate
from auditor.model.actions import ACTIONS
from auditor.model.grant import Grant
from auditor.model.key import Alias, Fact, Key
from auditor.model.organization import Organization
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import AccountFacts, Snapshot
from tests.evaluator.organizations import HOME, MANAGER, PEER, attached

EVERYTHING = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
DELEGATION = {**EVERYTHING, "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}}
DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}


def role(name: str, team: str | None, *statements: dict[str, Any]) -> Principal:
    arn = f"arn:aws:iam::{HOME}:role/{name}"
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=HOME,
        name=name,
        tags=(("team", team),) if team else (),
        trust_policy=parse_policy({"Statement": []}),
        identity_policies=(attached(Layer.IDENTITY, "p", arn, list(statements)),) if statements else (),
    )


def user(name: str) -> Principal:
    arn = f"arn:aws:iam::{HOME}:user/{name}"
    return Principal(kind=PrincipalKind.USER, arn=arn, iam_arn=arn, account=HOME, name=name)


def key(name: str, *aliases: str, policy: AttachedPolicy | None = None, grants: tuple[Grant, ...] = ()) -> Key:
    arn = f"arn:aws:kms:eu-west-1:{HOME}:key/{name}"
    return Key(
        arn=arn,
        key_id=name,
        account=HOME,
        region="eu-west-1",
        aliases=tuple(Alias(alias, "") for alias in aliases),
        tags=(("team", "blue"),),
        policies=(policy or attached(Layer.KEY_POLICY, "default", arn, [DELEGATION]),),
        grants=grants,
    )


def own_tag(test: dict[str, Any]) -> dict[str, Any]:
    return {**DECRYPT, "Condition": {**test, "StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}


ONE_TEAM = {**DECRYPT, "Condition": {"ForAllValues:StringEquals": {"aws:PrincipalTag/team": "blue"}}}
FOR_ALL = attached(Layer.KEY_POLICY, "default", "k", [{**ONE_TEAM, "Principal": "*"}])
ALIASES_A = f"arn:aws:kms:*:{HOME}:alias/a*"
KEEP = {"Effect": "Deny", "Action": "kms:DeleteAlias", "Resource": ALIASES_A}
DELETE = {"Effect": "Allow", "Action": "kms:DeleteAlias", "Resource": [ALIASES_A, f"arn:aws:kms:*:{HOME}:key/*"]}
BLUE_CALLER = {**DECRYPT, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}
FOR_EVERYBODY = {**EVERYTHING, "Principal": "*"}
BOUNDED_ALONE = {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
OF_ACCOUNTS = [
    FOR_EVERYBODY,
    {**FOR_EVERYBODY, "Condition": {"StringEquals": {"aws:PrincipalAccount": HOME}}},
    {**FOR_EVERYBODY, "Condition": {"StringNotEquals": {"aws:PrincipalType": "Account"}}},
]
BOB = Principal(
    kind=PrincipalKind.FEDERATED_USER,
    arn=f"arn:aws:sts::{HOME}:federated-user/bob",
    iam_arn=f"arn:aws:iam::{HOME}:user/alice",
    account=HOME,
    name="bob",
)
OF_NAMES = [
    {
        **FOR_EVERYBODY,
        "Condition": {operator: {"aws:PrincipalArn": [f"arn:aws:iam::{HOME}:role/a", f"arn:aws:iam::{PEER}:role/b*"]}},
    }
    for operator in ("ArnLike", "ArnNotLike", "StringLike", "StringNotEquals")
]
BUCKETS = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
OF_BUCKETS = attached(Layer.SESSION, "s", "session", [BUCKETS])
BROKEN = AttachedPolicy(Layer.IDENTITY, "p", "broken", parse_policy("[]"))
TESTED = own_tag({"StringLike": {"aws:PrincipalTag/team": "b*"}})
BOTH_FORMS = {
    **DECRYPT,
    "Condition": {
        "StringLike": {"aws:PrincipalTag/team": "b*"},
        "StringEquals": {"aws:PrincipalTag/team": ["${aws:ResourceTag/team}"]},
    },
}
LIMITED = {**EVERYTHING, "Condition": {"ForAllValues:StringLike": {"kms:ResourceAliases": "alias/a*"}}}
OF_CONTEXT = {
    **EVERYTHING,
    "Principal": "*",
    "Condition": {"StringEquals": {"kms:EncryptionContext:team": ["red", "${aws:PrincipalTag/team}"]}},
}
OF_RESOURCE = {**DECRYPT, "Principal": "*", "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/team}*"}
OF_THE_SESSION = [
    {**EVERYTHING, "Principal": "*", "Condition": test}
    for test in (
        {"Null": {"aws:TokenIssueTime": "true"}},
        {"StringEquals": {"aws:FederatedProvider": "token.actions.githubusercontent.com"}},
        {"StringNotEquals": {"aws:Ec2InstanceSourceVpc": "vpc-1"}},
    )
]
FOR_SOURCE = Grant(
    grant_id="g",
    key_arn=key("1").arn,
    grantee=f"arn:aws:iam::{HOME}:role/a",
    operations=("DescribeKey", "RetireGrant"),
    source_arn="arn:aws:s3:::bucket",
)
FOR_CONTEXT = replace(
    FOR_SOURCE, operations=("Decrypt", "DescribeKey", "RetireGrant"), source_arn=None, context_equals=(("app", "shop"),)
)

BY_SUBSET = replace(FOR_CONTEXT, context_equals=None, context_subset=(("app", "shop"),))
BEYOND_GRANTS = replace(FOR_SOURCE, operations=("Decrypt", "PutKeyPolicy", "ScheduleKeyDeletion"), source_arn=None)


def bounded(principal: Principal, *statements: dict[str, Any]) -> Principal:
    return replace(principal, boundary=attached(Layer.BOUNDARY, "limit", principal.arn, list(statements)))


def with_policy(principal: Principal, name: str, owner: str) -> Principal:
    return replace(principal, identity_policies=(attached(Layer.IDENTITY, name, owner, [EVERYTHING]),))


def in_account(account: str, principal: Principal) -> Principal:
    arn = principal.arn.replace(HOME, account)
    own = tuple(replace(policy, owner=arn) for policy in principal.identity_policies)
    return replace(principal, arn=arn, iam_arn=arn, account=account, identity_policies=own)


def in_key_policy(statement: dict[str, Any]) -> AttachedPolicy:
    return attached(Layer.KEY_POLICY, "default", "k", [statement])


@pytest.mark.parametrize(
    ("principals", "keys"),
    [
        pytest.param([role("a", "brown", TESTED), role("b", "blue", TESTED)], [key("1")], id="tag tested and inserted"),
        pytest.param(
            [role("a", "brown", BOTH_FORMS), role("b", "blue", BOTH_FORMS)], [key("1")], id="tag tested twice"
        ),
        pytest.param([role("a", "blue", ONE_TEAM), role("b", None, ONE_TEAM)], [key("1")], id="ForAllValues, no tag"),
        pytest.param([role("a", "blue"), role("b", None)], [key("1", policy=FOR_ALL)], id="the same in a key policy"),
        pytest.param(
            [role("a", None, EVERYTHING, KEEP)], [key("1", "alias/aws/s3"), key("2", "alias/ab")], id="Deny on aliases"
        ),
        pytest.param(
            [role("a", None, DELETE)],
            [key("1", "alias/aws/s3", "alias/b"), key("2", "alias/ab", "alias/b")],
            id="Allow on aliases",
        ),
        pytest.param(
            [role("a", None, LIMITED)],
            [key("1"), key("2", "alias/a"), key("3", *(f"alias/a{n}" for n in range(60))), key("4", "alias/b")],
            id="ForAllValues, no alias or too many",
        ),
        pytest.param(
            [role("a", "brown"), role("b", "blue")],
            [key("1", policy=in_key_policy(OF_CONTEXT))],
            id="tag inserted into a test that most actions never meet",
        ),
        pytest.param(
            [role("a", "brown"), role("b", "blue")],
            [key("blue-1", policy=in_key_policy(OF_RESOURCE))],
            id="tag inserted into the Resource of a key policy",
        ),
        pytest.param(
            [role("a", None, {**EVERYTHING, "Resource": f"arn:aws:kms:*:{HOME}:key/a*"})],
            [key("a1"), key("b1")],
            id="a pattern that names an account",
        ),
        pytest.param(
            [role("a", None), user("b")],
            [key(str(number), policy=in_key_policy(statement)) for number, statement in enumerate(OF_THE_SESSION)],
            id="keys of the session that the kind of the caller settles",
        ),
        pytest.param(
            [bounded(role("a", None, EVERYTHING), DECRYPT), bounded(role("b", None, EVERYTHING), EVERYTHING)],
            [key("1")],
            id="equal but for what their boundaries say",
        ),
        pytest.param(
            [bounded(role("a", None, EVERYTHING), BLUE_CALLER), bounded(role("b", None, EVERYTHING), BLUE_CALLER)],
            [key("1")],
            id="equal, within equal boundaries",
        ),
        pytest.param(
            [bounded(role("a", "blue", EVERYTHING), BLUE_CALLER), bounded(role("b", "red", EVERYTHING), BLUE_CALLER)],
            [key("1")],
            id="a tag that the boundary alone asks for",
        ),
        pytest.param(
            [with_policy(user(name), "p", f"arn:aws:iam::{HOME}:group/{name}") for name in ("a", "b")],
            [key("1")],
            id="equal policies of two groups: each is cited as its group's",
        ),
        pytest.param(
            [with_policy(user(name), name, f"arn:aws:iam::{HOME}:user/{name}") for name in ("a", "b")],
            [key("1")],
            id="equal policies by two names",
        ),
        pytest.param(
            [replace(role("a", None, DECRYPT), unread=frozenset({Fact.IDENTITY_POLICY})), role("b", None, DECRYPT)],
            [key("1")],
            id="one of two has policies that could not be read",
        ),
        pytest.param(
            [replace(role("a", None, DECRYPT), unread=frozenset({Fact.BOUNDARY})), role("b", None, DECRYPT)],
            [key("1")],
            id="one of two has a boundary that could not be read",
        ),
        pytest.param(
            [replace(role("a", None, DECRYPT), unread=frozenset({Fact.IDENTITIES})), role("b", None, DECRYPT)],
            [key("1")],
            id="one of two was not collected",
        ),
        pytest.param(
            [replace(role("a", None, EVERYTHING), session_policies=(OF_BUCKETS,)), role("b", None, EVERYTHING)],
            [key("1")],
            id="one of two has a session policy without KMS",
        ),
        pytest.param(
            [replace(role("a", None), identity_policies=(BROKEN,)), role("b", None)],
            [key("1")],
            id="one of two has a policy that is none",
        ),
        pytest.param(
            [bounded(role("a", None), EVERYTHING), role("b", None)],
            [key("1", policy=attached(Layer.KEY_POLICY, "default", "k", [FOR_EVERYBODY, BOUNDED_ALONE]))],
            id="a NotPrincipal that spares everybody without a boundary",
        ),
        pytest.param(
            [in_account(account, role("a", None, EVERYTHING)) for account in (HOME, PEER)],
            [key(str(number), policy=in_key_policy(one)) for number, one in enumerate(OF_ACCOUNTS)],
            id="keys that see more and less of the same accounts",
        ),
        pytest.param(
            [*(in_account(account, role(name, None)) for account in (HOME, PEER, MANAGER) for name in ("a", "b")), BOB],
            [key(str(number), policy=in_key_policy(one)) for number, one in enumerate(OF_NAMES)],
            id="names of callers in two of three accounts",
        ),
        pytest.param([role("a", None)], [key("1", grants=(FOR_SOURCE,))], id="SourceArn binds one operation of two"),
        pytest.param([role("a", None)], [key("1", grants=(FOR_CONTEXT,))], id="a context binds one operation of three"),
        pytest.param([role("a", None)], [key("1", grants=(BY_SUBSET,))], id="a part of the context binds one of three"),
        pytest.param([role("a", None)], [key("1", grants=(BEYOND_GRANTS,))], id="operations that no grant can have"),
        pytest.param([role("a", None)], [replace(key("1"), unread=frozenset({Fact.GRANTS}))], id="grants unread"),
    ],
)
def test_the_table_equals_asking_one_by_one(principals: list[Principal], keys: list[Key]) -> None:
    equal_one_by_one(principals, keys, None)


def equal_one_by_one(principals: list[Principal], keys: list[Key], organization: Organization | None) -> None:
    snapshot = Snapshot(
        accounts=(AccountFacts(id=HOME),), keys=tuple(keys), principals=tuple(principals), organization=organization
    )
    evaluation = evaluate(snapshot, as_of="2026-11-24T00:00:00Z")
    for row, principal in enumerate(evaluation.principals):
        for column, asked in enumerate(keys):
            for action in ACTIONS:
                if action.on_key:
                    single = evaluation.decide(principal, asked, action.name)
                    assert evaluation.table.decision(row, column, action) == single, (principal.name, action.name)
