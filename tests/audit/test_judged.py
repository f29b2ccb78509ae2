"""The law of partial judgement: judging what a change can touch gives the findings of judging everything twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from auditor.audit import judged, touched
from auditor.audit.comparing import as_they_were, compare_findings
from auditor.audit.judged import Whole, judged_change
from auditor.model.finding import Finding, weight
from auditor.model.key import Fact, Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.questions.affected import World, world_of
from auditor.questions.differences import differences
from tests.bench.synthetic_organization import synthetic_snapshot
from tests.laws import examples
from tests.rules import estate
from tests.rules.test_cases import CASES

LATER = "2027-03-01T00:00:00Z"
EVERYTHING = {"Effect": "Allow", "Action": ["kms:*", "iam:*", "sts:AssumeRole"], "Resource": "*"}
OPEN = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
FEW_AND_MORE = pytest.mark.parametrize("many", [1, pytest.param(3, marks=pytest.mark.slow)])
CLOSED = {"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}


def changes(facts: Snapshot) -> Iterator[Snapshot]:
    """Small changes of every kind, one at a time."""
    for place, key in enumerate(facts.keys):
        for other in key_changes(key):
            others = () if other is None else (other,)
            yield replace(facts, keys=(*facts.keys[:place], *others, *facts.keys[place + 1 :]))
    for place, who in enumerate(facts.principals):
        for changed in caller_changes(who):
            callers = () if changed is None else (changed,)
            yield replace(facts, principals=(*facts.principals[:place], *callers, *facts.principals[place + 1 :]))


def key_changes(key: Key) -> Iterator[Key | None]:
    yield None
    yield replace(key, grants=())
    yield replace(key, tags=(("data-class", "restricted"),), aliases=())
    yield replace(key, policies=(), unread=frozenset({Fact.KEY_POLICY}))
    statements = _statements(key)
    for kept in ([*statements, OPEN], [*statements, CLOSED], statements[1:]):
        policy = parse_policy({"Version": "2012-10-17", "Statement": kept})
        yield replace(key, policies=(AttachedPolicy(Layer.KEY_POLICY, "default", key.arn, policy),))


def _statements(key: Key) -> list[Any]:
    try:
        found = json.loads(key.policies[0].policy.text)["Statement"]
    except (ValueError, KeyError, IndexError, RecursionError):
        return []
    return found if isinstance(found, list) else [found]


def caller_changes(who: Principal) -> Iterator[Principal | None]:
    policy = parse_policy({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    yield None
    yield replace(who, identity_policies=(), boundary=None)
    yield replace(
        who, identity_policies=(*who.identity_policies, AttachedPolicy(Layer.IDENTITY, "more", who.arn, policy))
    )
    yield replace(who, trust_policy=None, tags=(), last_used=LATER)


STOPS = {"Effect": "Deny", "Action": ["kms:Decrypt", "kms:ScheduleKeyDeletion", "iam:*"], "Resource": "*"}
SPARES = {**STOPS, "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ad*"}}}


def in_an_organization(facts: Snapshot) -> Snapshot:
    """The same facts, in an organization of all accounts if they are in none."""
    if facts.organization is not None or facts.organization_unread:
        return facts
    accounts = sorted({who.account for who in facts.principals if who.account} | {key.account for key in facts.keys})
    members = {account: {} for account in [*accounts, "777777777777"]}
    return replace(facts, organization=estate.organization({"accounts": members}))


def guardrail_changes(facts: Snapshot) -> Iterator[Snapshot]:
    """SCPs and RCPs attached to one target, detached from it, or unread there."""
    organization = facts.organization
    for place, target in enumerate(organization.targets if organization else ()):
        scps, rcps = target.scps or (), target.rcps or ()
        for changed in (
            replace(target, scps=(*scps, _guardrail(Layer.SCP, target.id, STOPS))),
            replace(target, scps=(*scps, _guardrail(Layer.SCP, target.id, SPARES))),
            replace(target, rcps=(*rcps, _guardrail(Layer.RCP, target.id, {**SPARES, "Principal": "*"}))),
            replace(target, scps=scps[:1], rcps=rcps[:1]),
            replace(target, scps=scps[1:], unread=frozenset({Fact.SCP})),
            replace(target, unread=frozenset({Fact.RCP})),
        ):
            if organization is not None and changed != target:
                targets = (*organization.targets[:place], changed, *organization.targets[place + 1 :])
                yield replace(facts, organization=replace(organization, targets=targets))


def _guardrail(layer: Layer, target: str, statement: dict[str, Any]) -> AttachedPolicy:
    return AttachedPolicy(layer, "more", target, parse_policy({"Version": "2012-10-17", "Statement": [statement]}))


def assert_judged_as_a_whole(old: World, new: World, settings: RuleSettings) -> None:
    parts = []

    def told(*sides: Any) -> Any:
        parts.append(touched.touched_parts(*sides))
        return parts[-1]

    with mock.patch.object(touched, "TOO_MUCH", 1.0), mock.patch.object(judged, "touched_parts", told):
        found = judged_change(old, new, settings)
    assert parts and parts[0] is not None
    before, after = Whole(old, new, settings).judgements()
    assert found.findings == compare_findings(before, after, old.snapshot, new.snapshot)
    assert weights(found.was) == weights(as_they_were(before, found.findings))
    assert found.differences == differences(old, new)


def weights(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {fingerprint: weight(finding) for fingerprint, finding in findings.items()}


def first_cases() -> dict[str, dict[str, Any]]:
    """Rule → the first estate on which it fires without a baseline."""
    firing = [(rule, case) for rule, case in CASES if case["expect"] and not case.get("baseline")]
    return dict(reversed(firing))


def some(changed: list[Snapshot], rule: str, many: int) -> list[Snapshot]:
    """About so many of the changes, others for each rule."""
    stride = max(1, len(changed) // examples(many))
    return changed[sum(map(ord, rule)) % stride :: stride]


@FEW_AND_MORE
@pytest.mark.parametrize("rule", sorted(first_cases()))
def test_changes_are_judged_as_comparing_the_whole_would(rule: str, many: int) -> None:
    case = first_cases()[rule]
    facts, settings = estate.snapshot(case), estate.settings(case.get("settings"))
    as_of, several = case.get("as_of", estate.AS_OF), list(changes(facts))
    for number, changed in enumerate(some(several, rule, many)):
        pair = (facts, changed) if number % 2 else (changed, facts)
        assert_judged_as_a_whole(*(world_of(side, as_of=as_of) for side in pair), settings)


@FEW_AND_MORE
@pytest.mark.parametrize("rule", sorted(first_cases()))
def test_changed_guardrails_are_judged_as_comparing_the_whole_would(rule: str, many: int) -> None:
    case = first_cases()[rule]
    facts, settings = in_an_organization(estate.snapshot(case)), estate.settings(case.get("settings"))
    as_of, several = case.get("as_of", estate.AS_OF), list(guardrail_changes(facts))
    for number, changed in enumerate(some(several, rule, many)):
        pair = (facts, changed) if number % 2 else (changed, facts)
        assert_judged_as_a_whole(*(world_of(side, as_of=as_of) for side in pair), settings)


def test_time_alone_is_judged_as_comparing_the_whole_would() -> None:
    facts = synthetic_snapshot(2, 20, 8, 5)
    later = replace(facts, principals=tuple(replace(who, last_used=LATER) for who in facts.principals))
    assert_judged_as_a_whole(world_of(facts, as_of=estate.AS_OF), world_of(later, as_of=LATER), RuleSettings())


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("key", "public-key-policy-soft-condition"),
        ("caller", "full-kms-to-non-admin"),
        ("guardrail", "never-true-condition"),
    ],
)
def test_what_a_policy_ends_by_the_clock_is_judged_as_comparing_the_whole_would(place: str, rule: str) -> None:
    until = {"Condition": {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}}
    key = {"policy": [{**OPEN, **until}, *estate.default_policy(estate.OWN)]} if place == "key" else {}
    role = {"name": "x", "policy": [{**EVERYTHING, **(until if place == "caller" else {})}]}
    closed = {name: value for name, value in {**CLOSED, **until}.items() if name != "Principal"}
    guarded = {"scps": {"Until": [closed]}} if place == "guardrail" else {}
    facts = estate.snapshot({"keys": [key], "roles": [role], "organization": {"accounts": {estate.OWN: {}}, **guarded}})
    old, new = world_of(facts, as_of=estate.AS_OF), world_of(facts, as_of=LATER)
    found = judged_change(old, new, RuleSettings()).findings
    assert found == compare_findings(*Whole(old, new, RuleSettings()).judgements(), old.snapshot, new.snapshot)
    assert {rule} & {finding.rule for _, findings in found or () for finding in findings}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_changes_of_an_organization_are_judged_as_comparing_the_whole_would(seed: int) -> None:
    settings = RuleSettings(account_admins=("*role/team-1/*",), key_admins=("*role/team-2/*",))
    facts = synthetic_snapshot(3, 60, 12, seed)
    for changed in [*list(changes(facts))[seed::29], *list(guardrail_changes(facts))[seed::4]]:
        assert_judged_as_a_whole(*(world_of(side, as_of=estate.AS_OF) for side in (facts, changed)), settings)


def test_one_changed_key_is_not_judged_as_a_whole() -> None:
    """Though some in every account may do everything, and leave the organization."""
    facts = synthetic_snapshot(8, 400, 40, 1)
    changed = replace(facts.keys[0], grants=())
    sides = facts, replace(facts, keys=(changed, *facts.keys[1:]))
    parts = touched.touched_parts(*(world_of(side, as_of=estate.AS_OF) for side in sides), RuleSettings())
    assert parts is not None
    assert {who.account for who in parts[1].callers.evaluation.principals} - {None} == {changed.account}


def test_a_changed_organization_is_judged_as_a_whole() -> None:
    facts = synthetic_snapshot(2, 20, 8, 5)
    old, new = world_of(facts, as_of=estate.AS_OF), world_of(replace(facts, organization=None), as_of=estate.AS_OF)
    assert touched.touched_parts(old, new, RuleSettings()) is None
    found = judged_change(old, new, RuleSettings())
    assert found.findings == compare_findings(*Whole(old, new, RuleSettings()).judgements(), old.snapshot, new.snapshot)


HOME, NEIGHBOUR = "111111111111", "222222222222"
ROOT = estate.default_policy(HOME)
FULL = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}


def rules_that_differ(old: Snapshot, new: Snapshot) -> set[str]:
    """After the law has been held against both."""
    worlds = [world_of(side, as_of=estate.AS_OF) for side in (old, new)]
    assert_judged_as_a_whole(*worlds, RuleSettings())
    with mock.patch.object(touched, "TOO_MUCH", 1.0):
        found = judged_change(worlds[0], worlds[1], RuleSettings()).findings or ()
    return {finding.rule for _, findings in found for finding in findings}


def test_a_user_of_another_account_loses_what_a_key_policy_gave() -> None:
    guest = {"name": "guest", "account": NEIGHBOUR, "policy": [FULL]}
    named = {**FULL, "Principal": {"AWS": f"arn:aws:iam::{NEIGHBOUR}:user/guest"}, "Action": "kms:Decrypt"}
    old, new = (estate.snapshot({"users": [guest], "keys": [{"policy": policy}]}) for policy in ([*ROOT, named], ROOT))
    assert "iam-user-key-access" in rules_that_differ(old, new)


def test_who_edits_itself_gains_the_key_that_delegates_now() -> None:
    editor = {"name": "editor", "policy": [{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*"}]}
    named = {**FULL, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/keeper"}}
    roles = [editor, {"name": "keeper"}]
    old, new = (estate.snapshot({"roles": roles, "keys": [{"policy": policy}]}) for policy in ([named], [named, *ROOT]))
    assert "indirect-key-access-path" in rules_that_differ(old, new)


def test_who_recovers_root_users_gains_the_key_that_delegates_now() -> None:
    recover = {"Effect": "Allow", "Action": "sts:AssumeRoot", "Resource": "*"}
    named = {**FULL, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/keeper"}}
    around = {"organization": {"accounts": {HOME: {}}, "management": NEIGHBOUR}, "collected": [HOME, NEIGHBOUR]}
    roles = [{"name": "helpdesk", "account": NEIGHBOUR, "policy": [recover]}, {"name": "keeper"}]
    sides = (
        estate.snapshot({**around, "roles": roles, "keys": [{"policy": one}]}) for one in ([named], [named, *ROOT])
    )
    assert "indirect-key-access-path" in rules_that_differ(*sides)


def test_who_may_leave_the_organization_gains_the_sealed_key_that_delegates_now() -> None:
    roles = [{"name": "leaver", "policy": [FULL, {**FULL, "Action": "organizations:LeaveOrganization"}]}, {"name": "a"}]
    seal = {"Seal": [{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
    around = {"organization": {"accounts": {HOME: {"rcps": seal}}}, "roles": roles}
    named = {**FULL, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/a"}}
    sides = (estate.snapshot({**around, "keys": [{"policy": one}]}) for one in ([named], [named, *ROOT]))
    assert "indirect-key-access-path" in rules_that_differ(*sides)


def test_a_grantee_is_missing_only_where_identities_are_known() -> None:
    grant = {"grant_id": "g", "grantee": f"arn:aws:iam::{HOME}:role/gone", "operations": ["Decrypt"]}
    facts = estate.snapshot({"roles": [{"name": "last"}], "keys": [{"grants": [grant]}]})
    assert "grant-to-deleted-principal" in rules_that_differ(facts, replace(facts, principals=()))


def test_a_key_loses_the_tag_that_an_scp_protects() -> None:
    protects = {**FULL, "Effect": "Deny", "Condition": {"StringEquals": {"aws:ResourceTag/keep": "yes"}}}
    organization = {"accounts": {HOME: {}}, "scps": {"Protect": [protects]}}
    old, new = (
        estate.snapshot({"organization": organization, "keys": [{"tags": {"keep": tag}}]}) for tag in ("yes", "no")
    )
    assert "no-guardrail-key-destruction" in rules_that_differ(old, new)


@pytest.mark.parametrize("later", [estate.AS_OF, LATER])
def test_what_nobody_used_is_told_whenever_it_comes_to_be_known(later: str) -> None:
    """Between two times everybody may come to be idle; at the same time only where more is known on one side."""
    app = {"name": "app", "created": "2025-01-01T00:00:00Z", "policy": [FULL]}
    busy, idle = ({**app, "last_accessed": {"reported": later, **used}} for used in ({"kms": estate.AS_OF}, {}))
    facts = {"evidence": {"asked": ["last-accessed"]}}
    sides = [estate.snapshot({**facts, "roles": [role]}) for role in (busy, idle)]
    worlds = [world_of(side, as_of=as_of) for side, as_of in zip(sides, (estate.AS_OF, later), strict=True)]
    assert_judged_as_a_whole(*worlds, RuleSettings())
    fresh = dict(judged_change(*worlds, RuleSettings()).findings or ())["new"]
    assert "unused-key-permission" in {finding.rule for finding in fresh}


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("direct-plaintext-without-context", [{}], [{"service": "s3.amazonaws.com"}]),
        ("unused-key-permission", [{}, {"key": "off"}], []),
        ("grant-stale", [{}], []),
        ("disabled-key-still-referenced", [], [{"key": "off", "error": "DisabledException"}]),
    ],
)
def test_what_the_events_show_is_told_whenever_it_comes_to_be_known(
    rule: str, before: list[dict[str, object]], after: list[dict[str, object]]
) -> None:
    reads = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    app = {"name": "app", "created": "2025-01-01T00:00:00Z", "policy": [reads]}
    grant = {"grantee": f"arn:aws:iam::{HOME}:role/app", "operations": ["Decrypt"], "created": "2025-05-06T00:00:00Z"}
    facts = {"roles": [app], "keys": [{"grants": [grant]}, {"id": "off", "state": "Disabled"}]}
    seen = ({"asked": ["key-events"], "event_windows": [{}], "key_calls": calls} for calls in (before, after))
    worlds = [world_of(estate.snapshot({**facts, "evidence": one}), as_of=estate.AS_OF) for one in seen]
    assert_judged_as_a_whole(*worlds, RuleSettings())
    fresh = dict(judged_change(*worlds, RuleSettings()).findings or ())["new"]
    assert rule in {finding.rule for finding in fresh}
