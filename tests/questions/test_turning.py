"""What turns a decision: each sentence is held against the evaluator with the documents really changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.evaluator import evaluate
from auditor.model.actions import BY_NAME
from auditor.model.grant import Grant
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.snapshot import Snapshot
from auditor.questions import decision_words, explain, find_keys, principal_named
from auditor.questions.edits import Edit, EditKind, apply_edits
from tests.cli.conftest import APP, KEY, OPS, ROOT, allow, text
from tests.questions.estate import ALICE, FOREIGN, NO_DECRYPT, USE, attached, organization_estate

AS_OF = "2026-11-24T12:00:00Z"
DECRYPT = BY_NAME["kms:decrypt"]
DIRECT = allow(Sid="Direct", Principal={"AWS": APP}, Action="kms:Decrypt")


def turning(snapshot: Snapshot, who: str, key: str = "alias/app") -> tuple[str, ...]:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, key, several=False)
    return explain(evaluation, principal_named(evaluation, who), DECRYPT, found).turning


def outcome(snapshot: Snapshot, who: str, key: str = "alias/app") -> str:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, key, several=False)
    return str(evaluation.decide(principal_named(evaluation, who), found, "kms:Decrypt").outcome)


def edited(*edits: tuple[Any, ...]) -> Snapshot:
    return apply_edits(organization_estate(), [Edit(*edit) for edit in edits])


def test_either_half_of_a_delegated_access_is_enough() -> None:
    found = turning(organization_estate(), APP)
    assert found[:2] == (
        "Take kms:Decrypt away from key policy default statement “Root”.",
        "Take kms:Decrypt away from identity policy inline statement “Use”.",
    )
    assert outcome(edited((EditKind.IDENTITY_POLICY, APP, "inline")), APP) == "implicitly-denied"


def test_two_ways_have_to_go_together() -> None:
    snapshot = edited((EditKind.KEY_POLICY, "alias/app", "", text(ROOT, DIRECT)))
    (together, _) = turning(snapshot, APP)
    assert "all of" in together
    assert "“Direct”" in together
    assert "“Use”" in together
    one = apply_edits(snapshot, [Edit(EditKind.KEY_POLICY, "alias/app", text=text(ROOT))])
    assert outcome(one, APP) == "allowed"
    both = apply_edits(one, [Edit(EditKind.IDENTITY_POLICY, APP, "inline")])
    assert outcome(both, APP) == "implicitly-denied"


def test_a_denial_lists_everything_that_has_to_change() -> None:
    snapshot = edited(
        (EditKind.DETACH_POLICY, OPS, "KeyUse"),
        (EditKind.BOUNDARY, OPS, "", NO_DECRYPT),
        (EditKind.SCP, "Stop", "ou-a", NO_DECRYPT),
    )
    found = turning(snapshot, OPS, "alias/other")
    assert found == (
        "Remove or narrow permissions boundary boundary statement 1.",
        "Remove or narrow SCP Stop statement 1 on ou-a.",
        "Remove or narrow key policy default statement “NotOps”.",
        "Allow kms:Decrypt in the identity policy.",
        "Allow kms:Decrypt in the permissions boundary.",
    )
    followed = apply_edits(
        snapshot,
        [
            Edit(EditKind.BOUNDARY, OPS, text=USE),
            Edit(EditKind.SCP, "Stop"),
            Edit(EditKind.KEY_POLICY, "alias/other", text=text(ROOT)),
            Edit(EditKind.IDENTITY_POLICY, OPS, "Use", USE),
        ],
    )
    assert outcome(followed, OPS, "alias/other") == "allowed"


def test_a_condition_that_remains_is_said() -> None:
    limited = text(
        allow(Action="kms:Decrypt", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})
    )
    snapshot = edited((EditKind.IDENTITY_POLICY, APP, "inline"), (EditKind.BOUNDARY, APP, "", limited))
    assert turning(snapshot, APP) == (
        "Allow kms:Decrypt in the identity policy.",
        "It then holds only through Amazon S3 in eu-west-1.",
    )


def test_what_was_not_read_is_what_to_read() -> None:
    snapshot = organization_estate()
    (account,) = snapshot.accounts
    from auditor.model.key import Fact

    blind = replace(account, unread=frozenset({Fact.IDENTITIES}))
    unknown = replace(snapshot, accounts=(blind,), principals=())
    who = f"arn:aws:iam::{account.id}:role/anybody"
    assert outcome(unknown, who) == "unknown"
    assert turning(unknown, who)[0].startswith("Read what is missing")


@pytest.mark.parametrize(
    ("condition", "settles"),
    [
        ({"StringEquals": {"aws:ResourceTag/team": "blue"}}, "AWS does not document the effect of a tag condition in"),
        ({"StringIs": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, "There is no condition operator StringIs"),
        ("broken", "Correct the Condition of key-policy default statement 1"),
    ],
)
def test_what_nobody_could_read_is_not_to_be_read(condition: Any, settles: str) -> None:
    snapshot = organization_estate()
    policy = text(allow(Principal={"AWS": APP}, Action="kms:*", Condition=condition))
    key = replace(snapshot.keys[0], policies=(attached(Layer.KEY_POLICY, "default", "", policy),), grants=())
    unknown = replace(snapshot, keys=(key, *snapshot.keys[1:]))
    assert outcome(unknown, APP) == "unknown"
    assert turning(unknown, APP)[0].startswith(settles)


def test_levels_that_only_together_allow_nothing_are_named_and_one_is_enough() -> None:
    def through(operator: str) -> tuple[AttachedPolicy, ...]:
        condition = {operator: {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
        return (attached(Layer.SCP, "Limit", "", text(allow(Action="*", Condition=condition))),)

    def limited(snapshot: Snapshot, levels: dict[str, str]) -> Snapshot:
        organization = snapshot.organization
        assert organization is not None
        targets = tuple(
            replace(level, scps=through(levels[level.name])) if level.name in levels else level
            for level in organization.targets
        )
        return replace(snapshot, organization=replace(organization, targets=targets))

    both = limited(organization_estate(), {"Apps": "StringEquals", "home": "StringNotEquals"})
    evaluation = evaluate(both, as_of=AS_OF)
    (found,) = find_keys(both, "alias/app", several=False)
    decision = evaluation.decide(principal_named(evaluation, APP), found, "kms:Decrypt")
    assert decision_words(decision) == (
        "denied: the SCP of Apps allows it under conditions that others rule out; "
        "the SCP of home allows it under conditions that others rule out"
    )
    assert turning(both, APP) == (
        "Allow kms:Decrypt in the SCP of Apps.",
        "It then holds not through Amazon S3 in eu-west-1.",
    )
    assert outcome(limited(organization_estate(), {"home": "StringNotEquals"}), APP) == "conditional"


def test_levels_of_the_same_name_are_told_apart() -> None:
    snapshot = organization_estate()
    organization = snapshot.organization
    assert organization is not None
    root, unit, account = organization.targets
    assert (unit.kind, account.kind) == ("organizational-unit", "account")
    twins = (root, replace(unit, name="Shop"), replace(account, name="Shop", scps=()))
    found = turning(replace(snapshot, organization=replace(organization, targets=twins)), APP)
    assert found == (f"Allow kms:Decrypt in the SCP of Shop ({account.id}).",)


def told(snapshot: Snapshot, who: str, action: str, key: str = KEY) -> tuple[str, ...]:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, key, several=False)
    return explain(evaluation, principal_named(evaluation, who), BY_NAME[f"kms:{action.lower()}"], found).turning


def test_only_what_can_turn_an_answer_is_said() -> None:
    """No key policy speaks of actions without a key or of retiring, no grant gives every action, and to callers of
    another account the key's account delegates nothing."""
    lister = text(allow(Action="kms:ListKeys"))
    snapshot = edited((EditKind.IDENTITY_POLICY, APP, "List", lister))
    assert told(snapshot, APP, "ListKeys") == (
        "Take kms:ListKeys away from identity policy List statement 1.",
        "Or deny kms:ListKeys explicitly for this caller, in an SCP or an identity policy.",
    )
    stranger = "arn:aws:iam::333333333333:role/x"
    assert told(snapshot, stranger, "Encrypt")[0] == "Allow kms:Encrypt in the key policy."
    assert told(snapshot, "s3.amazonaws.com", "Encrypt") == (
        "Allow kms:Encrypt in the key policy, or by a grant on behalf of one resource.",
    )
    assert told(snapshot, "s3.amazonaws.com", "Sign") == ("Allow kms:Sign in the key policy.",)  # the key cannot sign
    assert told(snapshot, "s3.amazonaws.com", "EnableKey") == ("Allow kms:EnableKey in the key policy.",)
    for action in ("ListKeys", "UpdateAlias"):
        assert told(snapshot, "s3.amazonaws.com", action) == (
            "Nothing can allow it: it takes an identity policy, and a service has none.",
        )
    assert told(snapshot, OPS, "RetireGrant") == ("Make the caller the retiring principal of a grant of the key.",)
    off = apply_edits(snapshot, [Edit(EditKind.KEY_STATE, "alias/app", text="Disabled")])
    assert told(off, OPS, "RetireGrant")[0].endswith(
        "of a grant of the key, once the key's state lets somebody make one."
    )
    assert told(off, ALICE, "CreateGrant") == ("Allow kms:CreateGrant in the identity policy.",)


