"""Tests of different condition keys that tell one fact, or facts that follow from each other in every request."""

from __future__ import annotations

import pytest

from auditor.evaluator.expressions import all_of, any_of, negate
from auditor.evaluator.simplify import simplify
from auditor.evaluator.words import in_words
from auditor.model.residual import FALSE, TRUE, AllOf, Leaf, Residual


def there(key: str) -> Leaf:
    return Leaf("Null", key, ("false",))


FOLLOWING = [
    (Leaf("StringEquals", "kms:GrantConstraintType", ("EncryptionContextSubset",)), there("kms:EncryptionContextKeys")),
    (Leaf("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("App",)), there("kms:GrantConstraintType")),
    (
        Leaf("NumericLessThan", "kms:ValidTo", ("1900000000",)),
        Leaf("StringNotEquals", "kms:ExpirationModel", ("KEY_MATERIAL_DOES_NOT_EXPIRE",)),
    ),
    (
        Leaf("NumericLessThan", "aws:MultiFactorAuthAge", ("300",)),
        Leaf("Bool", "aws:MultiFactorAuthPresent", ("true",)),
    ),
    (Leaf("StringEquals", "kms:MultiRegionKeyType", ("REPLICA",)), Leaf("Bool", "kms:MultiRegion", ("true",))),
    (Leaf("StringEquals", "aws:SourceOrgID", ("o-example",)), there("aws:SourceAccount")),
    (Leaf("StringEquals", "kms:EncryptionContext:app", ("x",)), there("kms:EncryptionContextKeys")),
    (Leaf("StringEquals", "kms:EncryptionContext:app", ("x",)), there("kms:GrantConstraintType")),
    (
        Leaf("StringEquals", "kms:EncryptionContext:app", ("x",)),
        Leaf("ForAnyValue:StringEqualsIgnoreCase", "kms:EncryptionContextKeys", ("App",)),
    ),
    (Leaf("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("App",)), there("kms:EncryptionContext:app")),
    (
        Leaf("StringEquals", "aws:RequestTag/team", ("blue",)),
        Leaf("ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", ("Team",)),
    ),
    (
        Leaf("StringEquals", "aws:CalledViaLast", ("s3.amazonaws.com",)),
        Leaf("ForAnyValue:StringEquals", "aws:CalledVia", ("s3.amazonaws.com",)),
    ),
    (
        Leaf("StringEquals", "kms:CallerAccount", ("111122223333",)),
        Leaf("StringLike", "aws:PrincipalAccount", ("1111*",)),
    ),
    (
        Leaf("StringEquals", "aws:PrincipalAccount", ("111122223333",)),
        Leaf("StringLike", "kms:CallerAccount", ("1111*",)),
    ),
    (
        Leaf("DateLessThan", "aws:CurrentTime", ("2026-01-01",)),
        Leaf("NumericLessThan", "aws:EpochTime", ("1800000000",)),
    ),
    (
        Leaf("NumericLessThan", "aws:EpochTime", ("1700000000",)),
        Leaf("DateLessThan", "aws:CurrentTime", ("2026-01-01",)),
    ),
]
"""A test and one that every request meets which meets it."""


@pytest.mark.parametrize(("test", "following"), FOLLOWING, ids=[f"{one.key} {two.key}" for one, two in FOLLOWING])
def test_what_follows_from_a_test_of_another_key_is_not_said_twice(test: Leaf, following: Leaf) -> None:
    assert simplify(all_of([test, following])) == test
    assert simplify(all_of([test, negate(following)])) == FALSE
    assert simplify(any_of([negate(test), following])) == TRUE


APART = [
    (Leaf("StringEquals", "kms:RequestAlias", ("alias/app",)), Leaf("Bool", "aws:ViaAWSService", ("false",))),
    (Leaf("StringEquals", "aws:RequestTag/team", ("blue",)), negate(there("kms:EncryptionContextKeys"))),
    (
        Leaf("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("App", "Dept")),
        negate(there("kms:EncryptionContext:App")),
    ),
    (Leaf("StringLike", "sts:RoleSessionName", ("ci-*",)), Leaf("StringLike", "aws:userid", ("*:ci-7",))),
    (
        Leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", ("app=x=y",)),
        Leaf("StringEquals", "kms:EncryptionContext:app", ("x=y",)),
    ),
    (Leaf("Bool", "kms:GrantIsForAWSResource", ("false",)), Leaf("Bool", "aws:ViaAWSService", ("false",))),
    (
        Leaf("StringEquals", "aws:SourceVpce", ("vpce-1",)),
        Leaf("ForAllValues:StringEquals", "aws:CalledVia", ("athena.amazonaws.com",)),
    ),
    (
        Leaf("StringEquals", "aws:CalledViaLast", ("s3.amazonaws.com",)),
        Leaf("ForAnyValue:StringEquals", "aws:CalledVia", ("athena.amazonaws.com",)),
    ),
]
"""Tests of two keys that some request meets."""


@pytest.mark.parametrize(("test", "other"), APART, ids=[in_words(all_of(pair)) for pair in APART])
def test_nothing_follows_of_a_key_that_tells_another_fact(test: Leaf, other: Residual) -> None:
    simplified = simplify(all_of([test, other]))
    assert isinstance(simplified, AllOf)
    assert set(simplified.items) == {test, other}


def test_a_grant_with_a_constraint_on_the_context_is_used_with_one() -> None:
    subset = Leaf("GrantEncryptionContextSubset", "kms:EncryptionContext", ("app=x",))
    assert simplify(all_of([subset, negate(there("kms:EncryptionContextKeys"))])) == FALSE


def test_a_context_key_in_any_case_is_one_of_a_pair() -> None:
    named = Leaf("ForAnyValue:StringEqualsIgnoreCase", "kms:EncryptionContextKeys", ("APP",))
    assert simplify(all_of([named, negate(there("kms:EncryptionContext:app"))])) == FALSE
