"""The commands that make a grant anew, with other operations or constraints, and revoke the old one."""

from __future__ import annotations

import json
import shlex

from auditor.model.grant import Grant
from auditor.rules.grants.holders import Held


def reissued(held: Held, operations: tuple[str, ...], constraints: str) -> str:
    """The commands of the AWS CLI, a line each; without operations there is nothing to make anew."""
    grant = held.grant
    revoke = f"aws kms revoke-grant --key-id {held.key.arn} --grant-id {shlex.quote(grant.grant_id)}"
    if not operations:
        return revoke
    parts = ["aws kms create-grant", f"--key-id {held.key.arn}", f"--grantee-principal {shlex.quote(held.grantee)}"]
    parts.append(f"--operations {' '.join(operations)}")
    parts += [f"--constraints {shlex.quote(constraints)}"] if constraints else []
    parts += [f"--retiring-principal {shlex.quote(grant.retiring)}"] if grant.retiring else []
    parts += [f"--retiring-service-principal {shlex.quote(grant.retiring_service)}"] if grant.retiring_service else []
    parts += [f"--name {shlex.quote(grant.name)}"] if grant.name else []
    return f"{' '.join(parts)}\n{revoke}"


def constraints_of(grant: Grant) -> str:
    """The constraints of a grant as ``--constraints`` takes them, in JSON: names and values of an encryption context
    may hold what the CLI's shorthand takes for its own signs. Empty without any."""
    found: dict[str, object] = {}
    if grant.context_equals:
        found["EncryptionContextEquals"] = dict(grant.context_equals)
    if grant.context_subset:
        found["EncryptionContextSubset"] = dict(grant.context_subset)
    if grant.source_arn:
        found["SourceArn"] = grant.source_arn
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""
