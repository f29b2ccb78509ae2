"""A synthetic organization of any size for the benchmarks, drawn from a seed.

The mix follows estates as they are: a third of the principals hold KMS statements, a fifth of the statements carry
conditions, some access rests on tags and aliases, a tenth of the keys does not delegate to IAM, a twentieth is shared
across accounts; three SCP levels, one RCP, five grants a key, a boundary on 15 % of the roles.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from random import Random
from typing import Any

from auditor.model.grant import Grant
from auditor.model.key import Alias, Key
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import AccountFacts, Snapshot

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2")
TEAMS = ("blue", "red", "green", "data")
ORG = "o-benchmark1"
Doc = dict[str, Any]


def _document(*statements: Doc) -> Doc:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _attached(layer: Layer, name: str, owner: str, *statements: Doc) -> AttachedPolicy:
    return AttachedPolicy(layer, name, owner, parse_policy(_document(*statements)))


def size_options(purpose: str | None) -> ArgumentParser:
    """The options of a measurement that say how large the organization is."""
    parser = ArgumentParser(description=purpose)
    for name, default in (("accounts", 20), ("principals", 5000), ("keys", 1000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser


def snapshot_of(options: Namespace) -> Snapshot:
    """The organization of that size."""
    return synthetic_snapshot(options.accounts, options.principals, options.keys, options.seed)


def synthetic_snapshot(accounts: int, principals: int, keys: int, seed: int) -> Snapshot:
    """A snapshot; more principals with the same seed are drawn from the same policies."""
    random = Random(seed)
    ids = [f"{100000000000 + number}" for number in range(accounts)]
    all_keys = [_key(random, number, ids) for number in range(keys)]
    pool = {account: _policy_sets(random, account, [k for k in all_keys if k.account == account]) for account in ids}
    people = Random(seed + 1)
    rows = [_principal(people, number, ids[number % accounts], pool) for number in range(principals)]
    return Snapshot(
        accounts=tuple(AccountFacts(id=account) for account in ids),
        keys=tuple(sorted(all_keys, key=lambda key: key.arn)),
        principals=tuple(sorted(rows, key=lambda row: row.arn)),
        organization=_organization(random, ids),
    )


def _role_arn(account: str, number: int) -> str:
    return f"arn:aws:iam::{account}:role/team-{number % 40}/app-{number}"


def _key(random: Random, number: int, ids: list[str]) -> Key:
    account, region = ids[number % len(ids)], random.choice(REGIONS)
    arn = f"arn:aws:kms:{region}:{account}:key/{random.getrandbits(128):032x}"
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statements: list[Doc] = []
    if random.random() >= 0.10:
        statements.append({"Sid": "Delegate", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"})
    named = [_role_arn(account, random.randrange(5000) // len(ids) * len(ids) + ids.index(account)) for _ in range(3)]
    use = ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:ReEncrypt*", "kms:Encrypt"]
    statements.append({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": named}, "Action": use, "Resource": "*"})
    if random.random() < 0.20:
        statements[-1]["Condition"] = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
    if random.random() < 0.05:
        other = random.choice(ids)
        shared = {"Sid": "Share", "Effect": "Allow", "Principal": {"AWS": other}, "Action": use, "Resource": "*"}
        statements.append(shared)
    if random.random() < 0.05:
        statements.append(
            {
                "Sid": "AdminsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"],
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/team-1/*"}},
            }
        )
    return Key(
        arn=arn,
        key_id=arn.rsplit("/", 1)[1],
        account=account,
        region=region,
        aliases=(Alias(f"alias/{random.choice(TEAMS)}-{number}", ""),),
        tags=(("team", random.choice(TEAMS)), ("env", random.choice(("prod", "dev")))),
        policies=(_attached(Layer.KEY_POLICY, "default", arn, *statements),),
        grants=tuple(_grant(random, arn, account, index, ids) for index in range(5)),
    )


def _grant(random: Random, arn: str, account: str, index: int, ids: list[str]) -> Grant:
    number = random.randrange(5000) // len(ids) * len(ids) + ids.index(account)
    return Grant(
        grant_id=f"{random.getrandbits(256):064x}",
        key_arn=arn,
        grantee=_role_arn(account, number) if index else "rds.amazonaws.com",
        issuing_account=account,
        operations=("Decrypt", "Encrypt", "GenerateDataKey", "CreateGrant"[: 12 if index == 1 else 0] or "DescribeKey"),
        context_subset=(("tenant", f"t-{index}"),) if index == 2 else None,
    )


def _policy_sets(random: Random, account: str, keys: list[Key]) -> list[list[Doc]]:
    """The policy sets that an account's templates hand out: one or two statements each."""
    statements = _statements(random, account, keys)
    return [[statement] for statement in statements] + [random.sample(statements, 2) for _ in range(10)]


