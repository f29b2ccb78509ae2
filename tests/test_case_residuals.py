"""The comparison of residual conditions: by meaning, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.cases.comparing import equivalent
from auditor.evaluator.values import ANY, BOOLEAN, KeyValue, RunTime
from auditor.model.residual import AllOf, AnyOf, Leaf, Not, Residual, from_json

VIA = "kms:ViaService"


def leaf(operator: str, key: str, *values: str) -> Leaf:
    return Leaf(operator, key, values)


def both(*items: Residual) -> AllOf:
    return AllOf(items)


def either(*items: Residual) -> AnyOf:
    return AnyOf(items)


A = leaf("StringEquals", VIA, "a")
B = leaf("StringEquals", VIA, "b")
C = leaf("StringEquals", "kms:EncryptionContext:App", "c")
MFA = "aws:MultiFactorAuthPresent"

SAME: list[tuple[Any, Any]] = [
    (None, None),
    (A, A),
    (A, leaf("stringequals", "KMS:viaservice", "a")),
    (both(A, C), both(C, A)),
    (both(A, both(C)), both(A, C)),
    (either(A, B), leaf("StringEquals", VIA, "b", "a")),
    (Not(either(A, C)), both(Not(A), Not(C))),
    (both(A, either(A, C)), A),
    (Not(leaf("StringNotEquals", VIA, "a")), A),
    (Not(A), leaf("StringNotEquals", VIA, "a")),
    (leaf("StringNotEquals", VIA, "a", "b"), both(Not(A), Not(B))),
    (leaf("StringNotEqualsIfExists", VIA, "a"), leaf("StringNotEquals", VIA, "a")),
    (leaf("StringEqualsIfExists", VIA, "a"), either(A, leaf("Null", VIA, "true"))),
    (Not(leaf("Null", VIA, "true")), leaf("Null", VIA, "false")),
    (both(A, leaf("Null", VIA, "false")), A),
    (leaf("StringLike", VIA, "a"), A),
    (leaf("StringLike", "aws:SourceIdentity", "*"), leaf("Null", "aws:SourceIdentity", "false")),
    (Not(leaf("StringLike", VIA, "*.amazonaws.com")), leaf("Null", VIA, "true")),
    (leaf("StringEqualsIgnoreCase", VIA, "A"), leaf("StringEqualsIgnoreCase", VIA, "a")),
    (both(leaf("StringLike", VIA, "s3.*"), leaf("StringEquals", VIA, "s3.x")), leaf("StringEquals", VIA, "s3.x")),
    (Not(leaf("BoolIfExists", MFA, "false")), leaf("Bool", MFA, "true")),
    (leaf("Bool", MFA, "TRUE"), leaf("Bool", MFA, "true")),
    (leaf("ArnEquals", "aws:SourceArn", "arn:*"), leaf("ArnLike", "aws:SourceArn", "arn:*")),
    (
        leaf("ForAllValues:StringNotEquals", "aws:TagKeys", "a"),
        Not(leaf("ForAnyValue:StringEquals", "aws:TagKeys", "a")),
    ),
    (
        leaf("ForAnyValue:StringNotEquals", "aws:TagKeys", "a"),
        Not(leaf("ForAllValues:StringEquals", "aws:TagKeys", "a")),
    ),
    (
        leaf("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", "9"),
        both(
            Not(leaf("NumericLessThan", "aws:MultiFactorAuthAge", "9")),
            leaf("Null", "aws:MultiFactorAuthAge", "false"),
        ),
    ),
    (either(A, leaf("StringNotEquals", VIA, "a")), None),
    (both(leaf("StringLike", VIA, "s3.*"), Not(leaf("StringLike", VIA, "ec2.*"))), leaf("StringLike", VIA, "s3.*")),
    (both(A, leaf("Bool", "aws:ViaAWSService", "true")), A),
    (
        leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", "App=A", "dept=IT"),
        both(
            leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", "Dept=IT"),
            leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", "App=A"),
        ),
    ),
    (
        leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", "App=A", "dept=IT"),
        both(
            leaf("StringEquals", "kms:EncryptionContext:app", "A"),
            leaf("StringEquals", "kms:EncryptionContext:Dept", "IT"),
        ),
    ),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (A, None),
    (A, B),
    (A, Not(A)),
    (A, C),
    (both(A, C), either(A, C)),
    (A, leaf("StringEqualsIfExists", VIA, "a")),
    (A, leaf("StringEqualsIgnoreCase", VIA, "a")),
    (A, leaf("StringEquals", VIA, "A")),
    (leaf("Bool", MFA, "true"), Not(leaf("Bool", MFA, "false"))),
    (leaf("ForAllValues:StringEquals", "aws:TagKeys", "a"), leaf("ForAnyValue:StringEquals", "aws:TagKeys", "a")),
    (leaf("ForAllValues:StringEquals", "aws:TagKeys", "a"), leaf("ForAllValues:StringEquals", "aws:TagKeys", "a", "b")),
    (leaf("NumericGreaterThan", "k", "9"), leaf("NumericGreaterThanEquals", "k", "9")),
    (leaf("NumericGreaterThan", "k", "9"), Not(leaf("NumericLessThanEquals", "k", "9"))),
    (
        leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", "a=1"),
        leaf("GrantEncryptionContextEquals", "kms:EncryptionContext", "a=1"),
    ),
    (leaf("GrantSourceArn", "aws:SourceArn", "x"), leaf("ArnLike", "aws:SourceArn", "x")),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_the_same_meaning(left: Residual | None, right: Residual | None) -> None:
    assert equivalent(left, right)
    assert equivalent(right, left)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_another_meaning(left: Residual | None, right: Residual | None) -> None:
    assert not equivalent(left, right)
    assert not equivalent(right, left)


def test_values_that_exclude_each_other() -> None:
    assert equivalent(both(A, B), both(A, Not(A)))


def test_too_many_keys_are_compared_as_written() -> None:
    leaves = [leaf("StringEquals", f"kms:EncryptionContext:k{n}", "x") for n in range(20)]
    assert equivalent(both(*leaves), both(*reversed(leaves)))
    assert not equivalent(both(*leaves), both(*leaves[1:]))


def test_the_json_form() -> None:
    data = {"any": [{"not": {"cond": {"operator": "Bool", "key": MFA, "values": ["false"]}}}, {"all": []}]}
    assert equivalent(from_json(data), None)


ASSUMED, KIND, ALIAS = "aws:AssumedRoot", "kms:MessageType", "kms:RequestAlias"
OF_REQUESTS: dict[str, KeyValue] = {
    ASSUMED.lower(): BOOLEAN,
    KIND.lower(): RunTime(("DIGEST", "RAW"), may_be_absent=False),
    ALIAS.lower(): RunTime(("alias/a", "alias/b")),
}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Not(leaf("Bool", ASSUMED, "false")), leaf("Bool", ASSUMED, "true")),
        (Not(leaf("StringEquals", KIND, "RAW")), leaf("StringEquals", KIND, "DIGEST")),
        (Not(leaf("StringEqualsIgnoreCase", KIND, "raw")), leaf("StringLike", KIND, "DIG*")),
        (leaf("StringLike", ALIAS, "alias/*"), leaf("Null", ALIAS, "false")),
    ],
)
def test_states_that_no_request_is_in_do_not_tell_trees_apart(left: Residual, right: Residual) -> None:
    assert equivalent(left, right, lambda name: OF_REQUESTS.get(name, ANY))
    assert not equivalent(left, right)


def test_a_key_with_few_values_may_still_be_absent() -> None:
    left, right = Not(leaf("StringEquals", ALIAS, "alias/a")), leaf("StringEquals", ALIAS, "alias/b")
    assert not equivalent(left, right, lambda name: OF_REQUESTS.get(name, ANY))
    assert not equivalent(left, leaf("Null", ALIAS, "true"), lambda name: OF_REQUESTS.get(name, ANY))
