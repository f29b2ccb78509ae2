"""A report in which every column of every table has more than one value; ``expected/`` holds what is made of it."""

from __future__ import annotations

from typing import Any

from auditor.evaluator import evaluate
from auditor.model.finding import (
    Confidence,
    ControlMapping,
    Evidence,
    Finding,
    FindingState,
    Remediation,
    RuleStatus,
    Severity,
    SeverityClause,
    SkippedScope,
)
from auditor.model.grant import Grant
from auditor.model.key import Alias, Fact, Key, LastUsage, Rotation
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import Layer, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.report import Report
from auditor.model.score import PrincipalPower
from auditor.model.snapshot import AccountFacts, Gap, Provenance, Scope, ShardCoverage, Snapshot
from tests.report.estates import attached

AS_OF = "2026-11-24T07:00:00Z"
HOME, DARK, PARTNER = "111111111111", "222222222222", "333333333333"
FAMILY = "mrk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ALICE = f"arn:aws:iam::{HOME}:user/staff/alice"
BATCH = f"arn:aws:iam::{HOME}:role/batch"
BLIND = f"arn:aws:iam::{HOME}:role/blind"


def arn(number: int, region: str = "eu-west-1") -> str:
    return f"arn:aws:kms:{region}:{HOME}:key/{number:08x}-0000-4000-8000-000000000000"


ORDERS = f"arn:aws:kms:eu-west-1:{HOME}:key/{FAMILY}"
REPLICA = f"arn:aws:kms:eu-central-1:{HOME}:key/{FAMILY}"
ROOT = {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "kms:*", "Resource": "*"}


def statement(sid: str, principal: Any, *actions: str, **more: Any) -> dict[str, object]:
    given = {"Effect": "Allow", "Principal": principal, "Action": [f"kms:{name}" for name in actions], "Resource": "*"}
    return {"Sid": sid, **given, **more}


def key(place: str, *statements: dict[str, object], name: str = "", **facts: Any) -> Key:
    region, key_id = place.split(":")[3], place.rsplit("/", 1)[-1]
    aliases = (Alias(name, f"arn:aws:kms:{region}:{HOME}:{name}", key_id),) if name else ()
    policies = (attached(Layer.KEY_POLICY, "default", place, ROOT, *statements),)
    known = {"key_id": key_id, "account": HOME, "region": region, "aliases": aliases, "policies": policies}
    return Key(**{"arn": place, **known, **facts})


def _keys() -> tuple[Key, ...]:
    via_s3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    orders = key(
        ORDERS,
        statement("Partner", {"AWS": f"arn:aws:iam::{PARTNER}:root"}, "Decrypt", "DescribeKey"),
        statement("Anyone", {"AWS": "*"}, "Encrypt", Condition={"StringEquals": {"kms:CallerAccount": PARTNER}}),
        statement("Logs", {"Service": "logs.eu-west-1.amazonaws.com"}, "Decrypt", "GenerateDataKey*"),
        statement("Batch", {"AWS": BATCH}, "Decrypt", Condition=via_s3),
        multi_region=True,
        multi_region_key_type="PRIMARY",
        replica_arns=(REPLICA,),
        description="Orders of the shop",
        created="2025-01-02T03:04:05Z",
        tags=(("env", "prod"), ("team", "shop")),
        rotation=Rotation(True, 365),
        last_usage=LastUsage("2026-11-20T00:00:00Z", "Decrypt", "2026-01-01T00:00:00Z"),
        grants=_grants(),
    )
    names = tuple(Alias(f"alias/{name}", f"arn:aws:kms:eu-west-1:{HOME}:alias/{name}", FAMILY) for name in ("a", "b"))
    leaving = {"state": "PendingDeletion", "deletion_date": "2026-12-01T00:00:00Z", "origin": "EXTERNAL"}
    dark = frozenset({Fact.GRANTS, Fact.TAGS, Fact.ALIASES, Fact.LAST_USAGE})
    sign = {"spec": "RSA_2048", "usage": "SIGN_VERIFY", "state": "Disabled"}
    alone = {"multi_region": True, "multi_region_key_type": "PRIMARY"}
    unused = LastUsage(None, None, "2026-01-01T00:00:00Z")
    return (
        key(REPLICA, multi_region=True, multi_region_key_type="REPLICA", primary_arn=ORDERS, rotation=Rotation(True)),
        Key(**{name: getattr(orders, name) for name in Key.__dataclass_fields__} | {"aliases": names}),
        key(arn(1), statement("Signers", {"AWS": ALICE}, "Sign"), **sign, **alone, last_usage=unused),
        key(arn(2), name="alias/aws/s3", manager="AWS", rotation=Rotation(True, 365)),
        key(arn(3), rotation=Rotation(False), unread=dark, **leaving),
        key(arn(4), name="alias/ledger", created="2026-11-23T09:00:00Z"),
    )