def test_layers_that_play_no_part_say_so() -> None:
    snapshot = edited((EditKind.RCP, "Closed", "Root", FOREIGN))
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, KEY, several=False)
    views = {
        view.layer: view.note or view.evidence[0].match
        for view in explain(evaluation, principal_named(evaluation, APP), BY_NAME["kms:listkeys"], found).layers
    }
    assert views[Layer.KEY_POLICY] == "key policies have no effect on this action"
    assert views[Layer.RCP] == "RCPs have no effect on this action"
    managed = replace(snapshot, keys=tuple(replace(key, manager="AWS") for key in snapshot.keys))
    (found,) = find_keys(managed, KEY, several=False)
    answer = explain(evaluate(managed, as_of=AS_OF), principal_named(evaluation, APP), DECRYPT, found)
    rcps = next(view for view in answer.layers if view.layer is Layer.RCP)
    assert [item.match for item in rcps.evidence] == ["RCPs do not bind this key"]
    assert answer.turning[-1] == "AWS alone can change the key policy of an AWS managed key."


def test_a_grant_is_shown_for_its_own_operations_alone() -> None:
    made = Grant(grant_id="made", key_arn="", grantee=APP, operations=("Encrypt",))
    snapshot = edited((EditKind.GRANT, "alias/app", "", None, made))
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, "alias/app", several=False)
    shown = {}
    for name in ("kms:encrypt", "kms:decrypt"):
        layers = explain(evaluation, principal_named(evaluation, APP), BY_NAME[name], found).layers
        shown[name] = next(view for view in layers if view.layer is Layer.GRANT)
    assert [(item.source, item.matched) for item in shown["kms:encrypt"].evidence] == [("grant made", True)]
    assert not shown["kms:decrypt"].evidence
    assert shown["kms:decrypt"].note == "no grant covers this caller and action"


