"""Edits: each kind changes exactly what it says, and one that would change nothing is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.evaluator import evaluate
from auditor.model.actions import BY_NAME
from auditor.model.grant import Grant
from auditor.model.key import Alias, Fact, Key
from auditor.model.snapshot import Gap, Snapshot
from auditor.questions import explain, find_keys, principal_named
from auditor.questions.affected import world_of
from auditor.questions.differences import differences
from auditor.questions.edits import Edit, EditKind, apply_edits
from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, ROOT, allow, text
from tests.questions.estate import (
    ALICE,
    FOREIGN,
    KEY_USE,
    NEW,
    NO_DECRYPT,
    READERS,
    USE,
    organization_estate,
    second_region,
)

NEW_KEY = Key(arn="", key_id="", account="", region="")
AS_OF = "2026-11-24T12:00:00Z"
DECRYPT = BY_NAME["kms:decrypt"]


def decrypts(snapshot: Snapshot) -> set[tuple[str, str]]:
    """``(principal, key)`` of everybody inside who can decrypt, whatever the condition."""
    evaluation = evaluate(snapshot, as_of=AS_OF)
    return {
        (principal.arn.rsplit("/", 1)[-1], "app" if key.arn == KEY else "other")
        for row, principal in enumerate(evaluation.principals)
        for column, key in enumerate(snapshot.keys)
        if not evaluation.table.decision(row, column, DECRYPT).outcome.denied and principal.kind in ("role", "user")
    }


HELD = {("app", "app"), ("app", "other"), ("batch", "app"), ("ops", "app")}
"""Who can decrypt before any edit."""
LEVELS = ("r-1", "ou-a", HOME)
NAMED_GRANT = Grant(grant_id="g", key_arn="", grantee=ALICE, operations=("Decrypt",))
FOR_A_SERVICE = Grant(
    grant_id="g",
    key_arn="",
    grantee_service="rds.amazonaws.com",
    retiring_service="rds.amazonaws.com",
    operations=("Decrypt",),
    source_arn=f"arn:aws:rds:eu-west-1:{HOME}:db:orders",
)
HMAC = {"spec": "HMAC_256", "usage": "GENERATE_VERIFY_MAC"}
OF_AWS = KEY.replace("1234abcd", "0000abcd")
USING = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
LACKING = {"Sid": "Lacking", "Effect": "Allow", "Resource": "*"}
ODD = {"StringFoo": {"aws:PrincipalAccount": HOME}}
TWICE = text(ROOT).replace('"Statement"', '"Statement": [], "Statement"')


@pytest.mark.parametrize(
    ("edits", "gained", "lost"),
    [
        ([Edit(EditKind.KEY_POLICY, "alias/other", text=text(ROOT))], {("ops", "other")}, set()),
        ([Edit(EditKind.KEY_POLICY, "alias/other")], {("ops", "other")}, set()),
        ([Edit(EditKind.IDENTITY_POLICY, "role/batch", "Use", USE)], {("batch", "other")}, set()),
        ([Edit(EditKind.IDENTITY_POLICY, "role/app", "inline")], set(), {("app", "app"), ("app", "other")}),
        ([Edit(EditKind.IDENTITY_POLICY, "group/readers", "Use", USE)], {("alice", "app"), ("alice", "other")}, set()),
        ([Edit(EditKind.IDENTITY_POLICY, READERS, "Use", USE)], {("alice", "app"), ("alice", "other")}, set()),
        ([Edit(EditKind.MANAGED_POLICY, "KeyUse", text=NO_DECRYPT)], set(), {("ops", "app")}),
        ([Edit(EditKind.MANAGED_POLICY, KEY_USE)], set(), {("ops", "app")}),
        ([Edit(EditKind.ATTACH_POLICY, "user/alice", "KeyUse")], {("alice", "app"), ("alice", "other")}, set()),
        ([Edit(EditKind.DETACH_POLICY, "role/ops", KEY_USE)], set(), {("ops", "app")}),
        ([Edit(EditKind.BOUNDARY, "role/app", text=NO_DECRYPT)], set(), {("app", "app"), ("app", "other")}),
        ([Edit(EditKind.BOUNDARY, "role/app", name=KEY_USE)], set(), set()),
        (
            [Edit(EditKind.SCP, "Stop", "ou-a", NO_DECRYPT)],
            set(),
            {("app", "app"), ("app", "other"), ("batch", "app"), ("ops", "app")},
        ),
        ([Edit(EditKind.SCP, "FullAWSAccess", HOME)], set(), HELD),
        ([Edit(EditKind.SCP, "Stop", "Apps", NO_DECRYPT), Edit(EditKind.SCP, "Stop")], set(), set()),
        ([Edit(EditKind.RCP, "Stop", "Root", FOREIGN)], set(), HELD),
        ([Edit(EditKind.GRANT, KEY, grant=NAMED_GRANT)], {("alice", "app")}, set()),
        ([Edit(EditKind.REVOKE_GRANT, "nightly")], set(), {("batch", "app")}),
        ([Edit(EditKind.REMOVE_PRINCIPAL, "role/app")], set(), {("app", "app"), ("app", "other")}),
        (
            [Edit(EditKind.ADD_PRINCIPAL, NEW), Edit(EditKind.IDENTITY_POLICY, "role/new", "Use", USE)],
            {("new", "app"), ("new", "other")},
            set(),
        ),
    ],
    ids=lambda value: str(value[0].kind) if isinstance(value, list) else "",
)
def test_each_kind_of_edit(edits: list[Edit], gained: set[Any], lost: set[Any]) -> None:
    snapshot = organization_estate()
    assert decrypts(snapshot) == HELD
    assert decrypts(apply_edits(snapshot, edits)) == (HELD | gained) - lost


def test_an_alias_moves_and_takes_access_along() -> None:
    by_alias = text(
        allow(Action="kms:Decrypt", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}})
    )
    snapshot = apply_edits(organization_estate(), [Edit(EditKind.IDENTITY_POLICY, "user/alice", "ByAlias", by_alias)])
    assert decrypts(snapshot) - HELD == {("alice", "app")}
    moved = apply_edits(snapshot, [Edit(EditKind.ALIAS, "alias/other", name="alias/app")])
    assert [[alias.name for alias in key.aliases] for key in moved.keys] == [[], ["alias/app", "alias/other"]]
    assert decrypts(moved) - HELD == {("alice", "other")}
    gone = apply_edits(snapshot, [Edit(EditKind.DELETE_ALIAS, "app")])
    assert decrypts(gone) == HELD
    added = apply_edits(gone, [Edit(EditKind.ALIAS, KEY, name="app")])
    assert decrypts(added) == decrypts(snapshot)


def test_tags_of_keys_and_principals() -> None:
    by_tag = text(
        allow(Action="kms:Decrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}})
    )
    edits = [
        Edit(EditKind.IDENTITY_POLICY, "user/alice", "ByTag", by_tag),
        Edit(EditKind.TAG, OTHER, "team", "blue"),
        Edit(EditKind.PRINCIPAL_TAG, "user/alice", "team", "blue"),
    ]
    snapshot = apply_edits(organization_estate(), edits)
    assert decrypts(snapshot) - HELD == {("alice", "other")}
    assert decrypts(apply_edits(snapshot, [Edit(EditKind.TAG, OTHER, "team")])) == HELD
    assert decrypts(apply_edits(snapshot, [Edit(EditKind.PRINCIPAL_TAG, ALICE, "team")])) == HELD


def test_a_key_without_a_policy_of_its_own_gets_the_default_one() -> None:
    edited = apply_edits(organization_estate(), [Edit(EditKind.KEY_POLICY, "alias/app")])
    found = differences(world_of(organization_estate(), as_of=AS_OF), world_of(edited, as_of=AS_OF))
    assert {(item.change, item.principal) for item in found.access} == {("lost", PARTNER)}


def test_a_role_that_is_made_anew_is_another_one() -> None:
    """AWS keeps unique ids, not names: what named the old role names nobody, whoever is called so afterwards."""
    direct = text(ROOT, allow(Sid="Direct", Principal={"AWS": [APP, OPS]}, Action="kms:Decrypt"))
    trust = text({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "sts:AssumeRole"})
    edits = [
        Edit(EditKind.KEY_POLICY, "alias/other", text=direct),
        Edit(EditKind.IDENTITY_POLICY, APP, "inline"),
        Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=APP)),
        Edit(EditKind.TRUST_POLICY, BATCH, text=trust),
    ]
    before = apply_edits(organization_estate(), edits)
    assert {("app", "app"), ("app", "other")} <= decrypts(before)
    old_id = next(item.unique_id for item in before.principals if item.arn == APP)
    after = apply_edits(before, [Edit(EditKind.REMOVE_PRINCIPAL, APP), Edit(EditKind.ADD_PRINCIPAL, APP)])
    assert decrypts(before) - decrypts(after) == {("app", "app"), ("app", "other")}
    assert old_id in {item.grantee for item in after.keys[0].grants}
    trusted = next(item.trust_policy for item in after.principals if item.arn == BATCH)
    assert trusted is not None and [entry.value for entry in trusted.statements[0].principals or ()] == [old_id]


def test_two_planned_grants_of_one_holder_are_two() -> None:
    grants = [replace(NAMED_GRANT, operations=(name,)) for name in ("Decrypt", "Encrypt", "DescribeKey")]
    after = apply_edits(organization_estate(), [Edit(EditKind.GRANT, KEY, grant=one) for one in grants])
    assert [item.grant_id for item in after.keys[0].grants] == ["0a1b2c3d", "g", "g (2)", "g (3)"]


def test_a_policy_moves_from_its_last_carrier_to_another() -> None:
    edits = [Edit(EditKind.DETACH_POLICY, OPS, "KeyUse"), Edit(EditKind.ATTACH_POLICY, BATCH, "KeyUse")]
    assert decrypts(apply_edits(organization_estate(), edits)) == HELD - {("ops", "app")} | {("batch", "other")}
    swapped = [
        Edit(EditKind.SCP, "FullAWSAccess"),
        *(Edit(EditKind.ATTACH_SCP, "FullAWSAccess", name) for name in LEVELS),
    ]
    assert decrypts(apply_edits(organization_estate(), swapped)) == HELD


def test_keys_of_aws_are_not_changed() -> None:
    snapshot = organization_estate()
    app, other = snapshot.keys
    snapshot = replace(snapshot, keys=(replace(app, manager="AWS"), other))
    for edit in (
        Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT)),
        Edit(EditKind.KEY_STATE, KEY, text="Disabled"),
        Edit(EditKind.TAG, KEY, "team", "blue"),
        Edit(EditKind.ALIAS, KEY, name="alias/new"),
    ):
        with pytest.raises(UsageError, match="AWS managed key"):
            apply_edits(snapshot, [edit])
    tagged = apply_edits(snapshot, [Edit(EditKind.TAG, "alias/*", "team", "blue")])
    assert [key.tags for key in tagged.keys] == [(), (("team", "blue"),)]


@pytest.mark.parametrize("subject", [KEY, ""])
@pytest.mark.parametrize(("listed", "read"), [(True, False), (False, False), (False, True)])
def test_a_policy_of_ram_that_could_not_be_read_stays_unknown(listed: bool, read: bool, subject: str) -> None:
    """Replacing the default policy tells nothing of another one, of one key or of all keys of a Region."""
    snapshot = organization_estate()
    app, other = snapshot.keys
    blind = replace(app, policies=app.policies if read else (), unread=frozenset({Fact.KEY_POLICY}))
    operation = "kms:GetKeyPolicy" if listed else "kms:ListKeyPolicies"
    gap = Gap(fact=Fact.KEY_POLICY, account=HOME, region=app.region, subject=subject, operation=operation)
    before = replace(snapshot, keys=(blind, other), gaps=(gap,))
    after = apply_edits(before, [Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT))])
    assert (Fact.KEY_POLICY in after.keys[0].unread) == (not listed or read)


def test_a_new_state_is_a_change_of_facts() -> None:
    edited = apply_edits(organization_estate(), [Edit(EditKind.KEY_STATE, "alias/app", text="Disabled")])
    found = differences(world_of(organization_estate(), as_of=AS_OF), world_of(edited, as_of=AS_OF))
    assert [(item.kind, item.detail) for item in found.facts] == [("key state", "Enabled → Disabled")]
    waiting = replace(organization_estate().keys[0], state="PendingDeletion", deletion_date="2026-12-24T12:00:00Z")
    spared = apply_edits(
        replace(organization_estate(), keys=(waiting,)), [Edit(EditKind.KEY_STATE, KEY, text="Enabled")]
    )
    assert (spared.keys[0].state, spared.keys[0].deletion_date) == ("Enabled", None)


def test_a_new_user_has_what_its_groups_give() -> None:
    """Also what could not be read of them."""
    bob = f"arn:aws:iam::{HOME}:user/team/bob"
    edits = [
        Edit(EditKind.ADD_PRINCIPAL, bob),
        Edit(EditKind.ADD_TO_GROUP, "user/bob", f"arn:aws:iam::{HOME}:group/readers"),
    ]
    after = apply_edits(organization_estate(), edits)
    alice, made = (next(item for item in after.principals if item.arn == arn) for arn in (ALICE, bob))
    assert (made.path, made.name, made.groups) == ("/team/", "bob", ("readers",))
    assert made.identity_policies == alice.identity_policies
    gone = apply_edits(after, [Edit(EditKind.REMOVE_FROM_GROUP, bob, "readers")])
    assert next(item for item in gone.principals if item.arn == bob).identity_policies == ()
    snapshot = organization_estate()
    blind = tuple(
        replace(item, identity_policies=(), unread=frozenset({Fact.IDENTITY_POLICY})) if item.arn == ALICE else item
        for item in snapshot.principals
    )
    after = apply_edits(replace(snapshot, principals=blind), edits)
    assert Fact.IDENTITY_POLICY in next(item for item in after.principals if item.arn == bob).unread


def test_a_new_replica_is_like_its_primary() -> None:
    snapshot = organization_estate()
    (account,) = snapshot.accounts
    primary = replace(snapshot.keys[0], multi_region=True, multi_region_key_type="PRIMARY", spec="RSA_2048")
    before = replace(
        snapshot, accounts=(replace(account, regions=("eu-west-1", "us-east-1")),), keys=(primary, snapshot.keys[1])
    )
    new = replace(NEW_KEY, multi_region=True, multi_region_key_type="REPLICA", primary_arn=KEY)
    after = apply_edits(before, [Edit(EditKind.ADD_KEY, "arn::kms:us-east-1::key/x", key=new)])
    replica = next(key for key in after.keys if key.region == "us-east-1")
    assert (replica.arn, replica.spec) == (KEY.replace("eu-west-1", "us-east-1"), "RSA_2048")
    assert next(key for key in after.keys if key.arn == KEY).replica_arns == (replica.arn,)
    with pytest.raises(UsageError, match="in which Region"):
        apply_edits(before, [Edit(EditKind.ADD_KEY, "arn::kms:::key/x")])
    two = replace(before, accounts=(account, replace(account, id="222222222222")))
    for edit in (Edit(EditKind.ADD_KEY, "arn::kms:eu-west-1::key/x"), Edit(EditKind.ADD_PRINCIPAL, "role/x")):
        with pytest.raises(UsageError, match="in which account"):
            apply_edits(two, [edit])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(EditKind.KEY_POLICY, "alias/none", text=text(ROOT)), "No key is called"),
        (Edit(EditKind.KEY_POLICY, "alias/app", text="no json"), "cannot be read"),
        (Edit(EditKind.KEY_POLICY, "alias/app", text="[]"), "cannot be read"),
        (Edit(EditKind.KEY_STATE, "alias/app", text="Broken"), "no state"),
        *((Edit(EditKind.KEY_ROTATION, KEY, text=days), "AWS takes 90 to 2560") for days in ("89", "2561", "on", "")),
        (Edit(EditKind.KEY_ROTATION, "alias/aws/s3"), "is an AWS managed key"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "none"), "It has inline"),
        (Edit(EditKind.IDENTITY_POLICY, "group/none", "x", USE), "No collected user"),
        (Edit(EditKind.MANAGED_POLICY, "None", text=USE), "attached anywhere"),
        (Edit(EditKind.ATTACH_POLICY, "role/app", "None"), "not in the snapshot"),
        (Edit(EditKind.DETACH_POLICY, "role/app", "KeyUse"), "not attached to"),
        (Edit(EditKind.DETACH_POLICY, "role/app", "inline"), "It is an inline policy"),
        (Edit(EditKind.BOUNDARY, "role/app"), "has no permissions boundary"),
        (Edit(EditKind.TRUST_POLICY, "user/alice", text=USE), "only a role"),
        (Edit(EditKind.SCP, "None"), "There are: FullAWSAccess"),
        (Edit(EditKind.SCP, "None", "ou-a"), "is not attached to ou-a"),
        (Edit(EditKind.SCP, "New", "ou-none", NO_DECRYPT), "no target “ou-none”"),
        (Edit(EditKind.ATTACH_SCP, "None", "ou-a"), "not in the snapshot"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, operations=("PutKeyPolicy",))), "cannot give"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, operations=("decrypt",))), "cannot give"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=None)), "needs its grantee"),
        (Edit(EditKind.REVOKE_GRANT, "none"), "No grant"),
        (Edit(EditKind.ALIAS, KEY, name="alias/aws/s3"), "cannot be an alias"),
        (Edit(EditKind.DELETE_ALIAS, "alias/none"), "No alias"),
        (Edit(EditKind.TAG, KEY, "none"), "has no tag"),
        (Edit(EditKind.PRINCIPAL_TAG, "role/app", "none"), "has no tag"),
        (Edit(EditKind.ADD_PRINCIPAL, "group/new"), "no ARN of a user or role"),
        (Edit(EditKind.ADD_PRINCIPAL, "role/"), "no ARN of a user or role"),
        (Edit(EditKind.ADD_KEY, "alias/app"), "no ARN of a key"),
        (Edit(EditKind.ADD_KEY, KEY), "exists already"),
        (Edit(EditKind.ADD_KEY, KEY.replace(HOME, "333333333333")), "was not collected"),
        (Edit(EditKind.ADD_KEY, KEY.replace("eu-west-1", "us-east-1")), "were not collected"),
        (Edit(EditKind.ADD_KEY, f"{KEY}0", text=USE), "names no Principal"),
        (Edit(EditKind.ADD_KEY, f"{KEY}0", key=replace(NEW_KEY, primary_arn="arn:none")), "not in the snapshot"),
        (Edit(EditKind.ADD_TO_GROUP, "role/app", "readers"), "is no user"),
        (Edit(EditKind.ADD_TO_GROUP, "user/alice", "writers"), "policies of group “writers” are not in the snapshot"),
        (Edit(EditKind.REMOVE_FROM_GROUP, "user/alice", "writers"), "It belongs to readers"),
        (Edit(EditKind.ADD_PRINCIPAL, APP), "exists already"),
        (Edit(EditKind.ADD_PRINCIPAL, "arn:aws:iam::333333333333:role/x"), "was not collected"),
        (Edit(EditKind.REMOVE_PRINCIPAL, PARTNER), "was not collected"),
        (Edit(EditKind.REMOVE_PRINCIPAL, f"arn:aws:iam::{HOME}:root"), "was not collected"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee="alice")), "cannot be a GranteePrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=KEY)), "cannot be a GranteePrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=NEW)), "does not exist"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee_service="s3.amazonaws.com")), "one grantee"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=HOME)), "cannot be a GranteePrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, grantee=READERS)), "cannot be a GranteePrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, retiring=READERS)), "cannot be a RetiringPrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, retiring=NEW)), "RetiringPrincipal .* does not exist"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, operations=("Sign",))), "No grant can give Sign"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, name="a b")), "cannot be the Name"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, context_equals=(("a", "b"),) * 9)), "8 pairs at most"),
        (Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, context_subset=(("a", "b" * 385),))), "384 characters"),
        (Edit(EditKind.GRANT, KEY, grant=replace(FOR_A_SERVICE, source_arn=None)), "takes a SourceArn constraint"),
        (Edit(EditKind.GRANT, KEY, grant=replace(FOR_A_SERVICE, retiring_service=None)), "or RetiringServicePrincipal"),
        (Edit(EditKind.GRANT, KEY, grant=replace(FOR_A_SERVICE, retiring=APP)), "not both"),
        (Edit(EditKind.GRANT, KEY, grant=replace(FOR_A_SERVICE, grantee_service="s3")), "no service principal"),
        (Edit(EditKind.DELETE_ALIAS, "alias/aws/s3"), "is an AWS managed key"),
        (Edit(EditKind.RCP, "RCPFullAWSAccess"), "on every root"),
        (Edit(EditKind.RCP, "New", "ou-a", text(ROOT)), "Root is no Deny"),
        (Edit(EditKind.RCP, "New", "ou-a", FOREIGN.replace('"*"', f'{{"AWS": "{APP}"}}', 1)), "another Principal"),
        (Edit(EditKind.RCP, "New", "ou-a", FOREIGN.replace('"Action"', '"NotAction"')), "or NotAction"),
        (Edit(EditKind.KEY_POLICY, KEY, text=TWICE), "“Statement” occurs twice"),
        (Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT).replace("2012-10-17", "2020-01-01")), "no Version '2020"),
        (Edit(EditKind.ALIAS, KEY, name="alias/a b"), "cannot be an alias"),
        (Edit(EditKind.KEY_POLICY, "alias/app", text=USE), "Use names no Principal"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text(ROOT)), "Root has a Principal"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "Action": "Decrypt"})), "such as kms:Decrypt"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "Action": 7})), "must be a string"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "NotAction": "kms:*"})), "exclude each other"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "Condtion": {}})), "meant to be “Condition”"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "Condition": [1]})), "must be an object"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text(LACKING)), "Lacking has no Action"),
        (Edit(EditKind.IDENTITY_POLICY, "role/app", "x", text({**USING, "Condition": ODD})), "operator “StringFoo”"),
        (Edit(EditKind.SCP, "Stop", "ou-a", FOREIGN), "statement 1 has a Principal"),
        (Edit(EditKind.TRUST_POLICY, "role/app", text=USE), "names no Principal"),
        (Edit(EditKind.KEY_POLICY, KEY, text=text({**ROOT, "Effect": "allow"})), "the Effect of Root is not"),
    ],
    ids=lambda value: f"{value.kind} {value.target}" if isinstance(value, Edit) else "",
)
def test_an_edit_that_cannot_be_is_refused(edit: Edit, message: str) -> None:
    snapshot = organization_estate()
    of_aws = replace(snapshot.keys[1], arn=OF_AWS, manager="AWS", aliases=(Alias("alias/aws/s3", "", "of-aws"),))
    with pytest.raises(UsageError, match=message):
        apply_edits(replace(snapshot, keys=(*snapshot.keys, of_aws)), [edit])


def test_replicas_rotate_as_their_primary_does() -> None:
    snapshot = organization_estate()
    replica = replace(snapshot.keys[1], multi_region=True, multi_region_key_type="REPLICA", primary_arn=KEY)
    before = replace(snapshot, keys=(snapshot.keys[0], replica))
    after = apply_edits(before, [Edit(EditKind.KEY_ROTATION, KEY, text="90")])
    assert [key.rotation and key.rotation.period_days for key in after.keys] == [90, 90]
    with pytest.raises(UsageError, match="is a replica"):
        apply_edits(before, [Edit(EditKind.KEY_ROTATION, replica.arn)])
    signing = replace(snapshot.keys[0], spec="RSA_2048", usage="SIGN_VERIFY")
    with pytest.raises(UsageError, match="cannot rotate"):
        apply_edits(replace(snapshot, keys=(signing,)), [Edit(EditKind.KEY_ROTATION, KEY)])


@pytest.mark.parametrize(
    ("key", "grant", "message"),
    [
        ({"state": "PendingDeletion"}, {}, "is PendingDeletion: AWS makes no grant"),
        (HMAC, {"operations": ("GenerateMac",), "context_equals": (("a", "b"),)}, "takes no encryption context"),
        (HMAC, {"operations": ("DescribeKey",), "context_equals": (("a", "b"),)}, ""),
        (HMAC, {}, "No grant can give Decrypt"),
        ({**HMAC, "unread": frozenset({Fact.KEY_METADATA})}, {}, ""),
    ],
)
def test_a_grant_has_to_suit_its_key(key: dict[str, Any], grant: dict[str, Any], message: str) -> None:
    snapshot = organization_estate()
    snapshot = replace(snapshot, keys=(replace(snapshot.keys[0], **key), snapshot.keys[1]))
    edits = [Edit(EditKind.GRANT, KEY, grant=replace(NAMED_GRANT, **grant))]
    if message:
        with pytest.raises(UsageError, match=message):
            apply_edits(snapshot, edits)
    else:
        assert len(apply_edits(snapshot, edits).keys[0].grants) == 2


@pytest.mark.parametrize(
    "edit",
    [
        Edit(EditKind.KEY_POLICY, "alias/app", text=text(ROOT)),
        Edit(EditKind.DELETE_ALIAS, "alias/app"),
        Edit(EditKind.ALIAS, "alias/app", name="alias/new"),
    ],
)
def test_a_plain_name_of_two_keys_is_ambiguous(edit: Edit) -> None:
    with pytest.raises(UsageError, match="means 2"):
        apply_edits(second_region(organization_estate()), [edit])


def test_a_group_of_two_accounts_is_told_by_its_arn() -> None:
    snapshot = organization_estate()
    bob = replace(snapshot.principals[-1], arn=ALICE.replace(HOME, "222222222222"), account="222222222222")
    two = replace(snapshot, principals=(*snapshot.principals, replace(bob, identity_policies=())))
    other = "arn:aws:iam::222222222222:group/staff/readers"
    with pytest.raises(
        UsageError, match=f"means 2 groups. Choose one: {READERS}, arn:aws:iam::222222222222:group/read"
    ):
        apply_edits(two, [Edit(EditKind.IDENTITY_POLICY, "group/readers", "Use", USE)])
    edited = apply_edits(two, [Edit(EditKind.IDENTITY_POLICY, other, "Use", USE)])
    assert [(item.name, item.owner) for item in edited.principals[-1].identity_policies] == [("Use", other)]


def test_a_pattern_means_all_that_match() -> None:
    edited = apply_edits(second_region(organization_estate()), [Edit(EditKind.TAG, "*:alias/app", "team", "blue")])
    assert sum(key.tag("team") == "blue" for key in edited.keys) == 2


def test_edits_are_explained_like_facts() -> None:
    edited = apply_edits(organization_estate(), [Edit(EditKind.SCP, "Stop", "Apps", NO_DECRYPT)])
    evaluation = evaluate(edited, as_of=AS_OF)
    (key,) = find_keys(edited, "alias/app")
    why = explain(evaluation, principal_named(evaluation, OPS), DECRYPT, key)
    assert why.decision.reason == "explicit_deny_scp"
    assert "Stop" in why.turning[0]
    assert BATCH in {item.arn for item in evaluation.principals}


def test_edits_of_keys_leave_the_other_keys_aliases_and_tags() -> None:
    before = second_region(organization_estate())
    moved = apply_edits(before, [Edit(EditKind.ALIAS, OTHER, name="alias/app")])
    assert [[alias.name for alias in key.aliases] for key in moved.keys] == [
        [],
        ["alias/app", "alias/other"],
        ["alias/app"],
    ]
    gone = apply_edits(before, [Edit(EditKind.DELETE_ALIAS, "alias/other")])
    assert [[alias.name for alias in key.aliases] for key in gone.keys] == [["alias/app"], [], ["alias/app"]]
    tagged = apply_edits(before, [Edit(EditKind.TAG, OTHER, "team", "blue"), Edit(EditKind.TAG, OTHER, "cost", "1")])
    assert tagged.keys[1].tags == (*before.keys[1].tags, ("cost", "1"), ("team", "blue"))
    assert apply_edits(tagged, [Edit(EditKind.TAG, OTHER, "team")]).keys[1].tags == (
        *before.keys[1].tags,
        ("cost", "1"),
    )


def test_who_is_not_removed_keeps_its_name_in_policies() -> None:
    both = text(ROOT, allow(Principal={"AWS": [APP, BATCH]}, Action="kms:Decrypt"))
    before = apply_edits(organization_estate(), [Edit(EditKind.KEY_POLICY, KEY, text=both)])
    policy = apply_edits(before, [Edit(EditKind.REMOVE_PRINCIPAL, APP)]).keys[0].policies[0].policy.text
    assert APP not in policy
    assert BATCH in policy


def test_a_managed_policy_is_changed_where_it_is_a_boundary_too() -> None:
    bounded = apply_edits(organization_estate(), [Edit(EditKind.BOUNDARY, APP, name=KEY_USE)])
    assert decrypts(apply_edits(bounded, [Edit(EditKind.MANAGED_POLICY, KEY_USE, text=NO_DECRYPT)])) == {
        ("batch", "app")
    }
    assert decrypts(apply_edits(bounded, [Edit(EditKind.MANAGED_POLICY, KEY_USE)])) == HELD - {("ops", "app")}
    free = apply_edits(bounded, [Edit(EditKind.BOUNDARY, APP)])
    assert next(item for item in free.principals if item.arn == APP).boundary is None


def test_a_group_of_another_account_gives_nothing() -> None:
    snapshot = organization_estate()
    alice = snapshot.principals[-1]
    bob = replace(
        alice, arn=ALICE.replace("alice", "bob"), iam_arn=ALICE.replace("alice", "bob"), name="bob", groups=()
    )
    bob = replace(bob, identity_policies=())
    away = replace(alice, account="333333333333", groups=("writers",))
    with pytest.raises(UsageError, match="not in the snapshot"):
        apply_edits(
            replace(snapshot, principals=(*snapshot.principals, bob, away)),
            [Edit(EditKind.ADD_TO_GROUP, "user/bob", "writers")],
        )
