"""Files that a careless or hostile user hands in: one line that names the place and the remedy, and exit code 2."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.snapshot import Snapshot
from tests.cli.conftest import KEY, Answer, Ask

pytestmark = pytest.mark.usefixtures("snapshots")


def refused(answer: Answer, *words: str) -> None:
    assert answer.code == 2, answer.err
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
    assert "defect" not in answer.err
    for word in words:
        assert word in answer.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"\xe9", "policy.json: not UTF-8 text (byte 0). Name a policy document."),
        (b"[" * 100_000, "is not JSON: it is nested too deeply"),
        (b"[]", "cannot be read"),
        (b'{"Statement": 7}', "cannot be read"),
        (b" " * (1024 * 1024 + 1), "larger than 1 MiB"),
    ],
)
def test_policies(ask: Ask, content: bytes, message: str) -> None:
    Path("policy.json").write_bytes(content)
    refused(ask("what-if", "now", "--key-policy", "alias/app=policy.json"), message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "changes.yaml: expected a list of changes. Begin each with"),
        ("- 7", "changes.yaml: change 1: expected a map"),
        ("- {change: tag, of: alias/app, name: n}\n- {of: alias/app}", "change 2: “change” is missing. Choose add-key"),
        ("- {change: bogus, of: alias/app}", "no change “bogus”"),
        ("- {change: tag, name: n, value: x}", "“of” is missing"),
        ("- {change: scp, of: x, file: [a]}", "“file” must be text"),
        ("- {change: tag, of: alias/app, name: n, value: true}", "“value” must be text. Put it in quotes"),
        (
            "- {change: tag, of: alias/app, nmae: n}",
            "unknown field “nmae”. Known: change, of, name, file, policy",
        ),
        ("- {change: tag, of: alias/app, of: alias/other}", "the name 'of' occurs twice"),
        ("- {change: grant, of: alias/app}", "A new grant needs its grantee"),
        ("- {change: grant, of: alias/app, grant: {GranteePrincipal: [x], Operations: [Decrypt]}}", "must be text"),
        ("- {change: grant, of: alias/app, grant: {Operations: [[Decrypt]]}}", "`Operations` must be a list"),
        (
            "- {change: grant, of: alias/app, grant: {Operations: [Decrypt], Constraints: {SourceArn: true}}}",
            "`SourceArn` must be text",
        ),
        (
            "- {change: grant, of: x, grant: {Operations: [D], Constraints: {EncryptionContextEquals: {a: true}}}}",
            "`a` must be text",
        ),
        ("- {change: grant, of: x, grant: {Operations: [Decrypt], Constraints: []}}", "`Constraints` knows"),
        ("-\tchange: tag", "a tab, where YAML takes only spaces (line 1, column 2)"),
        (
            """- {change: grant, of: x, grant: '{"Operations": ["Decrypt"], "Operations": []}'}""",
            "the name 'Operations' occurs twice",
        ),
        ("- {change: scp, of: x, file: none.json}", "none.json: cannot be read: No such file or directory"),
        ("- {change: key-policy, of: alias/app, policy: }", "“policy” is empty. Fill it in, or leave it out"),
        ("- {change: tag, of: alias/app, name: n, value: }", "“value” is empty"),
        ("- {change: tag, of: alias/app, value: x}", "“name” is missing. tag needs it"),
        ("- {change: attach-scp, of: x}", "“name” is missing"),
        ("- {change: revoke-grant, of: x, name: n}", "“name” plays no part in revoke-grant. It has change, of."),
        ("- {change: key-state, of: x, file: f}", "“file” plays no part in key-state. It has change, of, value."),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_lists_of_changes(ask: Ask, text: str, message: str) -> None:
    Path("changes.yaml").write_text(text, encoding="utf-8")
    refused(ask("what-if", "now", "--changes", "changes.yaml"), message)


@pytest.mark.parametrize("words", [("test",), ("report",), ("evaluate",), ("config", "check"), ("diff", "now")])
def test_a_name_longer_than_the_file_system_takes(ask: Ask, words: tuple[str, ...]) -> None:
    answer = ask(*words, "n" * 5000)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err) < 5200


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "now", "-o"),
        ("evaluate", "now", "--output-dir"),
        ("evaluate", "now", "--baseline"),
        ("who-can", "decrypt", "alias/app", "--from"),
        ("test",),
        ("config", "check"),
    ],
)
@pytest.mark.parametrize(("path", "message"), [("", "the text is empty"), ("a\0b", "no character NUL")])
def test_a_path_that_is_none(ask: Ask, words: tuple[str, ...], path: str, message: str) -> None:
    refused(ask(*words, path), words[-1] if words[-1].startswith("-") else "", message)


def test_a_path_inside_a_file_or_value_that_is_none(ask: Ask) -> None:
    Path("changes.yaml").write_text('- {change: scp, of: x, file: "a\\0b"}', encoding="utf-8")
    refused(ask("what-if", "now", "--changes", "changes.yaml"), "cannot be read: embedded null byte")
    refused(ask("what-if", "now", "--key-policy", "alias/app=a\0b"), "cannot be read: embedded null byte")
    Path("c.yaml").write_text('output: {dir: ""}', encoding="utf-8")
    refused(ask("config", "check", "c.yaml"), "output.dir: is empty")


@pytest.mark.parametrize("words", [("report",), ("evaluate", "now", "--baseline")])
def test_a_result_without_an_end(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    refused(ask(*words, "/dev/zero"), "/dev/zero: cannot be read as a result")
    monkeypatch.setattr("auditor.audit.baseline.MOST_BYTES", 100_000)
    endless = tmp_path / "endless.json"
    endless.write_text("{" + " " * 200_000)
    refused(ask(*words, str(endless)), f"{endless}: larger than any result")


def test_a_value_of_any_length_is_not_quoted_in_full(ask: Ask) -> None:
    Path("c.yaml").write_text(f"collection: {{role_name: {'a' * 1_000_000}}}", encoding="utf-8")
    answer = ask("config", "check", "c.yaml")
    refused(answer, "c.yaml: collection.role_name", "is no role name", "and not its ARN")
    assert len(answer.err) < 5000


@pytest.mark.parametrize("words", [("report",), ("config", "check"), ("what-if", "now", "--terraform")])
@pytest.mark.parametrize(
    ("content", "trouble"), [(b"1" * 5000, "too many digits"), (b"\xff\xfe{\0", "UTF-8 text (byte 0)")]
)
def test_trouble_is_told_in_plain_words(ask: Ask, words: tuple[str, ...], content: bytes, trouble: str) -> None:
    Path("file").write_bytes(content)
    answer = ask(*words, "file")
    refused(answer, "file: ", trouble)
    assert "codec" not in answer.err
    assert "sys." not in answer.err


def plan(**entry: Any) -> str:
    change = {"actions": ["update"], "before": {"arn": KEY}, "after": {}}
    return json.dumps({"resource_changes": [{"address": "a", "type": "aws_kms_key", "change": change} | entry]})


@pytest.mark.parametrize(
    "text", ["", '"x"', "[]", '{"resource_changes": [7]}', '{"resource_changes": 7}', "[" * 100_000]
)
def test_plans_that_are_none(ask: Ask, text: str) -> None:
    Path("plan.json").write_text(text, encoding="utf-8")
    refused(ask("what-if", "now", "--terraform", "plan.json"), "terraform show -json")


@pytest.mark.parametrize(
    "entry",
    [
        {"change": None},
        {"change": []},
        {"change": {"actions": 7}},
        {"change": {"actions": ["update"], "before": 7, "after": [1]}},
        {"change": {"actions": ["update"], "before": {"arn": 7}, "after": {"policy": "{}"}}},
        {"change": {"actions": ["update"], "before": {"arn": KEY}, "after": {"policy": 7}}},
        {"type": "aws_kms_grant", "change": {"actions": ["create"], "after": {"key_id": KEY, "grantee_principal": 7}}},
        {"type": "aws_kms_alias", "change": {"actions": ["delete"]}},
        {"type": "aws_organizations_policy", "change": {"actions": ["update"], "after": {"type": [], "content": "{}"}}},
    ],
)
def test_changes_of_a_plan_that_cannot_be_judged_are_named(ask: Ask, entry: dict[str, Any]) -> None:
    Path("plan.json").write_text(plan(**entry), encoding="utf-8")
    answer = ask("what-if", "now", "--terraform", "plan.json", "-q")
    assert answer.code == 0
    assert "not judged: a (" in answer.out


def test_odd_members_of_a_planned_grant_are_left_out(ask: Ask) -> None:
    after = {"key_id": KEY, "grantee_principal": "x", "operations": 7, "constraints": ["x"], "name": [1]}
    change = {"actions": ["create"], "before": None, "after": after}
    Path("plan.json").write_text(plan(type="aws_kms_grant", change=change), encoding="utf-8")
    assert ask("what-if", "now", "--terraform", "plan.json", "-q").code == 0


def test_register_and_baseline_are_read_once_so_that_a_pipe_will_do(
    ask: Ask, snapshots: dict[str, Snapshot], tmp_path: Path
) -> None:
    """A second reading of a pipe would find nothing, and the register would silently not count."""
    import os
    import threading

    assert snapshots
    first = ask("evaluate", "now", "-f", "json", "-o", "-", "-q").json()["findings"][0]
    entry = {"rule": first["rule"], "subject": first["subject"], "kind": "accepted-risk", "reason": "r"}
    entry |= {"approver": "a", "approved": "2026-11-01", "expires": "2026-12-01"}
    os.mkfifo(tmp_path / "register")
    writing = threading.Thread(target=(tmp_path / "register").write_text, args=(json.dumps([entry]),))
    writing.start()
    answer = ask("evaluate", "now", "--suppressions", "register", "-f", "json", "-o", "-", "-q")
    writing.join()
    assert answer.json()["findings"][0]["state"] == "accepted"


@pytest.mark.parametrize("number", [None, 10**30, -(10**30)])
def test_times_at_the_end_of_the_calendar(ask: Ask, snapshots: dict[str, Snapshot], number: int | None) -> None:
    pending, disabled = snapshots["now"].keys
    odd = {"state": "PendingDeletion", "deletion_date": "0001-01-02T00:00:00Z", "pending_window_days": number}
    keys = (replace(pending, **odd), replace(disabled, state="Disabled"))
    snapshots["now"] = replace(snapshots["now"], keys=keys)
    for day in ("0001-01-01", "9999-12-31"):
        answer = ask("evaluate", "now", "--as-of", day, "-f", "json", "-o", "-", "-q")
        assert (answer.code, answer.err) == (0, "")


def test_config_check_knows_the_formats(ask: Ask) -> None:
    Path("c.yaml").write_text("output: {formats: [html, pfd]}", encoding="utf-8")
    refused(ask("config", "check", "c.yaml"), "There is no format “pfd”. Choose among asff, csv, html")
