"""What the operating system lets the process have: files, memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.cli.conftest import Answer

PROGRAM = """
import resource
from auditor.cli.limits import raise_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
raise_open_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("hard", "found"), [(64, "64 64"), (300, "300 300"), (10_000, "8192 10000")])
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(hard: int, found: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(hard=hard)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


def test_too_little_memory_is_no_defect(ask: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise MemoryError

    monkeypatch.setattr("auditor.config.config_schema", full)
    answer = ask("config", "schema")
    assert answer.code == 1
    assert answer.err.startswith("kms-audit: Out of memory.")
