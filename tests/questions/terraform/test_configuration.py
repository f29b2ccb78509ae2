"""What a plan does not know before apply, followed through its configuration."""

from __future__ import annotations

import json
from typing import Any

from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, HOME, KEY, OTHER
from tests.questions.estate import USE, change, organization_estate, plan
from tests.questions.terraform.plans import NEW_ROLE, OTHERS_TOO, ROLE, configuration, judged, resource

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
