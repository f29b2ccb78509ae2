"""The files of a report are all of one run: what interrupts their writing, and runs that end in the same second."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.audit import collecting
from auditor.collectors import run
from auditor.store import read_snapshot
from tests.aws.fixtures import credentials
from tests.aws.invented import FULL, MANAGEMENT, REGION, Account, InventedAws, Organization, key
from tests.cli.conftest import Ask

FORMATS = ("-f", "html", "-f", "csv", "-f", "json", "-f", "sarif", "--attest")
SECOND = "2026-11-24T07:00:00Z"


@pytest.fixture
def evaluate(ask: Ask, snapshots: dict[str, object]) -> Ask:
    """Reports on two different snapshots go into one folder."""
    return lambda name: ask("evaluate", name, "--output-dir", "out", *FORMATS)


def written() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can become larger than the smaller files of a report."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_report_as_it_was(evaluate: Ask) -> None:
    assert evaluate("then").code == 0
    before = written()
    with full_disk():
        answer = evaluate("now")
    assert answer.code == 1
    assert "cannot be written" in answer.err
    assert written() == before


def test_a_first_report_that_finds_the_disk_full_leaves_no_file(evaluate: Ask) -> None:
    with full_disk():
        assert evaluate("now").code == 1
    assert not written()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_an_interruption_leaves_no_mixture_of_two_reports(
    evaluate: Ask, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    assert evaluate("now").code == 0
    whole = written()
    assert evaluate("then").code == 0
    assert written() != whole
    replace, left = Path.replace, [at]

    def interrupted(path: Path, target: Path) -> None:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise KeyboardInterrupt
        replace(path, target)
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    assert evaluate("now").code == 130
    assert written() == whole


def test_an_interruption_before_all_is_written_leaves_the_report_as_it_was(
    evaluate: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evaluate("then").code == 0
    before = written()
    import auditor.report

    render = auditor.report.render

    def interrupted(report: object, form: str) -> dict[str, bytes]:
        if form == "json":
            raise KeyboardInterrupt
        return render(report, form)  # type: ignore[arg-type]

    monkeypatch.setattr(auditor.report, "render", interrupted)
    assert evaluate("now").code == 130
    assert written() == before


def test_what_cannot_be_replaced_is_told_with_what_was(evaluate: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def refused(path: Path, target: Path) -> None:
        if target.name == "gaps.csv":
            raise PermissionError(1, "Operation not permitted")
        replace(path, target)

    monkeypatch.setattr(Path, "replace", refused)
    answer = evaluate("now")
    assert answer.code == 1
    told = answer.err.replace("kms-audit: ", "").split(" Written before it: ")[1].split("; the others")[0]
    assert {Path(name).resolve() for name in told.split(", ")} == {Path(name).resolve() for name in written()}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[InventedAws]:
    """An account, and a clock that stands still."""
    monkeypatch.setattr(run, "_text", lambda moment: SECOND)
    account = Account(MANAGEMENT, {REGION: [key(MANAGEMENT, "a", FULL)]})
    with credentials(), InventedAws(Organization([account])) as running:
        yield running


def test_audits_that_end_in_the_same_second_both_end_well(ask: Ask, aws: InventedAws, tmp_path: Path) -> None:
    words = ("--endpoint-url", aws.url, "--region", REGION, "--output-dir", str(tmp_path / "out"))
    answers = [ask(command, *words) for command in ("audit", "audit", "collect")]
    assert [answer.code for answer in answers] == [0, 0, 0], answers
    folders = sorted((tmp_path / "out" / MANAGEMENT).iterdir())
    assert [folder.name for folder in folders] == ["20261124T070000Z", "20261124T070001Z", "20261124T070002Z"]
    found = [read_snapshot(folder / "snapshot").provenance for folder in folders]
    assert len({one.content_hash for one in found}) == 1
    assert [one.finished[-3:] for one in found] == ["00Z", "01Z", "02Z"]
    assert [(folder / "report.html").exists() for folder in folders] == [True, True, False]
    again = ask("evaluate", str(folders[1] / "snapshot"), "--output-dir", str(tmp_path / "out"))
    assert str(folders[1] / "report.html") in again.out
    assert not (tmp_path / "out" / ".unfinished").exists()


def test_no_two_runs_wait_in_one_room(tmp_path: Path) -> None:
    rooms = {collecting.waiting_room(tmp_path, "20261124T070000Z") for _ in range(3)}
    assert len(rooms) == 3
    assert all(room.parent.is_dir() for room in rooms)
