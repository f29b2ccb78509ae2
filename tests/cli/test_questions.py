"""who-can, what-can, explain, grants, diff and what-if as a user types them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Gap, Snapshot
from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, ROOT, VIA_S3, Answer, allow, role, text
from tests.questions.estate import NO_DECRYPT, organization_estate, second_region

pytestmark = pytest.mark.usefixtures("snapshots")
Ask = Callable[..., Answer]


def outcomes(answer: Answer) -> dict[str, str]:
    assert answer.code == 0, answer.err
    return {row["principal"]: row["outcome"] for row in answer.json()}


def test_who_can_lists_every_kind_of_caller(ask: Ask) -> None:
    found = outcomes(ask("who-can", "kms:Decrypt", "alias/app", "--from", "now", "-f", "json"))
    assert found[APP] == "allowed"
    assert found[BATCH] == "conditional"
    assert found[PARTNER] == "conditional"
    assert found[f"arn:aws:iam::{KEY.split(':')[4]}:root"] == "allowed"


def test_who_can_takes_capabilities_patterns_and_says_who_is_blocked(ask: Ask) -> None:
    answer = ask("who-can", "kms:Decrypt", "alias/*", "--include-denied", "--from", "now", "-f", "csv")
    rows = {(row["key"], row["principal"]): row for row in csv.DictReader(io.StringIO(answer.out))}
    assert rows[KEY, OPS]["outcome"] == "allowed"
    blocked = rows[OTHER, OPS]
    assert blocked["outcome"] == "explicitly-denied"
    assert "NotOps" in blocked["why"]


def test_who_can_in_words(ask: Ask) -> None:
    answer = ask("who-can", "Decrypt", KEY, "--from", "now")
    assert "Amazon S3" in answer.out
    assert PARTNER in answer.out
    assert "\x1b[" not in answer.out


def test_what_can_folds_in_what_another_layer_takes_away(ask: Ask) -> None:
    answer = ask("what-can", "role/o*", "--action", "kms:Decrypt", "--from", "now", "-f", "json")
    found = {row["key"]: row["outcome"] for row in answer.json()}
    assert found == {KEY: "allowed", OTHER: "explicitly-denied"}


def test_what_can_of_a_session_and_a_stranger(ask: Ask) -> None:
    session = f"arn:aws:sts::{APP.split(':')[4]}:assumed-role/app/i-1"
    assert outcomes(ask("what-can", session, "--action", "decrypt", "--key", "app", "--from", "now", "-f", "json"))
    stranger = ask("what-can", "arn:aws:iam::333333333333:role/x", "--from", "now")
    assert "nothing" in stranger.out


def test_paths_to_a_key_and_of_a_principal(ask: Ask, snapshots: dict[str, Snapshot]) -> None:
    writer = role(BATCH, allow(Sid="Own", Action="iam:PutRolePolicy", Resource=BATCH))
    gap = Gap(fact=Fact.IDENTITY_POLICY, account=HOME, operation="iam:GetRolePolicy", code="AccessDenied")
    snapshots["now"] = replace(snapshots["now"], principals=(*snapshots["now"].principals[:1], writer), gaps=(gap,))
    answer = ask("paths", "alias/other", "--from", "now")
    assert answer.code == 0, answer.err
    assert f"{BATCH}\n  → iam:PutRolePolicy → any policy it likes\n" in answer.out
    assert f"alias/other  {OTHER}" in answer.out and "statement “Own”" in answer.out
    assert "1 fact that access rests on could not be read; routes through what is missing are not listed" in answer.err
    (row,) = ask("paths", "role/batch", "--from", "now", "-f", "json").json()
    assert (row["kind"], row["hops"], row["keys"]) == ("identity", 1, [OTHER])  # a grant of its own opens the other key
    (line,) = csv.DictReader(io.StringIO(ask("paths", "batch", "--from", "now", "-f", "csv").out))
    assert line["path"] == row["path"]
    assert ask("paths", "role/app", "--from", "now").out == "no route was found in what could be read\n"
    assert ask("paths", "role/app", "--from", "then").out == "no route was found\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "No principal is called “nobody”. No key is called “nobody”."),
        ("alias/ap", "Did you mean alias/app"),
        ("role/ap", "Did you mean role/app"),
        ("app", "role/app. Name a key as alias/NAME"),
        ("*", "“*” means 2 keys and the principal *. Name a key as alias/NAME"),
        ("mrk-1", "No key is called"),
    ],
)
def test_paths_of_a_name_that_means_nothing_or_two_things(ask: Ask, name: str, message: str) -> None:
    answer = ask("paths", name, "--from", "now")
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_explain_names_layers_statements_and_the_way_out(ask: Ask) -> None:
    answer = ask("explain", "role/ops", "kms:Decrypt", "alias/other", "--from", "now")
    assert "denied explicitly" in answer.out
    assert "NotOps" in answer.out
    assert "Remove or narrow key policy default statement “NotOps”" in answer.out


def test_explain_under_a_context_and_expectations(ask: Ask) -> None:
    base = ("explain", PARTNER, "kms:Decrypt", "alias/app", "--from", "now")
    assert ask(*base, "--expect", "conditional").code == 0
    via = ("--context", "kms:ViaService=s3.eu-west-1.amazonaws.com")
    assert ask(*base, *via, "--expect", "allowed").code == 0
    failed = ask(*base, "--context", "kms:ViaService=", "--expect", "allowed")
    assert failed.code == 3
    assert "expected allowed" in failed.err
    assert ask(*base, "-f", "json").json()[0]["residual"]["cond"]["key"] == "kms:ViaService"


def test_grants(ask: Ask) -> None:
    (row,) = ask("grants", "--from", "now", "--stale", "90", "-f", "json").json()
    assert (row["grantee"], row["age_days"], row["grantee_missing"]) == (BATCH, 176, False)
    assert "app=batch" in row["constraint"]
    assert ask("grants", "--from", "now", "--stale", "365").out.strip() == "0 grants"


def test_diff_tells_gained_from_lost(ask: Ask) -> None:
    found = ask("diff", "then", "now", "-f", "json").json()
    gained = [(item["change"], item["principal"], item["capability"]) for item in found["access"]]
    assert gained == [("gained", PARTNER, "decrypt")]
    assert "PartnerViaS3" in found["access"][0]["cause"]
    assert {
        "kind": "key policy",
        "subject": KEY,
        "change": "changed",
        "detail": "default: added PartnerViaS3",
    } in found["facts"]
    back = ask("diff", "now", "then", "-f", "json").json()
    assert [item["change"] for item in back["access"]] == ["lost"]
    assert ask("diff", "then", "now", "--fail-on-gained", "decrypt").code == 3
    assert ask("diff", "then", "now", "--fail-on-gained", "administer").code == 0
    assert ask("diff", "now", "now", "-f", "json").json()["access"] == []


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("who-can", "kms:Decypt", "alias/app"), "Did you mean kms:Decrypt"),
        (("who-can", "decrypt", "alias/ap"), "alias/app"),
        (("what-can", "role/apq"), "role/app"),
        (("what-can", f"arn:aws:iam::{APP.split(':')[4]}:role/gone"), "No principal is called"),
        (("explain", "role/app", "kms:Decrypt", "alias/*"), "means 2 keys"),
        (("explain", "role/app", "decrypt", "alias/app"), "is a capability"),
        (("explain", "role/app", "kms:Decrypt", "alias/app", "--context", "x"), "not KEY=VALUE"),
        (
            ("explain", "role/app", "Decrypt", "alias/app", "--context", "kms:ViaServce=x"),
            "Did you mean kms:ViaService",
        ),
        (("explain", "role/app", "Decrypt", "alias/app", "--context", "ViaService=x"), "Did you mean kms:ViaService"),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "kms:ViaService=", "--context", "kms:viaservice=x"),
            "absent, and to be there",
        ),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "kms:ViaService=y", "--context", "kms:viaservice=x"),
            "one value of “kms:ViaService”",
        ),
        (("explain", "role/*", "Decrypt", "app"), "“role/*” means 4 principals. Choose one: arn:aws:iam"),
        (("explain", "arn:aws:iam::222222222222:user/*", "Decrypt", "app"), "No principal matches"),
        (("what-can", "arn:aws:iam::222222222222:policy/x"), "no ARN of a user, a role, a session or an account"),
        (("what-can", "arn:aws:iam::222222222222:role/"), "no ARN of a user"),
        (("what-can", "arn:aws:sts::222222222222:assumed-role/x"), "no ARN of a user"),
        (("what-can", KEY.replace("111111111111", "222222222222")), "no ARN of a user"),
        (("paths", "arn:aws:sts::111111111111:assumed-role/app/"), "no ARN of a user"),
        (("what-can", ".amazonaws.com"), "No principal is called"),
        (("what-can", "group/none"), "No collected user belongs to “group/none”. A group without members"),
        (("who-can", "decrypt", "x" * 5000), "xxx…”"),
        (("explain", "role/app", "kms:*", "app"), "no KMS action. Name one action"),
        (("who-can", "alias/app", "decrypt"), "no KMS action. A capability would do"),
        (("who-can", "decrypt", "role/app"), "the name of a principal; what-can asks"),
        (("what-can", "alias/app"), "the name of a key; who-can asks"),
        (("grants", "--grantee", ""), "--grantee: it is empty"),
        (("grants", "--issued-by", ""), "“” is no account"),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "kms:ViaService=s3"),
            "“s3” is no value of kms:ViaService. Write the service with its Region",
        ),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "kms:ViaService=s3.amazonaws.com"),
            "no value of kms:ViaService",
        ),
        (("explain", "role/app", "Decrypt", "app", "--context", "aws:SourceIp=10.0.0.0/8"), "It is one address"),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "aws:MultiFactorAuthPresent=yes"),
            "It is true or false",
        ),
        (("explain", "role/app", "Decrypt", "app", "--context", "aws:CurrentTime=noon"), "Write 2026-11-24T12:00:00Z"),
        (("explain", "role/app", "Decrypt", "app", "--context", "kms:RotationPeriodInDays=x"), "It is a number"),
        (("explain", "role/app", "Decrypt", "app", "--context", "aws:SourceArn=bucket"), "It is an ARN"),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", " kms:ViaService=s3.eu-west-1.amazonaws.com"),
            "Did you mean kms:ViaService",
        ),
        (
            ("explain", "role/app", "Decrypt", "app", "--context", "kms:EncryptionContext:=x"),
            "Did you mean kms:EncryptionContext:NAME",
        ),
        (("what-can", "role/app", "--profile", "x"), "exclude each other"),
        (("grants", "--last-usage"), "exclude each other"),
        (("grants", "--key-events", "5"), "exclude each other"),
        (("grants", "--issued-by", "x"), "“x” is no account"),
        (("who-can", "decrypt", "alias/app", "--max-workers", "2"), "exclude each other"),
    ],
)
def test_unknown_and_ambiguous_names_exit_2_in_one_line(ask: Ask, words: tuple[str, ...], message: str) -> None:
    answer = ask(*words, "--from", "now")
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("kms:KeySpec=RSA_2048", "kms:KeySpec=RSA_2048 is stated, although it is SYMMETRIC_DEFAULT"),
        ("kms:callerAccount=222222222222", "kms:CallerAccount=222222222222 is stated, although it is 111111111111"),
        ("kms:GrantIsForAWSResource=true", "although it is not part of such a request"),
        ("kms:RequestAlias=alias/none", "although it can only be alias/app"),
        ("aws:SourceIpp=203.0.113.7", "is no known condition key; aws:SourceIp was probably meant"),
        ("kms:ViaService=s3.eu-west-1.amazonaws.com", ""),
        ("kms:EncryptionContext:App=x", ""),
        ("token.example.com:sub=x", ""),
    ],
)
def test_a_stated_fact_that_cannot_be_is_pointed_out(ask: Ask, fact: str, told: str) -> None:
    answer = ask("explain", "role/app", "Decrypt", "alias/app", "--from", "now", "--context", fact)
    assert answer.code == 0
    assert told in answer.err if told else not answer.err


def test_an_action_that_the_type_of_a_key_does_not_have_is_noted(ask: Ask) -> None:
    note = "note: kms:Sign fails on a key of SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT, with material of AWS_KMS\n"
    assert note in ask("explain", "role/app", "Sign", "alias/app", "--from", "now").out
    assert note in ask("who-can", "Sign", "alias/app", "--from", "now").out
    assert "note:" not in ask("who-can", "Decrypt", "alias/app", "--from", "now").out
    assert "note:" not in ask("who-can", "encrypt", "alias/app", "--from", "now").out


@pytest.mark.parametrize("change", [("--revoke-grant", "x"), ("--delete-alias", "x"), ("--scp", "x="), ()])
def test_what_if_refuses_changes_that_change_nothing(ask: Ask, change: tuple[str, ...]) -> None:
    answer = ask("what-if", "now", *change)
    assert answer.code == 2, answer.out
    assert len(answer.err.splitlines()) == 1


def test_grants_by_grantee_issuer_constraint_and_existence(ask: Ask) -> None:
    for words, number in [
        (("--grantee", "role/batch"), 1),
        (("--grantee", "*/batch"), 1),
        (("--grantee", "role/app"), 0),
        (("--issued-by", "333333333333"), 0),
        (("--grantee", HOME), 1),
        (("--missing",), 0),
        (("--unconstrained",), 0),
    ]:
        assert len(ask("grants", "--from", "now", *words, "-f", "json").json()) == number, words


def test_a_grantee_with_a_path_is_found_by_its_name(ask: Ask, snapshots: dict[str, Any]) -> None:
    app, other = snapshots["now"].keys
    grant = replace(app.grants[0], grantee=f"arn:aws:iam::{HOME}:role/team/batch")
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, grants=(grant,)), other))
    for name in ("role/batch", "batch", "role/team/batch"):
        assert len(ask("grants", "--from", "now", "--grantee", name, "-f", "json").json()) == 1


def test_a_gap_elsewhere_is_no_doubt_about_the_grants_of_a_key(ask: Ask, snapshots: dict[str, Any]) -> None:
    gap = Gap(fact=Fact.KEY_METADATA, account=HOME, operation="kms:DescribeKey", code="AccessDenied", subject=OTHER)
    snapshots["now"] = replace(snapshots["now"], gaps=(gap,))
    for words, doubt in (((), True), (("*/app",), True), (("alias/app",), False)):
        assert ("grants may be missing" in ask("grants", *words, "--from", "now").err) == doubt


def test_a_grant_that_was_made_after_the_moment_of_the_question(ask: Ask) -> None:
    assert "  made 31 days later\n" in ask("grants", "--from", "now", "--as-of", "2026-05-01").out


def test_a_key_that_is_named_twice_is_answered_once(ask: Ask) -> None:
    twice = ("alias/app", KEY, "*:key/1234*")
    assert len(ask("grants", *twice, "--from", "now", "-f", "json").json()) == 1
    given = [word for name in twice for word in ("--key", name)]
    rows = ask("what-can", "role/app", "--action", "decrypt", *given, "--from", "now", "-f", "json").json()
    assert [row["key"] for row in rows] == [KEY]


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_grants_that_could_not_be_read_are_named(ask: Ask, snapshots: dict[str, Any], form: str) -> None:
    app, other = snapshots["now"].keys
    blind = replace(other, unread=frozenset({Fact.GRANTS}))
    snapshots["now"] = replace(snapshots["now"], keys=(app, blind))
    answer = ask("grants", "--from", "now", "-f", form, "-q")
    assert answer.err == f"not listed: the grants of {OTHER} (alias/other), which could not be read\n"
    assert ask("grants", "alias/app", "--from", "now", "-f", form, "-q").err == ""


UNLISTED = (
    (Gap(fact=Fact.KEY_LIST, account=HOME, region="eu-north-1"), f"account {HOME} in eu-north-1"),
    (Gap(fact=Fact.REGIONS, account=HOME, subject="me-south-1"), f"account {HOME} in me-south-1"),
    (Gap(fact=Fact.ACCOUNT, account="444444444444"), "account 444444444444"),
    (Gap(fact=Fact.KEY_METADATA, account=HOME, region="eu-west-1", subject=f"{KEY}-gone"), f"{KEY}-gone"),
)


@pytest.mark.parametrize(("gap", "place"), UNLISTED)
def test_keys_that_could_not_be_listed_are_told_of(ask: Ask, snapshots: dict[str, Any], gap: Gap, place: str) -> None:
    """An answer over all keys is none over those; even --quiet says so, and nobody is said to have nothing."""
    snapshots["now"] = replace(snapshots["now"], gaps=(gap,))
    told = f"not listed: keys that could not be read: {place}\n"
    for words in (("what-can", "role/app"), ("grants",), ("grants", "*"), ("who-can", "decrypt", "alias/*")):
        assert ask(*words, "--from", "now", "-q").err == told
    answer = ask("what-can", "arn:aws:iam::333333333333:role/x", "--from", "now", "-q")
    assert answer.out.endswith("\n  nothing, with the keys that could be read\n")
    for words in (("what-can", "role/app", "--key", "alias/app"), ("grants", KEY), ("who-can", "decrypt", KEY)):
        assert ask(*words, "--from", "now", "-q").err == ""


def test_a_key_whose_description_was_refused_is_listed(ask: Ask, snapshots: dict[str, Any]) -> None:
    gap = Gap(fact=Fact.KEY_METADATA, account=HOME, region="eu-west-1", subject=KEY)
    snapshots["now"] = replace(snapshots["now"], gaps=(gap,))
    assert ask("grants", "--from", "now", "-q").err == ""


def test_whether_a_grantee_of_another_account_exists_is_not_known(ask: Ask, snapshots: dict[str, Any]) -> None:
    app, other = snapshots["now"].keys
    grants = [replace(app.grants[0], grant_id=name, grantee=name) for name in (PARTNER, f"{BATCH}s")]
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, grants=tuple(grants)), other))
    rows = ask("grants", "--from", "now", "-f", "json").json()
    assert {row["grantee"]: row["grantee_missing"] for row in rows} == {PARTNER: None, f"{BATCH}s": True}
    assert len(ask("grants", "--from", "now", "--missing", "-f", "json").json()) == 1


def test_a_grant_of_somebody_who_is_gone(ask: Ask, snapshots: dict[str, Any]) -> None:
    snapshots["now"] = replace(snapshots["now"], principals=())
    answer = ask("grants", "--from", "now", "--missing")
    assert "(does not exist)" in answer.out


def test_actions_without_a_key(ask: Ask) -> None:
    refused = ask("who-can", "CreateKey", "alias/app", "--from", "now")
    assert (refused.code, "is about no key" in refused.err) == (2, True)
    rows = ask("what-can", "role/app", "--action", "CreateKey", "--from", "now", "-f", "json").json()
    assert rows == []


def test_an_action_without_a_key_is_told_without_one(ask: Ask, snapshots: dict[str, Any]) -> None:
    maker = role(APP, allow(Action="kms:CreateKey"))
    snapshots["now"] = replace(snapshots["now"], principals=(maker, role(BATCH)))
    asked = ("what-can", "role/app", "role/batch", "--action", "CreateKey", "--key", "alias/app", "--from", "now")
    rows = ask(*asked, "-f", "json").json()
    assert [(row["principal"], row["key"], row["outcome"]) for row in rows] == [(APP, "", "allowed")]
    assert [line.split()[0] for line in ask(*asked).out.splitlines()] == [APP, "kms:CreateKey:", BATCH, "nothing"]


def test_every_key_and_principal_asked_about_has_its_own_lines(ask: Ask, snapshots: dict[str, Any]) -> None:
    closed = replace(snapshots["now"].keys[0], arn=f"{KEY}0", key_id="closed", aliases=(), policies=(), grants=())
    snapshots["now"] = replace(snapshots["now"], keys=(snapshots["now"].keys[0], closed, snapshots["now"].keys[1]))
    lines = ask("who-can", "decrypt", "arn:aws:kms:*", "--from", "now").out.splitlines()
    heads = [place for place, line in enumerate(lines) if not line.startswith(" ")]
    assert [lines[place].split()[-1] for place in heads] == [KEY, closed.arn, OTHER]
    assert lines[heads[1] + 1 : heads[2]] == ["  nobody"]
    assert any(PARTNER in line for line in lines[heads[0] : heads[1]])


def test_a_collected_account_is_no_caller(ask: Ask) -> None:
    answer = ask("what-can", KEY.split(":")[4], "--from", "now")
    assert (answer.code, "collected account" in answer.err) == (2, True)


def test_a_federated_user_is_unknown_never_denied(ask: Ask) -> None:
    who = f"arn:aws:sts::{KEY.split(':')[4]}:federated-user/somebody"
    assert ask("explain", who, "Decrypt", "alias/app", "--from", "now", "--expect", "unknown").code == 0


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


def test_strict_comparisons_end_with_4_where_facts_could_not_be_read(ask: Ask, snapshots: dict[str, Any]) -> None:
    assert ask("diff", "then", "now", "--no-findings", "--strict").code == 0
    assert ask("diff", "then", "now", "--no-findings", "--strict", "--fail-on-gained", "decrypt").code == 3
    gap = Gap(fact=Fact.IDENTITIES, account=HOME, operation="iam:GetAccountAuthorizationDetails", code="AccessDenied")
    snapshots["then"] = replace(snapshots["then"], gaps=(gap,))
    answer = ask("diff", "then", "now", "--no-findings", "--strict", "--fail-on-gained", "decrypt")
    assert (answer.code, "1 fact that access rests on could not be read (--strict)" in answer.err) == (4, True)
    assert ask("what-if", "then", "--delete-alias", "alias/app", "--no-findings", "--strict").code == 4


@pytest.fixture
def opened(snapshots: dict[str, Any]) -> Snapshot:
    """The newer snapshot, with a key that everybody may use; the older one could not read that key's policy."""
    then, now = snapshots["then"].keys, snapshots["now"].keys
    open_ = parse_policy(text(ROOT, {**ROOT, "Sid": "Open", "Principal": {"AWS": "*"}}))
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", KEY, open_)
    snapshots["now"] = replace(snapshots["now"], keys=(replace(now[0], policies=(policy,)), now[1]))
    gap = Gap(fact=Fact.KEY_POLICY, account=HOME, subject=KEY, operation="kms:GetKeyPolicy", code="AccessDenied")
    blind = replace(then[0], policies=(), unread=frozenset({Fact.KEY_POLICY}))
    snapshots["then"] = replace(snapshots["then"], keys=(blind, then[1]), gaps=(gap,))
    return snapshots["now"]


