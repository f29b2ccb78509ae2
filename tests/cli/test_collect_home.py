"""Collecting into the output folder: what is left behind, and what is said, when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from auditor.audit import collecting
from auditor.cli.audit import collect_home
from auditor.cli.root import root
from auditor.cli.terminal import Terminal
from auditor.config import Config
from auditor.errors import OutputError
from auditor.model.snapshot import Snapshot
from tests.cli.conftest import Answer, estate

FULL_DISK = "Check free space; finished parts are kept: `kms-audit collect --resume` goes on from them."


@pytest.mark.parametrize(("resumable", "advice"), [(True, FULL_DISK), (False, "Check free space; nothing was kept.")])
def test_a_full_disk_advises_to_go_on_only_where_something_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resumable: bool, advice: str
) -> None:
    def full(folder: Path, *_: Any, **__: Any) -> None:
        folder.mkdir()
        (folder / "part").write_text("half")
        raise OutputError("part could not be written: No space left on device.", FULL_DISK)

    monkeypatch.setattr(collecting, "collect_into", full)
    with click.Context(root, obj=Terminal(progress=False)), pytest.raises(OutputError) as caught:
        collect_home(Config().collection, tmp_path / "reports", resumable=resumable)
    assert caught.value.remedy == advice
    assert any(tmp_path.rglob("part")) is resumable


def made(folder: Path, *_: Any, **__: Any) -> Snapshot:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    return estate()


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (OutputError("report.html: No space left on device."), 1), (ValueError("odd"), 1)],
)
def test_whatever_ends_the_run_after_the_collection_the_snapshot_is_named(
    ask: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def interrupted(*_: Any) -> None:
        raise error

    monkeypatch.setattr(collecting, "collect_into", made)
    monkeypatch.setattr("auditor.cli.running.assess", interrupted)
    answer = ask("audit", "--output-dir", str(tmp_path))
    (home,) = tmp_path.glob("*/*/snapshot")
    assert answer.code == code
    assert f"The snapshot is complete: `kms-audit evaluate {home}` goes on from it." in answer.err


def test_a_resumed_collection_of_the_output_folder_ends_where_others_are(
    ask: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "collect_into", made)
    waiting = collecting.waiting_room(tmp_path / "reports", "20261124T070000Z")
    made(waiting)
    answer = ask("collect", "--resume", str(waiting), "-q")
    (home,) = tmp_path.glob("reports/*/*/snapshot")
    assert answer.out == f"{home}: 2 keys, 0 gaps\n"
    assert not (tmp_path / "reports" / ".unfinished").exists()
