"""The residual that a case expects: its tree, and the several ways in which people write grant constraints.

Grant constraints have pseudo operators. One pair may be written with the pair's name as key and its value as value, all
pairs as ``NAME=VALUE`` texts, as objects, as ``[NAME, VALUE]`` lists or as one object, also in JSON; they all become
the form that the evaluator prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from auditor.cases.fields import Field
from auditor.evaluator.grants import CONTEXT, SOURCE
from auditor.model.residual import Residual, from_json

_HINT = "Write {cond: {operator, key, values}}, {not: …}, {all: […]} or {any: […]}."
_EXACT = "grantencryptioncontextequals"
_CONSTRAINTS = (_EXACT, "grantencryptioncontextsubset")
_PREFIX = re.compile(r"(?:kms:)?(?:Grant)?(?:Constraints?\.?)?(?:EncryptionContext(?:Equals|Subset)?)?", re.IGNORECASE)
"""What may stand before the name of a pair, or in place of a name, in the key of a constraint."""


def read_residual(field: Field) -> Residual | None:
    """The expected residual, or None where the case does not say one."""
    if field.absent:
        return None
    try:
        return from_json(_tree(field.value))
    except ValueError as error:
        field.fail(f"{error}.", _HINT)


def _tree(data: Any) -> Any:
    match data:
        case {"cond": dict(cond)}:
            return {"cond": _cond(cond)}
        case {"not": item}:
            return {"not": _tree(item)}
        case {"all": list(items)}:
            return {"all": _joined([_tree(item) for item in items])}
        case {"any": list(items)}:
            return {"any": [_tree(item) for item in items]}
    return data


def _joined(items: list[Any]) -> list[Any]:
    """The members of a conjunction. "Exactly these pairs", written pair by pair, is one constraint on all of them."""
    exact = [item["cond"] for item in items if _is_exact(item)]
    if len(exact) < 2:
        return items
    values = sorted({value for cond in exact for value in cond["values"]})
    return [*(item for item in items if not _is_exact(item)), {"cond": {**exact[0], "values": values}}]


def _is_exact(item: Any) -> bool:
    cond = item.get("cond") if isinstance(item, dict) else None
    return isinstance(cond, dict) and str(cond.get("operator")).lower() == _EXACT


def _cond(cond: dict[str, Any]) -> dict[str, Any]:
    operator, key, values = (cond.get(name) for name in ("operator", "key", "values"))
    if isinstance(operator, str) and operator.lower() in _CONSTRAINTS:
        return {"operator": operator, "key": CONTEXT, "values": sorted(_pairs(str(key or ""), values))}
    if isinstance(operator, str) and operator.lower() == "grantsourcearn":
        key = SOURCE
    if values is not None and not isinstance(values, dict):
        values = [_text(value) for value in (values if isinstance(values, list) else [values])]
    return {"operator": operator, "key": key, "values": values}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pairs(key: str, values: Any) -> Iterator[str]:
    """The pairs of a constraint as ``NAME=VALUE``."""
    name = _pair_name(key)
    for entry in map(_from_json_text, values if isinstance(values, list) else [values]):
        match entry:
            case {"key": str(pair), "value": value} | [str(pair), value] if not isinstance(value, dict | list):
                yield f"{pair}={_text(value)}"
            case dict():
                yield from (f"{pair}={_text(value)}" for pair, value in entry.items())
            case str() | int() | float():
                yield f"{name}={_text(entry)}" if name else _as_pair(_text(entry))
            case _:
                raise ValueError(f"not a grant constraint: {entry!r}")


def _as_pair(text: str) -> str:
    """``NAME:VALUE`` is taken for ``NAME=VALUE``."""
    return text if "=" in text else text.replace(":", "=", 1)


def _pair_name(key: str) -> str:
    """The pair that the key of a constraint names; empty where the key stands for the whole context."""
    prefix = _PREFIX.match(key)
    rest = key[prefix.end() :] if prefix else key
    if not rest or not prefix or not prefix.group():
        return rest
    return rest[1:] if rest[0] in ":./" else key


def _from_json_text(entry: Any) -> Any:
    if isinstance(entry, str) and entry.lstrip().startswith("{"):
        try:
            return json.loads(entry)
        except (ValueError, RecursionError):
            return entry
    return entry
