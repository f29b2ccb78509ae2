"""The README's questions, asked of the demonstration's snapshot as they stand there: the printed answers must be true.

An ellipsis stands for what differs from run to run (ids, ages), or, alone on its line, for lines left out.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.end_to_end.conftest import CHECKOUT, Answer, Cli, snapshot

pytestmark = pytest.mark.slow
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language; without one they hold commands and what these print."""
    fenced = README.split("```")[1::2]
    return [body for name, _, body in (block.partition("\n") for block in fenced) if name == language]


EXAMPLES = [block for block in blocks("") if block.startswith("$ kms-audit ")]


def pattern(expected: str) -> str:
    """The printed answer as a regular expression."""
    lines = expected.splitlines()
    found = [r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*?") + r"\n" for line in lines]
    return "".join(found)


@pytest.fixture
def stranger(demo: Answer, tmp_path: Path) -> Cli:
    """Somebody who has just run the demonstration, with nothing but its reports at hand."""
    (tmp_path / "reports").symlink_to(demo.output_dir)
    return Cli(tmp_path, "http://127.0.0.1:9")


def test_every_question_has_an_example() -> None:
    asked = {block.split()[2] for block in EXAMPLES}
    assert asked == {"who-can", "what-can", "explain", "paths", "what-if", "diff", "grants"}


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.split()[2])
def test_the_printed_answer_is_the_answer(block: str, stranger: Cli, demo: Answer) -> None:
    command, expected = block.split("\n", 1)
    words = [str(snapshot(demo)) if "…" in word else word for word in shlex.split(command.removeprefix("$ kms-audit "))]
    answer = stranger(*words)
    assert answer.code == 0, answer.err
    assert re.fullmatch(pattern(expected), answer.out), answer.out


def test_the_list_of_changes_can_be_made(stranger: Cli, demo: Answer) -> None:
    (changes,) = [block for block in blocks("yaml") if "change:" in block]
    policy = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"'
    (stranger.home / "checkout.json").write_text(policy + ', "Resource": "*"}}')
    (stranger.home / "no-decrypt.json").write_text(policy.replace('"Principal": "*", ', "") + ', "Resource": "*"}}')
    (stranger.home / "changes.yaml").write_text(changes, encoding="utf-8")
    answer = stranger("what-if", str(snapshot(demo)), "--changes", "changes.yaml", "--no-findings", "-q")
    assert answer.code == 0, answer.err
    assert "lost" in answer.out


def test_the_lines_of_python_run(demo: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    lines = code.replace("snapshots/today", str(snapshot(demo)))
    names: dict[str, object] = {}
    exec(compile(lines, "README.md", "exec"), names)
    out = capsys.readouterr().out
    assert "arn:aws:iam::760366909670:role/support-tools allowed iam-delegated" in out
    assert "explicitly-denied" in out
    frame = names["frame"]
    assert {"principal", "key", "capability"} <= set(getattr(frame, "columns", ()))
