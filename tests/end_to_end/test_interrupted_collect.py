"""``kms-audit collect`` that is told to end, or finds the disk full, and goes on with ``--resume``."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.store import read_snapshot
from tests.aws.estate import fill, fill_iam, management
from tests.aws.faults import Fault
from tests.aws.fixtures import emptied
from tests.aws.proxy import Proxy

REGIONS = ("eu-central-1", "eu-west-1")
HANGS_SECONDS = 120
PROGRAM = """
import resource, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore it
limit = int(sys.argv.pop(1))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from auditor.cli import main
main()
"""
SCOPE = tuple(word for region in REGIONS for word in ("--region", region))


@pytest.fixture(scope="module")
def aws(moto_url: str) -> Iterator[Proxy]:
    with emptied(moto_url) as proxy:
        fill_iam(management(proxy.url))
        for region in REGIONS:
            fill(management(proxy.url), region, keys=3)
        yield proxy


@pytest.fixture(scope="module")
def undisturbed(aws: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "snapshot"
    assert _run(aws, "-o", str(folder))[0] == 0
    return folder


def _start(aws: Proxy, *words: str, scope: tuple[str, ...] = SCOPE, limit: int = 0) -> subprocess.Popen[str]:
    """``limit``: the most bytes of a file, which stands in for a full disk."""
    command = [sys.executable, "-c", PROGRAM, str(limit), "collect", "--endpoint-url", aws.url, *scope, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _run(aws: Proxy, *words: str, scope: tuple[str, ...] = SCOPE, limit: int = 0) -> tuple[int, str, str]:
    """Exit code and both streams."""
    process = _start(aws, *words, scope=scope, limit=limit)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def _hash(folder: Path) -> str:
    return read_snapshot(folder).provenance.content_hash


def _last_line(err: str) -> str:
    assert "Traceback" not in err, err
    return err.strip().splitlines()[-1]


def _one_region_is_done(folder: Path) -> bool:
    journal = folder / "journal.jsonl"
    return journal.exists() and b"-eu-central-1.jsonl.gz" in journal.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_it_at_once_and_resume_finishes(
    aws: Proxy, undisturbed: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "snapshot"
    aws.faults.add(Fault("kms:ListKeys", region="eu-west-1", what="hang", seconds=HANGS_SECONDS))
    process = _start(aws, "-o", str(folder))
    until = time.monotonic() + 60
    while not _one_region_is_done(folder) and time.monotonic() < until:
        time.sleep(0.05)
    code, _, err = _run(aws, "--resume", str(folder))
    assert code == 2
    assert f"Another run is collecting into {folder}." in _last_line(err)
    process.send_signal(number)
    _, err = process.communicate(timeout=HANGS_SECONDS / 2)  # it does not wait for the call that hangs
    aws.faults.clear()
    assert process.returncode == 130
    assert f"kms-audit collect --resume {folder}" in _last_line(err)
    assert json.loads((folder / "manifest.json").read_text())["finished"] is False
    before = len(aws.calls)
    assert _run(aws, "--resume", str(folder))[0] == 0
    assert _hash(folder) == _hash(undisturbed)
    assert {call.region for call in aws.calls[before:] if call.operation == "DescribeKey"} == {"eu-west-1"}


def test_a_full_disk_is_one_line_and_resume_finishes(aws: Proxy, undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    largest = max(file.stat().st_size for file in undisturbed.rglob("*.gz"))

    code, _, err = _run(aws, "-o", str(folder), limit=largest - 1)
    assert code == 1
    assert "could not be written: File too large" in _last_line(err)
    assert "--resume" in _last_line(err)
    assert not list(folder.rglob(".*.part"))
    assert _run(aws, "--resume", str(folder))[0] == 0
    assert _hash(folder) == _hash(undisturbed)


def test_another_scope_and_a_tampered_shard_are_refused(aws: Proxy, undisturbed: Path, tmp_path: Path) -> None:
    code, _, err = _run(aws, "--resume", str(undisturbed), scope=SCOPE[:2])
    assert code == 2
    assert "scope differs" in _last_line(err)
    folder = tmp_path / "tampered"
    folder.mkdir()
    for file in undisturbed.rglob("*"):
        if file.is_file():
            (folder / file.relative_to(undisturbed)).parent.mkdir(exist_ok=True)
            (folder / file.relative_to(undisturbed)).write_bytes(file.read_bytes())
    shard = next(folder.glob("shards/*-eu-west-1.jsonl.gz"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    code, _, err = _run(aws, "--resume", str(folder))
    assert code == 2
    assert shard.name in _last_line(err)
    assert "changed" in _last_line(err)


def test_progress_is_plain_lines_or_json_and_never_holds_a_secret(
    aws: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-9182")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-7771")
    words = ("-vv", "--external-id", "external-5512", "--log-format", "json", "-o", str(tmp_path / "json"))
    code, out, err = _run(aws, *words)
    assert code == 0, err
    lines = [json.loads(line) for line in err.splitlines()]
    last = [line for line in lines if "keys_done" in line][-1]
    assert (last["keys"], last["keys_done"], last["regions_done"], last["accounts_done"]) == (6, 6, 2, 1)
    files = b"".join(file.read_bytes() for file in (tmp_path / "json").rglob("*.json"))
    unpacked = b"".join(gzip.decompress(file.read_bytes()) for file in (tmp_path / "json").rglob("*.gz"))
    for secret in ("very-secret-9182", "token-7771", "external-5512"):
        assert secret not in out + err
        assert secret.encode() not in files + unpacked
    _, _, err = _run(aws, "-o", str(tmp_path / "plain"))
    assert "\r" not in err
    assert "accounts 0/0" not in err
    assert err.splitlines()[-1].startswith("collecting: accounts 1/1, Regions 2/2, keys 6/6, ")
