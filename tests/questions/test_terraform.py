"""Terraform plans: what they say becomes edits, what they leave open is listed and never guessed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.model.key import Rotation
from auditor.model.snapshot import AccountFacts, Snapshot
from auditor.questions.affected import world_of
from auditor.questions.differences import differences
from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, BATCH, HOME, KEY, OPS, OTHER, PARTNER, ROOT, text
from tests.questions.estate import ALICE, KEY_USE, NO_DECRYPT, USE, change, organization_estate, plan, second_region

AS_OF = "2026-11-24T12:00:00Z"
KEY_ID = KEY.rsplit("/", 1)[1]
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
AWS_OWNED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
NOT_PARTNER = ROOT_POLICY = text(ROOT)
OTHERS_TOO = text(ROOT, {**ROOT, "Sid": "Partner", "Principal": {"AWS": PARTNER}})
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
    names = {KEY: "app", OTHER: "other", **{key.arn: key.key_id.partition(":")[2] for key in after.keys[2:]}}
    access = {
        (str(item.change), item.principal.rsplit("/", 1)[-1], names[item.key])
        for item in found.access
        if item.capability == "decrypt" and ":root" not in item.principal
    }
    return access, [*planned.open_ones, *refused]


FORGOTTEN = {"skip_destroy": True, "type": "SERVICE_CONTROL_POLICY"}
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
NEW_ROLE = {("gained", "new", "app"), ("gained", "new", "other")}
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


def redacted(entry: dict[str, Any]) -> dict[str, Any]:
    """The change with its values taken out as sensitive."""
    entry["change"]["after_sensitive"] = dict.fromkeys(entry["change"]["after"], True)
    return entry


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


def resource(address: str, provider: str = "aws", **expressions: Any) -> dict[str, Any]:
    """One resource of a configuration; texts are what an expression refers to."""
    written = {
        name: {"references": [value]} if isinstance(value, str) else value for name, value in expressions.items()
    }
    return {"address": address, "provider_config_key": provider, "expressions": written}


def configuration(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"configuration": {"root_module": {"resources": list(resources)}, **more}}


def test_what_is_about_a_new_key_or_role_is_followed_through_the_configuration() -> None:
    """Of both, what is not configured has AWS's default."""
    unknown = {"arn": True, "id": True, "policy": True, "inline_policy": True, "managed_policy_arns": True}
    grant = {"operations": ["Decrypt"], "name": "new"}
    changes = [
        change("aws_kms_alias.new", None, {"name": "alias/new"}, unknown={"target_key_id": True}),
        change("aws_kms_grant.new", None, grant, unknown={"key_id": True, "grantee_principal": True}),
        change("aws_kms_key.new", None, {"tags_all": {"team": "blue"}}, unknown=unknown),
        change("aws_kms_key_policy.new", None, {"policy": OTHERS_TOO}, unknown={"key_id": True}),
        change("aws_iam_role.new", None, {"name": "new", "path": "/"}, unknown=unknown),
        change("aws_iam_role_policy.new", None, {"name": "Use", "policy": USE}, unknown={"role": True}),
    ]
    written = configuration(
        resource("aws_kms_alias.new", target_key_id="aws_kms_key.new"),
        resource("aws_kms_grant.new", key_id="aws_kms_key.new", grantee_principal="aws_iam_role.new"),
        resource("aws_kms_key.new", tags={}),
        resource("aws_kms_key_policy.new", key_id="aws_kms_key.new", policy={}),
        resource("aws_iam_role.new", name={}),
        resource("aws_iam_role_policy.new", role="aws_iam_role.new", policy={}),
    )
    caller = {"address": "data.aws_caller_identity.c", "mode": "data", "type": "aws_caller_identity"}
    caller["values"] = {"account_id": HOME, "arn": f"arn:aws:sts::{HOME}:assumed-role/ci/x"}  # type: ignore[assignment]
    prior = {"values": {"root_module": {"child_modules": [{"resources": [caller]}]}}}
    written["configuration"]["root_module"]["resources"].append(resource("data.aws_caller_identity.c"))
    key = "aws_kms_key.new"
    expected = {("gained", name, key) for name in ("app", "ops", "partner", "new")} | NEW_ROLE
    assert judged(plan(*changes, prior_state=prior, **written)) == (expected, [])
    after, _ = try_edits(
        organization_estate(), edits_of_plan(json.loads(plan(*changes, prior_state=prior, **written))).edits
    )
    made = next(one for one in after.keys if one.arn not in (KEY, OTHER))
    assert (made.label, made.tags) == ("alias/new", (("team", "blue"),))
    assert [item.grantee for item in made.grants] == [f"arn:aws:iam::{HOME}:role/new"]
    (told, *others) = judged(plan(*changes))[1]
    assert "`target_key_id` is known only after apply" in told and len(others) == 5


