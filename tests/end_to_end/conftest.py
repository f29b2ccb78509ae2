"""A filled stand-in for AWS, and the command line run against it as a user would: as a process, with a profile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.aws.fixtures import moto_url
from tests.end_to_end.estate import REGIONS, fill

__all__ = ["moto_url"]
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class StandIn:
    """The running server and the keys in it."""

    url: str
    keys: dict[str, str]

    def refuse(self, *refusals: dict[str, str]) -> None:
        """Replaces what the server refuses."""
        self._tell("refuse", refusals)

    def happened(self, region: str, *entries: dict[str, Any]) -> None:
        """Replaces the event history of a Region."""
        self._tell("events", {"region": region, "entries": entries})

    def _tell(self, what: str, content: object) -> None:
        request = urllib.request.Request(f"{self.url}/{what}", json.dumps(content).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()


@dataclass(frozen=True)
class Answer:
    """What one run left: exit code, both streams, and the folder that it could write to."""

    code: int
    out: str
    err: str
    output_dir: Path

    def files(self) -> dict[str, Path]:
        """Name → path of the files of the report."""
        return {path.name: path for path in self.output_dir.glob("*/*/*") if path.is_file()}

    def result(self) -> Any:
        """result.json."""
        return json.loads(self.files()["result.json"].read_bytes())

    def one_line(self) -> str:
        """The single line on stderr that an error is."""
        lines = [line for line in self.err.splitlines() if line.startswith("kms-audit: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


class Cli:
    """Runs ``kms-audit`` in a process of its own, at home in an empty folder."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.url = url
        (home / "config").write_text(
            f"[profile shop]\nregion = {REGIONS[0]}\nendpoint_url = {url}\n[profile bare]\nregion = {REGIONS[0]}\n"
        )
        (home / "credentials").write_text(
            "[shop]\naws_access_key_id = AKIATESTTESTTESTTEST\naws_secret_access_key = x\n"
        )

    def environment(self) -> dict[str, str]:
        """The variables of the process: nothing of whoever runs the tests."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT),
            "HOME": str(self.home),
            "AWS_CONFIG_FILE": str(self.home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "NO_COLOR": "1",
        }

    def __call__(self, *arguments: str, output_dir: Path | None = None, **variables: str) -> Answer:
        """Runs with ``arguments``; ``variables`` go into the environment."""
        folder = output_dir or self.home / "reports"
        given = (*arguments, "--output-dir", str(folder)) if _writes(arguments) else arguments
        done = subprocess.run(
            [sys.executable, "-m", "auditor", *given],
            env={**self.environment(), **variables},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr, folder)


def _writes(arguments: Sequence[str]) -> bool:
    """Whether the command line takes an output folder and names none."""
    quiet = {"--help", "--output-dir", "--version", "rules", "config", "permissions", "-o", "collect"}
    return not quiet & set(arguments)


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.stand_in"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    yield StandIn(url, fill(url))
    process.stdin.close()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def server(stand_in: StandIn) -> Iterator[StandIn]:
    """The stand-in, refusing nothing afterwards."""
    yield stand_in
    stand_in.refuse()


@pytest.fixture
def cli(tmp_path: Path, stand_in: StandIn) -> Cli:
    return Cli(tmp_path, stand_in.url)


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory, stand_in: StandIn) -> Answer:
    """One ordinary run: ``kms-audit --profile shop`` in two Regions."""
    cli = Cli(tmp_path_factory.mktemp("audited"), stand_in.url)
    answer = cli("--profile", "shop", *(word for region in REGIONS for word in ("--region", region)))
    assert answer.code == 0, answer.err
    return answer


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    answer = Cli(tmp_path_factory.mktemp("demo"), "http://127.0.0.1:9")("demo", AWS_PROFILE="shop")
    assert answer.code == 0, answer.err
    return answer


def snapshot(demo: Answer) -> Path:
    """The snapshot folder of a run."""
    (folder,) = demo.output_dir.glob("*/*/snapshot")
    return folder
