"""``python -m tests.bench.collect [ACCOUNTS ...] [--keys N] [--only instant|realistic]``: what a collection costs.

Each row is a process of its own: calls per key, CPU per call, clients made and the time that took, throttles, wall time
against the floor, peak memory. The floor is what no scheduling can beat: the longest chain of calls that wait for each
other, plus the largest of what the quota share allows (each Region of each account has quotas of its own), what the
latency allows with as many calls in flight as there are workers, and the collector's own CPU time on one core.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.collectors import CollectRequest, Tally, collect
from auditor.collectors.session import AwsSession
from auditor.store import SnapshotWriter
from tests.bench.stub_aws import REGIONS, Shape, stub_aws

LATENCY = 0.03
SLOWEST_QUOTA = 100
CHAIN = 11
"""GetCallerIdentity, DescribeOrganization, ListRoots, two lists of children, AssumeRole, ListRegions, DescribeRegions,
ListKeys, and of the last key ListKeyPolicies and GetKeyPolicy after DescribeKey."""
SHAPES = {"instant": (0.0, False), "realistic": (LATENCY, True)}
HEADER = (
    "accounts  keys/Region       stub   keys    calls  calls/key  CPU ms/call  clients  ms each  throttles  wall s"
    "  floor s  ratio  peak MiB"
)


class Listening:
    """Keeps the last numbers."""

    def __init__(self) -> None:
        self.tally = Tally()

    def update(self, tally: Tally) -> None:
        self.tally = tally

    def say(self, message: str) -> None:
        pass


@contextmanager
def counted_clients() -> Iterator[list[float]]:
    """The seconds that the making of each client takes, inside the block."""
    took: list[float] = []
    make = AwsSession._make

    def timed(self: AwsSession, service: str, region: str) -> object:
        begun = time.perf_counter()
        client = make(self, service, region)
        took.append(time.perf_counter() - begun)
        return client

    AwsSession._make = timed  # type: ignore[method-assign]
    try:
        yield took
    finally:
        AwsSession._make = make  # type: ignore[method-assign]


def measure(accounts: int, keys: int, stub: str) -> None:
    """Prints one line of the table."""
    shape, listening = Shape(accounts, keys, *SHAPES[stub]), Listening()
    with stub_aws(shape) as url, tempfile.TemporaryDirectory() as folder, counted_clients() as clients:
        request = CollectRequest(endpoint_url=url, regions=REGIONS, org=True, role_name="audit", evidence=False)
        writer = SnapshotWriter(Path(folder) / "snapshot")
        cpu, wall = time.process_time(), time.monotonic()
        writer.finish(collect(request, writer, listening))
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    tally = listening.tally
    by_quota = shape.keys / (SLOWEST_QUOTA * request.quota_share)
    by_latency = tally.calls * shape.latency / request.max_workers
    floor = CHAIN * shape.latency + max(by_quota, by_latency, cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{accounts:8}  {keys:11}  {stub:>9}  {tally.keys:5}  {tally.calls:7}  "
        f"{tally.calls / max(1, tally.keys):9.2f}  {cpu * 1000 / max(1, tally.calls):11.2f}  {len(clients):7}  "
        f"{sum(clients) * 1000 / max(1, len(clients)):7.1f}  {tally.throttles:9}  "
        f"{wall:6.1f}  {floor:7.1f}  {wall / floor:5.2f}  {peak:8.0f}",
        flush=True,
    )


def main() -> None:
    """Prints the table for the numbers of accounts given, by default 1, 20 and 200."""
    options = argparse.ArgumentParser()
    options.add_argument("accounts", type=int, nargs="*", default=[1, 20, 200])
    options.add_argument("--keys", type=int, default=50)
    options.add_argument("--only", choices=SHAPES)
    given = options.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_DEFAULT_REGION=REGIONS[0])
    print(HEADER, flush=True)
    for accounts in given.accounts:
        for stub in [given.only] if given.only else SHAPES:
            # Not a daemon: it starts the stub.
            row = multiprocessing.get_context("spawn").Process(target=measure, args=(accounts, given.keys, stub))
            row.start()
            row.join()


if __name__ == "__main__":
    main()
