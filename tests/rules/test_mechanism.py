"""The mechanism under the rules: fingerprints, severity, remediation, overlap and what could not be evaluated."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor.audit.sight import Sight
from auditor.evaluator import Evaluation, evaluate
from auditor.model.finding import Confidence, Severity, SkippedScope
from auditor.model.key import Fact
from auditor.model.policy_document import parse_policy
from auditor.model.report import Report
from auditor.rules import judge
from auditor.rules.catalogue import CATEGORIES, catalogue
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import MOST_NAMES, Hit
from auditor.rules.registry import RULES
from auditor.rules.remedy import fill, remediation
from auditor.rules.severity import decide
from tests.rules import estate
from tests.rules.test_partitions import FIRING

ALONE = {rule: case for rule, case in FIRING.items() if not case.get("organization") and "baseline" not in case}
"""Cases of findings that say nothing of an organization, and compare nothing."""
KEY = "arn:aws:kms:eu-west-1:111111111111:key/orders"
ROLE = "arn:aws:iam::111111111111:role/x"
STATEMENT = {
    "Sid": "One",
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]},
    "Action": ["kms:Decrypt", "kms:Encrypt"],
    "Resource": "*",
    "Condition": {"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com", "ec2.eu-west-1.amazonaws.com"]}},
}


def _meaning(statement: dict[str, Any]) -> str:
    return meaning(parse_policy({"Version": "2012-10-17", "Statement": [statement]}).statements[0])


def _report(case: dict[str, Any]) -> Report:
    snapshot = estate.snapshot(case)
    found = evaluate(snapshot, as_of=estate.AS_OF)
    return Report(snapshot=snapshot, principals=found.principals, access=found.table, findings=())


def _judged(case: dict[str, Any], **options: Any) -> Any:
    snapshot = estate.snapshot(case)
    evaluation = evaluate(snapshot, as_of=estate.AS_OF)
    return judge(evaluation, estate.settings(case.get("settings")), as_of=estate.AS_OF, **options)


def test_fingerprints_survive_reformatting_order_and_sid() -> None:
    other = json.loads(json.dumps(STATEMENT))
    other["Sid"] = "Two"
    other["Action"] = ["KMS:encrypt", "kms:decrypt"]
    other["Principal"]["AWS"].reverse()
    other["Condition"]["StringEquals"]["kms:ViaService"].reverse()
    assert _meaning(other) == _meaning(STATEMENT)


@pytest.mark.parametrize(
    "change",
    [{"Effect": "Deny"}, {"Action": "kms:Decrypt"}, {"Condition": {}}, {"Resource": "x"}, {"Principal": "*"}],
)
def test_a_changed_meaning_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert _meaning({**STATEMENT, **change}) != _meaning(STATEMENT)


def test_fingerprints_of_findings_survive_statement_order() -> None:
    opened = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    root = estate.default_policy(estate.OWN)[0]
    first = _judged({"keys": [{"policy": [opened, root]}]})
    second = _judged({"keys": [{"policy": [root, {**opened, "Sid": "Renamed"}]}]})
    assert {item.fingerprint for item in first.findings} == {item.fingerprint for item in second.findings}


def test_raising_wins_over_lowering_except_when_latent() -> None:
    facts = catalogue()["external-account-access"]
    hit = {"subject": "k", "kind": "key", "summary": "s", "raised": ("marked terminated",), "lowered": ("only META",)}
    assert decide(facts, Hit(**hit))[0] is Severity.CRITICAL
    assert decide(facts, Hit(**hit, latent=True))[0] is Severity.LOW
    severity, clauses = decide(facts, Hit(**hit, confidence=Confidence.POTENTIAL))
    assert severity is Severity.HIGH
    assert [clause.kind for clause in clauses] == ["lower", "raise", "confidence"]


def test_placeholders_are_filled_once_and_quoted() -> None:
    hit = Hit(
        subject="k", kind="key", summary="", keys=("arn:aws:kms:eu-west-1:1:key/a",), fix=(("GRANT_ID", "x; rm -rf"),)
    )
    body = remediation(catalogue()["grant-stale"].example, hit, None).body
    assert body == "aws kms revoke-grant --key-id arn:aws:kms:eu-west-1:1:key/a --grant-id 'x; rm -rf'"
    assert fill('{"a": "NAME"}', {"NAME": 'x"y'}, True) == '{"a": "x\\"y"}'


def test_findings_come_worst_first_and_the_same_every_time() -> None:
    case = {"keys": [{"rotation": {"enabled": False}, "state": "Enabled"}], "roles": [{"name": "app"}]}
    first, second = _judged(case), _judged(case)
    assert first == second
    ranks = [list(Severity).index(finding.severity) for finding in first.findings]
    assert ranks == sorted(ranks)


def test_the_more_specific_rule_wins_for_the_same_statement() -> None:
    policy = [{"Effect": "Deny", "Principal": "*", "Resource": "*"}, *estate.default_policy(estate.OWN)]
    found = {finding.rule for finding in _judged({"keys": [{"policy": policy}]}).findings}
    assert "malformed-statement" in found and "inert-statement" not in found


def test_every_rule_of_the_catalogue_has_a_status_and_silence_has_a_reason() -> None:
    judgement = _judged({})
    assert [status.rule for status in judgement.rules] == list(catalogue())
    assert all(status.evaluated or status.reason for status in judgement.rules)
    assert {status.rule for status in judgement.rules if status.rule not in RULES and status.evaluated} == set()


def test_a_key_whose_policy_was_refused_is_listed_as_skipped() -> None:
    judgement = _judged({"keys": [{"unread": ["key-policy"], "policies": {}}]}, only=["public-key-policy"])
    assert judgement.rules[0].skipped == (SkippedScope(KEY, Fact.KEY_POLICY),)


def test_a_rule_about_change_says_what_the_baseline_had_not_read() -> None:
    before = _report({"keys": [{"unread": ["key-policy"], "policies": {}}]})
    judgement = _judged({"keys": [{}]}, only=["new-plaintext-access-since-baseline"], baseline=before)
    assert judgement.rules[0].skipped == (SkippedScope(KEY, Fact.KEY_POLICY, in_baseline=True),)


def test_what_is_stopped_or_not_certain_is_said_in_the_sentence() -> None:
    role = {"name": "x", "policy": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    stopped = {**role, "boundary": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    unsure = {**role, "unread": ["permissions-boundary"]}
    for one, words in ((role, "administrator."), (stopped, "stops it today."), (unsure, "not documented.")):
        (finding,) = _judged({"roles": [one]}, only=["full-kms-to-non-admin"]).findings
        assert finding.summary.endswith(words)


@pytest.mark.parametrize(
    ("case", "where"),
    [
        ({"keys": [{"unread": ["key-policy"], "policies": {}}]}, SkippedScope(KEY, Fact.KEY_POLICY)),
        ({"keys": [{"unread": ["grants"]}]}, SkippedScope(KEY, Fact.GRANTS)),
        ({"roles": [{"name": "x", "unread": ["identity-policy"]}]}, SkippedScope(ROLE, Fact.IDENTITY_POLICY)),
    ],
)
def test_rules_over_access_say_where_they_were_blind(case: dict[str, Any], where: SkippedScope) -> None:
    """A finding that a gap hides is not resolved: neither of the subject's own key, nor of the principal it names."""
    seen = {"roles": [{"name": "x", "policy": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}]}
    before, after = (_judged(one, only=["admin-and-user-combined"]) for one in (seen, {**seen, **case}))
    assert where in after.rules[0].skipped and where not in before.rules[0].skipped
    assert not Sight(after, estate.snapshot({**seen, **case}), estate.snapshot(seen)).reached(before.findings[0])
    assert Sight(before, estate.snapshot(seen), estate.snapshot(seen)).reached(before.findings[0])


