"""What is left of a deleted user or role: AWS shows its unique id where policies and grants named its ARN.

One that is made anew under the same name has another id, and they do not mean it. Conditions keep the text of the ARN.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.model.grant import Grant
from auditor.model.key import Key
from auditor.model.policy import Policy
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot

ELEMENTS = ("Principal", "NotPrincipal")


def without_principals(snapshot: Snapshot, arns: frozenset[str]) -> Snapshot:
    """The snapshot without these principals, and with their ids in the key policies, grants and trust policies."""
    ids = {item.arn: item.unique_id for item in snapshot.principals if item.arn in arns and item.unique_id}
    kept = (item for item in snapshot.principals if item.arn not in arns)
    return replace(
        snapshot,
        keys=tuple(_key(key, ids) for key in snapshot.keys),
        principals=tuple(_trusting(item, ids) for item in kept),
    )


def _key(key: Key, ids: Mapping[str, str]) -> Key:
    policies = tuple(replace(item, policy=_policy(item.policy, ids)) for item in key.policies)
    grants = tuple(_grant(item, ids) for item in key.grants)
    same = policies == key.policies and grants == key.grants
    return key if same else replace(key, policies=policies, grants=grants)


def _grant(grant: Grant, ids: Mapping[str, str]) -> Grant:
    grantee, retiring = (ids.get(name or "", name) for name in (grant.grantee, grant.retiring))
    return replace(grant, grantee=grantee, retiring=retiring)


def _trusting(principal: Principal, ids: Mapping[str, str]) -> Principal:
    trust = principal.trust_policy and _policy(principal.trust_policy, ids)
    return principal if trust == principal.trust_policy else replace(principal, trust_policy=trust)


def _policy(policy: Policy, ids: Mapping[str, str]) -> Policy:
    named = {
        entry.value
        for statement in policy.statements
        for entry in (*(statement.principals or ()), *(statement.not_principals or ()))
    }
    if named.isdisjoint(ids):
        return policy
    document = json.loads(policy.text)
    listed = document["Statement"]
    statements = [_statement(item, ids) for item in (listed if isinstance(listed, list) else [listed])]
    return parse_policy({**document, "Statement": statements})


def _statement(statement: dict[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    changed = {name: _renamed(statement[name], ids) for name in ELEMENTS if name in statement}
    return {**statement, **changed}


def _renamed(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {kind: _renamed(item, ids) for kind, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value
