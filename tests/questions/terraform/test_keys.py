"""Keys of a plan: states, aliases, tags, rotation, and what a new one is like."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor.model.key import Rotation
from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import HOME, KEY, OTHER
from tests.questions.estate import change, organization_estate, plan, second_region
from tests.questions.terraform.plans import KEY_ID, ROOT_POLICY, configuration, resource


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


def test_the_computed_arn_of_a_moved_alias_is_the_old_one() -> None:
    arn = f"arn:aws:kms:eu-west-1:{HOME}:alias/app"
    was = {"name": "alias/app", "arn": arn, "target_key_id": KEY_ID, "target_key_arn": KEY}
    for target in (OTHER, OTHER.rsplit("/", 1)[1]):
        planned = edits_of_plan(json.loads(plan(change("aws_kms_alias.app", was, {**was, "target_key_id": target}))))
        after, refused = try_edits(second_region(organization_estate()), planned.edits)
        names = {key.arn: [alias.name for alias in key.aliases] for key in after.keys}
        assert (names[KEY], names[OTHER], refused) == ([], ["alias/app", "alias/other"], ())


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
