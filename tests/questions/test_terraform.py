"""Terraform plans: what they say becomes edits, what they leave open is listed and never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.questions.affected import world_of
from auditor.questions.differences import differences
from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, ROOT, text
from tests.questions.estate import ALICE, KEY_USE, NO_DECRYPT, USE, change, organization_estate, plan

AS_OF = "2026-11-24T12:00:00Z"
KEY_ID = KEY.rsplit("/", 1)[1]
AWS_OWNED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
NOT_PARTNER = text(ROOT)
POLICY = {"id": "p-1", "name": "Stop", "type": "SERVICE_CONTROL_POLICY", "content": NO_DECRYPT}
STOP = change("aws_organizations_policy.stop", POLICY, POLICY, actions=["no-op"])
GRANT = {"key_id": OTHER, "grantee_principal": BATCH, "operations": ["Decrypt"], "name": "new"}
ROLE = {"arn": APP, "name": "app", "assume_role_policy": USE, "tags_all": {}}


def judged(text_: str) -> tuple[set[tuple[str, str, str]], list[str]]:
    """``(change, principal, key alias)`` of decrypting, and what was left open."""
    snapshot = organization_estate()
    planned = edits_of_plan(json.loads(text_))
    after, refused = try_edits(snapshot, planned.edits)
    found = differences(world_of(snapshot, as_of=AS_OF), world_of(after, as_of=AS_OF))
    names = {KEY: "app", OTHER: "other"}
    access = {
        (str(item.change), item.principal.rsplit("/", 1)[-1], names[item.key])
        for item in found.access
        if item.capability == "decrypt" and ":root" not in item.principal
    }
    return access, [*planned.open_ones, *refused]


APP_LOSES = {("lost", "app", "app"), ("lost", "app", "other")}
STOPPED = APP_LOSES | {("lost", "batch", "app"), ("lost", "ops", "app")}
CASES: dict[str, tuple[list[dict[str, Any]], set[tuple[str, str, str]]]] = {
    "key policy inside the key": (
        [change("aws_kms_key.app", {"arn": KEY, "policy": "x"}, {"arn": KEY, "policy": NOT_PARTNER})],
        {("lost", "partner", "app")},
    ),
    "replica key": (
        [change("aws_kms_replica_key.app", {"arn": KEY, "policy": "x"}, {"arn": KEY, "policy": NOT_PARTNER})],
        {("lost", "partner", "app")},
    ),
    "key policy of its own": (
        [change("aws_kms_key_policy.app", None, {"key_id": KEY_ID, "policy": NOT_PARTNER})],
        {("lost", "partner", "app")},
    ),
    "key policy destroyed": (
        [change("aws_kms_key_policy.app", {"key_id": KEY_ID, "policy": "x"}, None)],
        {("lost", "partner", "app")},
    ),
    "inline policy of a role": (
        [change("aws_iam_role_policy.use", None, {"role": "batch", "name": "Use", "policy": USE})],
        {("gained", "batch", "app"), ("gained", "batch", "other")},
    ),
    "inline policy of a user": (
        [change("aws_iam_user_policy.use", None, {"user": "alice", "name": "Use", "policy": USE})],
        {("gained", "alice", "app"), ("gained", "alice", "other")},
    ),
    "inline policy of a group": (
        [change("aws_iam_group_policy.use", None, {"group": "readers", "name": "Use", "policy": USE})],
        {("gained", "alice", "app"), ("gained", "alice", "other")},
    ),
    "inline policy destroyed": (
        [change("aws_iam_role_policy.use", {"role": "app", "name": "inline", "policy": USE}, None)],
        APP_LOSES,
    ),
    "managed policy replaced": (
        [change("aws_iam_policy.use", {"arn": KEY_USE, "policy": USE}, {"arn": KEY_USE, "policy": NO_DECRYPT})],
        {("lost", "ops", "app")},
    ),
    "attachment of a policy that the snapshot knows": (
        [change("aws_iam_role_policy_attachment.a", None, {"role": "batch", "policy_arn": KEY_USE})],
        {("gained", "batch", "app"), ("gained", "batch", "other")},
    ),
    "attachment removed": (
        [change("aws_iam_role_policy_attachment.a", {"role": "ops", "policy_arn": KEY_USE}, None)],
        {("lost", "ops", "app")},
    ),
    "attachment to many": (
        [
            change(
                "aws_iam_policy_attachment.a",
                {"policy_arn": KEY_USE, "roles": ["ops"], "users": []},
                {"policy_arn": KEY_USE, "roles": [], "users": ["alice"]},
            )
        ],
        {("lost", "ops", "app"), ("gained", "alice", "app"), ("gained", "alice", "other")},
    ),
    "policy and its attachment destroyed together": (
        [
            change("aws_iam_policy.use", {"arn": KEY_USE, "policy": USE}, None),
            change("aws_iam_role_policy_attachment.a", {"role": "ops", "policy_arn": KEY_USE}, None),
        ],
        {("lost", "ops", "app")},
    ),
    "boundary": (
        [
            change("aws_iam_policy.b", {"arn": "arn:b"}, {"arn": "arn:b", "policy": NO_DECRYPT}, actions=["no-op"]),
            change("aws_iam_role.app", ROLE, {**ROLE, "permissions_boundary": "arn:b"}),
        ],
        APP_LOSES,
    ),
    "role destroyed": ([change("aws_iam_role.app", ROLE, None)], APP_LOSES),
    "policies in the role's own block": (
        [
            change(
                "aws_iam_role.app",
                {**ROLE, "inline_policy": [{"name": "inline", "policy": USE}]},
                {**ROLE, "inline_policy": [], "managed_policy_arns": []},
            )
        ],
        APP_LOSES,
    ),
    "grant": (
        [change("aws_kms_grant.new", None, GRANT)],
        {("gained", "batch", "other")},
    ),
    "grant revoked": (
        [change("aws_kms_grant.old", {"grant_id": "0a1b2c3d", "key_id": KEY}, None)],
        {("lost", "batch", "app")},
    ),
    "SCP attached": (
        [STOP, change("aws_organizations_policy_attachment.a", None, {"policy_id": "p-1", "target_id": "ou-a"})],
        STOPPED,
    ),
    "SCP replaced": (
        [
            change(
                "aws_organizations_policy.full",
                {"id": "p-FullAWSAccess", "name": "FullAWSAccess", "content": "x"},
                {"id": "p-FullAWSAccess", "name": "FullAWSAccess", "content": NO_DECRYPT},
            )
        ],
        STOPPED,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_plan_says_is_judged(name: str) -> None:
    changes, expected = CASES[name]
    assert judged(plan(*changes)) == (expected, [])


REFERRING = {
    "configuration": {
        "root_module": {
            "module_calls": {
                "keys": {
                    "module": {
                        "resources": [
                            {
                                "address": "aws_iam_role_policy_attachment.a",
                                "expressions": {
                                    "policy_arn": {"references": ["aws_iam_policy.use.arn", "aws_iam_policy.use"]}
                                },
                            }
                        ]
                    }
                }
            }
        }
    }
}


def test_a_new_policy_is_followed_through_the_configuration() -> None:
    policy = change("module.keys.aws_iam_policy.use", None, {"name": "Use", "policy": USE}, unknown={"arn": True})
    attachment = change(
        "module.keys.aws_iam_role_policy_attachment.a", None, {"role": "batch"}, unknown={"policy_arn": True}
    )
    found, open_ones = judged(plan(policy, attachment, **REFERRING))
    assert (found, open_ones) == ({("gained", "batch", "app"), ("gained", "batch", "other")}, [])
    assert judged(plan(policy, attachment))[1] == [
        "module.keys.aws_iam_role_policy_attachment.a (create): `policy_arn` is known only after apply"
    ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (change("aws_kms_key.new", None, {}, unknown={"arn": True}), "does not exist yet"),
        (change("aws_kms_key.app", {"arn": KEY, "policy": "x"}, {"arn": KEY}, unknown={"policy": True}), "`policy`"),
        (change("aws_kms_alias.a", None, {"name": "alias/a"}, unknown={"target_key_id": True}), "`target_key_id`"),
        (change("aws_kms_grant.g", None, {"key_id": KEY}, unknown={"grantee_principal": True}), "grantee"),
        (change("aws_iam_role.new", None, {"name": "new"}), "does not exist yet"),
        (change("aws_iam_role_policy.p", None, {"role": "new", "name": "n", "policy": USE}), "No principal is called"),
        (
            change(
                "aws_iam_role_policy_attachment.a", None, {"role": "app", "policy_arn": "arn:aws:iam::aws:policy/X"}
            ),
            "not in the snapshot",
        ),
        (
            change("aws_organizations_policy_attachment.a", None, {"policy_id": "p-9", "target_id": "ou-a"}),
            "does not say what policy p-9 is",
        ),
        (change("aws_iam_user_group_membership.m", None, {"user": "alice"}), "are not judged"),
        (change("aws_kms_key.app", {"arn": KEY}, {}, actions=["delete", "create"]), "is replaced"),
    ],
    ids=lambda value: value["address"] if isinstance(value, dict) else "",
)
def test_what_a_plan_leaves_open_is_listed(entry: dict[str, Any], reason: str) -> None:
    found, open_ones = judged(plan(entry))
    assert found == set()
    (told,) = open_ones
    assert entry["address"] in told
    assert reason in told


@pytest.mark.parametrize(
    "entry",
    [
        change("aws_kms_key.app", {"arn": KEY}, {"arn": KEY}, actions=["no-op"]),
        change("aws_kms_key.app", {"arn": KEY}, None, actions=["forget"]),
        change("aws_iam_policy.new", None, {"name": "x", "policy": USE}),
        change("aws_iam_instance_profile.x", None, {"name": "x"}),
        change("aws_s3_bucket.x", None, {"bucket": "x"}),
        change("aws_kms_key.app", {"arn": KEY, "description": "a"}, {"arn": KEY, "description": "b"}),
        {**change("aws_iam_policy_document.x", None, {}), "mode": "data"},
    ],
    ids=lambda value: f"{value['address']} {value['change']['actions'][0]}",
)
def test_what_changes_no_access_is_passed_over(entry: dict[str, Any]) -> None:
    assert judged(plan(entry)) == (set(), [])


def test_states_aliases_and_tags_of_a_plan() -> None:
    alias = change(
        "aws_kms_alias.app",
        {"name": "alias/app", "arn": f"arn:aws:kms:eu-west-1:{HOME}:alias/app", "target_key_id": KEY},
        {"name": "alias/app", "target_key_id": OTHER},
    )
    key = change(
        "aws_kms_key.app",
        {"arn": KEY, "is_enabled": True, "tags_all": {"a": "1", "b": "2"}},
        {"arn": KEY, "is_enabled": False, "tags_all": {"b": "3"}},
    )
    snapshot = organization_estate()
    old_tag = edits_of_plan(json.loads(plan(key))).edits[0]
    after, refused = try_edits(snapshot, edits_of_plan(json.loads(plan(alias, key))).edits)
    app, other = after.keys
    assert [item.name for item in other.aliases] == ["alias/app", "alias/other"]
    assert (app.aliases, app.state, app.tags) == ((), "Disabled", (("b", "3"),))
    assert refused == (f"aws_kms_key.app: {KEY} has no tag “a”.",)
    assert old_tag[1].name == "a"


@pytest.mark.parametrize("content", ["[]", "{}", '{"resource_changes": {}}', '{"resource_changes": [1]}', "3"])
def test_what_is_no_plan_is_refused(content: str) -> None:
    with pytest.raises(UsageError, match="no Terraform plan"):
        edits_of_plan(json.loads(content))


def test_everybody_named_here_exists() -> None:
    arns = {item.arn for item in organization_estate().principals}
    assert {APP, BATCH, OPS, ALICE} == arns
    assert PARTNER not in arns
