"""The snapshot on disk: same facts, same bytes; anything doubtful is refused with a clear message."""

from __future__ import annotations

import gzip
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import OutputError, SnapshotError
from auditor.model.key import Fact
from auditor.model.shard import ORGANIZATION_SHARD, Kind, Record, Shard
from auditor.model.snapshot import Gap, Provenance, Scope, ShardCoverage
from auditor.store import SnapshotWriter, decode, encoding, may_pass, read_parts, read_snapshot
from auditor.store.manifest import MANIFEST, sha256

ACCOUNT, REGION = "111122223333", "eu-central-1"
ASKED = Provenance(caller="arn:aws:iam::111122223333:user/a", started="2026-01-01T00:00:00Z", scope=Scope())


def _key(number: int) -> Record:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{number}"
    policies = {"default": '{"Statement": [], "Id": "\\u00fc"}'}
    return Record(
        Kind.KEY, {"KeyId": str(number), "KeyArn": arn, "Metadata": {"Arn": arn}, "Policies": policies, "Unread": []}
    )


def _shard(region: str = REGION, keys: int = 2, gaps: tuple[Gap, ...] = ()) -> Shard:
    records = tuple(_key(number) for number in range(keys))
    coverage = ShardCoverage(ACCOUNT, region, "partial" if gaps else "read", keys, keys, 9)
    return Shard(account=ACCOUNT, region=region, records=records, gaps=gaps, coverage=coverage)


def _organization() -> Shard:
    record = Record(Kind.ORGANIZATION, {"NotInUse": True})
    coverage = ShardCoverage(ORGANIZATION_SHARD, "", "read")
    return Shard(account=ORGANIZATION_SHARD, region="", records=(record,), coverage=coverage)


def _written(folder: Path, *shards: Shard) -> Path:
    writer = SnapshotWriter(folder)
    writer.begin(ASKED)
    for shard in shards or (_organization(), _shard()):
        writer.write(shard)
    writer.finish(replace(ASKED, finished="2026-01-01T00:01:00Z"))
    return folder


def test_a_snapshot_comes_back_as_it_was_written(tmp_path: Path) -> None:
    snapshot = read_snapshot(_written(tmp_path / "s"))
    assert snapshot == decode(snapshot.provenance, [_shard(), _organization()])
    assert [key.key_id for key in snapshot.keys] == ["0", "1"]
    assert snapshot.keys[0].policies[0].policy.text == '{"Statement": [], "Id": "\\u00fc"}'


def test_same_facts_are_same_bytes_in_whatever_order(tmp_path: Path) -> None:
    turned = replace(_shard(), records=tuple(reversed(_shard().records)))
    first = _written(tmp_path / "one", _organization(), _shard())
    second = _written(tmp_path / "two", turned, _organization())
    for file in sorted(first.rglob("*.*")):
        assert file.read_bytes() == (second / file.relative_to(first)).read_bytes()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def _shard_file(folder: Path) -> Path:
    return folder / "shards" / f"{ACCOUNT}-{REGION}.jsonl.gz"


def _reseal(folder: Path, content: bytes) -> None:
    """Replaces a shard and mends the hashes: what an attacker, or an honest bug, would write."""
    from auditor.store.manifest import content_hash, manifest_from_text, manifest_to_text

    _shard_file(folder).write_bytes(content)
    manifest = manifest_from_text((folder / MANIFEST).read_text())
    name = f"shards/{_shard_file(folder).name}"
    entries = tuple(
        replace(entry, sha256=sha256(content)) if entry.file == name else entry for entry in manifest.entries
    )
    provenance = replace(manifest.provenance, content_hash=content_hash(entries))
    (folder / MANIFEST).write_text(manifest_to_text(replace(manifest, provenance=provenance, entries=entries)))


def test_a_missing_folder_or_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="holds no snapshot"):
        read_snapshot(tmp_path / "nothing")