@pytest.mark.usefixtures("opened")
def test_a_finding_is_perhaps_new_where_the_old_run_could_not_look(ask: Ask) -> None:
    found = ask("diff", "then", "now", "-f", "json").json()["findings"]
    assert "public-key-policy" in {item["rule"] for item in found["perhaps_new"]}
    assert "public-key-policy" not in {item["rule"] for item in found["new"]}
    back = ask("diff", "now", "then", "-f", "json").json()["findings"]
    assert {item["rule"] for item in back["unverified"]} >= {"public-key-policy"}
    rows = csv.DictReader(io.StringIO(ask("diff", "then", "now", "-f", "csv").out))
    assert {row["change"] for row in rows if "public-key-policy" in row["cause"]} == {"perhaps new"}
    answer = ask("diff", "then", "now").out
    assert "perhaps new finding critical public-key-policy" in answer
    assert "\nperhaps new: what such a finding rests on could not all be read before" in answer
    page = ask("diff", "then", "now", "-f", "markdown").out
    assert "- **perhaps new** finding (critical) public-key-policy" in page
    assert "- `perhaps new: what such a finding rests on" in page


def test_a_finding_about_a_key_that_was_not_there_is_new_whatever_else_was_unread(
    ask: Ask, snapshots: dict[str, Any], opened: Snapshot
) -> None:
    snapshots["then"] = replace(snapshots["then"], keys=snapshots["then"].keys[1:], gaps=())
    gap = Gap(fact=Fact.IDENTITY_POLICY, account=HOME, subject=OPS, operation="iam:GetRolePolicy", code="AccessDenied")
    snapshots["then"] = replace(snapshots["then"], gaps=(gap,))
    found = ask("diff", "then", "now", "-f", "json").json()["findings"]
    assert "public-key-policy" in {item["rule"] for item in found["new"]}
    back = ask("diff", "now", "then", "-f", "json").json()["findings"]
    assert "public-key-policy" in {item["rule"] for item in back["resolved"]}
    listed = Gap(fact=Fact.KEY_LIST, account=HOME, region="eu-west-1", operation="kms:ListKeys", code="AccessDenied")
    snapshots["then"] = replace(snapshots["then"], gaps=(listed,))
    found = ask("diff", "then", "now", "-f", "json").json()["findings"]
    assert "public-key-policy" in {item["rule"] for item in found["perhaps_new"]}
    assert opened.keys[0].arn == KEY


