"""Random cases whose request facts are all known, with the condition keys that follow for the second reading."""

from __future__ import annotations

from random import Random

from tests.evaluator.random_statements import (
    EC2,
    HOME,
    KEY_ID,
    LINKED,
    LOGS,
    MANAGEMENT,
    OTHER,
    OUTSIDE,
    S3,
    Data,
    document,
    statement,
)
from tests.evaluator.second_reading import ACCOUNT_LEVEL, Facts, Reading, listed, text_of

ACTIONS = ["Decrypt"] * 4 + ["DescribeKey", "CreateGrant", "GenerateDataKey", "PutKeyPolicy", "ListKeys", "CreateKey"]
ACTIONS += ["ListGrants", "RetireGrant", "RetireGrant", "CreateAlias", "DeleteAlias", "UpdateAlias", "ReEncryptFrom"]
PAIRS = ({}, {"App": "x"}, {"app": "xy"}, {"App": "x", "Dept": "1"}, {"Other": "z"}, {"dept": "1"}, {"app": "yz"})
"""Encryption contexts of requests."""
CIPHER = ("Decrypt", "GenerateDataKey", "ReEncryptFrom")
GRANTED = ["CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "ReEncryptFrom", "RetireGrant"]
KINDS = ["role_session"] * 4 + ["iam_user"] * 2
KINDS += ["federated_user", "root", "service", "service_linked_role_session"]
ORGANIZATION = {
    "id": "o-exampleorg1",
    "management_account": MANAGEMENT,
    "paths": {
        HOME: "o-exampleorg1/r-ex01/ou-ex01-aaaaaaaa/",
        OTHER: "o-exampleorg1/r-ex01/ou-ex01-bbbbbbbb/",
        MANAGEMENT: "o-exampleorg1/r-ex01/",
    },
}
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def random_case(random: Random, name: str) -> Reading:
    key, caller = _key(random), _caller(random)
    account = None if caller["type"] == "service" else str(caller["arn"]).split(":")[4]
    action = random.choice(ACTIONS)
    policies = {"default": document(random, "key", random.choice((1, 2, 3)), 0.2)}
    if random.random() < 0.1:
        policies["AWS_RAM"] = document(random, "key", 1, 0.1)
    case: Data = {
        "id": name,
        "key": key,
        "key_policies": policies,
        "grants": [_grant(random, f"g-{number}") for number in range(random.choice((0, 0, 1, 2)))],
        "principal": caller,
        "organization": _organization(random) if random.random() < 0.75 else None,
        "action": f"kms:{action}",
        "context": _context(random, key, caller, action),
    }
    return Reading(case, action, account, _facts(case, action, account))


def another_request(random: Random, reading: Reading) -> Reading:
    """The same caller, key and action with another request."""
    case = {**reading.case, "context": _context(random, reading.key, reading.principal, reading.action)}
    return Reading(case, reading.action, reading.account, _facts(case, reading.action, reading.account))


def _key(random: Random) -> Data:
    account = random.choice([HOME] * 4 + [MANAGEMENT])
    kinds = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")] * 4 + [("HMAC_256", "GENERATE_VERIFY_MAC")]
    spec, usage = random.choice(kinds)
    many = random.random() < 0.3
    return {
        "arn": f"arn:aws:kms:us-west-2:{account}:key/{KEY_ID}",
        "account": account,
        "spec": spec,
        "usage": usage,
        "tags": random.choice([{}, {"team": "blue"}, {"team": "red"}]),
        "aliases": random.choice([[], ["alias/app"], ["alias/app", "alias/b"], ["alias/b"]]),
        "manager": random.choice(["CUSTOMER"] * 6 + ["AWS"]),
        "multi_region": many,
        "multi_region_key_type": random.choice(("PRIMARY", "REPLICA")) if many else None,
    }


def _caller(random: Random) -> Data:
    kind = random.choice(KINDS)
    account = random.choice([HOME] * 4 + [OTHER, OUTSIDE, MANAGEMENT])
    if kind in ("federated_user", "service_linked_role_session"):
        account = HOME
    iam, sts = f"arn:aws:iam::{account}:", f"arn:aws:sts::{account}:"
    who: dict[str, Data] = {
        "role_session": {"arn": f"{sts}assumed-role/App/s1", "iam_arn": f"{iam}role/App"},
        "iam_user": {"arn": f"{iam}user/alice", "unique_id": "AIDAUSEREXAMPLE00001"},
        "federated_user": {"arn": f"{sts}federated-user/bob", "iam_arn": f"{iam}user/alice"},
        "root": {"arn": f"{iam}root", "unique_id": account},
        "service": {"arn": LOGS},
        "service_linked_role_session": {"arn": f"{sts}assumed-role/Linked/s1", "iam_arn": f"{iam}{LINKED}"},
    }
    caller = {"type": kind, **who[kind]}
    if "role" in kind:
        caller["unique_id"] = "AROAROLEEXAMPLE00001"
    return caller | ({} if kind in ("root", "service") else _own_policies(random, kind))


def _own_policies(random: Random, kind: str) -> Data:
    made: Data = {"tags": random.choice([{}, {"Team": "blue"}, {"team": "red"}])}
    count = random.choice((0, 1, 1, 2))
    made["identity_policies"] = [document(random, "identity", random.choice((1, 2)), 0.15) for _ in range(count)]
    if kind != "service_linked_role_session" and random.random() < 0.3:
        made["permissions_boundary"] = document(random, "identity", random.choice((1, 2)), 0.2)
    if random.random() < {"role_session": 0.25, "federated_user": 0.7}.get(kind, 0):
        made["session_policies"] = [document(random, "identity", random.choice((1, 2)), 0.2)]
    return made


def _grant(random: Random, name: str) -> Data:
    ours, others = f"arn:aws:iam::{HOME}:", f"arn:aws:iam::{OTHER}:"
    session = f"arn:aws:sts::{HOME}:assumed-role/App/"
    people = [f"{ours}role/App", f"{others}role/App", f"{ours}user/alice", f"{ours}root"]
    made: Data = {
        "GrantId": name,
        "GranteePrincipal": random.choice([*people, f"{others}root", f"{session}s1", f"{session}s2"]),
        "Operations": random.sample(GRANTED, 3),
        "IssuingAccount": random.choice((f"{ours}root", f"{others}root")),
    }
    if random.random() < 0.5:
        made["RetiringPrincipal"] = random.choice(people)
    if random.random() < 0.5:
        kind = random.choice(("EncryptionContextEquals", "EncryptionContextSubset"))
        made["Constraints"] = {kind: random.choice([{"app": "x"}, {"App": "x", "Dept": "1"}])}
    return made


def _organization(random: Random) -> Data:
    top = [FULL, document(random, "scp", 1, 1)] if random.random() < 0.15 else [FULL]

    def level() -> list[Data]:
        return [FULL] if random.random() < 0.6 else [document(random, "scp", 2, 0.3)]

    scps = {account: [top, level(), level()] for account in (HOME, OTHER)}
    scps[MANAGEMENT] = [top, level()]
    rcps = {
        account: [[], [{"Version": "2012-10-17", "Statement": [statement(random, "rcp", deny=True)]}]]
        for account in (HOME, MANAGEMENT)
        if random.random() < 0.35
    }
    return {**ORGANIZATION, "scps": scps, "rcps": rcps}


def _context(random: Random, key: Data, caller: Data, action: str) -> Data:
    """What the request carries; null: it is known to be absent."""
    service = caller["type"] == "service"
    via = None if service else random.choice((None, None, S3, EC2, "sqs.us-west-2.amazonaws.com"))
    takes_context = key["usage"] == "ENCRYPT_DECRYPT" and action in (*CIPHER, "CreateGrant", "RetireGrant")
    pairs = random.choice(PAIRS)
    carried = {name.lower(): (name, value) for name, value in pairs.items()} if takes_context else {}
    by_alias = action in (*CIPHER, "DescribeKey")
    about_grants = action in ("CreateGrant", "ListGrants")
    age = random.choice(("100", "900")) if random.random() < 0.3 and not service else None
    endpoint = random.choice((None, None, "vpce-1", "vpce-2", "vpce-3"))
    own, session = (
        next(iter(caller.get("tags", {}).values()), None),
        caller["type"] in ("role_session", "federated_user"),
    )
    untagged = (None,) if own is None or caller["type"] == "federated_user" else ()
    grantee = random.choice(("Job", "Other", None)) if action == "CreateGrant" else None
    assumed = caller["type"] in ("role_session", "root", "service_linked_role_session")
    called = random.choice((None, ["s3.amazonaws.com"], ["s3.amazonaws.com", "glue.amazonaws.com"])) if via else None
    return {
        "kms:ViaService": via,
        "aws:ViaAWSService": via is not None,
        "aws:CalledVia": called,
        "aws:CalledViaLast": called and called[-1],
        "aws:SourceVpce": endpoint,
        "aws:VpceAccount": random.choice((HOME, OTHER)) if endpoint else None,
        "aws:SourceIp": None
        if endpoint
        else random.choice(("203.0.113.5", "203.0.113.200", "198.51.100.7", "192.0.2.1")),
        "aws:MultiFactorAuthAge": age,
        "aws:MultiFactorAuthPresent": "true" if age else None if service else random.choice((None, "true", "false")),
        "kms:RequestAlias": random.choice([None, *key["aliases"]]) if by_alias else None,
        "kms:GrantIsForAWSResource": "true" if via and about_grants and random.random() < 0.5 else None,
        "kms:GrantOperations": random.choice(_suitable(key)) if action == "CreateGrant" else None,
        "kms:GrantConstraintType": _constraint(random)
        if action in ("CreateGrant", "RetireGrant") and carried
        else None,
        "kms:GranteePrincipal": f"arn:aws:iam::{HOME}:role/{grantee}" if grantee else None,
        "kms:GranteeServicePrincipal": LOGS if action == "CreateGrant" and not grantee else None,
        "aws:SourceIdentity": random.choice((None, "ann", "bob")) if assumed else None,
        "kms:EncryptionContextKeys": [name for name, _ in carried.values()] or None,
        **dict(_pair(*carried.get(name, (name, None))) for name in ("app", "dept", "other")),
        "aws:PrincipalTag/team": random.choice((own, "blue", "red", *untagged)) if session else own,
    }


def _suitable(key: Data) -> list[list[str]]:
    """Operations of grants that KMS makes on a key of this type."""
    return [["Decrypt"], ["Decrypt", "DescribeKey"]] if key["usage"] == "ENCRYPT_DECRYPT" else [["DescribeKey"]]


def _constraint(random: Random) -> str:
    return random.choice(("EncryptionContextEquals", "EncryptionContextSubset"))


def _pair(name: str, value: str | None) -> tuple[str, str | None]:
    """A known pair is spelled as the request spells it, which decides tests of the context's keys."""
    return f"kms:EncryptionContext:{name}", value


def _facts(case: Data, action: str, account: str | None) -> Facts:
    """Every condition key of the request: those of the context and those that follow."""
    key, caller, on_key = case["key"], case["principal"], action not in ACCOUNT_LEVEL
    kind, service = caller["type"], caller["type"] == "service"
    paths = case["organization"]["paths"] if case["organization"] else {}
    federated, organization = kind == "federated_user", "o-exampleorg1"
    cipher = key["usage"] == "ENCRYPT_DECRYPT" or action == "GenerateDataKey"
    types = {"iam_user": "User", "root": "Account", "federated_user": "FederatedUser"}
    ids = {"iam_user": caller.get("unique_id"), "root": account, "federated_user": f"{account}:bob"}
    found: Data = {
        "aws:PrincipalIsAWSService": service,
        "aws:PrincipalOrgID": organization if account in paths else None,
        "aws:PrincipalOrgPaths": paths.get(account),
        "aws:PrincipalArn": None if service else caller["arn"] if federated else caller.get("iam_arn", caller["arn"]),
        "aws:PrincipalAccount": account,
        "kms:CallerAccount": account,
        "aws:username": "alice" if kind == "iam_user" else None,
        "aws:PrincipalType": types.get(kind, "AssumedRole"),
        "aws:userid": ids.get(kind, f"{caller.get('unique_id')}:s1"),
        "aws:RequestedRegion": "us-west-2",
        "aws:ResourceAccount": key["account"] if on_key else None,
        "aws:ResourceOrgID": organization if on_key and key["account"] in paths else None,
        "kms:KeySpec": key["spec"],
        "kms:KeyUsage": key["usage"],
        "kms:MultiRegion": key["multi_region"],
        "kms:MultiRegionKeyType": key["multi_region_key_type"],
        "kms:ResourceAliases": key["aliases"] if on_key else None,
        "aws:ResourceTag/team": key["tags"].get("team") if on_key else None,
        "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" if cipher and action in CIPHER else None,
        **case["context"],
    }
    return {
        name.lower(): [] if value is None else [text_of(one) for one in listed(value)] for name, value in found.items()
    }
