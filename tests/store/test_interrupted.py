"""A collection that is killed again and again, and resumed, ends with the content of an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor.store import read_snapshot
from auditor.store.manifest import MANIFEST
from tests.aws.estate import fill, fill_iam, management
from tests.aws.faults import Fault
from tests.aws.proxy import Proxy

REGIONS = ("eu-central-1", "eu-west-1", "eu-west-2", "us-east-1")
PROGRAM = """
import sys
from auditor.collectors import CollectRequest, NoProgress, collect
from auditor.store import SnapshotWriter
url, folder, resume, regions = sys.argv[1], sys.argv[2], sys.argv[3] == "resume", tuple(sys.argv[4].split(","))
writer = SnapshotWriter(folder, resume=resume)
writer.finish(collect(CollectRequest(endpoint_url=url, regions=regions, max_workers=2), writer, NoProgress()))
"""


def _start(proxy: Proxy, folder: Path, regions: tuple[str, ...] = REGIONS) -> subprocess.Popen[bytes]:
    mode = "resume" if (folder / MANIFEST).exists() else "new"
    command = [sys.executable, "-c", PROGRAM, proxy.url, str(folder), mode, ",".join(regions)]
    return subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.DEVNULL)


def _filled(proxy: Proxy) -> None:
    account = management(proxy.url)
    fill_iam(account)
    for region in REGIONS:
        fill(account, region, keys=2)


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(proxy: Proxy, tmp_path: Path) -> None:
    _filled(proxy)
    whole = tmp_path / "whole"
    begun = time.monotonic()
    assert _start(proxy, whole).wait(120) == 0
    took = time.monotonic() - begun
    moments = random.Random(11)
    for number in range(10):
        folder = tmp_path / f"killed-{number}"
        process = _start(proxy, folder)
        time.sleep(moments.uniform(0.3, 1.0) * took)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        if not _finished(folder):
            assert _start(proxy, folder).wait(120) == 0
        assert read_snapshot(folder).provenance.content_hash == read_snapshot(whole).provenance.content_hash


def _finished(folder: Path) -> bool:
    manifest = folder / MANIFEST
    return manifest.exists() and '"finished": true' in manifest.read_text()


def test_a_resumed_collection_asks_only_for_what_is_missing(proxy: Proxy, tmp_path: Path) -> None:
    from auditor.collectors import CollectRequest, NoProgress, collect
    from auditor.store import SnapshotWriter

    _filled(proxy)
    request = CollectRequest(endpoint_url=proxy.url, regions=REGIONS[:2], evidence=False, max_attempts=2)
    proxy.faults.add(Fault("kms:ListGrants", region="eu-west-1", code="InternalFailure", status=500))
    first = SnapshotWriter(tmp_path)
    sealed = first.finish(collect(request, first, NoProgress()))
    assert read_snapshot(tmp_path).gaps
    proxy.faults.clear()
    before = len(proxy.calls)
    second = SnapshotWriter(tmp_path, resume=True)
    resealed = second.finish(collect(request, second, NoProgress()))
    assert read_snapshot(tmp_path).gaps == ()
    assert resealed.content_hash != sealed.content_hash
    described = [call.region for call in proxy.calls[before:] if call.operation == "DescribeKey"]
    assert set(described) == {"eu-west-1"}
    assert not [call for call in proxy.calls[before:] if call.operation == "GetAccountAuthorizationDetails"]
