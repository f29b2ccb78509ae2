"""Snapshots that somebody edited, hashes mended: refused with the place; and odd characters that are honest."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import SnapshotError
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record
from auditor.model.snapshot import Snapshot
from auditor.store import SnapshotWriter, read_parts, read_snapshot
from auditor.store.decode import decode
from auditor.store.manifest import MANIFEST
from tests.store.test_snapshot import ASKED, _key, _organization, _reseal, _shard, _shard_file, _written

Edit = Callable[[dict[str, Any]], None]


def edited(folder: Path, edit: Edit) -> Path:
    """The snapshot with its manifest edited."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    edit(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c\x85d", "\x0b\x0c\x1c\x1d\x1e", "\x00\x1b[31m", "\u202eevil", "\ud800", "🔑"]
)
def test_every_character_of_a_name_survives(tmp_path: Path, text: str) -> None:
    record = _key(0)
    odd = Record(Kind.KEY, {**record.data, "Metadata": {**record.data["Metadata"], "Description": text}})
    shard = replace(_shard(), records=(odd,))
    snapshot = read_snapshot(_written(tmp_path / "s", _organization(), shard))
    assert snapshot.keys[0].description == text
    for file in (tmp_path / "s").rglob("*.json"):
        file.read_bytes().decode("utf-8")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(schema=2), "schema 2; this version reads schema 1"),
        (lambda m: m.update(schema=[7]), "schema"),
        (lambda m: m["provenance"].update(caller=7), "caller must not be int"),
        (lambda m: m["provenance"].update(bogus=1), "bogus"),
        (lambda m: m["provenance"].update(finished="9999-99-99"), "month must be in 1..12"),
        (lambda m: m["provenance"].pop("scope"), "scope"),
        (lambda m: m["provenance"].update(scope=[]), "not readable"),
        (lambda m: m["provenance"]["scope"].update(accounts=[7]), "accounts must not be tuple"),
        (lambda m: m["provenance"]["scope"].update(organization_wide="yes"), "organization_wide must not be str"),
        (lambda m: m["shards"].append(m["shards"][0]), "names a shard twice"),
        (lambda m: m["shards"][0].update(file="/etc/passwd"), "cannot be one"),
        (lambda m: m["shards"][0].update(sha256="x"), "cannot be one"),
        (lambda m: m["shards"][0]["coverage"].update(account="../.."), "cannot be one"),
        (lambda m: m["shards"][0]["coverage"].update(listed="many"), "listed must not be str"),
        (lambda m: m["shards"][0]["coverage"].update(bogus=1), "bogus"),
        (lambda m: m.update(schema=True), "has schema true; this version reads schema 1"),
        (lambda m: m.update(schema="1"), 'has schema "1"; this version reads schema 1'),
        (lambda m: m.update(finished="no"), "finished must be true or false"),
        (lambda m: m["shards"].pop(), "changed after it was written"),
    ],
)
def test_manifests_are_refused_with_the_place(tmp_path: Path, edit: Edit, message: str) -> None:
    folder = edited(_written(tmp_path / "s"), edit)
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "null", "[]", "7", "[" * 100_000, '{"schema": 1' + "0" * 5000 + "}"])
def test_manifests_that_are_none(tmp_path: Path, text: str) -> None:
    folder = _written(tmp_path / "s")
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(SnapshotError):
        read_snapshot(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"kind": "quantum-key", "data": {}}', "'quantum-key' is not a valid Kind"),
        (b'{"kind": "key"}', "no 'data'"),
        (b'{"gap": {"fact": "mood"}}', "'mood' is not a valid Fact"),
        (b'{"kind": "key", "data": {"x": ' + b"9" * 5000 + b"}}", "a number in it has too many digits"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"\xff", "it is not UTF-8 text"),
    ],
)
def test_a_line_of_another_version_is_told_with_what_to_do(tmp_path: Path, line: bytes, message: str) -> None:
    folder = _written(tmp_path / "s")
    _reseal(folder, gzip.compress(gzip.decompress(_shard_file(folder).read_bytes()) + line))
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(folder)
    assert message in caught.value.message
    assert caught.value.remedy == "Use the version of kms-audit that wrote it, or collect again."


@pytest.mark.parametrize("strange", ["x", "arn:aws:kms", "\x1b[31m", "7"])
@pytest.mark.parametrize("member", ["PrimaryKey", "ReplicaKeys"])
def test_a_related_key_that_is_none_makes_what_is_known_of_the_key_unknown(strange: str, member: str) -> None:
    record = _key(0)
    described = {"PrimaryKey": {"Arn": record.data["Metadata"]["Arn"]}, "ReplicaKeys": []}
    described[member] = {"Arn": strange} if member == "PrimaryKey" else [{"Arn": strange}]
    metadata = {**record.data["Metadata"], "MultiRegion": True, "MultiRegionConfiguration": described}
    odd = Record(Kind.KEY, {**record.data, "Metadata": metadata})
    (key,) = decode(ASKED, [replace(_shard(), records=(odd,))]).keys
    assert Fact.KEY_METADATA in key.unread
    assert strange not in (key.primary_arn, *key.replica_arns)


