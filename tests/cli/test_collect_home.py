"""Collecting into the output folder: what is left behind, and what is said, when it fails."""

from __future__ import annotations

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


@pytest.mark.parametrize(("resumable", "advice"), [(True, "collect --resume"), (False, "nothing was kept")])
def test_a_full_disk_advises_to_go_on_only_where_something_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resumable: bool, advice: str
) -> None:
    def full(folder: Path, *_: Any, **__: Any) -> None:
        folder.mkdir()
        (folder / "part").write_text("half")
        raise OutputError("part could not be written: No space left on device.", "Go on with `collect --resume`.")

    monkeypatch.setattr(collecting, "collect_into", full)
    with click.Context(root, obj=Terminal(progress=False)), pytest.raises(OutputError) as caught:
        collect_home(Config().collection, tmp_path / "reports", resumable=resumable)
    assert advice in caught.value.remedy
    assert any(tmp_path.rglob("part")) is resumable
