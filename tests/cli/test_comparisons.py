"""What ``diff`` and ``what-if`` have in common: access, findings and gates of two sides."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Gap, Snapshot
from tests.cli.conftest import HOME, KEY, OPS, PARTNER, ROOT, VIA_S3, Ask, allow, text
from tests.questions.estate import organization_estate

pytestmark = pytest.mark.usefixtures("snapshots")


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
    snapshots["now"] = replace(snapshots["now"], accounts=())
    assert "no account in common" not in ask("diff", "then", "now", "--no-findings", "-q").err


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
