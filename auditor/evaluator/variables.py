"""Policy variables, ``${aws:PrincipalTag/team, 'default'}`` (IAM reference, policy variables and tags).

They count in documents of Version 2012-10-17 only; the caller checks that. A multi-valued condition key is no variable:
it has no value to put in. A variable whose value only a request can tell stays in the text as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.values import KeyValue, Known, RunTime, Unsettled

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_LITERALS = {"*": glob.LITERAL_STAR, "?": glob.LITERAL_MARK, "$": "$"}
_DEFAULT = re.compile(r"^\s*([^,]+?)\s*(?:,\s*'(.*)'\s*)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value after replacement. ``text`` None: a variable has no value and no default, so the value matches nothing.

    ``open``: it still holds variables that only a request can fill in. ``unsettled``: what could not be read.
    """

    text: str | None
    open: bool = False
    unsettled: str | None = None


def resolve(text: str, value_of: Callable[[str], KeyValue]) -> Resolved:
    """``text`` with its variables replaced by what is known."""
    if "${" not in text:
        return Resolved(text)
    pieces: list[str] = []
    position, still_open = 0, False
    for found in VARIABLE.finditer(text):
        pieces.append(text[position : found.start()])
        position = found.end()
        piece = _piece(found.group(1), value_of)
        if isinstance(piece, Resolved):
            if piece.text is None:
                return piece
            still_open = True
            pieces.append(found.group(0))
        else:
            pieces.append(piece)
    pieces.append(text[position:])
    return Resolved("".join(pieces), still_open)


def variable_name(body: str) -> str | None:
    """The condition key of a variable, ``body`` being what stands in its braces; None where that is no variable."""
    found = _DEFAULT.match(body)
    spelled = found is not None and body == body.strip() and not set(found.group(1)) & set("'\"")
    return found.group(1) if found is not None and spelled else None


def lone_variable(text: str) -> str | None:
    """The condition key of a text that is one variable without a default and nothing else."""
    found = VARIABLE.fullmatch(text)
    parts = _DEFAULT.match(found.group(1)) if found else None
    return parts.group(1) if parts and parts.group(2) is None else None


def may_lack_value(text: str, value_of: Callable[[str], KeyValue]) -> bool:
    """Whether a request may leave a variable of ``text`` without a value and without a default."""
    for found in VARIABLE.finditer(text):
        parts = _DEFAULT.match(found.group(1))
        value = value_of(parts.group(1)) if parts and parts.group(2) is None else None
        if isinstance(value, RunTime) and value.may_be_absent:
            return True
    return False


def _piece(body: str, value_of: Callable[[str], KeyValue]) -> str | Resolved:
    if body in _LITERALS:
        return _LITERALS[body]
    found = _DEFAULT.match(body)
    if found is None:
        return Resolved(None)
    name, default = found.group(1), found.group(2)
    if vocabulary.multi_valued(name):
        return Resolved(None)
    value = value_of(name)
    if isinstance(value, Unsettled):
        return Resolved(None, unsettled=value.what)
    if not isinstance(value, Known):
        return Resolved("", open=True)
    if len(value.values) == 1:
        return glob.literal(value.values[0])
    if not value.values and default is not None:
        return glob.literal(default)
    return Resolved(None)