def test_instances_of_resources_and_modules_are_told_apart() -> None:
    def made(name: str) -> dict[str, Any]:
        entry = change(f"module.keys[0].{name}", None, {}, unknown={"policy_arn": True, "arn": True})
        return {**entry, "type": name.split(".", maxsplit=1)[0]}

    policy, attachment = made("aws_iam_policy.use[0]"), made('aws_iam_role_policy_attachment.a["x.y[0]"]')
    policy["change"]["after"] = {"name": "Use", "policy": USE}
    attachment["change"]["after"] = {"role": "batch"}
    references = ["aws_iam_policy.use[0].arn", "aws_iam_policy.use[0]", "aws_iam_policy.use"]
    written = {"address": "aws_iam_role_policy_attachment.a", "for_each_expression": {}}
    written["expressions"] = {"policy_arn": {"references": references}}
    module = {"count_expression": {}, "module": {"resources": [written]}}
    more = {"configuration": {"root_module": {"module_calls": {"keys": module}}}}
    expected = {("gained", "batch", "app"), ("gained", "batch", "other")}
    assert judged(plan(policy, attachment, **more)) == (expected, [])
    written["expressions"]["policy_arn"]["references"] = ["aws_iam_policy.use", "each.key"]
    found, (told,) = judged(plan(policy, attachment, **more))
    assert (found, "`policy_arn`" in told) == (set(), True)