def test_a_record_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    odd = Record(Kind.KEY, {**_key(0).data, "Unread": ["no-such-fact"]})
    with pytest.raises(SnapshotError, match="holds a record that this version cannot read: 'no-such-fact'"):
        read_snapshot(_written(tmp_path / "s", _organization(), replace(_shard(), records=(odd,))))


@pytest.mark.parametrize("read", [read_snapshot, lambda folder: list(read_parts(folder))])
def test_a_damaged_shard_is_named_with_its_snapshot(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    folder = _written(tmp_path / "s")
    _shard_file(folder).write_bytes(b"")
    with pytest.raises(SnapshotError, match="does not match its hash") as caught:
        read(folder)
    assert str(_shard_file(folder).relative_to(folder)) in caught.value.message
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
@pytest.mark.parametrize("which", ["manifest", "shard"])
def test_pipes_and_folders_in_place_of_files_are_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None], which: str
) -> None:
    folder = _written(tmp_path / "s")
    file = folder / MANIFEST if which == "manifest" else _shard_file(folder)
    file.unlink()
    make(file)
    with pytest.raises(SnapshotError):
        read_snapshot(folder)


@pytest.mark.parametrize("line", [b"x\n", b"[]\n", b"\xff\n", b"[" * 100_000 + b"\n", b"{}\n"])
def test_a_damaged_journal_is_refused(tmp_path: Path, line: bytes) -> None:
    writer = SnapshotWriter(tmp_path)
    writer.begin(ASKED)
    (tmp_path / "journal.jsonl").write_bytes(line)
    writer.close()
    with pytest.raises(SnapshotError):
        SnapshotWriter(tmp_path, resume=True).begin(ASKED)


def test_the_folder_of_shards_may_not_be_a_link(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    (folder / "shards").rename(tmp_path / "elsewhere")
    (folder / "shards").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SnapshotError, match="leads out"):
        read_snapshot(folder)


def test_a_key_that_is_described_twice_counts_once_and_proves_nothing() -> None:
    same, other = _key(0), _key(0)
    other = Record(Kind.KEY, {**other.data, "Policies": {"default": '{"Statement": []}'}})
    once = decode(ASKED, [replace(_shard(), records=(same, same))])
    assert len(once.keys) == 1
    assert once.gaps == ()
    twice = decode(ASKED, [replace(_shard(), records=(same, other))])
    assert len(twice.keys) == 1
    assert {Fact.KEY_POLICY, Fact.GRANTS} <= twice.keys[0].unread
    assert {gap.code for gap in twice.gaps} == {"Contradictory"}
    assert all(gap.essential and gap.subject == twice.keys[0].arn for gap in twice.gaps)


def tree(**parents: str | None) -> list[Record]:
    """An organization whose levels have these parents: r, u, v and the account a."""
    kinds = {"r": "root", "u": "organizational-unit", "v": "organizational-unit", "a": "account"}
    levels = {"r": None, "u": "r", "v": "u", "a": "v", **parents}
    described = Record(Kind.ORGANIZATION, {"Id": "o-x", "MasterAccountId": "1", "TreeRead": True})
    return [described] + [
        Record(Kind.ORG_TARGET, {"Id": name, "Kind": kinds[name], "Parent": parent, "Attached": {}})
        for name, parent in levels.items()
    ]


@pytest.mark.parametrize(
    "parents", [{"u": "v"}, {"u": "u"}, {"u": "a"}, {"u": "none"}, {"a": None}, {"r": "a"}, {"r": "none"}]
)
def test_a_tree_that_cannot_be_one_limits_nobody_and_frees_nobody(parents: dict[str, str | None]) -> None:
    def read(**changed: str | None) -> Snapshot:
        return decode(ASKED, [replace(_organization(), records=tuple(tree(**changed)))])

    assert read().organization.tree_read
    assert not read().gaps
    snapshot = read(**parents)
    assert not snapshot.organization.tree_read
    assert [(gap.fact, gap.code, gap.essential) for gap in snapshot.gaps] == [
        (Fact.ORGANIZATION, "Contradictory", True)
    ]


def test_a_level_of_no_known_kind_makes_the_tree_unknown() -> None:
    described, root, *others = tree()
    strange = replace(root, data={**root.data, "Id": "x", "Kind": "realm"})
    snapshot = decode(ASKED, [replace(_organization(), records=(described, root, strange, *others))])
    assert not snapshot.organization.tree_read
    assert [gap.code for gap in snapshot.gaps] == ["Contradictory"]


def test_a_shard_with_something_behind_it_is_refused(tmp_path: Path) -> None:
    folder = _written(tmp_path / "s")
    _reseal(folder, _shard_file(folder).read_bytes() * 2)
    with pytest.raises(SnapshotError, match="followed by something else"):
        read_snapshot(folder)
