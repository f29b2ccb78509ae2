"""What was asked, read and refused, counted from a snapshot; the keys must add up."""

from __future__ import annotations

from auditor.model.coverage import FactCoverage, KeyCount, fact_coverage, key_counts
from auditor.model.evidence import Evidence
from auditor.model.key import Fact, Key, Rotation
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.shard import ORGANIZATION_SHARD
from auditor.model.snapshot import Gap, ShardCoverage, Snapshot

ACCOUNT, REGION = "111122223333", "eu-central-1"


def _key(number: int, *unread: Fact, rotation: Rotation | None = None) -> Key:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{number}"
    return Key(arn=arn, key_id=str(number), account=ACCOUNT, region=REGION, unread=frozenset(unread), rotation=rotation)


def _gap(fact: Fact, subject: str = "", region: str = REGION, account: str = ACCOUNT) -> Gap:
    return Gap(fact=fact, account=account, region=region, subject=subject, code="AccessDenied", effect=f"no {fact}")


def _rows(snapshot: Snapshot) -> dict[tuple[Fact, str, str], FactCoverage]:
    return {(row.fact, row.account, row.region): row for row in fact_coverage(snapshot)}


def test_keys_listed_are_keys_described_and_keys_with_a_gap() -> None:
    deleted = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/gone"
    refused = _key(2, Fact.KEY_METADATA)
    gaps = (_gap(Fact.KEY_METADATA, deleted), _gap(Fact.KEY_METADATA, refused.arn))
    shard = ShardCoverage(ACCOUNT, REGION, "partial", listed=3, described=1)
    snapshot = Snapshot(keys=(_key(1), refused), gaps=gaps, coverage=(shard,))
    assert key_counts(snapshot) == (KeyCount(ACCOUNT, REGION, 3, 1, 2),)
    assert key_counts(snapshot)[0].reconciled
    lost = Snapshot(keys=(_key(1), refused), gaps=gaps[1:], coverage=(shard,))
    assert not key_counts(lost)[0].reconciled


def test_one_gap_that_stands_for_every_key_still_adds_up() -> None:
    shard = ShardCoverage(ACCOUNT, REGION, "partial", listed=2, described=0)
    keys = (_key(1, Fact.KEY_METADATA), _key(2, Fact.KEY_METADATA))
    snapshot = Snapshot(keys=keys, gaps=(_gap(Fact.KEY_METADATA),), coverage=(shard,))
    assert key_counts(snapshot)[0].reconciled


def test_facts_of_keys_are_asked_read_and_refused() -> None:
    keys = (_key(1, Fact.GRANTS), _key(2, rotation=Rotation(True)), _key(3, Fact.ROTATION))
    shard = ShardCoverage(ACCOUNT, REGION, "partial", 3, 3)
    rows = _rows(Snapshot(keys=keys, gaps=(_gap(Fact.GRANTS, keys[0].arn),), coverage=(shard,)))
    grants = rows[Fact.GRANTS, ACCOUNT, REGION]
    assert (grants.asked, grants.read, grants.refused, grants.effects) == (3, 2, 1, ("no grants",))
    assert (rows[Fact.KEY_POLICY, ACCOUNT, REGION].asked, rows[Fact.KEY_POLICY, ACCOUNT, REGION].refused) == (3, 0)
    assert (rows[Fact.ROTATION, ACCOUNT, REGION].asked, rows[Fact.ROTATION, ACCOUNT, REGION].refused) == (2, 1)
    assert (Fact.LAST_USAGE, ACCOUNT, REGION) not in rows


def test_places_principals_and_evidence_are_counted_where_they_were_asked() -> None:
    coverage = (
        ShardCoverage(ORGANIZATION_SHARD, "", "partial"),
        ShardCoverage(ACCOUNT, "", "read"),
        ShardCoverage(ACCOUNT, REGION, "partial"),
        ShardCoverage("444455556666", "", "refused"),
    )
    gaps = (_gap(Fact.KEY_LIST), _gap(Fact.ACCOUNT, region="", account="444455556666"), _gap(Fact.SCP, "p-1", ""))
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    role = Principal(kind=PrincipalKind.ROLE, arn=arn, iam_arn=arn, account=ACCOUNT, unread=frozenset({Fact.BOUNDARY}))
    evidence = Evidence(
        asked=frozenset({(Fact.TRAILS, ACCOUNT, REGION), (Fact.SHARES, ACCOUNT, REGION)}),
        unread=frozenset({(Fact.TRAILS, ACCOUNT, REGION)}),
    )
    root = OrgTarget(
        id="r-1", name="Root", kind=TargetKind.ROOT, parent=None, scps=(), rcps=None, unread=frozenset({Fact.SCP})
    )
    organization = Organization(id="o-1", management_account=ACCOUNT, targets=(root,), tree_read=True)
    found = _rows(
        Snapshot(coverage=coverage, gaps=gaps, principals=(role,), evidence=evidence, organization=organization)
    )
    numbers = {place: (row.asked, row.refused) for place, row in found.items()}
    assert numbers == {
        (Fact.KEY_LIST, ACCOUNT, REGION): (1, 1),
        (Fact.ALIASES, ACCOUNT, REGION): (1, 0),
        (Fact.TRAILS, ACCOUNT, REGION): (1, 1),
        (Fact.SHARES, ACCOUNT, REGION): (1, 0),
        (Fact.ACCOUNT, ACCOUNT, ""): (1, 0),
        (Fact.REGIONS, ACCOUNT, ""): (1, 0),
        (Fact.IDENTITIES, ACCOUNT, ""): (1, 0),
        (Fact.IDENTITY_POLICY, ACCOUNT, ""): (1, 0),
        (Fact.BOUNDARY, ACCOUNT, ""): (1, 1),
        (Fact.ACCOUNT, "444455556666", ""): (1, 1),
        (Fact.ORGANIZATION, ORGANIZATION_SHARD, ""): (1, 0),
        (Fact.SCP, ORGANIZATION_SHARD, ""): (1, 1),
    }
    assert found[Fact.SCP, ORGANIZATION_SHARD, ""].effects == ("no scp",)