def test_where_a_new_key_will_be_is_told_by_its_provider() -> None:
    """Else by what the plan knows of others, and never guessed between several."""
    new = change("aws_kms_key.new", None, {"policy": text(ROOT, {**ROOT, "Principal": {"AWS": PARTNER}})})
    west = resource("aws_kms_key.new", "aws.west", policy={})
    region = {"provider_config": {"aws.west": {"expressions": {"region": {"constant_value": "eu-west-1"}}}}}
    there = change("aws_kms_key.old", {"arn": KEY}, {"arn": KEY}, actions=["no-op"])
    for told in (
        plan(new, there),
        plan(new, there, **configuration(west, resource("aws_kms_key.old", "aws.west"), **region)),
    ):
        assert edits_of_plan(json.loads(told)).edits[0][1].target.startswith(f"arn:aws:kms:eu-west-1:{HOME}:key/")
    elsewhere = plan(new, there, **configuration(west, resource("aws_kms_key.old", "aws.east"), **region))
    assert edits_of_plan(json.loads(elsewhere)).edits[0][1].target.startswith("arn::kms:eu-west-1::key/")
    other = change("aws_kms_key.far", {"arn": KEY.replace(HOME, "222222222222")}, {}, actions=["no-op"])
    assert edits_of_plan(json.loads(plan(new, there, other))).edits[0][1].target.startswith("arn:aws:kms:eu-west-1::")


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
        (change("aws_kms_key.new", None, {}, unknown={"policy": True}), "`policy`"),
        (change("aws_kms_key.new", None, {"policy": ROOT_POLICY, "region": "us-east-1"}), "were not collected"),
        (change("aws_kms_key.new", None, {"policy": ROOT_POLICY.replace(HOME, "333333333333")}), "was not collected"),
        (change("aws_kms_replica_key.r", None, {"primary_key_arn": f"{KEY}x", "policy": ROOT_POLICY}), "primary key"),
        (change("aws_kms_key.app", {"arn": KEY, "policy": "x"}, {"arn": KEY}, unknown={"policy": True}), "`policy`"),
        (change("aws_kms_alias.a", None, {"name": "alias/a"}, unknown={"target_key_id": True}), "`target_key_id`"),
        (change("aws_kms_grant.g", None, {"key_id": KEY}, unknown={"grantee_principal": True}), "grantee"),
        (change("aws_iam_role.new", None, {}, unknown={"name": True}), "`name` is known only after apply"),
        (change("aws_iam_role.new", None, {"name": "app"}), "exists already"),
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
        (
            change("aws_iam_user_group_membership.m", None, {"user": "alice", "groups": ["writers"]}),
            "group “writers” are not in the snapshot",
        ),
        (change("aws_iam_group.g", {"name": "readers"}, {"name": "writers"}), "another name"),
        (change("aws_iam_user_group_membership.m", None, {"user": "alice"}, unknown={"groups": True}), "`groups`"),
        (
            change(
                "aws_iam_role_policy_attachments_exclusive.x", None, {"role_name": "app", "policy_arns": [AWS_OWNED]}
            ),
            "not in the snapshot",
        ),
        (change("aws_iam_service_linked_role.x", None, {"aws_service_name": "x"}), "are not judged"),
        (change("aws_kms_key.app", {"arn": KEY}, {"policy": USE}, actions=["create", "forget"]), "made anew"),
        (change("aws_iam_user.a", {"arn": ALICE, "name": "alice"}, {"arn": ALICE, "name": "alicia"}), "another name"),
        (change("aws_kms_grant.g", None, {**GRANT, "constraints": [{"source_arn": "arn:x"}]}), "`source_arn`"),
        (change("aws_ssoadmin_permission_set_inline_policy.p", {"inline_policy": ""}, {}), "are not judged"),
        (change("aws_ram_resource_association.r", None, {"resource_arn": KEY}), "a share gives with a key"),
        (change("aws_ram_principal_association.p", None, {"principal": "222222222222"}), "are not judged"),
        (change("aws_cloudformation_stack.s", None, {"template_body": "{}"}), "are not judged"),
        (change("awscc_kms_key.k", None, {"key_policy": ROOT_POLICY}), "are not judged"),
        (change("aws_kms_key.app", {"arn": KEY}, {"arn": KEY}, actions=["renew"]), "does not say what it does"),
        (change("aws_kms_grant.g", None, {**GRANT, "constraints": "none"}), "`constraints` is no list"),
        (change("aws_kms_key.app", {"arn": KEY, "tags_all": {}}, {"tags_all": {"a": None}}), "values of tags"),
        (redacted(change("aws_kms_key.app", {"arn": KEY, "tags_all": {"a": "b"}}, {"tags_all": None})), "`tags_all`"),
        (
            change("aws_iam_user_group_membership.m", None, {"user": "alice", "groups": "readers"}),
            "`groups` is no list",
        ),
        (
            change("aws_kms_external_key.e", {"arn": KEY, "valid_to": None}, {"arn": KEY, "valid_to": "2027"}),
            "imported key material",
        ),
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
        change("aws_ram_resource_association.r", None, {"resource_arn": "arn:aws:ec2:eu-west-1:1:subnet/s"}),
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