@pytest.mark.parametrize(
    ("gap", "resolved"),
    [
        ({"fact": "scp", "account": estate.OWN, "subject": "r-root"}, False),
        ({"fact": "scp", "account": estate.OWN, "subject": "ou-lab"}, True),
        ({"fact": "scp", "account": estate.OWN, "subject": "p-12345678"}, False),
        ({"fact": "organization", "account": estate.OWN}, False),
        ({"fact": "rcp", "account": estate.OWN, "subject": "r-root"}, False),
        ({"fact": "rcp", "account": estate.OWN, "subject": "ou-lab"}, True),
    ],
)
def test_a_guardrail_that_nobody_could_read_resolves_nothing_below_it(gap: dict[str, Any], resolved: bool) -> None:
    organization = {"accounts": {estate.OWN: {}, "333333333333": {"ou": "lab"}}}
    seen: dict[str, Any] = {"organization": organization, "roles": [{"name": "x"}]}
    blind = {**seen, "gaps": [gap]}
    before, after = (_judged(one, only=["no-guardrail-key-destruction"]) for one in (seen, blind))
    mine = next(finding for finding in before.findings if finding.account == estate.OWN)
    assert Sight(after, estate.snapshot(blind), estate.snapshot(seen)).reached(mine) == resolved


def test_what_access_rests_on_hides_a_finding_about_it_wherever_it_could_not_be_read() -> None:
    """Also of the Region and account of a key that the finding names, and what the rule itself does not ask for."""
    seen: dict[str, Any] = {
        "roles": [{"name": "x", "policy": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}]
    }
    judged = _judged(seen, only=["admin-and-user-combined"])
    (finding, *_) = judged.findings
    account, region = finding.keys[0].split(":")[4], finding.keys[0].split(":")[3]
    for gap, reached in (
        ({"fact": "key-list", "account": account, "region": region}, False),
        ({"fact": "scp", "account": account, "subject": account}, False),
        ({"fact": "key-list", "account": account, "region": "xx-none-1"}, True),
        ({"fact": "rotation-history", "account": account, "region": region}, True),
    ):
        snapshot = estate.snapshot({**seen, "gaps": [gap]})
        assert Sight(judged, snapshot, estate.snapshot(seen)).reached(finding) == reached, gap


