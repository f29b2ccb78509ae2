"""Parts of Terraform plans, and what a plan does to the access of a small estate."""

from __future__ import annotations

import json
from typing import Any

from auditor.questions.affected import world_of
from auditor.questions.differences import differences
from auditor.questions.edits import try_edits
from auditor.questions.terraform import edits_of_plan
from tests.cli.conftest import APP, BATCH, KEY, OTHER, PARTNER, ROOT, text
from tests.questions.estate import NO_DECRYPT, USE, change, organization_estate

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
APP_LOSES = {("lost", "app", "app"), ("lost", "app", "other")}
NEW_ROLE = {("gained", "new", "app"), ("gained", "new", "other")}


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


def resource(address: str, provider: str = "aws", **expressions: Any) -> dict[str, Any]:
    """One resource of a configuration; texts are what an expression refers to."""
    written = {
        name: {"references": [value]} if isinstance(value, str) else value for name, value in expressions.items()
    }
    return {"address": address, "provider_config_key": provider, "expressions": written}


def configuration(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"configuration": {"root_module": {"resources": list(resources)}, **more}}