PLAIN = {"state": "Enabled", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS"}
SINGLE = {"multi_region": False, "multi_region_key_type": None, "custom_key_store_id": None, "description": ""}
SIGNING = {"customer_master_key_spec": "RSA_2048", "key_usage": "SIGN_VERIFY", "enable_key_rotation": False}


@pytest.mark.parametrize(
    ("kind", "written", "unknown", "made"),
    [
        ("key", {}, {}, {"rotation": Rotation(False)}),
        ("key", {"enable_key_rotation": True}, {}, {"rotation": Rotation(True)}),
        (
            "key",
            {"enable_key_rotation": True, "rotation_period_in_days": 90, "description": "Orders"},
            {"is_enabled": True},
            {"rotation": Rotation(True, 90), "description": "Orders"},
        ),
        ("key", {"is_enabled": False}, {}, {"state": "Disabled", "rotation": Rotation(False)}),
        ("key", SIGNING, {}, {"spec": "RSA_2048", "usage": "SIGN_VERIFY", "rotation": None}),
        (
            "key",
            {"multi_region": True},
            {"multi_region_key_type": True},
            {"multi_region": True, "multi_region_key_type": "PRIMARY", "rotation": Rotation(False)},
        ),
        (
            "key",
            {"custom_key_store_id": "cks-1"},
            {},
            {"origin": "AWS_CLOUDHSM", "custom_key_store_id": "cks-1", "rotation": None},
        ),
        (
            "key",
            {"custom_key_store_id": "cks-1", "xks_key_id": "x"},
            {},
            {"origin": "EXTERNAL_KEY_STORE", "custom_key_store_id": "cks-1", "rotation": None},
        ),
        ("external_key", {"enabled": True}, {}, {"origin": "EXTERNAL", "state": "PendingImport", "rotation": None}),
        ("external_key", {"key_material_base64": "eA=="}, {}, {"origin": "EXTERNAL", "rotation": None}),
        ("external_key", {}, {"key_material_base64": True}, {"origin": "EXTERNAL", "rotation": None}),
        (
            "external_key",
            {"key_material_base64": "eA==", "enabled": False},
            {},
            {"origin": "EXTERNAL", "state": "Disabled", "rotation": None},
        ),
        (
            "replica_key",
            {"primary_key_arn": KEY, "enabled": False},
            {},
            {"multi_region": True, "multi_region_key_type": "REPLICA", "primary_arn": KEY, "state": "Disabled"},
        ),
    ],
)
def test_a_new_key_is_like_its_resource(
    kind: str, written: dict[str, Any], unknown: dict[str, Any], made: dict[str, Any]
) -> None:
    """After the documentation of the provider, and of ``CreateKey`` for what is not configured."""
    after = {"policy": ROOT_POLICY, **written}
    planned = edits_of_plan(json.loads(plan(change(f"aws_kms_{kind}.new", None, after, unknown=unknown))))
    (key,) = (edit.key for _, edit in planned.edits if edit.key is not None)
    expected = {**PLAIN, **SINGLE, "primary_arn": None, **made}
    assert {name: getattr(key, name) for name in expected} == expected


def test_what_is_open_in_a_resource_hides_nothing_else_of_it() -> None:
    key = {"arn": KEY, "policy": "x"}
    found, open_ones = judged(
        plan(change("aws_kms_key.app", key, {**key, "policy": NOT_PARTNER}, unknown={"tags_all": True}))
    )
    assert (found, len(open_ones)) == ({("lost", "partner", "app")}, 1)
    found, (told,) = judged(
        plan(
            change(
                "aws_iam_role.app",
                {**ROLE, "inline_policy": [{"name": "inline", "policy": USE}]},
                {**ROLE, "inline_policy": []},
                unknown={"assume_role_policy": True, "permissions_boundary": True},
            )
        )
    )
    assert found == APP_LOSES
    assert "`assume_role_policy`" in told and "`permissions_boundary`" in told


def test_the_computed_arn_of_a_moved_alias_is_the_old_one() -> None:
    arn = f"arn:aws:kms:eu-west-1:{HOME}:alias/app"
    was = {"name": "alias/app", "arn": arn, "target_key_id": KEY_ID, "target_key_arn": KEY}
    for target in (OTHER, OTHER.rsplit("/", 1)[1]):
        planned = edits_of_plan(json.loads(plan(change("aws_kms_alias.app", was, {**was, "target_key_id": target}))))
        after, refused = try_edits(second_region(organization_estate()), planned.edits)
        names = {key.arn: [alias.name for alias in key.aliases] for key in after.keys}
        assert (names[KEY], names[OTHER], refused) == ([], ["alias/app", "alias/other"], ())


def test_a_role_that_the_configuration_refers_to_is_told_by_its_arn() -> None:
    there = change("aws_iam_role.app", ROLE, ROLE, actions=["no-op"])
    policy = change("aws_iam_role_policy.p", None, {"role": "app", "name": "New", "policy": USE})
    resource = {"address": "aws_iam_role_policy.p", "expressions": {"role": {"references": ["aws_iam_role.app"]}}}
    configuration = {"configuration": {"root_module": {"resources": [resource]}}}
    assert edits_of_plan(json.loads(plan(there, policy))).edits[0][1].target == "role/app"
    assert edits_of_plan(json.loads(plan(there, policy, **configuration))).edits[0][1].target == APP
    was = {"role": "app", "name": "Old", "policy": USE}
    renamed = change("aws_iam_role_policy.p", was, {**was, "name": "New"}, actions=["delete", "create"])
    planned = edits_of_plan(json.loads(plan(there, renamed, **configuration))).edits
    assert [(edit.target, edit.name) for _, edit in planned] == [(APP, "Old"), (APP, "New")]


def test_what_a_plan_puts_off_or_could_not_make_is_listed() -> None:
    entries = [
        {"reason": "provider_config_unknown", "resource_change": change("aws_kms_key_policy.k", None, {})},
        {"reason": "provider_config_unknown", "resource_change": change("aws_s3_bucket.b", None, {})},
    ]
    found, open_ones = judged(plan(deferred_changes=entries, errored=True))
    assert found == set()
    assert [text.partition(" ")[0] for text in open_ones] == ["aws_kms_key_policy.k", "the"]


def test_references_are_followed_through_outputs_and_variables_of_modules() -> None:
    """A policy of one module, attached in another that gets its ARN; where locals come in between, it is left open."""
    policy = change('module.policies["use"].aws_iam_policy.this[0]', None, {"name": "Use", "policy": USE})
    attachment = change("module.roles.module.one.aws_iam_role_policy_attachment.a", None, {"role": "batch"})
    for entry, type_ in ((policy, "aws_iam_policy"), (attachment, "aws_iam_role_policy_attachment")):
        entry["type"], entry["change"]["after_unknown"] = type_, {"arn": True, "policy_arn": True}
    names = ["aws_iam_policy.this[0].arn", "aws_iam_policy.this[0]", "aws_iam_policy.this"]
    written = resource("aws_iam_role_policy_attachment.a", policy_arn="var.given")
    one = {"expressions": {"given": {"references": ["var.policy"]}}, "module": {"resources": [written]}}
    given = {"references": ['module.policies["use"].arn', 'module.policies["use"]', "module.policies"]}
    calls = {
        "policies": {"module": {"outputs": {"arn": {"expression": {"references": names}}}}},
        "roles": {"expressions": {"policy": given}, "module": {"module_calls": {"one": one}}},
    }
    more = {"configuration": {"root_module": {"module_calls": calls}}}
    expected = {("gained", "batch", "app"), ("gained", "batch", "other")}
    assert judged(plan(policy, attachment, **more)) == (expected, [])
    for unclear in (["module.policies"], ["local.arn"], ["var.other"]):
        given["references"] = unclear
        found, (told,) = judged(plan(policy, attachment, **more))
        assert (found, "`policy_arn` is known only after apply" in told) == (set(), True)


@pytest.mark.parametrize(
    ("tags", "provider", "number"),
    [({"tags": None}, {}, 0), ({"tags": {"a": "b"}}, {}, 1), ({"tags": None}, {"default_tags": [{}]}, 1)],
)
def test_tags_that_the_provider_leaves_open_for_want_of_any(
    tags: dict[str, Any], provider: dict[str, Any], number: int
) -> None:
    """AWS provider 5: ``tags_all`` of a resource without tags is unknown until apply."""
    new = change("aws_iam_user.new", None, {"name": "new", "path": "/", **tags}, unknown={"tags_all": True})
    written = configuration(resource("aws_iam_user.new"), provider_config={"aws": {"expressions": provider}})
    assert len(judged(plan(new, **written))[1]) == number
    was = {"arn": KEY, "tags_all": {"team": "blue"}}
    bare = change("aws_kms_key.app", was, {"arn": KEY, **tags}, unknown={"tags_all": True})
    edits = edits_of_plan(json.loads(plan(bare, **written))).edits
    assert [(edit.kind, edit.name, edit.text) for _, edit in edits] == [("tag", "team", None)] * (1 - number)


FAR = HOME.replace("1", "2")
"""Another collected account, with a key of the same id in another Region and a role of the same name."""


def two_accounts() -> Snapshot:
    snapshot = second_region(organization_estate())
    (app,) = (item for item in snapshot.principals if item.arn == APP)
    twins = tuple(
        replace(app, arn=arn, iam_arn=arn, account=FAR, name=arn.rsplit("/", 1)[1])
        for arn in (f"arn:aws:iam::{FAR}:role/app", f"arn:aws:iam::{FAR}:role/only-there")
    )
    accounts = (*snapshot.accounts, AccountFacts(id=FAR, regions=("eu-west-1",)))
    return replace(snapshot, principals=(*snapshot.principals, *twins), accounts=accounts)


@pytest.mark.parametrize(
    ("role", "region", "refused"),
    [
        ("app", "us-east-1", ()),
        ("only-there", "us-east-1", (f"No principal of account {HOME} is called “role/only-there”.",)),
        ("app", "eu-north-1", (f"No key of account {HOME} in eu-north-1 is called “{OTHER.rsplit('/', 1)[1]}”.",)),
    ],
)
def test_names_are_looked_for_in_the_account_and_region_of_their_provider(
    role: str, region: str, refused: tuple[str, ...]
) -> None:
    """Role names repeat in every account of an organization, ids of multi-Region keys in every Region."""
    there = change("aws_iam_role.app", ROLE, ROLE, actions=["no-op"])
    policy = change("aws_iam_role_policy.p", None, {"role": role, "name": "New", "policy": USE})
    key = change(
        "aws_kms_key_policy.k", None, {"key_id": OTHER.rsplit("/", 1)[1], "policy": ROOT_POLICY, "region": region}
    )
    before = two_accounts()
    after, told = try_edits(before, edits_of_plan(json.loads(plan(there, policy, key))).edits)
    assert tuple(text.partition(": ")[2] for text in told) == refused
    was = {item.arn: item for item in (*before.keys, *before.principals)}
    changed = {item.arn for item in (*after.keys, *after.principals) if item != was[item.arn]}
    expected = {APP, OTHER.replace("eu-west-1", "us-east-1")}
    assert changed == {
        arn for arn in expected if (role in arn or ":key/" in arn) and (region in arn or ":role/" in arn)
    }


def test_of_several_accounts_the_plan_must_tell_which_one_a_name_is_in() -> None:
    """One that is not configured any more has the provider that is left, if that is one alone."""
    was = {"role": "app", "name": "inline", "policy": USE}
    gone = {**change("aws_iam_role_policy.p", was, None), "provider_name": "aws"}
    there = {**change("aws_iam_role.app", ROLE, ROLE, actions=["no-op"]), "provider_name": "aws"}
    one, other = {"main": {"full_name": "aws"}}, {"far": {"full_name": "aws"}}
    written = resource("aws_iam_role.app", "main")
    for providers, refused in ((one, 0), ({**one, **other}, 1)):
        told = plan(there, gone, **configuration(written, provider_config=providers))
        after, open_ones = try_edits(two_accounts(), edits_of_plan(json.loads(told)).edits)
        lost = [item.arn for item in after.principals if item.name == "app" and not item.identity_policies]
        assert (lost, len(open_ones)) == ([APP] * (1 - refused), refused)


@pytest.mark.parametrize(
    "written",
    [
        {"assume_role": [{"role_arn": {"constant_value": f"arn:aws:iam::{HOME}:role/deploy"}}]},
        {"allowed_account_ids": {"constant_value": [HOME]}},
    ],
)
def test_the_configuration_of_a_provider_says_where_it_works(written: dict[str, Any]) -> None:
    policy = change("aws_iam_role_policy.p", None, {"role": "app", "name": "New", "policy": USE})
    providers = {"provider_config": {"aws": {"expressions": written}}}
    told = plan(policy, **configuration(resource("aws_iam_role_policy.p", role={}), **providers))
    ((_, edit),) = edits_of_plan(json.loads(told)).edits
    assert edit.account == HOME


def test_what_findings_alone_rest_on_is_told_apart() -> None:
    trail = change("aws_cloudtrail.t", {"name": "t"}, None)
    queue = change("aws_sqs_queue.q", {"name": "q"}, {"name": "r"})
    rules = [change(f"aws_cloudwatch_event_rule.{s}", None, {"name": s, "event_pattern": s}) for s in ("kms", "ec2")]
    targets = [change(f"aws_cloudwatch_event_target.{s}", None, {"rule": s}) for s in ("kms", "ec2")]
    filters = [
        change(f"aws_cloudwatch_log_metric_filter.{name}", None, {}, unknown={"pattern": known is None})
        for name, known in (("open", None), ("other", "x"))
    ]
    alarms = [change(f"aws_cloudwatch_metric_alarm.{s[:3]}", None, {"namespace": s}) for s in ("Company", "AWS/EC2")]
    planned = edits_of_plan(json.loads(plan(trail, queue, *rules, *targets, *filters, *alarms)))
    assert (planned.edits, planned.open_ones) == ((), ())
    told = [text.partition(" ")[0].removeprefix("aws_cloudwatch_") for text in planned.evidence]
    assert told == [
        "aws_cloudtrail.t",
        "event_rule.kms",
        "event_target.kms",
        "log_metric_filter.open",
        "metric_alarm.Com",
    ]
    assert [text.partition(" ")[0] for text in planned.encrypted] == ["aws_sqs_queue.q"]


@pytest.mark.parametrize(
    ("was", "now", "made"),
    [
        ({"enable_key_rotation": True}, {"enable_key_rotation": False}, Rotation(False)),
        ({"enable_key_rotation": False}, {"enable_key_rotation": True}, Rotation(True, 365)),
        (
            {"enable_key_rotation": True, "rotation_period_in_days": 365},
            {"enable_key_rotation": True, "rotation_period_in_days": 900},
            Rotation(True, 900),
        ),
    ],
)
def test_rotation_that_a_plan_sets_is_a_fact(was: dict[str, Any], now: dict[str, Any], made: Rotation) -> None:
    planned = edits_of_plan(json.loads(plan(change("aws_kms_key.app", {"arn": KEY, **was}, {"arn": KEY, **now}))))
    after, refused = try_edits(organization_estate(), planned.edits)
    assert (after.keys[0].rotation, after.keys[1].rotation, refused) == (made, None, ())


def test_tags_and_aliases_of_a_new_replica_find_it_by_the_id_of_its_primary() -> None:
    replica = change(
        "aws_kms_replica_key.r", None, {"primary_key_arn": KEY, "policy": ROOT_POLICY, "tags_all": {"a": "b"}}
    )
    alias = change("aws_kms_alias.r", None, {"name": "alias/replica"}, unknown={"target_key_id": True})
    east = {"provider_config": {"aws": {"expressions": {"region": {"constant_value": "us-east-1"}}}}}
    written = configuration(
        resource("aws_kms_replica_key.r", policy={}),
        resource("aws_kms_alias.r", target_key_id="aws_kms_replica_key.r"),
        **east,
    )
    snapshot = organization_estate()
    snapshot = replace(snapshot, accounts=(replace(snapshot.accounts[0], regions=("eu-west-1", "us-east-1")),))
    after, refused = try_edits(snapshot, edits_of_plan(json.loads(plan(replica, alias, **written))).edits)
    (made,) = (key for key in after.keys if key.arn == KEY.replace("eu-west-1", "us-east-1"))
    assert (made.label, made.tags, refused) == ("alias/replica", (("a", "b"),), ())


def test_a_format_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"format 2\.0"):
        edits_of_plan({"format_version": "2.0", "resource_changes": []})