def test_a_finding_that_only_changed_is_neither_new_nor_resolved(ask: Ask, snapshots: dict[str, Any]) -> None:
    """The key is as public as before: what its policy gives to everybody is more, or less."""
    for name, actions in (("then", ["kms:Decrypt"]), ("now", ["kms:Decrypt", "kms:Encrypt"])):
        public = AttachedPolicy(
            Layer.KEY_POLICY, "default", KEY, parse_policy(text(ROOT, allow(Principal="*", Action=actions)))
        )
        app, other = snapshots[name].keys
        snapshots[name] = replace(snapshots[name], keys=(replace(app, policies=(public,)), other))
    for sides in (("then", "now"), ("now", "then")):
        found = ask("diff", *sides, "-f", "json").json()["findings"]
        about = {heading for heading, items in found.items() if "public-key-policy" in {one["rule"] for one in items}}
        assert about == {"changed"}
        assert "changed   finding critical public-key-policy" in ask("diff", *sides).out


def test_a_finding_that_weighs_otherwise_says_what_it_weighed_before(ask: Ask) -> None:
    """A key whose tag makes it restricted: the same findings about it, worse."""
    restricted = ("what-if", "now", "--tag", f"{KEY}:data-class=restricted")
    found = ask(*restricted, "-f", "json").json()["findings"]["changed"]
    told = {(item["rule"], item["was"], item["now"]) for item in found}
    assert ("iam-decrypt-all-keys", "medium", "high") in told
    text = ask(*restricted).out
    assert "changed   finding medium → high iam-decrypt-all-keys: " in text
    assert "- **changed** finding (medium → high) iam-decrypt-all-keys: " in ask(*restricted, "-f", "markdown").out
    rows = csv.DictReader(ask(*restricted, "-f", "csv").out.splitlines())
    assert ("finding", "changed", "medium", "high") in {
        (row["kind"], row["change"], row["was"], row["now"]) for row in rows
    }


