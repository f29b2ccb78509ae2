"""Keys that a plan makes: where they will be, and what they will be like."""

from __future__ import annotations

import re

from auditor.model.arn import account_of
from auditor.model.key import Key, Rotation
from auditor.model.policy_document import parse_policy
from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.places import Place
from auditor.questions.terraform.plan import Change, OpenError, Plan, document
from auditor.questions.terraform.values import is_unknown

KEYS = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_external_key", "aws_kms_replica_external_key")
_UNFIT = re.compile(r"[*?/\s]")
"""Characters that mean something in the name of a key."""


def planned_id(change: Change) -> str:
    """What a new key is called before it has an id."""
    return f"planned:{_UNFIT.sub('-', change.address)}"


def new_key(plan: Plan, change: Change, primary: str | None) -> Edit:
    """The edit that adds a key; ``primary`` is the ARN, or the planned id, of the key that it is a replica of.

    Raises OpenError where the plan does not know its policy.
    """
    # AWS's default, also of a key whose policy is a resource of its own in the plan
    policy = None if plan.left_out(change, "policy") else document(change.now("policy"), "policy")
    place = plan.place(change)
    account = place.account or (_only_account(policy) if policy else "")
    if primary and primary.startswith("arn:"):
        place = Place(primary.split(":")[1], primary.split(":")[4], place.region)
        account = place.account
    arn = f"arn:{place.partition}:kms:{place.region}:{account}:key/{planned_id(change)}"
    return Edit(EditKind.ADD_KEY, arn, text=policy, key=_like(change, primary))


def _only_account(policy: str) -> str:
    """The account that the policy lets manage the key, if it names one alone.

    AWS refuses a policy that would not let its caller change it again, and none of another account ever can.
    """
    named = {
        account_of(entry.value)
        for statement in parse_policy(policy).statements
        if statement.effect == "Allow"
        for entry in (*(statement.principals or ()), *(statement.not_principals or ()))
    }
    return next(iter(named)) or "" if len(named) == 1 else ""


def _like(change: Change, primary: str | None) -> Key:
    spec = _text(change, "customer_master_key_spec") or _text(change, "key_spec") or "SYMMETRIC_DEFAULT"
    external = "external" in change.type
    store = _text(change, "custom_key_store_id") or None
    xks = bool(_text(change, "xks_key_id"))
    origin = "EXTERNAL" if external else "EXTERNAL_KEY_STORE" if xks else "AWS_CLOUDHSM" if store else "AWS_KMS"
    multi_region = primary is not None or _known(change, "multi_region") is True
    return Key(
        arn="",
        key_id="",
        account="",
        region="",
        state=_state(change, external),
        spec=spec,
        usage=_text(change, "key_usage") or "ENCRYPT_DECRYPT",
        origin=origin,
        description=_text(change, "description"),
        custom_key_store_id=store,
        multi_region=multi_region,
        multi_region_key_type=("REPLICA" if primary else "PRIMARY") if multi_region else None,
        primary_arn=primary,
        rotation=_rotation(change) if spec == "SYMMETRIC_DEFAULT" and origin == "AWS_KMS" else None,
    )


def _state(change: Change, external: bool) -> str:
    material = is_unknown(change.unknown.get("key_material_base64")) or bool(_known(change, "key_material_base64"))
    if external and not material:
        return "PendingImport"
    return "Disabled" if False in (_known(change, "is_enabled"), _known(change, "enabled")) else "Enabled"


def _rotation(change: Change) -> Rotation:
    days = _known(change, "rotation_period_in_days")
    return Rotation(_known(change, "enable_key_rotation") is True, days if isinstance(days, int) else None)


def _known(change: Change, name: str) -> object:
    """A value of the plan. What AWS chooses where nothing is configured is not known yet, and counts as its default."""
    try:
        return change.now(name)
    except OpenError:
        return None


def _text(change: Change, name: str) -> str:
    found = _known(change, name)
    return found if isinstance(found, str) else ""
