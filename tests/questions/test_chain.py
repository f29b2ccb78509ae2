"""The chain that ``explain`` tells: what a layer lacks, what plays no part and why, and no advice beyond need."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.evaluator import evaluate
from auditor.evaluator.deciding import STATE_FLAG
from auditor.evaluator.key_side import ORPHAN, RAM_FLAG
from auditor.evaluator.verdict import BOUNDARY_FLAG
from auditor.model.actions import BY_NAME
from auditor.model.grant import Grant
from auditor.model.policy import Layer
from auditor.model.snapshot import Snapshot
from auditor.questions import decision_words, explain, find_keys, principal_named
from auditor.questions.edits import EditKind
from auditor.questions.explain import Explanation
from auditor.questions.wording import FLAG_WORDS
from tests.cli.conftest import APP, HOME, OPS, ROOT, allow, text
from tests.questions.estate import ALICE, USE, attached
from tests.questions.test_turning import AS_OF, DIRECT, edited

VIA_S3 = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
NO_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
ON_KEYS = f"arn:aws:kms:*:{HOME}:key/*"
ON_ALIASES = f"arn:aws:kms:*:{HOME}:alias/*"


def explained(snapshot: Snapshot, who: str, action: str = "Decrypt", key: str = "alias/app") -> Explanation:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    (found,) = find_keys(snapshot, key, several=False)
    return explain(evaluation, principal_named(evaluation, who), BY_NAME[f"kms:{action.lower()}"], found)


def shown(answer: Explanation, layer: Layer) -> list[str]:
    """What a layer's part of the chain says, without the effects."""
    view = next(view for view in answer.layers if view.layer is layer)
    return [f"{item.source}: {item.match}" for item in view.evidence] or [view.note]


def deny(**elements: object) -> dict[str, object]:
    return {**allow(**elements), "Effect": "Deny"}


def test_a_guard_that_need_not_go_is_no_advice() -> None:
    guarded = text(ROOT, deny(Sid="Guard", Principal="*", Action="kms:*", Condition=NO_MFA), DIRECT)
    stopped = text(deny(Sid="Stop", Action="kms:Decrypt"))
    snapshot = edited((EditKind.KEY_POLICY, "alias/app", "", guarded), (EditKind.IDENTITY_POLICY, APP, "No", stopped))
    answer = explained(snapshot, APP)
    assert answer.turning == (
        "Remove or narrow identity policy No statement “Stop”.",
        "It then holds only with MFA.",
    )


def test_of_denies_that_only_together_leave_nothing_one_has_to_go() -> None:
    through = deny(Sid="Through", Principal="*", Action="kms:*", Condition=VIA_S3)
    beside = deny(Sid="Beside", Principal="*", Action="kms:*", Condition={"StringNotEquals": VIA_S3["StringEquals"]})
    guard = deny(Sid="Guard", Principal="*", Action="kms:*", Condition=NO_MFA)
    snapshot = edited((EditKind.KEY_POLICY, "alias/app", "", text(ROOT, through, beside, guard)))
    assert explained(snapshot, APP).turning == (
        "Remove or narrow key policy default statement “Through”.",
        "It then holds only with MFA and only through Amazon S3 in eu-west-1.",
    )


@pytest.mark.parametrize(("resource", "half", "other"), [(ON_KEYS, "alias", "key"), (ON_ALIASES, "key", "alias")])
def test_the_half_of_an_alias_action_that_nothing_allows_is_named(resource: str, half: str, other: str) -> None:
    wide, narrow = text(allow(Action="kms:*Alias")), text(allow(Action="kms:*Alias", Resource=resource))
    for change, words, layer in (
        ((EditKind.IDENTITY_POLICY, OPS, "Use", narrow), "identity policy", Layer.IDENTITY),
        ((EditKind.BOUNDARY, OPS, "", narrow), "permissions boundary", Layer.BOUNDARY),
        ((EditKind.SCP, "FullAWSAccess", "ou-a", narrow), "SCP of Apps", Layer.SCP),
    ):
        answer = explained(edited((EditKind.IDENTITY_POLICY, OPS, "Use", wide), change), OPS, "CreateAlias")
        assert decision_words(answer.decision) == f"denied: nothing allows it on the {half} in the {words}"
        assert answer.turning == (f"Allow kms:CreateAlias on the {half} in the {words}.",)
        assert any(line.endswith(f"matches for the {other} alone") for line in shown(answer, layer))


def test_conditions_of_both_halves_that_no_request_meets_are_no_missing_statement() -> None:
    through = text(allow(Principal={"AWS": f"arn:aws:iam::{HOME}:root"}, Action="kms:*", Condition=VIA_S3))
    beside = text(allow(Action="kms:*", Condition={"StringNotEquals": VIA_S3["StringEquals"]}))
    snapshot = edited((EditKind.KEY_POLICY, "alias/app", "", through), (EditKind.IDENTITY_POLICY, ALICE, "Use", beside))
    answer = explained(snapshot, ALICE)
    assert (
        decision_words(answer.decision) == "denied: the identity policy allows it under conditions that others rule out"
    )


