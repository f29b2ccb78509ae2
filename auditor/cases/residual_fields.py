"""The residual that a case expects: its tree, and the several ways in which people write grant constraints.

Grant constraints have pseudo operators. One pair may be written with the pair's name as key and its value as value, all
pairs as ``NAME=VALUE`` texts, as objects or as one object; they all become the form that the evaluator prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.cases.fields import Field
from auditor.evaluator.grants import CONTEXT, SOURCE
from auditor.model.residual import Residual, from_json

_HINT = "Write {cond: {operator, key, values}}, {not: …}, {all: […]} or {any: […]}."
_CONSTRAINTS = ("grantencryptioncontextequals", "grantencryptioncontextsubset")
_WHOLE_CONTEXT = ("", "encryptioncontext", "encryptioncontextequals", "encryptioncontextsubset")


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
            return {"all": [_tree(item) for item in items]}
        case {"any": list(items)}:
            return {"any": [_tree(item) for item in items]}
    return data


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
    name = key[len(CONTEXT) + 1 :] if key.lower().startswith(f"{CONTEXT.lower()}:") else key
    whole = name.lower().removeprefix("kms:") in _WHOLE_CONTEXT
    for entry in values if isinstance(values, list) else [values]:
        if isinstance(entry, dict):
            yield from (f"{pair}={_text(value)}" for pair, value in entry.items())
        elif isinstance(entry, str | int | float):
            yield _text(entry) if whole else f"{name}={_text(entry)}"
        else:
            raise ValueError(f"not a grant constraint: {entry!r}")
