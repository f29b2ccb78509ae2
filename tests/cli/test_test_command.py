"""``kms-audit test`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.entry import run

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def case(name: str, **expect: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"}},
    }
    return {
        "id": name,
        "title": "a \x1b[31mtitle\npass  forged",
        "key": {"arn": KEY},
        "key_policies": {"default": {"Statement": [statement]}},
        "principal": {"type": "iam_user", "arn": "arn:aws:iam::111122223333:user/alice"},
        "action": "kms:Decrypt",
        "expect": expect,
    }


def write(folder: Path, *cases: dict[str, Any]) -> str:
    file = folder / "cases.json"
    file.write_text(json.dumps({"cases": cases}), encoding="utf-8")
    return str(file)


def test_all_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", write(tmp_path, case("one", decision="conditional"))]) == 0
    out = capsys.readouterr().out
    assert out.startswith("pass  one  a ")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2
    assert out.endswith("1 case: 1 passed, 0 failed\n")


def test_a_failure_says_expected_and_got(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"cond": {"operator": "StringEquals", "key": "kms:ViaService", "values": ["sqs.us-west-2.amazonaws.com"]}}
    file = write(
        tmp_path,
        case("one", decision="allowed", reason="grant", flags=["odd"]),
        case("two", decision="conditional", residual=wrong),
        case("three", decision="conditional"),
    )
    assert run(["test", file]) == 3
    out = capsys.readouterr().out
    assert "FAIL  one" in out
    assert "decision: expected allowed, got conditional" in out
    assert "reason: expected grant, got key_policy_direct" in out
    assert "flags: missing odd; got none" in out
    assert "residual: expected " in out
    assert "3 cases: 1 passed, 2 failed" in out


def test_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(
            ["test", write(tmp_path, case("one", decision="denied"), case("two", decision="conditional")), "-f", "json"]
        )
        == 3
    )
    one, two = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert {"id", "decision", "reason", "residual", "expected", "passed"} <= set(one)
    assert (one["id"], one["decision"], one["passed"]) == ("one", "conditional", False)
    assert two["passed"] is True
    assert two["expected"] == {"decision": "conditional"}
    assert two["residual"]["cond"]["key"] == "kms:ViaService"


def test_malformed_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", write(tmp_path, case("one", decision="perhaps"))]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "cases.json: case one: field expect.decision: unknown value 'perhaps'" in streams.err


def test_a_path_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test"]) == 2
    assert "CASES" in capsys.readouterr().err


def test_a_case_with_a_mistake_does_not_keep_the_others_from_being_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(
        tmp_path,
        {**case("one", decision="conditional"), "permissions_boundary": {}},
        case("two", decision="conditional"),
        case("two", decision="conditional"),
    )
    assert run(["test", file]) == 2
    streams = capsys.readouterr()
    assert "pass  two" in streams.out
    assert "one" not in streams.out.split()
    assert streams.out.rstrip().endswith("1 case: 1 passed, 0 failed, 2 more could not be read")
    assert "case one: field permissions_boundary: does not belong here" in streams.err
    assert "case two: field id: used twice." in streams.err


def test_a_broken_file_does_not_keep_the_others_from_being_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, case("one", decision="denied"))
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert run(["test", str(tmp_path), "-f", "json"]) == 2
    streams = capsys.readouterr()
    assert json.loads(streams.out)["passed"] is False
    assert "broken.json" in streams.err


def test_an_annotation_plays_no_part_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", write(tmp_path, {**case("one", decision="conditional"), "reviewer": "x"})]) == 0
    assert "case one: field reviewer is not known and plays no part." in capsys.readouterr().err
