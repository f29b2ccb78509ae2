"""Random policy documents for the second reading: elements and conditions that touch each other often."""

from __future__ import annotations

from random import Random
from typing import Any

HOME, OTHER, OUTSIDE, MANAGEMENT = "111122223333", "444455556666", "777788889999", "999900001111"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
S3, EC2 = "s3.us-west-2.amazonaws.com", "ec2.us-west-2.amazonaws.com"
LOGS = "logs.us-west-2.amazonaws.com"
LINKED = "role/aws-service-role/example.amazonaws.com/Linked"
Data = dict[str, Any]

CONDITIONS: list[Data] = [
    {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}},
    {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg1"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    },
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorg1/r-ex01/ou-ex01-a*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App"}},
    {"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::{HOME}:role/*", f"arn:aws:iam::{OTHER}:user/*"]}},
    {"StringEquals": {"kms:CallerAccount": [HOME, OTHER]}},
    {"StringNotEquals": {"KMS:CallerAccount": HOME}},
    {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
    {"StringEquals": {"aws:username": "alice"}},
    {"StringNotEquals": {"aws:username": "alice"}},
    {"StringEquals": {"aws:PrincipalType": ["User", "AssumedRole"]}},
    {"StringLike": {"aws:userid": "*:s1"}},
    {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/Team, 'blue'}"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "blue"}},
    {"StringEquals": {"aws:ResourceAccount": HOME}},
    {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "o-exampleorg1"}},
    {"StringEquals": {"aws:RequestedRegion": "us-west-2"}},
    {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
    {"StringEquals": {"kms:KeyUsage": "SIGN_VERIFY"}},
    {"Bool": {"kms:MultiRegion": True}},
    {"StringNotEquals": {"kms:MultiRegionKeyType": "REPLICA"}},
    {"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
    {"StringEquals": {"kms:ViaService": S3}},
    {"StringNotEquals": {"kms:ViaService": S3}},
    {"StringEqualsIfExists": {"kms:viaservice": [S3, EC2]}},
    {"Null": {"kms:ViaService": "true"}},
    {"StringEquals": {"kms:EncryptionContext:App": "x"}},
    {"StringLike": {"kms:EncryptionContext:app": "x*"}},
    {"StringNotLike": {"kms:EncryptionContext:APP": "y*"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["App", "Dept"]}},
    {"ForAnyValue:StringEqualsIgnoreCase": {"kms:EncryptionContextKeys": ["dept"]}},
    {"ForAnyValue:StringNotEquals": {"kms:EncryptionContextKeys": ["App"]}},
    {"Null": {"kms:EncryptionContextKeys": False}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"Bool": {"aws:MultiFactorAuthPresent": True}},
    {"StringEquals": {"kms:RequestAlias": "alias/app"}},
    {"StringLike": {"kms:RequestAlias": "alias/*"}},
    {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "Encrypt"]}},
    {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/25", "198.51.100.0/24"]}},
    {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
    {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
    {"StringNotEqualsIfExists": {"aws:VpceAccount": HOME}},
    {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}},
    {"Null": {"aws:MultiFactorAuthAge": True}},
    {"StringEquals": {"aws:CalledViaLast": "s3.amazonaws.com"}},
    {"Null": {"aws:CalledVia": "true"}},
    {"StringNotEquals": {"kms:RequestAlias": "alias/app"}},
    {"Null": {"kms:RequestAlias": "false"}},
    {"StringNotEquals": {"kms:EncryptionContext:App": "x"}},
    {"ForAllValues:StringNotEquals": {"kms:EncryptionContextKeys": ["Dept"]}},
    {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}},
    {"StringEquals": {"kms:GranteePrincipal": f"arn:aws:iam::{HOME}:role/Job"}},
    {"StringNotEqualsIfExists": {"kms:GranteePrincipal": f"arn:aws:iam::{HOME}:role/Job"}},
    {"Null": {"kms:GranteeServicePrincipal": "true"}},
    {"StringEquals": {"kms:ViaService": ["s3.*.amazonaws.com", EC2]}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-*"}},
    {"StringNotEqualsIgnoreCase": {"kms:EncryptionContext:App": "X"}},
    {"StringEqualsIgnoreCase": {"kms:EncryptionContext:App": ["x", "yz"]}},
    {"StringEquals": {"aws:SourceIdentity": "ann"}},
    {"Null": {"aws:PrincipalTag/team": "true"}},
]
OF_IDENTITY: list[Data] = [
    {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    {"StringNotEquals": {"aws:ResourceTag/Team": "red"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
    {"ForAllValues:StringLike": {"kms:ResourceAliases": "alias/b*"}},
]
"""In key policies, and so in these documents of RCPs, their effect is not documented."""
ACTIONS = ["kms:*", "kms:*", "kms:*", "*", "kms:Decrypt", ["kms:D*", "kms:CreateGrant"], ["KMS:decrypt", "kms:List*"]]
ACTIONS += ["kms:GenerateDataKey*", ["kms:*Grant*", "kms:C*"], "kms:*Alias", "s3:*"]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"AWS": HOME},
    {"AWS": f"arn:aws:iam::{HOME}:root"},
    {"AWS": f"arn:aws:iam::{OTHER}:root"},
    {"AWS": [OUTSIDE, OTHER]},
    {"AWS": [f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{OTHER}:role/App"]},
    {"AWS": [f"arn:aws:iam::{HOME}:user/alice", f"arn:aws:iam::{OTHER}:user/alice"]},
    {"AWS": [f"arn:aws:sts::{HOME}:assumed-role/App/s1", f"arn:aws:sts::{OTHER}:assumed-role/App/s1"]},
    {"AWS": f"arn:aws:sts::{HOME}:federated-user/bob"},
    {"AWS": f"arn:aws:iam::{HOME}:{LINKED}"},
    {"AWS": "AROAOLDROLEEXAMPLE01"},
    {"Service": LOGS},
]


def document(random: Random, layer: str, statements: int, denies: float) -> Data:
    """A document of ``layer``: key, identity (also for boundaries and session policies), scp or rcp."""
    made = [statement(random, layer, deny=random.random() < denies) for _ in range(statements)]
    return {"Version": "2012-10-17", "Statement": made}


def statement(random: Random, layer: str, *, deny: bool) -> Data:
    made: Data = {"Effect": "Deny" if deny else "Allow"}
    if layer != "rcp" and random.random() < 0.1:
        made["NotAction"] = random.choice(["s3:*", "kms:Decrypt", ["kms:List*", "kms:DescribeKey"]])
    else:
        made["Action"] = random.choice(ACTIONS[3:] if deny else ACTIONS)
    made |= {"Resource": "*"} if layer == "key" else _resource(random)
    if layer == "key":
        made |= _principal(random, deny=deny)
    elif layer == "rcp":
        made["Principal"] = "*"
    return made | _condition(random, layer)


def _resource(random: Random) -> Data:
    if random.random() < 0.08:
        return {"NotResource": random.choice(["arn:aws:kms:*:*:alias/*", f"arn:aws:kms:*:*:key/{KEY_ID}"])}
    ours = f"arn:aws:kms:us-west-2:{HOME}:"
    some = [f"{ours}key/*", f"{ours}*", "arn:aws:kms:*:*:alias/app", ["arn:aws:kms:eu-west-1:*:key/*", "*:key/1234*"]]
    return {"Resource": random.choice(["*", "*", "*", *some])}


def _principal(random: Random, *, deny: bool) -> Data:
    if not deny or random.random() < 0.75:
        return {"Principal": random.choice(PRINCIPALS)}
    owner = f"arn:aws:iam::{random.choice((HOME, OTHER))}:"
    with_account = [f"{owner}{random.choice(('role/App', 'user/alice'))}", f"{owner}root"]
    return {"NotPrincipal": {"AWS": random.choice([with_account, with_account, with_account[:1]])}}


def _condition(random: Random, layer: str) -> Data:
    if random.random() < 0.45:
        return {}
    made: Data = {}
    for chosen in random.sample(CONDITIONS + (OF_IDENTITY if layer == "identity" else []), random.choice((1, 1, 2))):
        for operator, block in chosen.items():
            made.setdefault(operator, {}).update(block)
    return {"Condition": made}
