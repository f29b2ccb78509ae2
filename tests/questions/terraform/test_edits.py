"""Single planned changes and the edits that they become; what is no plan is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, KEY
from tests.questions.estate import KEY_USE, NO_DECRYPT, USE, change, plan
from tests.questions.terraform.plans import AWS_OWNED, KEY_ID, ROOT_POLICY


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
