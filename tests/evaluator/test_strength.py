"""The strength of conditions: the examples of each level, and how connectives combine."""

from __future__ import annotations

import pytest

from auditor.evaluator.strength import Owner, Strength, strength
from auditor.model.residual import FALSE, TRUE, AllOf, AnyOf, Leaf, Not, Residual

OWNER = Owner("111111111111", "o-example")
SERVICE = Leaf("StringEquals", "kms:ViaService", ("s3.eu-west-1.amazonaws.com",))
ACCOUNT = Leaf("StringEquals", "kms:CallerAccount", ("111111111111",))
ORGANIZATION = Leaf("StringEquals", "aws:PrincipalOrgID", ("o-example",))
IF_MEMBER = Leaf("StringEqualsIfExists", "aws:PrincipalOrgID", ("o-example",))
THERE = Leaf("Null", "aws:PrincipalOrgID", ("false",))
PRESENT_PATHS = ("Null", "aws:PrincipalOrgPaths", ("false",))
PATHS = Leaf("ForAllValues:StringLike", "aws:PrincipalOrgPaths", ("o-example/*",))
CASES: list[tuple[Residual, Strength]] = [
    (TRUE, Strength.S0),
    (FALSE, Strength.S4),
    (Leaf("Null", "aws:PrincipalAccount", ("false",)), Strength.S0),
    (Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("tenant",)), Strength.S0),
    (Leaf("IpAddress", "aws:SourceIp", ("0.0.0.0/0",)), Strength.S0),
    (Leaf("StringEqualsIfExists", "aws:PrincipalOrgID", ("o-example",)), Strength.S0),
    (Leaf("StringEquals", "aws:UserAgent", ("curl",)), Strength.S1),
    (Leaf("StringLike", "aws:PrincipalOrgID", ("o-*",)), Strength.S1),
    (Leaf("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::*:role/x",)), Strength.S1),
    (SERVICE, Strength.S2),
    (Leaf("IpAddress", "aws:SourceIp", ("192.0.2.0/24",)), Strength.S2),
    (Leaf("Bool", "aws:MultiFactorAuthPresent", ("true",)), Strength.S2),
    (ORGANIZATION, Strength.S3),
    (Leaf("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::222222222222:role/*",)), Strength.S3),
    (Leaf("StringEquals", "kms:CallerAccount", ("222222222222",)), Strength.S3),
    (ACCOUNT, Strength.S4),
    (AllOf((SERVICE, ACCOUNT)), Strength.S4),
    (AnyOf((SERVICE, ACCOUNT)), Strength.S2),
    (Not(Leaf("StringNotEqualsIfExists", "aws:PrincipalOrgID", ("o-example",))), Strength.S3),
    (Not(Leaf("BoolIfExists", "aws:MultiFactorAuthPresent", ("false",))), Strength.S2),
    (Not(Leaf("Bool", "aws:MultiFactorAuthPresent", ("false",))), Strength.S0),
    (Not(SERVICE), Strength.S0),
    (AllOf((IF_MEMBER, THERE)), Strength.S3),
    (AllOf((PATHS, Leaf("Null", "aws:principalorgpaths", ("false",)))), Strength.S3),
    (AllOf((PATHS, Not(Leaf("Null", "aws:PrincipalOrgPaths", ("true",))))), Strength.S3),
    (AllOf((PATHS, THERE)), Strength.S1),
    (AllOf((Leaf("ForAllValues:StringLike", "aws:PrincipalOrgPaths", ("*",)), Leaf(*PRESENT_PATHS))), Strength.S1),
    (AllOf((Leaf("StringNotEquals", "aws:PrincipalOrgID", ("o-other",)), THERE)), Strength.S1),
    (AnyOf((IF_MEMBER, THERE)), Strength.S0),
    (Not(Leaf("ForAnyValue:StringNotLike", "aws:PrincipalOrgPaths", ("o-example/*",))), Strength.S0),
    (Not(Leaf("ForAllValues:StringNotLike", "aws:PrincipalOrgPaths", ("o-example/*",))), Strength.S3),
    (Leaf("IpAddress", "aws:SourceIp", ("0.0.0.0/1", "192.0.2.0/24", "128.0.0.0/1")), Strength.S0),
    (Leaf("IpAddress", "aws:SourceIp", ("0.0.0.0/1", "192.0.2.0/24")), Strength.S2),
    # the weakest of several values counts
    (Leaf("StringEquals", "kms:CallerAccount", ("111111111111", "222222222222")), Strength.S3),
    (Leaf("StringLike", "aws:PrincipalOrgID", ("o-*", "o-example")), Strength.S1),
    (Leaf("StringLike", "aws:PrincipalOrgPaths", ("o-*/r-1/*",)), Strength.S1),
    (Leaf("StringLike", "aws:PrincipalOrgPaths", ("o-example/r-1/ou-*",)), Strength.S3),
    (Leaf("StringEqualsIfExists", "kms:CallerAccount", ("111111111111",)), Strength.S4),
    (Leaf("StringLike", "kms:CallerAccount", ("1111*",)), Strength.S1),
    (Leaf("StringNotEquals", "kms:CallerAccount", ("222222222222",)), Strength.S0),
    (Leaf("StringNotEquals", "aws:RequestedRegion", ("eu-west-1",)), Strength.S1),
    (Leaf("NotIpAddress", "aws:SourceIp", ("192.0.2.0/24",)), Strength.S0),
    (
        Leaf("StringEquals", "aws:PrincipalArn", ("arn:aws:iam::222222222222:role/${aws:PrincipalTag/team}",)),
        Strength.S1,
    ),
    (Leaf("StringLike", "aws:PrincipalArn", ("*",)), Strength.S0),
    (Leaf("StringEquals", "aws:PrincipalTag/team", ("blue",)), Strength.S1),
    (Leaf("StringLike", "aws:userid", ("AROAEXAMPLE123456789:*",)), Strength.S3),
    (Leaf("StringLike", "aws:userid", ("*:nightly",)), Strength.S1),
    (Leaf("StringEquals", "aws:username", ("ann",)), Strength.S3),
    (Leaf("StringLike", "aws:username", ("a*",)), Strength.S1),
    (Leaf("ArnLike", "aws:SourceArn", ("arn:aws:s3:::orders",)), Strength.S3),
    (Leaf("ArnLike", "aws:SourceArn", ("arn:aws:s3:::*",)), Strength.S1),
    (Leaf("StringEquals", "aws:SourceAccount", ("222222222222",)), Strength.S3),
    (Leaf("StringEquals", "aws:VpceAccount", ("111111111111",)), Strength.S3),
    (Leaf("StringEquals", "aws:SourceVpce", ("vpce-1",)), Strength.S2),
    (Leaf("IpAddress", "aws:VpcSourceIp", ("0.0.0.0/0",)), Strength.S0),
    (Leaf("StringEquals", "kms:EncryptionContext:app", ("shop",)), Strength.S2),
    (Leaf("StringLike", "kms:EncryptionContext:app", ("shop-*",)), Strength.S1),
    (Leaf("StringLike", "kms:ViaService", ("?*",)), Strength.S0),
    (Leaf("StringEqualsIgnoreCase", "kms:RecipientAttestation:ImageSha384", ("abc",)), Strength.S2),
    (Leaf("Null", "kms:RecipientAttestation:ImageSha384", ("false",)), Strength.S2),
    (Leaf("Null", "kms:RecipientAttestation:ImageSha384", ("true",)), Strength.S0),
    (Leaf("Null", "aws:PrincipalTag/team", ("false",)), Strength.S1),
    (Not(Leaf("Null", "aws:SourceVpce", ("true",))), Strength.S2),
    (Leaf("Bool", "aws:SecureTransport", ("true",)), Strength.S0),
    (Leaf("StringResembles", "aws:PrincipalOrgID", ("o-example",)), Strength.S0),
    (Leaf("Unsettled", "tags", ()), Strength.S2),
    (Not(AllOf((SERVICE, ACCOUNT))), Strength.S1),
]


@pytest.mark.parametrize(("residual", "expected"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_levels(residual: Residual, expected: Strength) -> None:
    assert strength(residual, OWNER) is expected
