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
    changes = plan.get("resource_changes", []) if isinstance(plan, dict) else None
    if not isinstance(changes, list) or not all(isinstance(entry, dict) for entry in changes):
        raise UsageError("This is no Terraform plan.", "Make one with `terraform show -json PLANFILE`.")
    found: list[Edit] = []
    open_ones: list[str] = []
    for entry in changes:
        kind = _KINDS.get(str(entry.get("type", "")))
        change = _object(entry.get("change"))
        actions = _list(change.get("actions"))
        if kind is None or actions in (["no-op"], ["read"]):
            continue
        before, after = _object(change.get("before")), None if actions == ["delete"] else _object(change.get("after"))
        edit = kind(before, after)
        if edit is None:
            open_ones.append(f"{entry.get('address', '?')} ({', '.join(map(str, actions))})")
        else:
            found.append(edit)
    return tuple(found), tuple(open_ones)


def _object(value: Any) -> Values:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(values: Values, name: str) -> str | None:
    """A member that is a text with something in it; everything else is not known."""
    value = values.get(name)
    return value if isinstance(value, str) and value else None


def _text(after: Values | None, name: str) -> tuple[bool, str | None]:
    """Whether the new document is known, and the document; None for a deletion."""
    if after is None:
        return True, None
    value = after.get(name)
    return isinstance(value, str), value if isinstance(value, str) else None


def _key_policy(before: Values, after: Values | None) -> Edit | None:
    key = _named(before, "arn") or _named(before, "key_id") or _named(after or {}, "key_id")
    known, text = _text(after, "policy")
    return Edit(EditKind.KEY_POLICY, str(key), text=text) if key and known and text is not None else None


def _alias(before: Values, after: Values | None) -> Edit | None:
    if after is None:
        alias = _named(before, "arn") or _named(before, "name")
        return Edit(EditKind.DELETE_ALIAS, alias) if alias else None
    key, name = _named(after, "target_key_id"), _named(after, "name")
    return Edit(EditKind.ALIAS, str(key), name=str(name)) if key and name and not before else None


def _grant(before: Values, after: Values | None) -> Edit | None:
    if after is None:
        grant_id = _named(before, "grant_id")
        return Edit(EditKind.REVOKE_GRANT, grant_id) if grant_id else None
    key, grantee = _named(after, "key_id"), _named(after, "grantee_principal")
    if not key or not grantee or before:
        return None
    constraints = _object(next(iter(_list(after.get("constraints"))), None))
    grant = Grant(
        grant_id=f"planned:{_named(after, 'name') or grantee}",
        key_arn=key,
        name=_named(after, "name"),
        grantee=grantee,
        retiring=_named(after, "retiring_principal"),
        operations=tuple(sorted(map(str, _list(after.get("operations"))))),
        context_equals=_pairs(constraints.get("encryption_context_equals")),
        context_subset=_pairs(constraints.get("encryption_context_subset")),
    )
    return Edit(EditKind.GRANT, key, grant=grant)


def _pairs(value: Any) -> tuple[tuple[str, str], ...] | None:
    return tuple(sorted((str(k), str(v)) for k, v in value.items())) if isinstance(value, dict) and value else None


def _inline(owner: str) -> Callable[[Values, Values | None], Edit | None]:
    def read(before: Values, after: Values | None) -> Edit | None:
        given = after or before
        name, policy = _named(given, owner), _named(given, "name")
        known, text = _text(after, "policy")
        return (
            Edit(EditKind.IDENTITY_POLICY, f"{owner}/{name}", str(policy), text) if name and policy and known else None
        )

    return read


def _managed(before: Values, after: Values | None) -> Edit | None:
    arn = _named(before, "arn")
    known, text = _text(after, "policy")
    return Edit(EditKind.MANAGED_POLICY, str(arn), text=text) if arn and known else None


def _organization(before: Values, after: Values | None) -> Edit | None:
    name, kind = _named(before, "name"), _named(after or before, "type") or "SERVICE_CONTROL_POLICY"
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