def test_a_finding_that_one_side_could_not_look_at_is_not_called_changed(ask: Ask, snapshots: dict[str, Any]) -> None:
    """Certain before and perhaps now, because RCPs could not be read: nothing about it has changed."""
    facts = organization_estate()
    public = AttachedPolicy(Layer.KEY_POLICY, "default", KEY, parse_policy(text(ROOT, allow(Principal="*"))))
    facts = replace(facts, keys=(replace(facts.keys[0], policies=(public,)), *facts.keys[1:]))
    organization = facts.organization
    assert organization is not None
    hidden = (replace(organization.targets[0], rcps=None, unread=frozenset({Fact.RCP})), *organization.targets[1:])
    gap = Gap(fact=Fact.RCP, account="", subject="r-1", operation="organizations:ListPoliciesForTarget", code="Denied")
    snapshots["then"] = facts
    snapshots["now"] = replace(facts, organization=replace(organization, targets=hidden), gaps=(*facts.gaps, gap))
    for sides in (("then", "now"), ("now", "then")):
        assert ask("diff", *sides, "-f", "json").json()["findings"]["changed"] == []


def test_what_could_not_be_read_on_either_side_is_said(ask: Ask, snapshots: dict[str, Any]) -> None:
    gap = Gap(fact=Fact.IDENTITIES, account=HOME, operation="iam:GetAccountAuthorizationDetails", code="AccessDenied")
    for name in ("now", "then"):
        snapshots[name] = replace(snapshots[name], gaps=(gap,))
    told = "1 fact that access rests on could not be read, before and after"
    for form in ("text", "markdown"):
        assert told in ask("what-if", "now", "--delete-alias", "alias/app", "--no-findings", "-f", form).out
        assert told in ask("diff", "then", "now", "--no-findings", "-f", form).out