def test_a_state_is_no_plan() -> None:
    with pytest.raises(UsageError, match="a Terraform state"):
        edits_of_plan({"format_version": "1.0", "values": {"root_module": {}}})


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"resource_changes": {}}', '{"resource_changes": [1]}', '{"resource_changes": [{}]}', "3"]
)
def test_what_is_no_plan_is_refused(content: str) -> None:
    with pytest.raises(UsageError, match="no Terraform plan"):
        edits_of_plan(json.loads(content))


def test_everybody_named_here_exists() -> None:
    arns = {item.arn for item in organization_estate().principals}
    assert {APP, BATCH, OPS, ALICE} == arns
    assert PARTNER not in arns


OLD_ROLE = {"arn": APP, "name": "app", "path": "/", "assume_role_policy": USE, "permissions_boundary": KEY_USE}
IN_A_ROLE = {"id": "app:Use", "role": "app", "name": "Use", "policy": USE}
ON_ROLES = {"name": "a", "policy_arn": KEY_USE, "roles": ["app", "ops"], "users": ["alice"]}


@pytest.mark.parametrize(
    ("entry", "edits"),
    [
        (
            change("aws_iam_policy.p", {"arn": KEY_USE, "policy": USE}, None),
            [("managed-policy", KEY_USE, "", None)],
        ),
        (
            change("aws_kms_key.k", {"arn": KEY, "key_id": KEY_ID}, None),
            [("key-state", KEY, "", "PendingDeletion")],
        ),
        (
            change("aws_iam_role.r", OLD_ROLE, {**OLD_ROLE, "assume_role_policy": ROOT_POLICY}),
            [("trust-policy", APP, "", ROOT_POLICY)],
        ),
        (
            change("aws_iam_role.r", OLD_ROLE, {**OLD_ROLE, "permissions_boundary": None}),
            [("boundary", APP, "", None)],
        ),
        (
            change("aws_iam_role.r", OLD_ROLE, None),
            [("remove-principal", APP, "", None)],
        ),
        (
            change(
                "aws_iam_role.r",
                {**OLD_ROLE, "managed_policy_arns": []},
                {**OLD_ROLE, "managed_policy_arns": [KEY_USE]},
            ),
            [("attach-policy", APP, KEY_USE, None)],
        ),
        (
            change(
                "aws_iam_role.r",
                {**OLD_ROLE, "inline_policy": [{"name": "a", "policy": USE}, {"name": "b", "policy": USE}]},
                {**OLD_ROLE, "inline_policy": [{"name": "b", "policy": USE}, {"name": "c", "policy": NO_DECRYPT}]},
            ),
            [("identity-policy", APP, "a", None), ("identity-policy", APP, "c", NO_DECRYPT)],
        ),
        (
            change("aws_iam_role_policy.p", IN_A_ROLE, {**IN_A_ROLE, "policy": NO_DECRYPT}),
            [("identity-policy", "role/app", "Use", NO_DECRYPT)],
        ),
        (
            change("aws_iam_role_policy.p", IN_A_ROLE, {**IN_A_ROLE, "role": "ops"}),
            [("identity-policy", "role/app", "Use", None), ("identity-policy", "role/ops", "Use", USE)],
        ),
        (
            change("aws_iam_policy_attachment.a", ON_ROLES, {**ON_ROLES, "roles": ["ops", "batch"]}),
            [("detach-policy", "role/app", KEY_USE, None), ("attach-policy", "role/batch", KEY_USE, None)],
        ),
        (
            change(
                "aws_iam_policy_attachment.a",
                {**ON_ROLES, "users": []},
                {**ON_ROLES, "users": [], "policy_arn": AWS_OWNED},
            ),
            [
                ("detach-policy", "role/app", KEY_USE, None),
                ("detach-policy", "role/ops", KEY_USE, None),
                ("attach-policy", "role/app", AWS_OWNED, None),
                ("attach-policy", "role/ops", AWS_OWNED, None),
            ],
        ),
        (
            change("aws_iam_policy_attachment.a", {**ON_ROLES, "users": []}, None),
            [("detach-policy", "role/app", KEY_USE, None), ("detach-policy", "role/ops", KEY_USE, None)],
        ),
    ],
    ids=lambda value: f"{value['address']} {'+'.join(value['change']['actions'])}" if isinstance(value, dict) else "",
)
def test_a_change_is_exactly_these_edits(entry: dict[str, Any], edits: list[tuple[str, str, str, str | None]]) -> None:
    planned = edits_of_plan(json.loads(plan(entry)))
    assert not planned.open_ones
    made = [(str(edit.kind), edit.target, edit.name, edit.text) for _, edit in planned.edits]
    assert sorted(made, key=str) == sorted(edits, key=str)
