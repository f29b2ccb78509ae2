"""What plans say of keys, identities and guardrails, as the access that is gained and lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, ROOT, text
from tests.questions.estate import ALICE, KEY_USE, NO_DECRYPT, USE, change, organization_estate, plan
from tests.questions.terraform.plans import (
    ADMINISTRATOR,
    APP_LOSES,
    GRANT,
    KEY_ID,
    NEW_ROLE,
    NOT_PARTNER,
    OTHERS_TOO,
    ROLE,
    ROOT_POLICY,
    STOP,
    judged,
)

FORGOTTEN = {"skip_destroy": True, "type": "SERVICE_CONTROL_POLICY"}
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
    "attachment of AWS's own policy for administrators, which says the same everywhere": (
        [change("aws_iam_role_policy_attachment.a", None, {"role": "batch", "policy_arn": ADMINISTRATOR})],
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
    "SCP destroyed with its attachment": (
        [
            change("aws_organizations_policy.full", {"id": "p-f", "name": "FullAWSAccess"}, None),
            change("aws_organizations_policy_attachment.a", {"policy_id": "p-f", "target_id": HOME}, None),
        ],
        STOPPED,
    ),
    "SCP and attachment that Terraform only forgets": (
        [
            change("aws_organizations_policy.full", {**FORGOTTEN, "id": "p-f", "name": "FullAWSAccess"}, None),
            change("aws_organizations_policy_attachment.a", {**FORGOTTEN, "policy_id": "p-f", "target_id": HOME}, None),
        ],
        set(),
    ),
    "SCP that is attached nowhere": (
        [change("aws_organizations_policy.idle", {"id": "p-i", "name": "Idle"}, None)],
        set(),
    ),
    "key policy handed to another key": (
        [
            change(
                "aws_kms_key_policy.app",
                {"key_id": KEY_ID, "policy": "x"},
                {"key_id": OTHER, "policy": NOT_PARTNER},
                actions=["delete", "create"],
            )
        ],
        {("lost", "partner", "app"), ("gained", "ops", "other")},
    ),
    "one policy on many exchanged for another": (
        [
            change("aws_iam_policy.no", {"arn": "arn:no"}, {"arn": "arn:no", "policy": NO_DECRYPT}, actions=["no-op"]),
            change(
                "aws_iam_policy_attachment.a",
                {"policy_arn": KEY_USE, "roles": ["ops"]},
                {"policy_arn": "arn:no", "roles": ["ops"]},
                actions=["delete", "create"],
            ),
        ],
        {("lost", "ops", "app")},
    ),
    "inline policy whose name Terraform chooses": (
        [change("aws_iam_role_policy.use", None, {"role": "batch", "policy": USE}, unknown={"name": True})],
        {("gained", "batch", "app"), ("gained", "batch", "other")},
    ),
    "grant with its constraints in two blocks": (
        [
            change(
                "aws_kms_grant.new",
                None,
                {
                    **GRANT,
                    "constraints": [
                        {"encryption_context_equals": {"a": "1"}, "encryption_context_subset": None},
                        {"encryption_context_equals": {}, "encryption_context_subset": {"a": "2"}},
                    ],
                },
            )
        ],
        set(),
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
NEW_KEY = {("gained", name, "aws_kms_key.new") for name in ("app", "ops")}
CASES |= {
    "new key": ([change("aws_kms_key.new", None, {"policy": ROOT_POLICY}, unknown={"arn": True})], NEW_KEY),
    "new key of a provider that says its Region": (
        [change("aws_kms_key.new", None, {"policy": ROOT_POLICY, "region": "eu-west-1"})],
        NEW_KEY,
    ),
    "new key whose policy names others too": (
        [change("aws_kms_key.new", None, {"policy": OTHERS_TOO})],
        {*NEW_KEY, ("gained", "partner", "aws_kms_key.new")},
    ),
    "new external key": (
        [change("aws_kms_external_key.new", None, {"policy": ROOT_POLICY, "enabled": True})],
        {(kind, name, "aws_kms_external_key.new") for kind, name, _ in NEW_KEY},
    ),
    "key replaced by a new one": (
        [change("aws_kms_key.new", {"arn": KEY}, {"policy": ROOT_POLICY}, actions=["delete", "create"])],
        NEW_KEY,
    ),
    "new role with everything in its block": (
        [
            change(
                "aws_iam_role.new",
                None,
                {
                    "name": "new",
                    "assume_role_policy": text(ROOT),
                    "inline_policy": [{"name": "Use", "policy": USE}],
                    "managed_policy_arns": [KEY_USE],
                    "tags_all": {"team": "blue"},
                },
            )
        ],
        NEW_ROLE,
    ),
    "new role with a boundary that stops it": (
        [
            change("aws_iam_policy.b", {"arn": "arn:b"}, {"arn": "arn:b", "policy": NO_DECRYPT}, actions=["no-op"]),
            change(
                "aws_iam_role.new",
                None,
                {"name": "new", "managed_policy_arns": [KEY_USE], "permissions_boundary": "arn:b"},
            ),
        ],
        set(),
    ),
    "new user with an attached policy": (
        [
            change("aws_iam_user.new", None, {"name": "new", "path": "/team/"}),
            change("aws_iam_user_policy_attachment.a", None, {"user": "new", "policy_arn": KEY_USE}),
        ],
        NEW_ROLE,
    ),
    "role made anew": (
        [
            change("aws_iam_role.app", ROLE, {**ROLE, "assume_role_policy": ROOT_POLICY}, actions=["delete", "create"]),
            change("aws_iam_role_policy.use", {"role": "app", "name": "inline"}, None),
        ],
        APP_LOSES,
    ),
    "role made anew with the policy that it had": (
        [
            change("aws_iam_role.app", ROLE, {**ROLE, "assume_role_policy": ROOT_POLICY}, actions=["delete", "create"]),
            change(
                "aws_iam_role_policy.use",
                {"role": "app", "name": "inline", "policy": USE},
                {"role": "app", "name": "inline", "policy": USE},
                actions=["delete", "create"],
            ),
        ],
        set(),
    ),
    "user put into a new group with a policy": (
        [
            change("aws_iam_group.new", None, {"name": "writers"}),
            change("aws_iam_group_policy.use", None, {"group": "writers", "name": "Use", "policy": USE}),
            change("aws_iam_user_group_membership.m", None, {"user": "alice", "groups": ["writers"]}),
        ],
        {("gained", "alice", "app"), ("gained", "alice", "other")},
    ),
    "last user taken out of a group that gets a policy": (
        [
            change("aws_iam_group_policy.use", None, {"group": "readers", "name": "Use", "policy": USE}),
            change("aws_iam_group_membership.m", {"group": "readers", "users": ["alice"]}, None),
        ],
        set(),
    ),
    "membership of a group": (
        [
            change("aws_iam_group_policy.use", None, {"group": "readers", "name": "Use", "policy": USE}),
            change("aws_iam_user.bob", None, {"name": "bob"}),
            change(
                "aws_iam_group_membership.m",
                {"group": "readers", "users": ["alice"]},
                {"group": "readers", "users": ["alice", "bob"]},
            ),
        ],
        {("gained", name, key) for name in ("alice", "bob") for key in ("app", "other")},
    ),
    "one group of a user joined, another kept": (
        [
            change("aws_iam_group_policy.use", None, {"group": "readers", "name": "Use", "policy": USE}),
            change("aws_iam_group.new", None, {"name": "writers"}),
            change("aws_iam_group_policy.key", None, {"group": "writers", "name": "Key", "policy": NO_DECRYPT}),
            change(
                "aws_iam_user_group_membership.m",
                {"user": "alice", "groups": ["readers"]},
                {"user": "alice", "groups": ["readers", "writers"]},
            ),
        ],
        set(),
    ),
    "groups of a user handed to another user": (
        [
            change("aws_iam_user.bob", None, {"name": "bob"}),
            change("aws_iam_group.new", None, {"name": "writers"}),
            change("aws_iam_group_policy.use", None, {"group": "writers", "name": "Use", "policy": USE}),
            change("aws_iam_group_policy.old", None, {"group": "readers", "name": "Use", "policy": USE}),
            change(
                "aws_iam_user_group_membership.m",
                {"user": "alice", "groups": ["readers"]},
                {"user": "bob", "groups": ["writers"]},
                actions=["delete", "create"],
            ),
        ],
        {("gained", "bob", "app"), ("gained", "bob", "other")},
    ),
    "groups of a user destroyed": (
        [
            change("aws_iam_group_policy.use", None, {"group": "readers", "name": "Use", "policy": USE}),
            change("aws_iam_user_group_membership.m", {"user": "alice", "groups": ["readers"]}, None),
        ],
        set(),
    ),
    "group whose last policy nobody has": (
        [change("aws_iam_group_policy.use", None, {"group": "idle", "name": "Use", "policy": USE})],
        set(),
    ),
    "inline policies that are not listed": (
        [change("aws_iam_role_policies_exclusive.x", None, {"role_name": "app", "policy_names": ["Other"]})],
        APP_LOSES,
    ),
    "inline policies that are listed": (
        [change("aws_iam_role_policies_exclusive.x", None, {"role_name": "app", "policy_names": ["inline"]})],
        set(),
    ),
    "managed policies that are not listed": (
        [change("aws_iam_role_policy_attachments_exclusive.x", None, {"role_name": "ops", "policy_arns": []})],
        {("lost", "ops", "app")},
    ),
    "managed policies that are listed": (
        [change("aws_iam_role_policy_attachments_exclusive.x", None, {"role_name": "batch", "policy_arns": [KEY_USE]})],
        {("gained", "batch", "app"), ("gained", "batch", "other")},
    ),
    "list of policies that Terraform no longer watches": (
        [change("aws_iam_role_policies_exclusive.x", {"role_name": "app", "policy_names": []}, None)],
        set(),
    ),
    "the policy that everything has from AWS": (
        [change("aws_organizations_policy_attachment.a", {"policy_id": "p-FullAWSAccess", "target_id": "ou-a"}, None)],
        STOPPED,
    ),
    "moved": (
        [
            {
                **change("aws_kms_key.b", {"arn": KEY}, {"arn": KEY}, actions=["no-op"]),
                "previous_address": "aws_kms_key.a",
            }
        ],
        set(),
    ),
    "imported with another policy": (
        [
            {
                **change("aws_kms_key.b", {"arn": KEY, "policy": "x"}, {"arn": KEY, "policy": NOT_PARTNER}),
                "importing": {"id": KEY_ID},
            }
        ],
        {("lost", "partner", "app")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_plan_says_is_judged(name: str) -> None:
    changes, expected = CASES[name]
    assert judged(plan(*changes)) == (expected, [])


def test_everybody_named_here_exists() -> None:
    arns = {item.arn for item in organization_estate().principals}
    assert {APP, BATCH, OPS, ALICE} == arns
    assert PARTNER not in arns
