"""Random small organizations for the laws: two member accounts, a management account and an outsider.

Everything that the evaluator can tell apart is drawn from short lists, so that statements meet, overlap and contradict
each other often.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from auditor.model.grant import Grant
from auditor.model.key import Alias, Key
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import AccountFacts, Snapshot

HOME, PEER, MANAGER, OUTSIDE = "111111111111", "222222222222", "999999999999", "777777777777"
ORG = "o-example1"
ROLES = [f"arn:aws:iam::{HOME}:role/App", f"arn:aws:iam::{HOME}:role/team/Ops", f"arn:aws:iam::{PEER}:role/App"]
LINKED = f"arn:aws:iam::{HOME}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
ADHOC = f"arn:aws:sts::{HOME}:assumed-role/App/adhoc"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/bob"
USERS = [f"arn:aws:iam::{HOME}:user/alice"]
SESSION = f"arn:aws:sts::{HOME}:assumed-role/Ops/nightly"
KEY_ARNS = [
    f"arn:aws:kms:eu-west-1:{HOME}:key/11111111-1111-1111-1111-111111111111",
    f"arn:aws:kms:us-east-1:{PEER}:key/mrk-22222222222222222222222222222222",
]
ACTION_SETS = [
    ["kms:*"],
    ["kms:Decrypt"],
    ["kms:Decrypt", "kms:GenerateDataKey*"],
    ["kms:CreateGrant"],
    ["kms:Create*", "kms:Put*"],
    ["*"],
    ["kms:RetireGrant", "kms:List*"],
    ["kms:GetKeyPolicy"],
    ["kms:UpdateAlias"],
    ["kms:*Alias", "kms:DescribeKey"],
    ["s3:GetObject"],
    ["kms:ReEncrypt"],
]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "*"},
    {"AWS": f"arn:aws:iam::{HOME}:root"},
    {"AWS": PEER},
    {"AWS": [f"arn:aws:iam::{OUTSIDE}:root", ROLES[1]]},
    *({"AWS": arn} for arn in (*ROLES, *USERS, SESSION, f"arn:aws:iam::{OUTSIDE}:role/Partner")),
    {"AWS": "AROAGONEEXAMPLE00001"},
    {"Service": "logs.amazonaws.com"},
    {"AWS": f"arn:aws-cn:iam::{HOME}:root"},
    *({"AWS": arn} for arn in (LINKED, ADHOC, FEDERATED)),
    {"AWS": [f"arn:aws:iam::{HOME}:root", ROLES[0]], "Service": "logs.amazonaws.com"},
]
CONDITIONS: list[dict[str, Any]] = [
    {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    {"StringNotEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com", "ec2.eu-west-1.amazonaws.com"]}},
    {"StringEqualsIfExists": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}},
    {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    {"Null": {"kms:ViaService": "true"}},
    {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"kms:EncryptionContext:App": "Shop"}},
    {"StringNotEqualsIfExists": {"kms:EncryptionContext:App": "Shop"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["App", "Tenant"]}},
    {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["App"]}},
    {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/app*"}},
    {"StringEquals": {"kms:RequestAlias": "alias/app-main"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
    {"StringEquals": {"aws:PrincipalOrgID": ORG}},
    {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}, "Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/r-1/ou-a/*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": ROLES[0]}},
    {"StringEquals": {"kms:CallerAccount": HOME}},
    {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
    {"StringLike": {"aws:userid": "AROAHOMEAPP00000001:*"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}},
    {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
    {"StringEquals": {"aws:SourceAccount": HOME}},
    {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
    {"Null": {"aws:TokenIssueTime": "true"}},
    {"StringNotEquals": {"aws:Ec2InstanceSourceVpc": "vpc-1"}},
    {"StringNotEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team, 'blue'}"}},
    {"StringLike": {"aws:PrincipalTag/team": "${*}"}},
    {"StringNotLike": {"kms:ViaService": "s3.*"}},
    {"StringNotEquals": {"kms:RequestAlias": "alias/app-main"}},
    {"StringNotEquals": {"kms:RequestAlias": "alias/other"}, "Null": {"kms:RequestAlias": "false"}},
    {"Null": {"kms:KeySpec": "true"}},
    {"ForAllValues:StringNotLike": {"kms:ResourceAliases": "alias/o*"}, "Null": {"kms:ResourceAliases": "false"}},
    {"StringEquals": {"aws:PrincipalType": ["User", "Account", "FederatedUser"]}},
    {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
    {"StringNotEquals": {"kms:EncryptionContext:App": ["Shop", "${aws:PrincipalTag/team}"]}},
    {"ArnEquals": {"aws:PrincipalArn": [ROLES[1], USERS[0], LINKED]}, "Bool": {"aws:ViaAWSService": "false"}},
]
RESOURCES = [
    "*",
    KEY_ARNS[0],
    f"arn:aws:kms:*:{HOME}:key/*",
    f"arn:aws:kms:*:{PEER}:*",
    "arn:aws:kms:*:*:alias/*",
    "arn:aws:kms:*:*:alias/app*",
    f"arn:aws:kms:*:{HOME}:key/${{aws:PrincipalTag/team, '1'}}*",
]
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@st.composite
def statements(draw: st.DrawFn, *, layer: Layer, effect: str | None = None) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        "Action": draw(st.sampled_from(ACTION_SETS)),
    }
    if layer in (Layer.KEY_POLICY, Layer.RCP):
        statement["Resource"] = "*"
        statement["Principal"] = "*" if layer is Layer.RCP else draw(st.sampled_from(PRINCIPALS))
        if layer is Layer.KEY_POLICY and draw(st.integers(0, 4 if statement["Effect"] == "Deny" else 9)) == 0:
            spared = draw(st.lists(st.sampled_from([*ROLES, *USERS, SESSION, ADHOC, LINKED]), min_size=1, max_size=2))
            statement["NotPrincipal"] = {"AWS": [f"arn:aws:iam::{HOME}:root", *spared]}
            del statement["Principal"]
        if layer is Layer.RCP:
            statement["Resource"] = draw(st.sampled_from(RESOURCES))
    else:
        name = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
        statement[name] = draw(st.sampled_from(RESOURCES))
        if draw(st.integers(0, 7)) == 0:
            statement["NotAction"] = statement.pop("Action")
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """One block of ``CONDITIONS``, or two of them under one another."""
    blocks = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2))
    joined: dict[str, Any] = {}
    for block in blocks:
        for operator, tests in block.items():
            joined[operator] = {**joined.get(operator, {}), **tests}
    return joined


def document(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": items}


def attached(layer: Layer, name: str, owner: str, items: list[dict[str, Any]]) -> AttachedPolicy:
    return AttachedPolicy(layer, name, owner, parse_policy(document(items)))


@st.composite
def grants(draw: st.DrawFn, key_arn: str) -> Grant:
    holders = [*ROLES, SESSION, LINKED, FEDERATED, f"arn:aws:iam::{PEER}:root", "logs.amazonaws.com"]
    grantee = draw(st.sampled_from(holders))
    return Grant(
        grant_id=f"g-{draw(st.integers(1, 9))}",
        key_arn=key_arn,
        grantee=grantee,
        retiring=draw(st.sampled_from([None, ROLES[0], f"arn:aws:iam::{HOME}:root"])),
        issuing_account=draw(st.sampled_from([HOME, PEER])),
        operations=tuple(
            draw(
                st.sampled_from(
                    [["Decrypt"], ["Decrypt", "CreateGrant", "RetireGrant"], ["DescribeKey", "RetireGrant"]]
                )
            )
        ),
        context_subset=draw(st.sampled_from([None, (("App", "Shop"),)])),
        source_arn=draw(st.sampled_from([None, None, None, "arn:aws:s3:::bucket"])),
    )


@st.composite
def keys(draw: st.DrawFn, arn: str) -> Key:
    account = arn.split(":")[4]
    items = draw(st.lists(statements(layer=Layer.KEY_POLICY), min_size=0, max_size=4))
    spec = draw(st.sampled_from(["SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "HMAC_256"]))
    made = draw(st.lists(grants(arn), max_size=2))
    return Key(
        arn=arn,
        key_id=arn.rsplit("/", 1)[1],
        account=account,
        region=arn.split(":")[3],
        manager=draw(st.sampled_from(["CUSTOMER", "CUSTOMER", "CUSTOMER", "AWS"])),
        state=draw(st.sampled_from(["Enabled", "Disabled"])),
        spec=spec,
        aliases=tuple(Alias(name, "") for name in draw(st.sampled_from([(), ("alias/app-main",), ("alias/other",)]))),
        tags=draw(st.sampled_from([(), (("team", "blue"),), (("Team", "red"),)])),
        policies=(
            attached(Layer.KEY_POLICY, "default", arn, items),
            *(
                attached(Layer.KEY_POLICY, "AWS_RAM", arn, [item])
                for item in draw(st.lists(statements(layer=Layer.KEY_POLICY, effect="Allow"), max_size=1))
            ),
        ),
        grants=tuple(one for one in made if spec != "HMAC_256" or "Decrypt" not in one.operations),
    )


@st.composite
def principals(draw: st.DrawFn, arn: str) -> Principal:
    is_user = ":user/" in arn
    account = arn.split(":")[4]
    count = draw(st.integers(0, 2))
    policies = [
        attached(
            Layer.IDENTITY, f"p{number}", arn, draw(st.lists(statements(layer=Layer.IDENTITY), min_size=1, max_size=3))
        )
        for number in range(count)
    ]
    boundary = None
    if draw(st.integers(0, 3)) == 0:
        items = draw(st.lists(statements(layer=Layer.BOUNDARY), min_size=1, max_size=2))
        boundary = attached(Layer.BOUNDARY, "boundary", arn, items)
    trust = parse_policy(document([{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]))
    return Principal(
        kind=PrincipalKind.USER if is_user else PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=account,
        name=arn.rsplit("/", 1)[1],
        unique_id={"App": "AROAHOMEAPP00000001", "Ops": "AROAHOMEOPS00000001"}.get(arn.rsplit("/", 1)[1])
        if account == HOME
        else None,
        tags=draw(st.sampled_from([(), (("team", "blue"),)])),
        trust_policy=None if is_user else draw(st.sampled_from([trust, None])),
        identity_policies=tuple(policies),
        boundary=boundary,
    )


@st.composite
def others(draw: st.DrawFn) -> list[Principal]:
    """Callers of other kinds: a role session and a federated user with session policies, a service-linked role."""
    role, user = draw(principals(ROLES[0])), draw(principals(USERS[0]))
    passed = st.lists(statements(layer=Layer.SESSION), min_size=1, max_size=2)

    def policies() -> tuple[AttachedPolicy, ...] | None:
        return (attached(Layer.SESSION, "session", "s", draw(passed)),) if draw(st.booleans()) else None

    found = [
        replace(role, kind=PrincipalKind.SESSION, arn=ADHOC, session_policies=policies()),
        replace(user, kind=PrincipalKind.FEDERATED_USER, arn=FEDERATED, tags=(), session_policies=policies()),
        replace(draw(principals(LINKED)), kind=PrincipalKind.SERVICE_LINKED_ROLE, boundary=None),
    ]
    return [one for one in found if draw(st.booleans())]


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    def policies(layer: Layer, owner: str) -> tuple[AttachedPolicy, ...]:
        found = [] if layer is Layer.RCP else [AttachedPolicy(layer, "FullAWSAccess", owner, parse_policy(FULL))]
        if layer is Layer.SCP and draw(st.integers(0, 9)) == 0:  # an allow list in place of FullAWSAccess
            found = [attached(layer, "list", owner, [draw(statements(layer=layer, effect="Allow"))])]
        if draw(st.integers(0, 2)) == 0:
            effect = "Deny" if layer is Layer.RCP else None
            items = draw(st.lists(statements(layer=layer, effect=effect), min_size=1, max_size=2))
            found.append(attached(layer, f"{layer}-{owner}", owner, items))
        return tuple(found)

    def target(name: str, kind: str, parent: str | None) -> OrgTarget:
        scps, rcps = policies(Layer.SCP, name), policies(Layer.RCP, name)
        return OrgTarget(id=name, name=name, kind=TargetKind(kind), parent=parent, scps=scps, rcps=rcps)

    return Organization(
        id=ORG,
        management_account=MANAGER,
        targets=(
            target("r-1", "root", None),
            target("ou-a", "organizational-unit", "r-1"),
            target(HOME, "account", "ou-a"),
            target(PEER, "account", "r-1"),
            target(MANAGER, "account", "r-1"),
        ),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    return Snapshot(
        accounts=(AccountFacts(id=HOME), AccountFacts(id=PEER)),
        keys=tuple(draw(keys(arn)) for arn in KEY_ARNS),
        principals=(*(draw(principals(arn)) for arn in sorted([*ROLES, *USERS])), *draw(others())),
        organization=draw(st.one_of(st.none(), organizations())),
    )