def _statements(random: Random, account: str, keys: list[Key]) -> list[Doc]:
    """On all keys, on named keys, by tag, by alias, with encryption context, denies."""
    own = f"arn:aws:kms:*:{account}:key/*"
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    pool: list[Doc] = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:*", "Resource": own},
        {"Effect": "Allow", "Action": ["kms:Describe*", "kms:List*", "kms:Get*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": use,
            "Resource": own,
            "Condition": {"StringEquals": {"aws:ResourceTag/team": random.choice(TEAMS)}},
        },
        {
            "Effect": "Allow",
            "Action": use,
            "Resource": "*",
            "Condition": {"ForAnyValue:StringLike": {"kms:ResourceAliases": f"alias/{random.choice(TEAMS)}-*"}},
        },
        {"Effect": "Deny", "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": own,
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
        },
    ]
    for _ in range(25):
        chosen = [key.arn for key in random.sample(keys, min(len(keys), random.randint(1, 3)))] or [own]
        statement: Doc = {
            "Effect": "Allow",
            "Action": random.choice([use, "kms:*", ["kms:Encrypt"]]),
            "Resource": chosen,
        }
        if random.random() < 0.2:
            statement["Condition"] = {"StringEquals": {"kms:EncryptionContext:app": f"a-{random.randrange(5)}"}}
        pool.append(statement)
    return pool


OTHER = {"Effect": "Allow", "Action": ["s3:GetObject", "logs:*"], "Resource": "*"}
TRUST = _document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def _principal(random: Random, number: int, account: str, pool: dict[str, list[list[Doc]]]) -> Principal:
    is_user = number % 20 == 19
    arn = f"arn:aws:iam::{account}:user/person-{number}" if is_user else _role_arn(account, number)
    policies = [_attached(Layer.IDENTITY, "other", arn, OTHER)]
    if random.random() < 0.32:
        for statement in random.choice(pool[account]):
            policies.append(_attached(Layer.IDENTITY, "kms", arn, statement))
    boundary = None
    if not is_user and random.random() < 0.15:
        limit = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Describe*", "s3:*"], "Resource": "*"}
        boundary = _attached(Layer.BOUNDARY, "team-boundary", arn, limit)
    return Principal(
        kind=PrincipalKind.USER if is_user else PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=account,
        name=arn.rsplit("/", 1)[1],
        unique_id=f"AROA{number:016d}",
        tags=(("team", random.choice(TEAMS)),),
        trust_policy=parse_policy(TRUST),
        identity_policies=tuple(policies),
        boundary=boundary,
    )


def _organization(random: Random, ids: list[str]) -> Organization:
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    outside: Doc = {
        "Sid": "DenyOutsideEU",
        "Effect": "Deny",
        "NotAction": ["iam:*"],
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
    }
    keep: Doc = {
        "Sid": "KeepKeys",
        "Effect": "Deny",
        "Action": "kms:ScheduleKeyDeletion",
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team-7/*"}},
    }
    foreign: Doc = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    }

    def target(name: str, kind: str, parent: str | None, *scps: Doc, rcps: tuple[Doc, ...] = ()) -> OrgTarget:
        return OrgTarget(
            id=name,
            name=name,
            kind=TargetKind(kind),
            parent=parent,
            scps=(
                _attached(Layer.SCP, "FullAWSAccess", name, full),
                *(_attached(Layer.SCP, f"{name}-scp", name, s) for s in scps),
            ),
            rcps=tuple(_attached(Layer.RCP, f"{name}-rcp", name, s) for s in rcps),
        )

    units = [target("ou-prod", "organizational-unit", "r-1", outside), target("ou-dev", "organizational-unit", "r-1")]
    members = [target(account, "account", random.choice(["ou-prod", "ou-dev"])) for account in ids]
    root = target("r-1", "root", None, keep, rcps=(foreign,))
    return Organization(id=ORG, management_account="999999999999", targets=(root, *units, *members))
