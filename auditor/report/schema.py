"""The JSON Schema of ``result.json``, derived from the model, so that it says every field and refuses any other.

``result.schema.json`` beside this file is its text, for readers without Python; a test holds the two together. Write it
anew with ``python -m auditor.report.schema``.
"""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from auditor.model.access import Cause, Outcome
from auditor.model.finding import Finding, RuleStatus
from auditor.model.policy import Policy, StatementRef
from auditor.model.principal import Principal
from auditor.model.report import RESULT_SCHEMA
from auditor.model.score import PrincipalPower
from auditor.model.snapshot import Snapshot
from auditor.report.counts import Counts
from auditor.report.result import NAMED

Schema = dict[str, Any]
SIMPLE: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
PLACE: Schema = {"type": "integer", "minimum": 0}
PLACES: Schema = {"type": "array", "items": PLACE}


class _Definitions:
    """Dataclasses of the model as ``$defs``, each once."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}
        self._names: dict[type, str] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of a type as ``codec.encode`` writes it."""
        if kind in SIMPLE:
            return SIMPLE[kind]
        if kind is Policy:
            return PLACE | {"description": "position in the list policies"}
        if is_dataclass(kind) and isinstance(kind, type):
            return self._reference(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [str(member) for member in kind]}
        origin, inside = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(one) for one in inside]}
        if origin is tuple and inside[-1] is not Ellipsis:
            return {"type": "array", "prefixItems": [self.of(one) for one in inside], "items": False}
        if origin in (tuple, frozenset, list):
            return {"type": "array", "items": self.of(inside[0])}
        return {}

    def _reference(self, kind: type) -> Schema:
        if kind not in self._names:
            taken = kind.__name__ in self.found
            name = f"{kind.__module__.rsplit('.', 1)[-1]}.{kind.__name__}" if taken else kind.__name__
            self._names[kind] = name
            self.found[name] = {}
            self.found[name] = self._object(kind)
        return {"$ref": f"#/$defs/{self._names[kind]}"}

    def _object(self, kind: Any) -> Schema:
        hints = get_type_hints(kind)
        needed = [item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING]
        return {
            "description": (kind.__doc__ or "").strip().split("\n")[0],
            "type": "object",
            "required": needed,
            "additionalProperties": False,
            "properties": {item.name: self.of(hints[item.name]) for item in fields(kind)},
        }


def result_schema() -> Schema:
    """The schema, draft 2020-12."""
    definitions = _Definitions()
    properties: Schema = {
        "kind": {"const": "kms-audit result"},
        "schema": {"const": RESULT_SCHEMA},
        "as_of": {"type": "string", "description": "ISO 8601 UTC time that ages and expiry are counted from"},
        "tool_version": {"type": "string"},
        "config_hash": {"type": "string", "description": "SHA-256 of what shaped the judgement"},
        "rules_version": {"type": "string", "description": "version of the rule catalogue that judged"},
        "notes": TEXTS,
        NAMED: {"const": True, "description": "evidence carries the names that it speaks of"},
        "counts": definitions.of(Counts),
        "findings": definitions.of(tuple[Finding, ...]),
        "rules": definitions.of(tuple[RuleStatus, ...]),
        "powers": definitions.of(tuple[PrincipalPower, ...]),
        "actions": TEXTS | {"description": "the position of an action is its bit in a profile"},
        "snapshot": definitions.of(Snapshot),
        "principals": definitions.of(tuple[Principal, ...]),
        "policies": TEXTS | {"description": "policy documents verbatim"},
        "access": _access(definitions),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:kms-audit:result:{RESULT_SCHEMA}",
        "title": f"Result of kms-audit, schema {RESULT_SCHEMA}",
        "description": (
            "Everything that a report shows. Fields of model objects that hold their default are left out; "
            "policies are positions in the list policies; access is interned and columnar."
        ),
        "type": "object",
        "required": [name for name in properties if name not in ("powers", "rules_version", NAMED)],
        "additionalProperties": False,
        "properties": properties,
        "$defs": dict(sorted({**definitions.found, "Residual": _residual()}.items())),
    }


def _access(definitions: _Definitions) -> Schema:
    definitions.of(Cause)
    cause = definitions.found["Cause"]
    cause["properties"]["statement"] = PLACE | {"description": "position in statements"}
    row = {"type": "array", "prefixItems": [PLACE, PLACES, PLACES], "items": False}
    listed: Schema = {
        "rows": PLACES | {"description": "principal → distinct row"},
        "distinct_rows": {
            "description": "usual profile, gaps between the keys that differ, their profiles",
            "type": "array",
            "items": row,
        },
        "account_level": PLACES | {"description": "principal → profile for actions without a key"},
        "profiles": {"description": "decision for each action", "type": "array", "items": PLACES},
        "decisions": {"type": "array", "items": _decision()},
        "causes": {"type": "array", "items": {"$ref": "#/$defs/Cause"}},
        "residuals": {"type": "array", "items": {"$ref": "#/$defs/Residual"}},
        "statements": {"type": "array", "items": definitions.of(StatementRef)},
    }
    return {"type": "object", "required": list(listed), "additionalProperties": False, "properties": listed}


def _decision() -> Schema:
    properties: Schema = {
        "outcome": {"enum": [str(outcome) for outcome in Outcome]},
        "reason": {"type": "string"},
        "residual": PLACE | {"description": "position in residuals"},
        "causes": PLACES | {"description": "positions in causes"},
        "path": {"type": "string"},
        "flags": TEXTS,
    }
    required = ["outcome", "reason"]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _residual() -> Schema:
    residual = {"$ref": "#/$defs/Residual"}
    condition = {
        "type": "object",
        "required": ["operator", "key", "values"],
        "additionalProperties": False,
        "properties": {"operator": {"type": "string"}, "key": {"type": "string"}, "values": TEXTS},
    }

    def only(**properties: Schema) -> Schema:
        first = next(iter(properties))
        return {"type": "object", "required": [first], "additionalProperties": False, "properties": properties}

    some = {"type": "array", "items": residual}
    return {
        "description": "a condition on the request that remains",
        "oneOf": [
            {"type": "boolean"},
            only(cond=condition, source=PLACE),
            only(**{"not": residual}),
            only(all=some),
            only(any=some),
        ],
    }


def schema_text() -> str:
    """The text of ``result.schema.json``."""
    return json.dumps(result_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "result.schema.json").write_text(schema_text(), encoding="utf-8")