def test_a_changed_cut_or_missing_shard_is_refused(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    whole = _shard_file(folder).read_bytes()
    for content in (whole[:-5], whole + b"x", b""):
        _shard_file(folder).write_bytes(content)
        with pytest.raises(SnapshotError, match="does not match its hash"):
            read_snapshot(folder)
    _shard_file(folder).unlink()
    with pytest.raises(SnapshotError, match="missing"):
        read_snapshot(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "damaged"),
        (gzip.compress(b"{}\n" * 50, mtime=0)[:-9], "cut short"),
        (gzip.compress(b"[1, 2]\n", mtime=0), "not readable"),
        (gzip.compress(b'{"account": "1", "region": "2"}\n', mtime=0), "another account"),
        (
            gzip.compress(b'{"account": "111122223333", "region": "eu-central-1"}\n{"kind": "x", "data": {}}', mtime=0),
            "readable",
        ),
        (gzip.compress(b"[" * 100_000, mtime=0), "not readable"),
        (gzip.compress(b'{"account": "\xff"}\n', mtime=0), "not readable"),
        (gzip.compress(b'{"account": "111122223333", "region": "eu-central-1"} {}\n', mtime=0), "not readable"),
    ],
)
def test_nonsense_with_the_right_hash_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    folder = _written(tmp_path / "s")
    _reseal(folder, content)
    with pytest.raises(SnapshotError, match=message):
        read_snapshot(folder)


def test_a_small_shard_that_unpacks_to_millions_of_records_is_refused(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    _reseal(folder, gzip.compress(b'{"data":{},"kind":"alias"}\n' * 1_000_000, mtime=0))
    with pytest.raises(SnapshotError, match="unpacks to more"):
        read_snapshot(folder)


def test_the_densest_shard_of_ours_is_read(tmp_path: Path) -> None:
    """Thousands of keys that differ in nothing but their ids."""
    arn = "arn:aws:kms:eu-west-1:111122223333:key/"
    names = [sha256(str(number).encode())[:32] for number in range(5000)]
    policy = '{"Statement": []}' + " " * 3000
    records = tuple(
        Record(Kind.KEY, {"KeyId": name, "KeyArn": arn + name, "Policies": {"default": policy}}) for name in names
    )
    shard = Shard(
        account="111122223333",
        region="eu-west-1",
        records=records,
        coverage=ShardCoverage("111122223333", "eu-west-1", "read"),
    )
    content = encoding.encode(shard)
    assert len(gzip.decompress(content)) > encoding.UNSUSPICIOUS_BYTES
    assert len(encoding.decode_bytes(content, shard.coverage, "shard").records) == len(names)


def test_a_shard_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _written(tmp_path / "s")
    monkeypatch.setattr(encoding, "MAX_SHARD_BYTES", 100_000)
    _reseal(folder, gzip.compress(b" " * 10_000_000, mtime=0))
    with pytest.raises(SnapshotError, match="unpacks to more"):
        read_snapshot(folder)


def test_paths_out_of_the_snapshot_are_refused(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["shards"][0]["file"] = "../../etc/passwd"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(SnapshotError, match="cannot be one"):
        read_snapshot(folder)


def test_a_link_out_of_the_snapshot_is_refused(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(_shard_file(folder).read_bytes())
    _shard_file(folder).unlink()
    _shard_file(folder).symlink_to(elsewhere)
    with pytest.raises(SnapshotError, match="leads out"):
        read_snapshot(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 99}, "schema 99"),
        ({"format": "other"}, "not one of kms-audit"),
        ({"shards": [{}]}, "not readable"),
        ({"shards": []}, "changed after"),
        ({"provenance": 7}, "not readable"),
        ({"finished": False}, "not finished"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    folder = _written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **change}))
    with pytest.raises(SnapshotError, match=message):
        read_snapshot(folder)