def test_rules_are_documented_and_known_to_the_catalogue() -> None:
    assert {facts.category for facts in catalogue().values()} == set(CATEGORIES)
    for rule, check in RULES.items():
        assert rule in catalogue()
        assert check.__doc__ and "Fix:" in check.__doc__, rule
        assert check.__name__ == rule.replace("-", "_")


def test_a_time_that_is_none_is_refused() -> None:
    snapshot = estate.snapshot({})
    with pytest.raises(ValueError, match="not an ISO 8601 time"):
        judge(evaluate(snapshot, as_of=estate.AS_OF), estate.settings(None), as_of="yesterday")


def test_a_fingerprint_does_not_rest_on_another_policy_of_the_same_name() -> None:
    def role(name: str, action: str) -> dict[str, Any]:
        return {"name": name, "policy": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}

    def fingerprints(action: str) -> set[str]:
        case = {"keys": [{}], "roles": [role("aaa", action), role("worker", "kms:*")]}
        facts = estate.snapshot(case)
        as_collected = [
            replace(who, identity_policies=tuple(replace(item, owner="") for item in who.identity_policies))
            for who in facts.principals
        ]
        evaluation = evaluate(replace(facts, principals=tuple(as_collected)), as_of=estate.AS_OF)
        found = judge(evaluation, estate.settings(None), as_of=estate.AS_OF, only=["full-kms-to-non-admin"]).findings
        return {finding.fingerprint for finding in found if finding.subject.endswith("/worker")}

    assert fingerprints("kms:Decrypt") == fingerprints("kms:Encrypt") != set()


def test_grants_of_one_id_on_two_keys_do_not_outdo_each_other() -> None:
    def key(name: str, grantee: str) -> dict[str, Any]:
        grant = {"grant_id": "g", "grantee": f"arn:aws:iam::{estate.OWN}:role/{grantee}", "operations": ["Decrypt"]}
        return {"id": name, "grants": [grant]}

    found = _judged({"roles": [{"name": "app"}], "keys": [key("one", "app"), key("two", "gone")]}).findings
    told = {(finding.rule, finding.keys[0].rsplit("/", 1)[-1]) for finding in found if finding.keys}
    assert {("grant-only-access", "one"), ("grant-to-deleted-principal", "two")} <= told


def test_a_grantee_with_grants_of_one_id_on_two_keys_is_told_for_both() -> None:
    grant = {"grant_id": "g", "grantee": f"arn:aws:iam::{estate.OWN}:role/app", "operations": ["Decrypt"]}
    keys = [{"id": name, "grants": [dict(grant)]} for name in ("one", "two")]
    found = _judged({"roles": [{"name": "app"}], "keys": keys}, only=["grant-only-access"]).findings
    assert [finding.keys[0].rsplit("/", 1)[-1] for finding in found] in (["one", "two"], ["two", "one"])


