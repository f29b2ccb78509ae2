"""Measures the questions: ``python -m tests.bench.questions --accounts 20 --principals 5000 --keys 1000 --seed 1``.

Writes the synthetic organization to disk twice, the second time with a changed key policy, runs every question as a
command of its own, and prints one JSON object: wall and CPU seconds and peak memory (MiB) for each, start and reading
of the snapshot included. A question is meant to take less than 2 s. An SCP of the root touches everybody: then both
sides are evaluated and judged as a whole.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Snapshot
from tests.bench.synthetic_organization import size_options, snapshot_of
from tests.bench.written import changed, write_snapshot


def main() -> None:
    parser = size_options(__doc__)
    parser.add_argument("--keep", type=Path, help="Folder to write the snapshots to, and to keep.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kms-audit-bench-") as folder:
        place = options.keep or Path(folder)
        snapshot = snapshot_of(options)
        commands = prepare(snapshot, place)
        print(json.dumps({name: measured(words) for name, words in commands.items()}, indent=2))


def prepare(snapshot: Snapshot, place: Path) -> dict[str, list[str]]:
    """The two snapshots and the changed policy on disk, and the questions that are asked of them."""
    key, policy = snapshot.keys[0], place / "policy.json"
    if not (place / "old").exists():
        write_snapshot(snapshot, place / "old")
        policy.write_text(changed(snapshot))
        attached = replace(key.policies[0], policy=parse_policy(policy.read_text()))
        keys = (replace(key, policies=(attached,)), *snapshot.keys[1:])
        write_snapshot(replace(snapshot, keys=keys), place / "new")
    role = next(item for item in snapshot.principals if len(item.identity_policies) > 1).arn
    for name, action in (("scp", "kms:*"), ("deletion", "kms:ScheduleKeyDeletion")):
        denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
        (place / f"{name}.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    old = str(place / "old")
    at_root = ["what-if", old, "--scp"]
    return {
        "who-can": ["who-can", "decrypt", key.arn, "--from", old],
        "who-can, pattern of keys": ["who-can", "decrypt", "alias/data-*", "--from", old],
        "what-can": ["what-can", role, "--from", old],
        "what-can, pattern of principals": ["what-can", "role/team-1/*", "--from", old],
        "what-can, action without a key": ["what-can", "*:*", "--action", "CreateKey", "--from", old],
        "explain": ["explain", role, "kms:Decrypt", key.arn, "--from", old],
        "paths to a key": ["paths", key.arn, "--from", old],
        "paths of a principal": ["paths", role, "--from", old],
        "grants": ["grants", "--from", old, "-f", "csv"],
        **_compared("diff", ["diff", old, str(place / "new")]),
        **_compared("what-if key policy", ["what-if", old, "--key-policy", f"{key.arn}={policy}"]),
        **_compared("what-if grant", ["what-if", old, "--revoke-grant", key.grants[0].grant_id]),
        **_compared("what-if identity policy", ["what-if", old, "--identity-policy", f"{role}:kms="]),
        **_compared("what-if SCP of an account", ["what-if", old, "--scp", f"new@{key.account}={place / 'scp.json'}"]),
        **_compared("what-if SCP of the root, one action", [*at_root, f"new@r-1={place / 'deletion.json'}"]),
        **_compared("what-if SCP of the root", [*at_root, f"r-1-scp={place / 'scp.json'}"]),
    }


def _compared(name: str, words: list[str]) -> dict[str, list[str]]:
    """A comparison with and without findings."""
    return {f"{name}, no findings": [*words, "--no-findings"], name: words}


def measured(words: list[str]) -> dict[str, float]:
    """Wall and CPU seconds and peak memory of one command. Raises RuntimeError when it fails."""
    # an installed package is compiled: the first run after an edit compiles, later ones must find that
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", *words, "-q"], stdout=subprocess.DEVNULL, env=environment
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: exit code {process.returncode}")
    return {
        "wall_s": round(wall, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