def test_an_existing_snapshot_is_not_overwritten(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    with pytest.raises(SnapshotError, match="already"):
        SnapshotWriter(folder).begin(ASKED)


@pytest.mark.parametrize("code", ["Throttled", "InvalidCredentials", "NotFound"])
def test_resume_keeps_finished_shards_and_repeats_passing_failures(tmp_path: Path, code: str) -> None:
    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    writer.write(_shard())
    passing = Gap(fact=Fact.GRANTS, account=ACCOUNT, region="eu-west-1", code=code)
    writer.write(_shard("eu-west-1", 0, (passing,)))
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"file": "shards/cut')
    writer.close()
    again = SnapshotWriter(tmp_path, resume=True)
    again.begin(replace(ASKED, started="2026-02-02T00:00:00Z"))
    assert again.has(ACCOUNT, REGION)
    assert not again.has(ACCOUNT, "eu-west-1")
    assert not again.has(ACCOUNT, "us-east-1")
    again.write(_shard("eu-west-1", 1))
    again.write(_organization())
    sealed = again.finish(ASKED)
    assert sealed.started == ASKED.started
    assert read_snapshot(tmp_path).gaps == ()


def test_resume_asks_for_the_organization_again_and_keeps_what_is_the_same(tmp_path: Path) -> None:
    _written(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    writer = SnapshotWriter(tmp_path, resume=True)
    writer.begin(ASKED)
    assert writer.has(ACCOUNT, REGION)
    assert not writer.has(ORGANIZATION_SHARD, "")
    writer.write(_organization())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before, "finished all the time"
    writer.finish(replace(ASKED, finished="2026-01-01T00:01:00Z"))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_a_role_that_cannot_be_assumed_is_not_of_the_moment_and_tried_again() -> None:
    assert not may_pass(Gap(fact=Fact.ACCOUNT, account=ACCOUNT, code="AccessDenied"))
    assert may_pass(Gap(fact=Fact.ACCOUNT, account=ACCOUNT, code="Timeout"))


def test_resume_of_a_finished_collection_reads_again_whatever_left_a_gap(tmp_path: Path) -> None:
    """Of an interrupted one it does not: where one permission is missing everywhere, nothing would be kept."""
    denied = Gap(fact=Fact.GRANTS, account=ACCOUNT, region="eu-west-1", code="AccessDenied")
    shut = Gap(fact=Fact.ACCOUNT, account="444455556666", code="AccessDenied")
    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    writer.write(_shard())
    writer.write(_shard("eu-west-1", 1, (denied,)))
    writer.write(
        replace(_shard("", 0, (shut,)), account="444455556666", coverage=ShardCoverage("444455556666", "", "refused"))
    )
    writer.close()
    writer = SnapshotWriter(tmp_path, resume=True)
    writer.begin(ASKED)
    assert [writer.has(ACCOUNT, region) for region in (REGION, "eu-west-1")] == [True, True]
    assert not writer.has("444455556666", "")
    writer.finish(ASKED)
    for _ in range(2):  # one that ends before it has read anything leaves the snapshot finished
        writer = SnapshotWriter(tmp_path, resume=True)
        writer.begin(ASKED)
        assert [writer.has(ACCOUNT, region) for region in (REGION, "eu-west-1")] == [True, False]
        writer.close()
        assert {gap.code for gap in read_snapshot(tmp_path).gaps} == {"AccessDenied"}
    writer = SnapshotWriter(tmp_path, resume=True)
    writer.begin(ASKED)
    writer.write(_shard("eu-west-1", 1))
    writer.close()
    with pytest.raises(SnapshotError, match="is not finished"):
        read_snapshot(tmp_path)
    writer = SnapshotWriter(tmp_path, resume=True)
    writer.begin(ASKED)
    assert writer.has(ACCOUNT, "eu-west-1")
    writer.close()


def test_two_writers_never_share_a_folder(tmp_path: Path) -> None:
    """Else the one that ends first would seal hashes of shards that the other one still rewrites."""
    first = SnapshotWriter(tmp_path / "s")
    first.begin(ASKED)
    first.write(_shard())
    for resume in (True, False):
        with pytest.raises(SnapshotError, match="Another run is collecting into"):
            SnapshotWriter(tmp_path / "s", resume=resume).begin(ASKED)
    first.finish(replace(ASKED, finished="2026-01-01T00:01:00Z"))
    SnapshotWriter(tmp_path / "s", resume=True).begin(ASKED)


def test_a_folder_without_locks_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import fcntl

    def none(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    assert read_snapshot(_written(tmp_path / "s")).keys


def test_a_folder_that_was_there_keeps_its_permissions(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    _written(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert stat.S_IMODE((shared / "shards").stat().st_mode) == 0o700


def test_a_snapshot_that_another_run_resumes_while_it_is_read_is_not_called_damaged(tmp_path: Path) -> None:
    denied = Gap(fact=Fact.GRANTS, account=ACCOUNT, region="eu-west-1", code="AccessDenied")
    parts = read_parts(_written(tmp_path, _shard(), _shard("eu-west-1", 1, (denied,))))
    next(parts)
    writer = SnapshotWriter(tmp_path, resume=True)
    writer.begin(ASKED)
    writer.write(_shard("eu-west-1", 2))
    with pytest.raises(SnapshotError, match="A run is writing into"):
        next(parts)
    writer.close()


def test_resume_refuses_another_scope_another_caller_and_changed_shards(tmp_path: Path) -> None:
    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    writer.write(_shard())
    writer.close()
    with pytest.raises(SnapshotError, match="scope differs"):
        SnapshotWriter(tmp_path, resume=True).begin(replace(ASKED, scope=Scope(regions_asked=("eu-west-1",))))
    with pytest.raises(SnapshotError, match="was begun by"):
        SnapshotWriter(tmp_path, resume=True).begin(replace(ASKED, caller="arn:aws:iam::444455556666:user/b"))
    with pytest.raises(SnapshotError, match="was begun by"):
        SnapshotWriter(tmp_path, resume=True).begin(replace(ASKED, caller=f"{ASKED.caller}, {ASKED.caller}"))
    _shard_file(tmp_path).write_bytes(b"changed")
    with pytest.raises(SnapshotError, match="changed after"):
        SnapshotWriter(tmp_path, resume=True).begin(ASKED)
    with pytest.raises(SnapshotError, match="no snapshot to resume"):
        SnapshotWriter(tmp_path / "nothing", resume=True).begin(ASKED)


def test_a_full_disk_is_an_error_and_leaves_finished_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    writer.write(_shard())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            writer.write(_shard("eu-west-1"))
    assert not list(tmp_path.rglob("*.part"))
    writer.close()
    resumed = SnapshotWriter(tmp_path, resume=True)
    resumed.begin(ASKED)
    assert resumed.has(ACCOUNT, REGION)
    assert not resumed.has(ACCOUNT, "eu-west-1")


def test_a_key_that_was_not_described_is_of_aws_where_its_alias_says_so() -> None:
    alias = Record(Kind.ALIAS, {"AliasName": "alias/aws/s3", "AliasArn": "a", "TargetKeyId": "1"})
    records = tuple(Record(Kind.KEY, {**_key(number).data, "Metadata": {}}) for number in range(2))
    found = decode(ASKED, [replace(_shard(), records=(*records, alias))])
    assert [key.customer_managed for key in found.keys] == [True, False]


@pytest.mark.parametrize(
    ("fact", "code", "kept"),
    [
        (Fact.GRANTS, "NotSupported", False),
        (Fact.TRAILS, "NotSupported", True),
        (Fact.GRANTS, "AccessDenied", True),
        (Fact.TRAILS, "Throttled", False),
    ],
)
def test_an_interrupted_collection_asks_again_where_another_answer_may_come(
    tmp_path: Path, fact: Fact, code: str, *, kept: bool
) -> None:
    """Also after an update of the SDK, for what access rests on; what many Regions lack is not asked for again."""
    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    writer.write(_shard(gaps=(Gap(fact=fact, account=ACCOUNT, region=REGION, code=code),)))
    writer.close()
    again = SnapshotWriter(tmp_path, resume=True)
    again.begin(ASKED)
    assert again.has(ACCOUNT, REGION) is kept
    again.close()