def test_statements_that_lack_an_element_are_shown_as_such() -> None:
    def lacking(sid: str, name: str, action: str = "kms:*") -> dict[str, object]:
        return {key: value for key, value in deny(Sid=sid, Principal="*", Action=action).items() if key != name}

    document = text(
        DIRECT,
        lacking("Nobody", "Principal"),
        lacking("Nowhere", "Resource"),
        lacking("Neither", "Effect"),
        lacking("Other", "Resource", "kms:Encrypt"),
    )
    snapshot = edited()
    key = replace(snapshot.keys[0], policies=(attached(Layer.KEY_POLICY, "default", "", document),), grants=())
    assert shown(explained(replace(snapshot, keys=(key, *snapshot.keys[1:])), APP), Layer.KEY_POLICY) == [
        "key-policy default statement “Direct”: matches",
        "key-policy default statement “Nobody”: has no Principal and no effect",
        "key-policy default statement “Nowhere”: has no Resource and no effect",
        "key-policy default statement “Neither”: has no Effect and no effect",
    ]


def test_a_statement_with_not_resource_exempts() -> None:
    spared = {**deny(Sid="Others", Action="kms:*"), "NotResource": ON_KEYS}
    del spared["Resource"]
    snapshot = edited((EditKind.IDENTITY_POLICY, APP, "No", text(spared)))
    assert "identity-policy No statement “Others”: exempts this resource" in shown(
        explained(snapshot, APP), Layer.IDENTITY
    )


def test_callers_without_identity_policies_are_told_so() -> None:
    root, service = f"arn:aws:iam::{HOME}:root", "s3.amazonaws.com"
    snapshot = edited()
    assert shown(explained(snapshot, root), Layer.IDENTITY) == ["a root user has no identity policies and needs none"]
    assert shown(explained(snapshot, service), Layer.IDENTITY) == ["a service has no identity policies"]


def test_a_boundary_that_does_not_limit_says_why() -> None:
    bounded = (EditKind.BOUNDARY, ALICE, "", text(allow(Action="s3:*")))
    named = text(ROOT, allow(Sid="Alice", Principal={"AWS": ALICE}, Action="kms:Decrypt"))
    direct = explained(edited(bounded, (EditKind.KEY_POLICY, "alias/app", "", named)), ALICE)
    assert direct.decision.path == "key-policy"
    (told,) = shown(direct, Layer.BOUNDARY)
    assert told.endswith("; that does not limit what the key policy gives to this caller itself")
    delegated = explained(edited(bounded, (EditKind.IDENTITY_POLICY, ALICE, "Use", USE)), ALICE)
    assert shown(delegated, Layer.BOUNDARY) == ["no statement allows this action"]


def test_of_a_caller_that_was_not_collected_no_limit_is_known() -> None:
    stranger = explained(edited(), "arn:aws:iam::333333333333:role/x")
    for layer in (Layer.BOUNDARY, Layer.SESSION):
        assert shown(stranger, layer) == ["assumed not to limit: the caller's own account was not collected"]
    assert shown(explained(edited(), APP), Layer.BOUNDARY) == ["no permissions boundary"]


def test_a_grant_is_revoked_not_changed() -> None:
    made = Grant(grant_id="made", key_arn="", grantee=OPS, operations=("Decrypt",))
    snapshot = edited((EditKind.GRANT, "alias/app", "", None, made), (EditKind.DETACH_POLICY, OPS, "KeyUse"))
    assert explained(snapshot, OPS).turning[0] == "Revoke grant made: a grant cannot be changed."
    both = edited((EditKind.GRANT, "alias/app", "", None, made))
    assert (
        explained(both, OPS)
        .turning[0]
        .startswith("Take kms:Decrypt away from all of: grant made (by revoking it); identity policy")
    )


def test_what_only_multi_region_keys_do_fails_on_others() -> None:
    snapshot = edited()
    replica = replace(snapshot.keys[0], multi_region=True, multi_region_key_type="REPLICA")
    primary = replace(replica, multi_region_key_type="PRIMARY")
    notes = {
        (name, number): explained(replace(snapshot, keys=(key, *snapshot.keys[1:])), OPS, name).notes
        for name in ("ReplicateKey", "UpdatePrimaryRegion")
        for number, key in enumerate((snapshot.keys[0], replica, primary))
    }
    assert notes == {
        ("ReplicateKey", 0): ("kms:ReplicateKey fails on a single-Region key",),
        ("ReplicateKey", 1): ("kms:ReplicateKey fails on a multi-Region replica",),
        ("ReplicateKey", 2): (),
        ("UpdatePrimaryRegion", 0): ("kms:UpdatePrimaryRegion fails on a single-Region key",),
        ("UpdatePrimaryRegion", 1): (),
        ("UpdatePrimaryRegion", 2): (),
    }


def test_what_a_decision_is_marked_with_is_told_in_words() -> None:
    snapshot = edited()
    asleep = replace(snapshot, keys=(replace(snapshot.keys[0], state="Disabled"), *snapshot.keys[1:]))
    (note,) = explained(asleep, OPS).notes
    assert note.startswith("who is allowed does not change, but the call fails")
    assert {STATE_FLAG, RAM_FLAG, BOUNDARY_FLAG, ORPHAN} < set(FLAG_WORDS)
