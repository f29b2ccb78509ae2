"""Facts of a request that somebody states: whether requests carry such a condition key, and such a value of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address

from auditor.errors import UsageError
from auditor.evaluator import Context, vocabulary
from auditor.evaluator.facts import Question
from auditor.evaluator.values import Known, RunTime
from auditor.model.arn import parse_arn
from auditor.model.moments import instant
from auditor.questions.unknown_names import quoted

OTHER_KEY = re.compile(r"[A-Za-z0-9._/-]+:\S(.*\S)?")
"""A condition key with the prefix of a service or an identity provider."""
VIA_SERVICE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.amazonaws\.com")


def stated(context: Mapping[str, object]) -> dict[str, tuple[str, ...] | None]:
    """The facts that somebody states of a request: condition key → values, None where the request has no such key.

    A value may be a text, a number or a truth value, or a list of them; an empty one says that the key is absent. Names
    that differ in case alone are one. Raises UsageError for a key that no request carries, and a value that none has.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for name, value in context.items():
        _check_name(name)
        spelled, values = found.setdefault(name.lower(), (name, []))
        values += _values(spelled, value)
    for name, values in found.values():
        _check_values(name, values)
    return {name: tuple(values) if any(values) else None for name, values in found.values()}


def _check_name(name: object) -> None:
    """Refuses a condition key that no request carries: a misspelt one would silently change nothing.

    Keys of identity providers are theirs to name, and AWS adds global keys: those are taken as they are.
    """
    if isinstance(name, str) and OTHER_KEY.fullmatch(name) and not name.lower().startswith("kms:"):
        return
    if near := nearest_context_keys(str(name)):
        raise UsageError(f"“{name}” is no condition key of KMS requests.", f"Did you mean {' or '.join(near)}?")


def nearest_context_keys(name: str) -> tuple[str, ...]:
    """Empty for a condition key that requests may carry, else the nearest ones that they do."""
    if vocabulary.exists(name) and not vocabulary.nameless(name):
        return ()
    known = {key.lower(): key for key in vocabulary.names()}
    lowered = name.strip().lower()
    short = {key.partition(":")[2]: key for key in known}
    near = get_close_matches(lowered, known, n=3) or [short[one] for one in get_close_matches(lowered, short, n=3)]
    spelled = [known[one] for one in near] or ["kms:ViaService", "aws:SourceIp"]
    return tuple(f"{one}NAME" if one.endswith((":", "/")) else one for one in spelled)


def _values(name: str, value: object) -> list[str]:
    if value is None:
        return [""]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        return [text for one in value for text in _values(name, one)] or [""]
    raise UsageError(f"The value of {name} is neither text nor a list of texts.", "None says that it is absent.")


def _check_values(name: str, values: list[str]) -> None:
    if "" in values and any(values):
        raise UsageError(f"“{name}” is said to be absent, and to be there.", "State one of both.")
    if len(set(values)) > 1 and vocabulary.exists(name) and not vocabulary.multi_valued(name):
        raise UsageError(f"A request has one value of “{name}”.", "State one.")
    for value in filter(None, values):
        if written := _wrong_value(name, value):
            raise UsageError(f"{quoted(value)} is no value of {name}.", written)


def _wrong_value(name: str, value: str) -> str:
    """How a value of a condition key is written, for one that no request has; empty for a good one."""
    kind = name.lower() if name.lower() in _FORMS else vocabulary.data_type(name)
    fits, written = _FORMS.get(kind, (None, ""))
    return written if fits is not None and not fits(value) else ""


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value))


_FORMS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "kms:viaservice": (
        lambda value: bool(VIA_SERVICE.fullmatch(value)),
        "Write the service with its Region, such as s3.eu-west-1.amazonaws.com.",
    ),
    "Bool": (lambda value: value in ("true", "false"), "It is true or false."),
    "Numeric": (_is_number, "It is a number."),
    "Date": (lambda value: _is_number(value) or instant(value) is not None, "Write 2026-11-24T12:00:00Z."),
    "IPAddress": (_is_address, "It is one address, such as 203.0.113.7."),
    "ARN": (lambda value: parse_arn(value) is not None, "It is an ARN."),
}
"""A condition key in small letters, or a type of them → whether a text is such a value, and how one is written."""


def impossible(question: Question, context: Context) -> Iterator[str]:
    """Sentences about stated facts that no request of this caller, for this action on this key, can have.

    ``question`` is asked without the context.
    """
    for name, values in context.items():
        found, given = question.value(name), values or ()
        told = f"{vocabulary.canonical(name)}={','.join(given)}"
        if isinstance(found, Known) and set(found.values) != set(given):
            is_what = f"is {', '.join(found.values)}" if found.values else "is not part of such a request"
            yield f"{told} is stated, although it {is_what}"
        elif isinstance(found, RunTime) and found.domain is not None and set(given) - set(found.domain):
            yield f"{told} is stated, although it can only be {' or '.join(found.domain) or 'absent'}"
