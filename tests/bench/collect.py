"""``python -m tests.bench.collect [accounts ...]``: calls per key, CPU per call, wall time against the floor, memory.

The floor is the larger of what the quota share allows (each Region of each account has quotas of its own) and what the
latency allows with as many calls in flight as there are workers. CPU is the collector's, on one core.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from auditor.collectors import CollectRequest, Tally, collect
from auditor.store import SnapshotWriter
from tests.bench.stub_aws import REGIONS, Shape, stub_aws

KEYS = 50
LATENCY = 0.03
SLOWEST_QUOTA = 100
HEADER = "accounts  latency  keys    calls  calls/key  CPU ms/call  throttles  wall s  floor s  ratio  peak MiB"


class Listening:
    """Keeps the last numbers."""

    def __init__(self) -> None:
        self.tally = Tally()

    def update(self, tally: Tally) -> None:
        self.tally = tally

    def say(self, message: str) -> None:
        pass


def measure(shape: Shape) -> str:
    """One line of the table."""
    listening = Listening()
    with stub_aws(shape) as url, tempfile.TemporaryDirectory() as folder:
        request = CollectRequest(
            endpoint_url=url, regions=REGIONS, org=True, role_name="audit", evidence=False, max_attempts=4
        )
        writer = SnapshotWriter(Path(folder) / "snapshot")
        cpu, wall = time.process_time(), time.monotonic()
        writer.finish(collect(request, writer, listening))
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    tally = listening.tally
    by_quota = shape.keys / (SLOWEST_QUOTA * request.quota_share)
    by_latency = tally.calls * shape.latency / request.max_workers
    floor = max(by_quota, by_latency, cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{shape.accounts:8}  {shape.latency * 1000:5.0f}ms  {tally.keys:5}  {tally.calls:6}  "
        f"{tally.calls / max(1, tally.keys):9.2f}  {cpu * 1000 / max(1, tally.calls):11.2f}  {tally.throttles:9}  "
        f"{wall:6.1f}  {floor:7.1f}  {wall / floor:5.2f}  {peak:8.0f}"
    )


def main() -> None:
    """Prints the table for the numbers of accounts given, by default 1, 20 and 200."""
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_DEFAULT_REGION=REGIONS[0])
    print(HEADER)
    for accounts in [int(text) for text in sys.argv[1:]] or [1, 20, 200]:
        for latency, quotas in ((0.0, False), (LATENCY, True)):
            print(measure(Shape(accounts, KEYS, latency, quotas)), flush=True)


if __name__ == "__main__":
    main()