def _grants() -> tuple[Grant, ...]:
    made: dict[str, Any] = {"key_arn": ORDERS, "issuing_account": HOME}
    return (
        Grant(
            grant_id="grant-1",
            name="nightly",
            grantee=BATCH,
            retiring=ALICE,
            operations=("Decrypt", "Encrypt"),
            created="2026-06-01T12:00:00Z",
            context_equals=(("app", "batch"), ("stage", "prod")),
            **made,
        ),
        Grant(
            grant_id="grant-2",
            grantee_service="ec2.amazonaws.com",
            retiring_service="ec2.amazonaws.com",
            operations=("CreateGrant",),
            created="2026-11-24T06:00:00Z",
            source_arn=f"arn:aws:ec2:eu-west-1:{HOME}:instance/i-1",
            context_subset=(("tier", "web"),),
            **made,
        ),
        Grant(grant_id="grant-3", key_arn=ORDERS, grantee=PARTNER, operations=("Encrypt",)),
    )


def _principals() -> tuple[Principal, ...]:
    use = {"Sid": "Use", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:ScheduleKeyDeletion"], "Resource": "*"}
    limit = {"Sid": "Limit", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}

    def one(place: str, kind: PrincipalKind, **facts: Any) -> Principal:
        name = place.rsplit("/", 1)[-1]
        policies = (attached(Layer.IDENTITY, f"{name}-use", place, use),)
        known: dict[str, Any] = {"arn": place, "iam_arn": place, "account": HOME, "name": name}
        return Principal(**{**known, "kind": kind, "identity_policies": policies, **facts})

    return (
        one(BATCH, PrincipalKind.ROLE, created="2024-01-01T00:00:00Z", last_used="2026-11-22T00:00:00Z"),
        one(BLIND, PrincipalKind.ROLE, unread=frozenset({Fact.BOUNDARY, Fact.IDENTITY_POLICY}), identity_policies=()),
        one(
            ALICE,
            PrincipalKind.USER,
            groups=("staff", "shop"),
            tags=(("team", "shop"), ("level", "2")),
            boundary=attached(Layer.BOUNDARY, "Ceiling", ALICE, limit),
        ),
    )


def _organization() -> Organization:
    full = {"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}
    keep = {"Sid": "Keep", "Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
    root = OrgTarget(id="r-ab12", name="Root", kind=TargetKind.ROOT, parent=None)
    return Organization(
        id="o-abc1234567",
        management_account="999999999999",
        targets=(
            OrgTarget(
                id=HOME,
                name="shop",
                kind=TargetKind.ACCOUNT,
                parent=root.id,
                scps=(attached(Layer.SCP, "Guard", HOME, full, keep),),
            ),
            OrgTarget(
                id=root.id,
                name="Root",
                kind=TargetKind.ROOT,
                parent=None,
                scps=(attached(Layer.SCP, "Full", "r", full),),
            ),
        ),
    )


def _findings() -> tuple[Finding, ...]:
    made: dict[str, Any] = {"account": HOME, "region": "eu-west-1", "first_seen": AS_OF}
    ref = StatementRef(Layer.KEY_POLICY, "default", ORDERS, 2, "Anyone")
    fix = Remediation("Name the callers.", "policy", '{"Sid": "Anyone"}')
    mappings = (ControlMapping("CIS AWS", "3.0", "3.6", "published"), ControlMapping("PCI DSS", "4.0", "3.5", "text"))
    return (
        Finding(
            rule="public-key-policy",
            code="EXP-001",
            title="Anybody may use the key",
            category="exposure",
            severity=Severity.CRITICAL,
            subject=ORDERS,
            subject_kind="key",
            summary="Anybody may encrypt with alias/a.",
            fingerprint="0" * 20,
            default_severity=Severity.HIGH,
            clauses=(SeverityClause("raise", Severity.CRITICAL, "the key is restricted"),),
            keys=(ORDERS, REPLICA),
            principals=("*",),
            evidence=(
                Evidence("statement", "Principal is everybody", ref),
                Evidence("grant", "grant-3 for Encrypt", grant="grant-3"),
            ),
            remediation=fix,
            mappings=mappings,
            references=("https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",),
            known=False,
            **made,
        ),
        Finding(
            rule="key-takeover-by-non-admin",
            code="ESC-002",
            title="Somebody may rewrite the key policy",
            category="escalation",
            severity=Severity.HIGH,
            subject=ALICE,
            subject_kind="user",
            summary=f"{ALICE} may take over alias/ledger.",
            fingerprint="1" * 20,
            confidence=Confidence.POTENTIAL,
            latent=True,
            keys=(arn(4),),
            principals=(ALICE, BATCH),
            evidence=(Evidence("path", f"{ALICE} → iam:PassRole → {BATCH}"),),
            known=False,
            perhaps_old=True,
            **{**made, "region": ""},
        ),
        _plain("rotation-disabled", Severity.MEDIUM, 2, state=FindingState.ACCEPTED, known=True),
        _plain("stale-grant", Severity.LOW, 3, state=FindingState.UNVERIFIED, known=True),
        _plain("unused-key", Severity.INFO, 4, first_seen=AS_OF, known=True, was="low, potential"),
        _plain("gone", Severity.HIGH, 5, state=FindingState.RESOLVED, known=True, account=DARK),
    )


def _plain(rule: str, severity: Severity, number: int, **more: Any) -> Finding:
    extra = (("accepted", "accepted-risk: rotated by hand (approved by a.smith, until 2027-03-01)"),)
    known = {"account": HOME, "region": "eu-west-1", "first_seen": "2026-10-01"}
    return Finding(
        rule=rule,
        code=f"LIF-{number:03}",
        title=f"The title of {rule}",
        category="lifecycle",
        severity=severity,
        subject=arn(4),
        subject_kind="key",
        summary=f"What {rule} found.",
        fingerprint=f"{number}" * 20,
        default_severity=severity,
        keys=(arn(4),),
        remediation=Remediation(f"How to mend {rule}."),
        extra=extra if more.get("state") is FindingState.ACCEPTED else (),
        **{**known, **more},
    )


def varied() -> Report:
    """Six keys of every kind, callers of every kind, a finding of every severity and state, gaps of both kinds."""
    snapshot = Snapshot(
        provenance=Provenance(
            tool_version="0.1",
            caller=f"arn:aws:iam::{HOME}:role/auditor",
            started="2026-11-24T06:00:00Z",
            finished=AS_OF,
            content_hash="cd" * 32,
            scope=Scope(accounts=(HOME,), regions=("eu-central-1", "eu-west-1")),
        ),
        accounts=(
            AccountFacts(id=HOME, name="shop", regions=("eu-central-1", "eu-west-1")),
            AccountFacts(id=DARK, unread=frozenset({Fact.ACCOUNT})),
        ),
        keys=_keys(),
        principals=_principals(),
        organization=_organization(),
        coverage=(
            ShardCoverage(HOME, "", "partial", calls=3),
            ShardCoverage(HOME, "eu-central-1", "read", 1, 1, 9),
            ShardCoverage(HOME, "eu-west-1", "partial", 5, 5, 12),
            ShardCoverage(DARK, "", "refused", calls=1),
        ),
        gaps=(
            Gap(fact=Fact.ACCOUNT, account=DARK, operation="sts:AssumeRole", code="AccessDenied", effect="all of it"),
            Gap(
                fact=Fact.GRANTS,
                account=HOME,
                region="eu-west-1",
                subject=arn(3),
                operation="kms:ListGrants",
                code="AccessDenied",
                message="not authorized",
                effect="who holds grants",
                remedy="Allow kms:ListGrants.",
            ),
            Gap(fact=Fact.LAST_USAGE, account=HOME, region="eu-west-1", subject=arn(3), code="Throttled"),
        ),
    )
    evaluation = evaluate(snapshot, as_of=AS_OF)
    return Report(
        snapshot=evaluation.snapshot,
        principals=evaluation.principals,
        access=evaluation.table,
        findings=_findings(),
        rules=(
            RuleStatus("public-key-policy", True, findings=1),
            RuleStatus("no-trail", False, "the trails could not be read"),
            RuleStatus("stale-grant", True, findings=1, skipped=(SkippedScope(arn(3), Fact.GRANTS),)),
        ),
        powers=(PrincipalPower(ALICE, 0.42, 0.3), PrincipalPower(BATCH, 0.1)),
        as_of=AS_OF,
        tool_version="0.1",
        config_hash="ef" * 32,
        rules_version="7",
        notes=("suppression of unused-key (account=444444444444) matches nothing",),
    )
