"""Lists of changes in YAML, and grants in the JSON of a CreateGrant request.

- {change: key-policy, of: alias/app, file: app.json}       # files are beside the list
- {change: identity-policy, of: role/app, name: Use}         # no document: delete
- {change: scp, of: NoDeletion, name: Production, policy: {Version: "2012-10-17", Statement: []}}
- {change: tag, of: alias/app, name: team, value: blue}
- {change: key-rotation, of: alias/app, value: 365}          # days; without a value: not any more
- {change: grant, of: alias/app, grant: {GranteePrincipal: "arn:…", Operations: [Decrypt]}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.cli.changes import read_document
from auditor.errors import UsageError
from auditor.model.grant import Grant, Pairs
from auditor.questions.edits import FROM_PLANS, Edit, EditKind
from auditor.userfiles import as_json, as_yaml, read_text

FIELDS = ("change", "of", "name", "file", "policy", "value", "grant")
KINDS = tuple(kind for kind in EditKind if kind not in FROM_PLANS)
TEXTS = ("file", "policy", "value")
WITH_NAME = (
    EditKind.IDENTITY_POLICY,
    EditKind.ATTACH_POLICY,
    EditKind.DETACH_POLICY,
    EditKind.ATTACH_SCP,
    EditKind.ATTACH_RCP,
    EditKind.ALIAS,
    EditKind.TAG,
    EditKind.PRINCIPAL_TAG,
    EditKind.ADD_TO_GROUP,
    EditKind.REMOVE_FROM_GROUP,
)
PERHAPS_WITH_NAME = (EditKind.BOUNDARY, EditKind.SCP, EditKind.RCP)
WITH_DOCUMENT = (
    EditKind.ADD_KEY,
    EditKind.KEY_POLICY,
    EditKind.IDENTITY_POLICY,
    EditKind.MANAGED_POLICY,
    EditKind.ATTACH_POLICY,
    EditKind.BOUNDARY,
    EditKind.TRUST_POLICY,
    EditKind.SCP,
    EditKind.RCP,
    EditKind.ATTACH_SCP,
    EditKind.ATTACH_RCP,
)
WITH_VALUE = (EditKind.KEY_STATE, EditKind.KEY_ROTATION, EditKind.TAG, EditKind.PRINCIPAL_TAG)
GRANT_FIELDS = {
    "GranteePrincipal": "grantee",
    "GranteeServicePrincipal": "grantee_service",
    "RetiringPrincipal": "retiring",
    "RetiringServicePrincipal": "retiring_service",
    "Name": "name",
}
IGNORED = ("KeyId", "GrantTokens", "DryRun")
CONSTRAINTS = ("EncryptionContextEquals", "EncryptionContextSubset", "SourceArn")


def read_changes(path: Path) -> list[Edit]:
    """The edits of a YAML list. Raises UsageError that names the entry."""
    data = as_yaml(read_text(path), path)
    if not isinstance(data, list) or not data:
        raise UsageError(f"{path}: expected a list of changes.", "Begin each with “- change: …”.")
    return [_entry(item, f"{path}: change {number}", path.parent) for number, item in enumerate(data, 1)]


def _entry(item: Any, place: str, folder: Path) -> Edit:
    if not isinstance(item, Mapping):
        raise UsageError(f"{place}: expected a map.", f"It has {', '.join(FIELDS)}.")
    unknown = [name for name in item if name not in FIELDS]
    if unknown:
        raise UsageError(f"{place}: unknown field “{unknown[0]}”.", f"Known: {', '.join(FIELDS)}.")
    if item.get("change") is None:
        raise UsageError(f"{place}: “change” is missing.", f"Choose {', '.join(KINDS)}.")
    if str(item["change"]) not in KINDS:
        raise UsageError(f"{place}: no change “{item['change']}”.", f"Choose {', '.join(KINDS)}.")
    kind = EditKind(str(item["change"]))
    _check_fields(item, kind, place)
    for name in ("of", "name"):
        if name in item and (not isinstance(item[name], str) or not item[name]):
            raise UsageError(f"{place}: “{name}” must be text.")
    if "of" not in item:
        raise UsageError(f"{place}: “of” is missing.", "It names what is changed: a key, a principal or a policy.")
    if sum(name in item for name in TEXTS) > 1:
        raise UsageError(f"{place}: `file`, `policy` and `value` exclude each other.")
    if kind in WITH_NAME and "name" not in item:
        raise UsageError(f"{place}: “name” is missing.", f"{kind} needs it.")
    grant = grant_of(item["grant"], place) if "grant" in item else None
    return Edit(kind, item["of"], item.get("name", ""), _text(item, place, folder), grant)


def _check_fields(item: Mapping[str, Any], kind: EditKind, place: str) -> None:
    """Raises UsageError for a field that plays no part in such a change, or that is empty: a document that was
    forgotten is no wish to delete."""
    known = ["change", "of"]
    known += ["name"] if kind in (*WITH_NAME, *PERHAPS_WITH_NAME) else []
    known += ["file", "policy"] if kind in WITH_DOCUMENT else []
    known += ["value"] if kind in WITH_VALUE else []
    known += ["grant"] if kind is EditKind.GRANT else []
    for name in item:
        if name not in known:
            raise UsageError(f"{place}: “{name}” plays no part in {kind}.", f"It has {', '.join(known)}.")
        if item[name] is None:
            raise UsageError(f"{place}: “{name}” is empty.", "Fill it in, or leave it out.")


def _text(item: Mapping[str, Any], place: str, folder: Path) -> str | None:
    if "file" in item:
        if not isinstance(item["file"], str) or not item["file"]:
            raise UsageError(f"{place}: “file” must be text.")
        return read_document(folder / item["file"])
    value = item.get("policy", item.get("value"))
    if value is None or isinstance(value, str):
        return value
    if "policy" in item and isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    name = "policy" if "policy" in item else "value"
    raise UsageError(f"{place}: “{name}” must be text.", "Put it in quotes.")


def grant_of(request: Any, place: str) -> Grant:
    """A grant from a CreateGrant request, as an object or as JSON text. Raises UsageError."""
    if isinstance(request, str):
        request = as_json(request, place, remedy="Write the JSON of a CreateGrant request.")
    if not isinstance(request, Mapping):
        raise UsageError(f"{place}: not a CreateGrant request.", "It has GranteePrincipal and Operations.")
    known = (*GRANT_FIELDS, *IGNORED, "Operations", "Constraints")
    unknown = [name for name in request if name not in known]
    if unknown:
        raise UsageError(f"{place}: a CreateGrant request has no `{unknown[0]}`.")
    operations = request.get("Operations")
    if not isinstance(operations, list) or not operations or not all(isinstance(name, str) for name in operations):
        raise UsageError(f"{place}: `Operations` must be a list such as [Decrypt].")
    constraints = {} if request.get("Constraints") is None else request["Constraints"]
    if not isinstance(constraints, Mapping) or any(name not in CONSTRAINTS for name in constraints):
        raise UsageError(f"{place}: `Constraints` knows {', '.join(CONSTRAINTS)}.")
    fields = {field: _text_of(request, name, place) for name, field in GRANT_FIELDS.items() if name in request}
    return Grant(
        grant_id=f"planned:{fields.get('name') or fields.get('grantee') or 'grant'}",
        key_arn="",
        operations=tuple(sorted(operations)),
        context_equals=_pairs(constraints, "EncryptionContextEquals", place),
        context_subset=_pairs(constraints, "EncryptionContextSubset", place),
        source_arn=_text_of(constraints, "SourceArn", place) if "SourceArn" in constraints else None,
        **fields,
    )


def _pairs(constraints: Mapping[str, Any], name: str, place: str) -> Pairs | None:
    value = constraints.get(name)
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise UsageError(f"{place}: `{name}` must be an object.", "It has the pairs of an encryption context.")
    return tuple(sorted((str(key), _text_of(value, key, place)) for key in value))


def _text_of(values: Mapping[str, Any], name: str, place: str) -> str:
    value = values[name]
    if not isinstance(value, str) or not value:
        raise UsageError(f"{place}: `{name}` must be text.", "Put it in quotes, or leave it out.")
    return value
