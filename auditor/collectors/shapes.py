"""Whether an answer has the form that the SDK's model of the operation gives it, and the members it cannot do without.

The SDK hands scalars on as they came and keeps ``null`` in lists, so that everything behind it would have to be ready
for a number in place of a name. Here an answer, or an item of a list, is sound as a whole or it is not taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from auditor.collectors.failures import MalformedError
from auditor.collectors.operation import Operation
from auditor.collectors.operations import IAM_LISTS

MAY_BE_EMPTY = frozenset(
    {"TagValue", "Value", "PolicyTypes", "filterPattern", "AlarmActions", "AdvancedEventSelectors", *IAM_LISTS}
    | {"Tags"}
    | {"GroupList", "AttachedManagedPolicies", "GroupPolicyList", "RolePolicyList"}
)
"""Members that AWS always sends, and that may hold nothing."""
YEARS = range(2, 9999)
"""Years that stay dates in every time zone."""
TOKENS = ("NextToken", "nextToken")
MARKERS = (*TOKENS, "NextMarker", "Marker", "ContinuationToken", "LastEvaluatedTableName")
"""Members that name the next page."""
Answer = dict[str, Any]
Path = tuple[str, ...]


def whole(operation: Operation, model: Any, answer: Any, *, apart: tuple[str, ...] = ()) -> Answer:
    """The answer. Raises MalformedError unless it has the form of botocore's ``model``, and all that it must have.

    The items of the lists ``apart`` are left to be looked at one by one. An empty page names the next one.
    """
    if not isinstance(answer, dict):
        raise MalformedError("The answer is no object: it was cut or changed on the way.")
    if operation.bare and _of_nothing(answer):
        return answer
    # What is left of JSON that was cut is an answer without members; cut XML is an error already.
    if not set(answer) - {"ResponseMetadata"} and not _of_xml(model):
        raise MalformedError("The answer is empty: it was cut or changed on the way.")
    if operation.must and not any(answer.get(name) is not None for name in (*operation.must, *MARKERS)):
        raise MalformedError(f"The answer has no {operation.must[0]}: it was cut or changed on the way.")
    shape = model.operation_model(operation.name).output_shape
    beside = {name: value for name, value in answer.items() if name not in apart}
    wrong = next((f"{name} is no list" for name in apart if not isinstance(answer.get(name, []), list)), "")
    wrong = wrong or misshapen(shape, beside, "") or lacking(answer, operation.needs_beside(apart), "")
    if wrong:
        raise MalformedError(f"{wrong[0].upper()}{wrong[1:]}.")
    return answer


def _of_nothing(answer: Answer) -> bool:
    """Whether AWS answered ``{}``: of JSON that was cut, which is read as no more, the body is longer."""
    meta = answer.get("ResponseMetadata") or {}
    return set(answer) <= {"ResponseMetadata"} and meta.get("HTTPHeaders", {}).get("content-length") == "2"


def _of_xml(model: Any) -> bool:
    return str(getattr(model, "resolved_protocol", model.protocol)) in ("query", "ec2", "rest-xml")


def _whole(value: Any, bits: int) -> bool:
    """Whether it is a whole number that the SDK's type of so many bits holds; JSON may spell one as ``365.0``."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_SCALARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "character": ("text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("whole number of 32 bits", lambda value: _whole(value, 32)),
    "long": ("whole number of 64 bits", lambda value: _whole(value, 64)),
    "float": ("number", _numeric),
    "double": ("number", _numeric),
    "timestamp": ("time", lambda value: isinstance(value, datetime) and value.year in YEARS),
    "blob": ("bytes", lambda value: isinstance(value, bytes)),
}


def misshapen(shape: Any, value: Any, name: str) -> str:
    """What is wrong with the types of ``value``, which a botocore ``shape`` describes; empty when nothing is."""
    kind = shape.type_name
    if kind in _SCALARS:
        expected, right = _SCALARS[kind]
        return "" if right(value) else f"{name} is no {expected}"
    if kind == "list":
        return _in_list(shape, value, name)
    if not isinstance(value, dict):
        return f"{name} is no object"
    if kind == "map":
        inside = ((f"{name}.{key}", shape.value, item) for key, item in value.items())
        return next(filter(None, (misshapen(member, item, place) for place, member, item in inside)), "")
    return _in_structure(shape, value, name)


def _in_list(shape: Any, value: Any, name: str) -> str:
    if not isinstance(value, list):
        return f"{name} is no list"
    return next(filter(None, (misshapen_item(shape, item, f"an item of {name}") for item in value)), "")


def misshapen_item(shape: Any, item: Any, name: str) -> str:
    """The same for an item of a list that ``shape`` describes; a name in a list is never empty."""
    return f"{name} is empty" if item == "" else misshapen(shape.member, item, name)


def _in_structure(shape: Any, value: dict[str, Any], name: str) -> str:
    members = shape.members
    for key, item in value.items():
        if key in members:
            wrong = misshapen(members[key], item, f"{name}.{key}" if name else key)
            if wrong:
                return wrong
    return ""


def lacking(value: Any, needs: tuple[str, ...], name: str) -> str:
    """Which of ``needs`` a sound ``value`` lacks: paths of members, ``A|B`` for one of two. Empty when none.

    A need below a member that is not there is no need; below a list it is one of each item.
    """
    return next(filter(None, (_missing(value, path, name) for path in map(_path, needs))), "")


@cache
def _path(need: str) -> Path:
    return tuple(need.split("."))


def _missing(value: Any, path: Path, name: str) -> str:
    if isinstance(value, list):
        return next(filter(None, (_missing(item, path, name) for item in value)), "")
    first, *rest = path
    if rest:
        inner = value.get(first)
        return "" if inner is None else _missing(inner, tuple(rest), f"{name}.{first}" if name else first)
    if any(_there(value.get(member), member) for member in first.split("|")):
        return ""
    return f"{name or 'the answer'} has no {first.replace('|', ' or ')}"


def _there(value: Any, member: str) -> bool:
    return value is not None and (member in MAY_BE_EMPTY or value not in ("", []))