def test_named_outsiders_are_looked_up_in_the_table_and_not_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of 32 KB names hundreds of them; deciding each action of each again took minutes."""
    keys = [{"policy": [{**STATEMENT, "Condition": {}, "Principal": {"AWS": "arn:aws:iam::999999999999:role/far"}}]}]
    found = _judged({"keys": keys})
    assert "external-account-access" in {item.rule for item in found.findings}
    asked: list[str] = []
    real = Evaluation.decide
    monkeypatch.setattr(
        Evaluation, "decide", lambda self, who, *rest: [asked.append(who.arn), real(self, who, *rest)][1]
    )
    assert _judged({"keys": keys}).findings == found.findings
    assert not [arn for arn in asked if arn.endswith(":role/far")]


def test_accounts_that_a_deny_spares_are_decided_together_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of 128 KB spares 600 of them: asking for each action of each, for every finding anew, took a minute."""
    spared = [f"{300000000000 + number}" for number in range(20)]
    own = {"StringNotEquals": {"aws:PrincipalAccount": [estate.OWN, *spared]}}
    allow = {"Effect": "Allow", "Principal": "*", "Action": ["kms:Decrypt", "kms:CreateGrant"], "Resource": "*"}
    refuse = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": own}
    asked: list[str] = []
    real = Evaluation.decide
    monkeypatch.setattr(
        Evaluation, "decide", lambda self, who, *rest: [asked.append(who.arn), real(self, who, *rest)][1]
    )
    found = _judged({"keys": [{"policy": [*estate.default_policy(estate.OWN), allow, refuse], "tags": {}}]}).findings
    for rule in ("external-account-access", "external-can-delegate"):
        assert sorted(item.principals for item in found if item.rule == rule) == [(account,) for account in spared]
    assert set(asked).isdisjoint(spared)


def test_iam_of_another_account_that_nobody_could_read_resolves_nothing_about_its_roles() -> None:
    """Neither of roles that a finding names, nor of readers that it only counts."""
    other = "222222222222"
    allow = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "kms:Decrypt", "Resource": "*"}
    tags = {"owner": "team", "environment": "prod"}
    seen: dict[str, Any] = {
        "organization": {"accounts": {estate.OWN: {"ou": "prod"}, other: {"ou": "dev"}}},
        "collected": [estate.OWN, other],
        "keys": [{"policy": [*estate.default_policy(estate.OWN), allow], "tags": tags}],
    }
    decrypt = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]
    roles = [{"name": f"r{number}", "account": other, "policy": decrypt} for number in range(11)]
    blind = {**seen, "gaps": [{"fact": "identities", "account": other}]}
    for rule in ("broad-plaintext-population", "cross-environment-access"):
        before, after = (_judged(one, only=[rule]) for one in ({**seen, "roles": roles}, blind))
        assert before.findings and not after.findings
        was = estate.snapshot({**seen, "roles": roles})
        assert not Sight(after, estate.snapshot(blind), was).reached(before.findings[0])
        gone = {**seen, "roles": [{"name": "x", "account": other}]}
        assert Sight(_judged(gone, only=[rule]), estate.snapshot(gone), was).reached(before.findings[0])


def test_readers_that_a_finding_does_not_list_hide_it_as_well() -> None:
    allowed = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]
    roles = [{"name": f"r{number:03}", "policy": allowed} for number in range(11)]
    for seen in (roles, [{"name": f"r{number:03}", "policy": allowed} for number in range(MOST_NAMES + 1)]):
        last = {"name": seen[-1]["name"], "unread": ["identity-policy"]}
        before = _judged({"roles": seen}, only=["broad-plaintext-population"]).findings
        blind = {"roles": [*seen[:9], last]}
        after = _judged(blind, only=["broad-plaintext-population"])
        assert before and not after.findings
        assert f"role/{seen[-1]['name']}" not in "".join(item.value for item in before[0].evidence)
        was = estate.snapshot({"roles": seen})
        assert not Sight(after, estate.snapshot(blind), was).reached(before[0])


def test_the_key_that_could_take_the_place_of_another_hides_a_finding_as_well() -> None:
    dev = {"name": "dev", "policy": [{"Effect": "Allow", "Action": "kms:UpdateAlias", "Resource": "*"}]}
    keys: list[dict[str, Any]] = [{"id": "one"}, {"id": "two", "aliases": []}]
    before = _judged({"keys": keys, "roles": [dev]}, only=["key-substitution-by-non-admin"]).findings
    doubtful = {"keys": [keys[0], {**keys[1], "unread": ["key-policy"], "policies": {}}], "roles": [dev]}
    (perhaps,) = _judged(doubtful, only=["key-substitution-by-non-admin"]).findings
    assert perhaps.confidence is Confidence.POTENTIAL and perhaps.fingerprint == before[0].fingerprint
    lost = {"fact": "key-metadata", "account": estate.OWN, "subject": KEY.replace("orders", "two")}
    blind = {"keys": [keys[0]], "roles": [dev], "gaps": [lost]}
    after = _judged(blind, only=["key-substitution-by-non-admin"])
    assert before and before[0].keys == (KEY.replace("orders", "one"),) and not after.findings
    was = estate.snapshot({"keys": keys, "roles": [dev]})
    assert not Sight(after, estate.snapshot(blind), was).reached(before[0])


