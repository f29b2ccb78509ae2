"""What plans leave open is listed and never guessed; what changes no access is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import HOME, KEY
from tests.questions.estate import ALICE, USE, change, plan
from tests.questions.terraform.plans import (
    APP_LOSES,
    AWS_OWNED,
    GRANT,
    NOT_PARTNER,
    ROLE,
    ROOT_POLICY,
    configuration,
    judged,
    resource,
)


def redacted(entry: dict[str, Any]) -> dict[str, Any]:
    """The change with its values taken out as sensitive."""
    entry["change"]["after_sensitive"] = dict.fromkeys(entry["change"]["after"], True)
    return entry


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
        (change("aws_kms_key_policy.p", {"key_id": KEY}, None, actions=["update"]), "does not say what it does"),
        (change("aws_kms_key_policy.p", {"key_id": KEY}, {"key_id": KEY}, actions=["delete"]), "does not say what it"),
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


def test_what_a_plan_puts_off_or_could_not_make_is_listed() -> None:
    entries = [
        {"reason": "provider_config_unknown", "resource_change": change("aws_kms_key_policy.k", None, {})},
        {"reason": "provider_config_unknown", "resource_change": change("aws_s3_bucket.b", None, {})},
    ]
    found, open_ones = judged(plan(deferred_changes=entries, errored=True))
    assert found == set()
    assert [text.partition(" ")[0] for text in open_ones] == ["aws_kms_key_policy.k", "the"]


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
