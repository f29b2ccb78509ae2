"""``what-if`` as a user types it: changes, plans, formats and gates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.key import Fact
from tests.cli.conftest import APP, BATCH, HOME, KEY, PARTNER, ROOT, VIA_S3, Ask, allow, text
from tests.questions.estate import NO_DECRYPT

pytestmark = pytest.mark.usefixtures("snapshots")


def test_what_if_a_key_policy_changes(ask: Ask) -> None:
    Path("policy.json").write_text(text(ROOT), encoding="utf-8")
    found = ask("what-if", "now", "--key-policy", "alias/app=policy.json", "-f", "json").json()
    assert [(item["change"], item["principal"]) for item in found["access"]] == [("lost", PARTNER)]
    assert ask("what-if", "now", "--revoke-grant", "nightly", "-f", "markdown").out.startswith("### KMS access")


def test_what_if_keys_principals_and_members_of_groups_come(ask: Ask) -> None:
    new = KEY.replace("1234abcd", "planned")
    Path("use.json").write_text(text(allow(Action="kms:Decrypt")), encoding="utf-8")
    Path("key.json").write_text(text(ROOT, VIA_S3), encoding="utf-8")
    listed = [
        {"change": "add-key", "of": new, "file": "key.json"},
        {"change": "alias", "of": new, "name": "alias/new"},
        {"change": "add-principal", "of": "role/new"},
        {"change": "identity-policy", "of": "role/new", "name": "Use", "file": "use.json"},
    ]
    Path("changes.yaml").write_text(json.dumps(listed), encoding="utf-8")
    options = ["--add-key", f"{new}=key.json", "--alias", f"alias/new={new}", "--add-principal", "role/new"]
    for words in (["--changes", "changes.yaml"], [*options, "--identity-policy", "role/new:Use=use.json"]):
        found = ask("what-if", "now", *words, "--no-findings", "-f", "json").json()
        gained = {(item["principal"], item["key"]) for item in found["access"] if item["capability"] == "decrypt"}
        assert {(APP, new), (PARTNER, new), (f"arn:aws:iam::{HOME}:role/new", KEY)} <= gained
        assert {item["change"] for item in found["access"]} == {"gained"}
        assert {(item["kind"], item["change"]) for item in found["facts"]} == {("key", "added"), ("principal", "added")}
    joined = ("--add-principal", "user/bob", "--add-to-group", "user/bob=readers")
    assert "policies of group “readers” are not in the snapshot" in ask("what-if", "now", *joined).err
    listed[0]["change"] = "only-inline-policies"
    Path("changes.yaml").write_text(json.dumps(listed), encoding="utf-8")
    assert "no change “only-inline-policies”" in ask("what-if", "now", "--changes", "changes.yaml").err


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (("--revoke-grant", "0a1b2c3d"), BATCH),
        (("--identity-policy", "role/app:inline="), APP),
        (("--remove-principal", "role/app"), APP),
    ],
)
def test_what_if_removals(ask: Ask, change: tuple[str, str], lost: str) -> None:
    found = ask("what-if", "now", *change, "-f", "json").json()
    assert {item["principal"] for item in found["access"] if item["change"] == "lost"} == {lost}


def test_what_if_takes_its_snapshot_as_every_question_does(ask: Ask) -> None:
    words = ("--revoke-grant", "nightly", "--no-findings")
    assert ask("what-if", "--from", "now", *words).out == ask("what-if", "now", *words).out
    assert "Two snapshots were given" in ask("what-if", "then", "--from", "now", *words).err
    Path("stop.json").write_text(NO_DECRYPT, encoding="utf-8")
    assert "is not NAME[@TARGET]=FILE" in ask("what-if", "now", "--scp", "@ou-a=stop.json").err


def test_what_if_of_a_terraform_plan(ask: Ask) -> None:
    change: dict[str, Any] = {
        "address": "aws_kms_key.app",
        "type": "aws_kms_key",
        "change": {"actions": ["update"], "before": {"arn": KEY}, "after": {"policy": text(ROOT)}},
    }
    new = {"address": "aws_kms_key.new", "type": "aws_kms_key", "change": {"actions": ["create"], "after": {}}}
    Path("plan.json").write_text(json.dumps({"resource_changes": [change, new]}), encoding="utf-8")
    answer = ask("what-if", "now", "--terraform", "plan.json", "-f", "json")
    assert [item["change"] for item in answer.json()["access"]] == ["lost"]
    assert "aws_kms_key.new" in answer.err


@pytest.mark.parametrize("change", [("--revoke-grant", "x"), ("--delete-alias", "x"), ("--scp", "x="), ()])
def test_what_if_refuses_changes_that_change_nothing(ask: Ask, change: tuple[str, ...]) -> None:
    answer = ask("what-if", "now", *change)
    assert answer.code == 2, answer.out
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
def test_what_if_in_every_format_names_whom_it_hurts_and_what_is_open(
    ask: Ask, snapshots: dict[str, Any], form: str
) -> None:
    app, *others = snapshots["now"].principals
    snapshots["now"] = replace(snapshots["now"], principals=(replace(app, last_used="2026-11-20T00:00:00Z"), *others))
    new = {"address": "aws_kms_key.new", "type": "aws_kms_key", "change": {"actions": ["create"], "after": {}}}
    Path("plan.json").write_text(json.dumps({"resource_changes": [new]}), encoding="utf-8")
    change = ("--identity-policy", "role/app:inline=", "--terraform", "plan.json", "--no-findings")
    answer = ask("what-if", "now", *change, "-f", form)
    assert answer.code == 0
    assert "2026-11-20" in answer.out
    assert "aws_kms_key.new" in answer.out
    assert ("not judged: aws_kms_key.new" in answer.err) == (form != "text")


def test_access_that_may_be_gained_does_not_pass_the_gate(ask: Ask, snapshots: dict[str, Any]) -> None:
    """The boundary of the role could not be read: whether the new policy gives it anything is unknown."""
    Path("use.json").write_text(text(allow(Action="kms:Encrypt")), encoding="utf-8")
    app, batch, ops = snapshots["now"].principals
    blind = replace(batch, unread=frozenset({Fact.BOUNDARY}))
    snapshots["now"] = replace(snapshots["now"], principals=(app, blind, ops))
    words = ("--identity-policy", "role/batch:New=use.json", "--no-findings", "--fail-on-gained")
    answer = ask("what-if", "now", *words, "encrypt")
    assert (answer.code, "2 may have gained encrypt" in answer.err) == (3, True)
    assert ask("what-if", "now", *words, "administer").code == 0


def test_what_was_not_judged_does_not_pass_the_gate(ask: Ask) -> None:
    new = {"address": "aws_kms_key.new", "type": "aws_kms_key", "change": {"actions": ["create"], "after": {}}}
    Path("plan.json").write_text(json.dumps({"resource_changes": [new]}), encoding="utf-8")
    words = ("what-if", "now", "--terraform", "plan.json", "--no-findings", "-q")
    assert ask(*words).code == 0
    for form in ("text", "json", "csv", "markdown"):
        answer = ask(*words, "--fail-on-gained", "decrypt", "-f", form)
        told = "1 planned change could not be judged: whether somebody gains decrypt is not known (--fail-on-gained)"
        assert (answer.code, told in answer.err) == (3, True)
        strict = ask(*words, "--fail-on-gained", "decrypt", "--strict", "-f", form)
        assert (strict.code, "1 planned change could not be judged (--strict)" in strict.err) == (4, True)
    assert ask("what-if", "now", "--delete-alias", "alias/app", "--no-findings", "--strict").code == 0


def test_what_findings_alone_rest_on_is_not_called_no_change(ask: Ask) -> None:
    trail = {"address": "aws_cloudtrail.t", "type": "aws_cloudtrail"}
    trail["change"] = {"actions": ["delete"], "before": {}}  # type: ignore[assignment]
    Path("plan.json").write_text(json.dumps({"resource_changes": [trail]}), encoding="utf-8")
    words = ("what-if", "now", "--terraform", "plan.json", "--fail-on-gained", "any")
    for form, told in {
        "text": "; 1 planned change not judged",
        "json": '"aws_cloudtrail.t (delete): findings about it are not judged"',
        "csv": "finding-not-judged,,,,,,,,aws_cloudtrail.t",
        "markdown": "- `aws_cloudtrail.t (delete)",
    }.items():
        answer = ask(*words, "-f", form)
        assert (answer.code, told in answer.out) == (0, True)
    assert ask(*words, "--strict").code == 4
    assert ask(*words, "--strict", "--no-findings").code == 0


def test_what_if_a_key_rotates(ask: Ask) -> None:
    found = ask("what-if", "now", "--key-rotation", "alias/app=400", "-f", "json").json()
    assert [item["rule"] for item in found["findings"]["new"]] == ["rotation-period-too-long"]
    Path("list.yaml").write_text("- {change: key-rotation, of: alias/app, value: 400}", encoding="utf-8")
    assert ask("what-if", "now", "--changes", "list.yaml", "-f", "json").json() == found
    found = ask("what-if", "now", "--key-rotation", "alias/app=", "-f", "json").json()
    assert [item["rule"] for item in found["findings"]["new"]] == ["rotation-disabled"]


def test_a_plan_without_any_change_of_access_says_so(ask: Ask) -> None:
    bucket = {"address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "change": {"actions": ["create"], "after": {}}}
    Path("plan.json").write_text(json.dumps({"resource_changes": [bucket]}), encoding="utf-8")
    answer = ask("what-if", "now", "--terraform", "plan.json", "--no-findings")
    assert (answer.code, answer.err) == (0, "the plan changes nothing that access to keys rests on\n")
