"""Two snapshots read with one memory of shards: equal to reading each alone, checked all the same, and shared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import SnapshotError
from auditor.model.shard import Kind, Record, Shard
from auditor.model.snapshot import ShardCoverage, Snapshot
from auditor.store import DecodedShards, read_snapshot
from auditor.store.manifest import MANIFEST, content_hash, manifest_from_text
from auditor.store.values import unquoted
from tests.store.test_snapshot import ACCOUNT, REGION, _key, _organization, _shard, _shard_file, _written

OTHER = "444455556666"
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/shared"
ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "%s", "Resource": "*"}]}'


def identities(action: str) -> Shard:
    """Two users with one managed policy between them, and a role that carries an inline one."""
    version = {"IsDefaultVersion": True, "Document": quote(ALLOW % action)}
    attached = [{"PolicyName": "shared", "PolicyArn": MANAGED}]
    role = {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "RoleName": "r",
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": quote(ALLOW % "kms:Encrypt")}],
        "AssumeRolePolicyDocument": quote(ALLOW % "sts:AssumeRole"),
    }
    user = {"AttachedManagedPolicies": attached}
    users = [Record(Kind.USER, user | {"Arn": f"arn:aws:iam::{ACCOUNT}:user/{n}", "UserName": n}) for n in ("a", "b")]
    policy = Record(Kind.MANAGED_POLICY, {"Arn": MANAGED, "PolicyVersionList": [version]})
    records = (*users, Record(Kind.ROLE, role), policy, Record(Kind.ACCOUNT, {"Id": ACCOUNT, "Regions": [REGION]}))
    return Shard(account=ACCOUNT, region="", records=records, coverage=ShardCoverage(ACCOUNT, "", "read"))


def keys(alias: str) -> Shard:
    data = {"AliasName": f"alias/{alias}", "AliasArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/{alias}"}
    return replace(_shard(), records=(_key(0), _key(1), Record(Kind.ALIAS, data | {"TargetKeyId": "1"})))


def both(old: Path, new: Path) -> tuple[Snapshot, Snapshot]:
    known = DecodedShards()
    return read_snapshot(old, known), read_snapshot(new, known)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([keys("app"), identities("kms:Decrypt")], [keys("app"), identities("kms:*")]),
        ([keys("app"), identities("kms:Decrypt")], [keys("other"), identities("kms:Decrypt")]),
        ([keys("app"), identities("kms:Decrypt")], [keys("app"), identities("kms:Decrypt")]),
        ([keys("app")], [identities("kms:Decrypt")]),
    ],
)
def test_reading_together_gives_what_reading_alone_gives(tmp_path: Path, old: list[Shard], new: list[Shard]) -> None:
    folders = [_written(tmp_path / name, _organization(), *shards) for name, shards in (("old", old), ("new", new))]
    before, after = both(*folders)
    assert [before, after] == [read_snapshot(folder) for folder in folders]
    shared = [shard for shard in old if shard in new]
    assert [key for key in before.keys if any(key is other for other in after.keys)] == (
        list(before.keys) if any(shard.region for shard in shared) else []
    )
    assert [item for item in before.principals if any(item is other for other in after.principals)] == (
        list(before.principals) if any(not shard.region for shard in shared) else []
    )


def test_the_coverage_is_that_of_each_manifest(tmp_path: Path) -> None:
    more = replace(_shard(), coverage=replace(_shard().coverage, calls=77))
    before, after = both(_written(tmp_path / "old", _shard()), _written(tmp_path / "new", more))
    assert before.keys[0] is after.keys[0]
    assert [item.coverage[0].calls for item in (before, after)] == [9, 77]


def test_a_known_shard_is_checked_against_its_hash_again(tmp_path: Path) -> None:
    old, new = _written(tmp_path / "old"), _written(tmp_path / "new")
    file = _shard_file(new)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotError, match="does not match its hash"):
        both(old, new)


def test_a_known_shard_in_another_account_is_refused(tmp_path: Path) -> None:
    old, new = _written(tmp_path / "old", _shard()), _written(tmp_path / "new", _shard())
    _shard_file(new).rename(new / "shards" / f"{OTHER}-{REGION}.jsonl.gz")
    text = (new / MANIFEST).read_text(encoding="utf-8").replace(ACCOUNT, OTHER)
    sealed = json.loads(text)
    sealed["provenance"]["content_hash"] = content_hash(manifest_from_text(text).entries)
    (new / MANIFEST).write_text(json.dumps(sealed), encoding="utf-8")
    with pytest.raises(SnapshotError, match="another account"):
        both(old, new)


def test_what_is_damaged_is_said_before_what_cannot_be_decoded(tmp_path: Path) -> None:
    odd = Record(Kind.KEY, {**_key(0).data, "Unread": ["no-such-fact"]})
    folder = _written(tmp_path / "s", replace(_shard(), records=(odd,)), identities("kms:*"))
    file = folder / "shards" / f"{ACCOUNT}-global.jsonl.gz"
    with pytest.raises(SnapshotError, match="holds a record that this version cannot read: 'no-such-fact'"):
        read_snapshot(folder)
    file.write_bytes(b"")
    with pytest.raises(SnapshotError, match="does not match its hash"):
        read_snapshot(folder)


@given(st.text(alphabet=st.sampled_from(list('%25 2%4aA41F{}":/+é\u20ac~_.-*&')), max_size=40), st.booleans())
def test_a_quoted_text_is_read_as_urllib_reads_it(text: str, encode: bool) -> None:
    from urllib.parse import unquote

    written = quote(text, safe="") if encode else text
    assert unquoted(written) == unquote(written)
    assert not encode or unquoted(written) == text
