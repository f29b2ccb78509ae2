"""Grants that AWS's own infrastructure holds: no rows of the table, and not forgotten."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator import evaluate
from auditor.model.actions import BY_NAME, Capability
from auditor.model.grant import Grant
from auditor.questions import infrastructure_grants, principal_named
from tests.cli.conftest import HOME, estate

SESSION = f"arn:aws:sts::{HOME}:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0"


def test_volumes_of_instances_are_counted_and_can_be_asked_about() -> None:
    snapshot = estate()
    grant = Grant(grant_id="g-1", key_arn=snapshot.keys[0].arn, grantee=SESSION, operations=("Decrypt", "CreateGrant"))
    key = replace(snapshot.keys[0], grants=(*snapshot.keys[0].grants, grant))
    evaluation = evaluate(replace(snapshot, keys=(key, *snapshot.keys[1:])), as_of="2026-11-24T12:00:00Z")
    found = [infrastructure_grants(key, what) for what in (BY_NAME["kms:decrypt"], *Capability)]
    assert dict(zip(("kms:Decrypt", *Capability), found, strict=True)) == {
        "kms:Decrypt": 1,
        Capability.ADMINISTER: 0,
        Capability.GRANT: 1,
        Capability.DECRYPT: 1,
        Capability.ENCRYPT: 0,
        Capability.READ: 0,
    }
    caller = principal_named(evaluation, SESSION)
    outcomes = [str(evaluation.decide(caller, key, name).outcome) for name in ("kms:Decrypt", "kms:Encrypt")]
    assert outcomes == ["allowed", "implicitly-denied"]
