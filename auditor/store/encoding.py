"""Shards as bytes and back: gzip JSON lines, sorted, without a time stamp, so that equal facts are equal bytes.

Line 1 is the header (account, Region), then gaps, then records. Anything else raises SnapshotError.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from dataclasses import asdict, fields
from typing import Any

from auditor.errors import SnapshotError, reading_trouble
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record, Shard
from auditor.model.snapshot import Gap, ShardCoverage

MAX_SHARD_BYTES = 2 * 1024**3
"""More than this, unpacked, is no snapshot of ours: 100,000 keys take about 0.5 GiB."""
UNSUSPICIOUS_BYTES = 8 * 1024**2
MAX_RATIO = 200
"""Beyond the unsuspicious, a shard unpacks to no more than so many times its packed bytes: records hold ids that do not
repeat. The densest that were found, 3,000 roles with the same ten inline policies, came to 94 times, keys with the same
policy of 20 KB to 78. A small file thus cannot take minutes and gigabytes."""
ANOTHER_VERSION = "Use the version of kms-audit that wrote it, or collect again."
DISTRUST = "Do not trust this snapshot; collect again."
_COMPACT = (",", ":")
_JSON = json.JSONDecoder()


def to_line(value: Any) -> str:
    """One JSON line in the one spelling that is hashed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=_COMPACT)


def to_bytes(text: str) -> bytes:
    """JSON text as UTF-8. Half a surrogate pair, which UTF-8 cannot hold, is spelt with the escape that JSON has."""
    return text.encode("utf-8", "backslashreplace")


def encode(shard: Shard) -> bytes:
    """The bytes of a shard; coverage is not part of them (it counts calls, which a retry may change)."""
    lines = [to_line({"account": shard.account, "region": shard.region})]
    lines += sorted(to_line({"gap": asdict(gap)}) for gap in shard.gaps)
    lines += sorted({to_line({"kind": str(record.kind), "data": record.data}) for record in shard.records})
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=6) as packed:
        packed.write(to_bytes("\n".join(lines) + "\n"))
    return buffer.getvalue()


def decode_bytes(content: bytes, coverage: ShardCoverage, name: str) -> Shard:
    """The shard of ``content``; ``name`` is for messages."""
    try:
        # only "\n" ends a line: names may hold the other line breaks of Unicode, which JSON does not escape
        lines = _unpacked(content, name).split("\n") if content else []
        header, *rest = [_value(line) for line in lines if line]
        if (header["account"], header["region"]) != (coverage.account, coverage.region):
            raise SnapshotError(
                f"{name}: the shard belongs to another account or Region than the manifest says.", DISTRUST
            )
        gaps = tuple(_gap(item["gap"]) for item in rest if "gap" in item)
        records = tuple(_record(item) for item in rest if "gap" not in item)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"{name}: the shard is not readable ({_trouble(error)}).", ANOTHER_VERSION) from error
    return Shard(account=coverage.account, region=coverage.region, records=records, gaps=gaps, coverage=coverage)


def _trouble(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else reading_trouble(error)


def _value(line: str) -> Any:
    """As ``json.loads``, without its search for white space where the line is one value and nothing else."""
    try:
        value, end = _JSON.raw_decode(line)
    except ValueError:
        return json.loads(line)
    return value if end == len(line) else json.loads(line)


def _record(item: dict[str, Any]) -> Record:
    if not isinstance(item["data"], dict):
        raise TypeError("data")
    return Record(Kind(item["kind"]), item["data"])


def _gap(data: dict[str, Any]) -> Gap:
    known = {item.name for item in fields(Gap)}
    values = {name: str(value) for name, value in data.items() if name in known and name != "fact"}
    return Gap(fact=Fact(data["fact"]), **values)


def _unpacked(content: bytes, name: str) -> str:
    unpacker = zlib.decompressobj(wbits=31)
    most = min(MAX_SHARD_BYTES, max(UNSUSPICIOUS_BYTES, MAX_RATIO * len(content)))
    try:
        text = unpacker.decompress(content, most)
    except zlib.error as error:
        raise SnapshotError(f"{name}: the shard is damaged ({error}).", "Collect again.") from error
    if unpacker.unconsumed_tail:
        raise SnapshotError(f"{name}: the shard unpacks to more than {most:,} bytes; it is refused.", DISTRUST)
    if unpacker.unused_data:
        raise SnapshotError(f"{name}: the shard is followed by something else; it is refused.", DISTRUST)
    if not unpacker.eof:
        raise SnapshotError(f"{name}: the shard is cut short.", "Collect again.")
    return text.decode("utf-8", "surrogatepass")
