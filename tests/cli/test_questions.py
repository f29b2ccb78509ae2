"""``who-can`` and ``what-can`` as a user types them, and the names that every question takes."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from auditor.model.key import Fact
from auditor.model.snapshot import Gap
from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, Answer, Ask, allow, role
from tests.questions.estate import second_region

pytestmark = pytest.mark.usefixtures("snapshots")


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
        (("what-can", "role/app", "--action", ""), "'--action': the text is empty"),
        (("who-can", "decrypt", "[a-z]*"), "No key is called “[a-z]*”"),
        (("what-can", "[a-z]*"), "No principal matches “[a-z]*”"),
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


def test_an_action_that_the_type_of_a_key_does_not_have_is_noted(ask: Ask) -> None:
    note = "note: kms:Sign fails on a key of SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT, with material of AWS_KMS\n"
    assert note in ask("explain", "role/app", "Sign", "alias/app", "--from", "now").out
    assert note in ask("who-can", "Sign", "alias/app", "--from", "now").out
    assert "note:" not in ask("who-can", "Decrypt", "alias/app", "--from", "now").out
    assert "note:" not in ask("who-can", "encrypt", "alias/app", "--from", "now").out


def test_a_key_that_is_named_twice_is_answered_once(ask: Ask) -> None:
    twice = ("alias/app", KEY, "*:key/1234*")
    assert len(ask("grants", *twice, "--from", "now", "-f", "json").json()) == 1
    given = [word for name in twice for word in ("--key", name)]
    rows = ask("what-can", "role/app", "--action", "decrypt", *given, "--from", "now", "-f", "json").json()
    assert [row["key"] for row in rows] == [KEY]


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