def test_a_plan_without_any_change_of_access_says_so(ask: Ask) -> None:
    bucket = {"address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "change": {"actions": ["create"], "after": {}}}
    Path("plan.json").write_text(json.dumps({"resource_changes": [bucket]}), encoding="utf-8")
    answer = ask("what-if", "now", "--terraform", "plan.json", "--no-findings")
    assert (answer.code, answer.err) == (0, "the plan changes nothing that access to keys rests on\n")


def test_diff_says_when_the_snapshots_are_probably_not_those_that_were_meant(
    ask: Ask, snapshots: dict[str, Any]
) -> None:
    assert ask("diff", "then", "now", "--no-findings").err == ""
    later = replace(snapshots["then"].provenance, finished="2026-11-25T07:00:00Z")
    snapshots["then"] = replace(snapshots["then"], provenance=later)
    assert "OLD was collected after NEW" in ask("diff", "then", "now", "--no-findings").err
    elsewhere = tuple(replace(account, id="333333333333") for account in snapshots["now"].accounts)
    snapshots["now"] = replace(snapshots["now"], accounts=elsewhere, keys=(), principals=())
    assert "no account in common" in ask("diff", "then", "now", "--no-findings", "-q").err


def test_diff_and_what_if_take_the_newest_snapshot_and_gate(ask: Ask) -> None:
    Path("open.json").write_text(text(ROOT, {**ROOT, "Sid": "Open", "Principal": {"AWS": "*"}}), encoding="utf-8")
    words = ("what-if", "now", "--key-policy", "alias/app=open.json", "--no-findings", "-q")
    assert ask(*words, "--fail-on-gained", "decrypt").code == 3
    assert ask(*words, "--fail-on-gained", "any").code == 3
    assert ask("what-if", "now", "--profile", "x", "--delete-alias", "alias/app").code == 2
    assert ask("diff", "now", "--output-dir", "none").code == 2


@pytest.mark.parametrize(("services", "code"), [(["s3", "ec2"], 3), (["ec2"], 3), (["s3"], 0)])
def test_the_gate_counts_conditions_that_are_not_narrower(ask: Ask, services: list[str], code: int) -> None:
    values = [f"{name}.eu-west-1.amazonaws.com" for name in services]
    statement = {**VIA_S3, "Condition": {"StringEquals": {"kms:ViaService": values}}}
    Path("policy.json").write_text(text(ROOT, statement), encoding="utf-8")
    words = ("what-if", "now", "--key-policy", "alias/app=policy.json", "--no-findings")
    answer = ask(*words, "--fail-on-gained", "decrypt")
    assert answer.code == code
    assert ("or have it under another condition" in answer.err) == (services == ["ec2"])


def test_statements_that_do_not_apply_are_counted(ask: Ask, snapshots: dict[str, Any]) -> None:
    others = [{**VIA_S3, "Sid": f"Other{number}"} for number in range(30)]
    app, other = snapshots["now"].keys
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", KEY, parse_policy(text(ROOT, *others)))
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, policies=(policy,)), other))
    asked = ("explain", "role/app", "kms:Decrypt", "alias/app", "--from", "now")
    assert "  and 20 more that do not apply (-f json lists all)\n" in ask(*asked).out
    (answer,) = ask(*asked, "-f", "json").json()
    assert len(next(layer for layer in answer["layers"] if layer["layer"] == "key-policy")["evidence"]) == 31


