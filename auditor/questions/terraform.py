"""A Terraform plan (``terraform show -json``) → edits: the changes of KMS keys, policies, aliases and grants.

What a plan leaves open (values known after apply, keys that do not exist yet) cannot be judged: it is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from auditor.errors import UsageError
from auditor.model.grant import Grant
from auditor.questions.edits import Edit, EditKind

Values = Mapping[str, Any]


def edits_of_plan(plan: Any) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The edits of a plan, and the addresses of KMS-relevant changes that could not be turned into one."""
    if not isinstance(plan, dict) or not isinstance(plan.get("resource_changes", []), list):
        raise UsageError("This is no Terraform plan.", "Make one with `terraform show -json PLANFILE`.")
    found: list[Edit] = []
    open_ones: list[str] = []
    for entry in plan.get("resource_changes", []):
        kind = _KINDS.get(entry.get("type", ""))
        change = entry.get("change", {})
        actions = change.get("actions", [])
        if kind is None or actions in (["no-op"], ["read"]):
            continue
        before, after = change.get("before") or {}, None if actions == ["delete"] else change.get("after") or {}
        edit = kind(before, after)
        if edit is None:
            open_ones.append(f"{entry.get('address', '?')} ({', '.join(map(str, actions))})")
        else:
            found.append(edit)
    return tuple(found), tuple(open_ones)


def _text(after: Values | None, name: str) -> tuple[bool, str | None]:
    """Whether the new document is known, and the document; None for a deletion."""
    if after is None:
        return True, None
    value = after.get(name)
    return isinstance(value, str), value if isinstance(value, str) else None


def _key_policy(before: Values, after: Values | None) -> Edit | None:
    key = before.get("arn") or before.get("key_id") or (after or {}).get("key_id")
    known, text = _text(after, "policy")
    return Edit(EditKind.KEY_POLICY, str(key), text=text) if key and known and text is not None else None


def _alias(before: Values, after: Values | None) -> Edit | None:
    if after is None:
        return Edit(EditKind.DELETE_ALIAS, str(before.get("arn") or before.get("name", "")))
    key, name = after.get("target_key_id"), after.get("name")
    return Edit(EditKind.ALIAS, str(key), name=str(name)) if key and name and not before else None


def _grant(before: Values, after: Values | None) -> Edit | None:
    if after is None:
        return Edit(EditKind.REVOKE_GRANT, str(before.get("grant_id", "")))
    key, grantee = after.get("key_id"), after.get("grantee_principal")
    if not key or not grantee or before:
        return None
    constraints = (after.get("constraints") or [{}])[0]
    grant = Grant(
        grant_id=f"planned:{after.get('name') or grantee}",
        key_arn=str(key),
        name=after.get("name"),
        grantee=str(grantee),
        retiring=after.get("retiring_principal"),
        operations=tuple(sorted(map(str, after.get("operations") or ()))),
        context_equals=_pairs(constraints.get("encryption_context_equals")),
        context_subset=_pairs(constraints.get("encryption_context_subset")),
    )
    return Edit(EditKind.GRANT, str(key), grant=grant)


def _pairs(value: Any) -> tuple[tuple[str, str], ...] | None:
    return tuple(sorted((str(k), str(v)) for k, v in value.items())) if isinstance(value, dict) and value else None


def _inline(owner: str) -> Callable[[Values, Values | None], Edit | None]:
    def read(before: Values, after: Values | None) -> Edit | None:
        given = after or before
        name, policy = given.get(owner), given.get("name")
        known, text = _text(after, "policy")
        return (
            Edit(EditKind.IDENTITY_POLICY, f"{owner}/{name}", str(policy), text) if name and policy and known else None
        )

    return read


def _managed(before: Values, after: Values | None) -> Edit | None:
    arn = before.get("arn")
    known, text = _text(after, "policy")
    return Edit(EditKind.MANAGED_POLICY, str(arn), text=text) if arn and known else None


def _organization(before: Values, after: Values | None) -> Edit | None:
    name, kind = before.get("name"), (after or before).get("type") or "SERVICE_CONTROL_POLICY"
    known, text = _text(after, "content")
    kinds = {"SERVICE_CONTROL_POLICY": EditKind.SCP, "RESOURCE_CONTROL_POLICY": EditKind.RCP}
    return Edit(kinds[kind], str(name), text=text) if name and known and kind in kinds else None


_KINDS: dict[str, Callable[[Values, Values | None], Edit | None]] = {
    "aws_kms_key": _key_policy,
    "aws_kms_key_policy": _key_policy,
    "aws_kms_alias": _alias,
    "aws_kms_grant": _grant,
    "aws_iam_role_policy": _inline("role"),
    "aws_iam_user_policy": _inline("user"),
    "aws_iam_policy": _managed,
    "aws_organizations_policy": _organization,
}