@pytest.mark.parametrize(
    ("key", "more", "less"),
    [
        ({}, {"evidence": {"resources": [{"key": "orders"}]}}, {"evidence": {"asked": ["trails"]}}),
        ({"last_usage": {"last_used": "2026-11-17T00:00:00Z"}}, {}, {}),
    ],
)
def test_evidence_that_nobody_asked_for_again_resolves_nothing_that_may_rest_on_it(
    key: dict[str, Any], more: dict[str, Any], less: dict[str, Any]
) -> None:
    rule = "pending-deletion-in-use"
    leaving = {"state": "PendingDeletion", "deletion_date": "2026-12-20T00:00:00Z"}
    seen, again = {"keys": [{**leaving, **key}], **more}, {"keys": [leaving], **less}
    was, now = estate.snapshot(seen), estate.snapshot(again)
    (finding,) = _judged(seen, only=[rule]).findings
    judgement = _judged(again, only=[rule])
    assert judgement.findings == ()
    assert not Sight(judgement, now, was).reached(finding)
    assert Sight(judgement, now, now).reached(finding)


MRK = [
    {"id": "mrk-1", "multi_region": True, "created": "2026-05-06T00:00:00Z", **one}
    for one in (
        {"multi_region_key_type": "PRIMARY", "replica_arns": ["arn:aws:kms:us-east-1:111111111111:key/mrk-1"]},
        {"multi_region_key_type": "REPLICA", "primary_arn": KEY.replace("orders", "mrk-1"), "region": "us-east-1"},
    )
]
TAGGING = [
    {
        "name": "app",
        "policy": [
            {
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
            },
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
        ],
    },
    {
        "name": "tagger",
        "policy": [{"Effect": "Allow", "Action": "kms:TagResource", "Resource": "*"}],
        "trust": [{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}],
    },
]
IDLE = {"last_used": None, "tracking_since": "2026-04-23T00:00:00Z"}
LOST = {"origin": "EXTERNAL", "state": "PendingImport"}
LOG = {"trails": [{"arn": "arn:aws:cloudtrail:eu-west-1:111111111111:trail/t", "name": "t", "kms_key_id": KEY}]}


@pytest.mark.parametrize(
    ("rule", "seen", "blind"),
    [
        (
            "idle-key",
            {"keys": [{**one, "last_usage": IDLE} for one in MRK]},
            {"keys": [{**MRK[0], "last_usage": IDLE}, {**MRK[1], "unread": ["last-usage"]}]},
        ),
        (
            "imported-material-expiring",
            {"keys": [{**LOST, "last_usage": {"last_used": "2026-10-01T00:00:00Z"}}]},
            {"keys": [{**LOST, "unread": ["last-usage"]}]},
        ),
        (
            "disabled-key-still-referenced",
            {"keys": [{"state": "Disabled"}], "evidence": LOG},
            {
                "keys": [{"state": "Disabled"}],
                "evidence": {"asked": ["trails"]},
                "gaps": [{"fact": "trails", "account": estate.OWN, "region": estate.REGION}],
            },
        ),
        (
            "abac-tag-escalation",
            {"roles": TAGGING},
            {"roles": [TAGGING[0], {"name": "tagger", "trust": TAGGING[1]["trust"], "unread": ["identity-policy"]}]},
        ),
    ],
)
def test_what_a_finding_rests_on_besides_its_subject_hides_it_as_well(
    rule: str, seen: dict[str, Any], blind: dict[str, Any]
) -> None:
    was, now = estate.snapshot(seen), estate.snapshot(blind)
    before, after = (_judged(one, only=[rule]) for one in (seen, blind))
    assert before.findings and not after.findings
    assert not [one for one in before.findings if Sight(after, now, was).reached(one)]


@pytest.mark.parametrize("rule", sorted(ALONE))
def test_where_nobody_may_read_the_organization_a_finding_is_told_as_well(rule: str) -> None:
    """An SCP or RCP that could not be read may forbid anything; that proves nothing, and least that all is well."""
    judged = _judged({**ALONE[rule], "organization_unread": True}, only=[rule])
    assert not judged.rules[0].evaluated or len(judged.findings) >= len(ALONE[rule]["expect"])
    if hasattr(RULES[rule], "__wrapped__") and rule != "audit-log-key-at-risk":  # a key that is stopped is certain
        assert {finding.confidence for finding in judged.findings} == {Confidence.POTENTIAL}