def test_a_grant_whose_constraint_the_request_cannot_meet_is_shown_with_it() -> None:
    pairs = (("app", "x"),)
    made = Grant(grant_id="made", key_arn="", grantee=APP, operations=("Decrypt",), context_subset=pairs)
    sourced = Grant(grant_id="other", key_arn="", grantee=APP, operations=("Decrypt",), source_arn="arn:aws:s3:::b")
    edits = [(EditKind.GRANT, "alias/app", "", None, grant) for grant in (made, sourced)]
    snapshot = edited(*edits)
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, "alias/app", several=False)
    shown = {}
    for value in ("x", "y"):
        context = {"kms:EncryptionContext:app": (value,)}
        layers = explain(evaluation, principal_named(evaluation, APP), DECRYPT, found, context).layers
        grants = next(view for view in layers if view.layer is Layer.GRANT)
        shown[value] = {item.source: (item.matched, item.match) for item in grants.evidence}
    assert shown["x"]["grant made"][0]
    assert shown["y"]["grant made"] == (False, "its constraint cannot hold here: EncryptionContextSubset app=x")
    assert shown["y"]["grant other"] == (False, "its constraint cannot hold here: SourceArn arn:aws:s3:::b")


def test_a_statement_that_does_not_hold_says_which_of_its_tests_fails() -> None:
    tests = {"StringEquals": {"aws:PrincipalAccount": "222222222222", "aws:ResourceAccount": "111111111111"}}
    other = allow(Sid="Other", Principal="*", Action="kms:Decrypt", Condition=tests)
    snapshot = edited((EditKind.KEY_POLICY, "alias/app", "", text(ROOT, other)))
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, "alias/app", several=False)
    layers = explain(evaluation, principal_named(evaluation, APP), DECRYPT, found).layers
    told = [item.match for layer in layers for item in layer.evidence if "Other" in item.source]
    assert told == ["its condition cannot hold here: StringEquals aws:PrincipalAccount 222222222222"]


def test_a_boundary_that_stops_delegated_access_leaves_the_other_ways() -> None:
    """A boundary limits what a delegation gives, not what a key policy gives to a user by name."""
    bounded = (EditKind.BOUNDARY, ALICE, "", text(allow(Action="s3:*")))
    assert told(edited(), ALICE, "Encrypt") == ("Allow kms:Encrypt in the identity policy.",)
    closed = edited(bounded, (EditKind.KEY_POLICY, "alias/app", "", text(DIRECT)))
    assert told(closed, ALICE, "Encrypt") == ("Allow kms:Encrypt in the key policy, or by a grant.",)
    assert told(closed, ALICE, "EnableKey") == ("Allow kms:EnableKey in the key policy.",)
    assert told(closed, OPS, "EnableKey") == (
        "Allow kms:EnableKey in the key policy, or delegate to IAM and allow it there.",
    )


def test_delegation_is_offered_only_where_it_leads_as_far_in_the_end() -> None:
    """While an SCP stops both, a boundary under a condition limits what a delegation will give, not what a key policy
    gives to a user by name."""
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    estate = edited(
        (EditKind.BOUNDARY, ALICE, "", text(allow(Action="*", Condition=mfa))),
        (EditKind.IDENTITY_POLICY, ALICE, "Use", USE),
        (EditKind.KEY_POLICY, "alias/app", "", text(allow(Principal={"AWS": OPS}, Action="kms:Decrypt"))),
        (EditKind.SCP, "FullAWSAccess", "ou-a", text(allow(Action="s3:*"))),
    )
    assert told(estate, ALICE, "Decrypt") == (
        "Name the caller for kms:Decrypt in the key policy.",
        "Allow kms:Decrypt in the SCP of Apps.",
    )
    unbound = apply_edits(estate, [Edit(EditKind.BOUNDARY, ALICE)])
    assert told(unbound, ALICE, "Decrypt")[0].endswith("or let the key policy delegate to the account.")