@pytest.mark.parametrize("name", ["kms:EncryptionContext:App", "aws:PrincipalTag/team", "token.example.com:sub"])
def test_condition_keys_with_a_name_of_their_own_are_taken(ask: Ask, name: str) -> None:
    assert ask("explain", "role/app", "Decrypt", "alias/app", "--from", "now", "--context", f"{name}=x").code == 0


@pytest.mark.parametrize("words", [("who-can", "decrypt", "alias/app"), ("grants", "alias/app")])
def test_a_plain_name_of_two_keys_lists_both_and_a_pattern_takes_both(
    ask: Ask, snapshots: dict[str, Any], words: tuple[str, ...]
) -> None:
    snapshots["now"] = second_region(snapshots["now"])
    answer = ask(*words, "--from", "now")
    assert (answer.code, answer.out) == (2, "")
    assert "eu-west-1" in answer.err
    assert "us-east-1" in answer.err
    assert "'*:alias/app'" in answer.err
    assert ask(*words[:-1], "*:alias/app", "--from", "now").code == 0


@pytest.mark.parametrize("place", ["eu-west-1:222222222222", "us-east-1:111111111111"])
def test_a_key_of_a_place_that_was_not_read_may_exist(ask: Ask, place: str) -> None:
    account = place.rsplit(":", maxsplit=1)[-1]
    answer = ask("who-can", "decrypt", f"arn:aws:kms:{place}:key/x", "--from", "now")
    assert answer.code == 2
    assert f"the keys of account {account} in {place.split(':', maxsplit=1)[0]} were not read" in answer.err
    assert "may exist" not in ask("who-can", "decrypt", f"{KEY}x", "--from", "now").err


def test_no_route_of_somebody_whose_own_account_was_not_read_is_no_proof(ask: Ask) -> None:
    answer = ask("paths", PARTNER, "--from", "now")
    assert "IAM of account 222222222222 was not read" in answer.err
    assert answer.out == "no route was found in what could be read\n"
    assert ask("paths", BATCH, "--from", "now").out == "no route was found\n"
