"""Condition operators on concrete values (IAM user guide, condition operators).

No knowledge of what is static or run-time: that is ``conditions``.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache

from auditor.evaluator import glob
from auditor.model.arn import parse_arn

Compare = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """A parsed operator name. ``quantifier`` is "", ``any`` or ``all``; ``base`` is the positive form in lower case."""

    quantifier: str
    base: str
    negated: bool
    if_exists: bool

    @property
    def takes_variables(self) -> bool:
        """Whether policy variables are replaced in the values: string and ARN operators only."""
        return self.base.startswith(("string", "arn"))


_OPERATORS = {
    "StringEquals": ("stringequals", False),
    "StringNotEquals": ("stringequals", True),
    "StringEqualsIgnoreCase": ("stringequalsignorecase", False),
    "StringNotEqualsIgnoreCase": ("stringequalsignorecase", True),
    "StringLike": ("stringlike", False),
    "StringNotLike": ("stringlike", True),
    "NumericEquals": ("numericequals", False),
    "NumericNotEquals": ("numericequals", True),
    "NumericLessThan": ("numericlessthan", False),
    "NumericLessThanEquals": ("numericlessthanequals", False),
    "NumericGreaterThan": ("numericgreaterthan", False),
    "NumericGreaterThanEquals": ("numericgreaterthanequals", False),
    "DateEquals": ("dateequals", False),
    "DateNotEquals": ("dateequals", True),
    "DateLessThan": ("datelessthan", False),
    "DateLessThanEquals": ("datelessthanequals", False),
    "DateGreaterThan": ("dategreaterthan", False),
    "DateGreaterThanEquals": ("dategreaterthanequals", False),
    "Bool": ("bool", False),
    "BinaryEquals": ("binaryequals", False),
    "IpAddress": ("ipaddress", False),
    "NotIpAddress": ("ipaddress", True),
    "ArnEquals": ("arnlike", False),
    "ArnLike": ("arnlike", False),
    "ArnNotEquals": ("arnlike", True),
    "ArnNotLike": ("arnlike", True),
    "Null": ("null", False),
}
"""Operator as AWS spells it → its positive form, and whether it negates that."""
_POSITIVE = {name.lower(): found for name, found in _OPERATORS.items()}


@cache
def operator_names() -> tuple[str, ...]:
    """Every operator as AWS spells it: alone, with IfExists and with a qualifier (IAM reference)."""
    plain = [*_OPERATORS, *(f"{name}IfExists" for name in _OPERATORS if name != "Null")]
    return tuple(f"{qualifier}{name}" for qualifier in ("", "ForAnyValue:", "ForAllValues:") for name in plain)


@lru_cache(maxsize=1024)
def parse_operator(name: str) -> Operator | None:
    """The operator called ``name`` (case is ignored), or None when there is no such operator."""
    text = name.lower()
    quantifier = ""
    for prefix, kind in (("foranyvalue:", "any"), ("forallvalues:", "all")):
        if text.startswith(prefix):
            quantifier, text = kind, text[len(prefix) :]
    if_exists = text.endswith("ifexists") and text != "null"
    if if_exists:
        text = text[: -len("ifexists")]
    found = _POSITIVE.get(text)
    if found is None or (if_exists and found[0] == "null"):
        return None
    return Operator(quantifier, found[0], found[1], if_exists)


def satisfied(operator: Operator, wanted: tuple[str, ...], actual: tuple[str, ...]) -> bool:
    """Whether a request whose key has the values ``actual`` (empty: the key is absent) meets the test."""
    if operator.base == "null":
        return any((value.strip().lower() == "true") == (not actual) for value in wanted)
    if not actual:
        return passes_when_absent(operator)
    compare = COMPARE[operator.base]

    def meets(value: str) -> bool:
        return any(compare(pattern, value) for pattern in wanted) != operator.negated

    if operator.quantifier == "all":
        return all(meets(value) for value in actual)
    if operator.quantifier == "any":
        return any(meets(value) for value in actual)
    # A multi-valued key without a set operator: any value may match, a negation must hold for all of them.
    return all(meets(value) for value in actual) if operator.negated else any(meets(value) for value in actual)


def passes_when_absent(operator: Operator) -> bool:
    """Whether a test holds for a request that does not carry the key."""
    if operator.if_exists or operator.quantifier == "all":
        return True
    return operator.negated and operator.quantifier != "any"


_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)


def number(text: str) -> float | None:
    """The number that a decimal text stands for, or None; "nan", "inf" and "1_000" are no numbers in a policy."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _number_of_request(text: str) -> float | None:
    """A request's value for a Numeric operator: a number, or a date as seconds since 1970 (kms:ValidTo has either)."""
    found = number(text)
    return timestamp(text) if found is None else found


_DATE = re.compile(r"^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$")


@lru_cache(maxsize=4096)
def timestamp(text: str) -> float | None:
    """Seconds since 1970 of a W3C date or a number of seconds, or None. A date without a zone is UTC."""
    found = _DATE.match(text.strip())
    if found is None or (found.group(2) is None and len(text.strip()) != 4):
        return number(text)
    if found.group(2) is None:
        return (
            number(text) if int(found.group(1)) > 2100 else datetime(int(found.group(1)), 1, 1, tzinfo=UTC).timestamp()
        )
    try:
        return datetime.fromisoformat(_full_date(found)).timestamp()
    except ValueError:
        return None


def _full_date(found: re.Match[str]) -> str:
    year, month, day, hour, minute, second, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z") else (zone if ":" in zone else f"{zone[:3]}:{zone[3:]}")
    return f"{year}-{month}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}{offset}"


Parse = Callable[[str], float | None]


def _ordered(parse: Parse, parse_actual: Parse, test: Callable[[float, float], bool]) -> Compare:
    def compare(wanted: str, actual: str) -> bool:
        left, right = parse(wanted), parse_actual(actual)
        return left is not None and right is not None and test(right, left)

    return compare


@lru_cache(maxsize=4096)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The address range of a CIDR or single address, or None."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def private(text: str) -> bool:
    """Whether an address range lies within those that are used inside networks alone (RFC 1918, RFC 4193)."""
    found = network(text)
    return found is not None and any(
        found.version == one.version and found.subnet_of(one)  # type: ignore[arg-type]
        for one in _PRIVATE
    )


def everywhere(values: Iterable[str]) -> bool:
    """Whether address ranges, taken together, hold every address of a version."""
    found = [one for value in values if (one := network(value)) is not None]
    fours = [one for one in found if isinstance(one, ipaddress.IPv4Network)]
    sixes = [one for one in found if isinstance(one, ipaddress.IPv6Network)]
    return any(one.prefixlen == 0 for one in ipaddress.collapse_addresses(fours)) or any(
        one.prefixlen == 0 for one in ipaddress.collapse_addresses(sixes)
    )


def _in_network(wanted: str, actual: str) -> bool:
    outer, inner = network(wanted), network(actual)
    if outer is None or inner is None or outer.version != inner.version:
        return False
    return inner.subnet_of(outer)  # type: ignore[arg-type]


@lru_cache(maxsize=65536)
def _arn_like(pattern: str, actual: str) -> bool:
    wanted, given = pattern.split(":", 5), actual.split(":", 5)
    if len(wanted) != 6 or parse_arn(actual) is None:
        return False
    return all(glob.matches(part, text) for part, text in zip(wanted, given, strict=True))


def _binary(wanted: str, actual: str) -> bool:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(actual, validate=True)
    except (binascii.Error, ValueError):
        return False


def _bool(wanted: str, actual: str) -> bool:
    return wanted.strip().lower() in ("true", "false") and wanted.strip().lower() == actual.strip().lower()


def _string_equals(wanted: str, actual: str) -> bool:
    return glob.plain(wanted) == actual


def _string_equals_ignore_case(wanted: str, actual: str) -> bool:
    return glob.plain(wanted).lower() == actual.lower()


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "equals": lambda actual, wanted: actual == wanted,
    "lessthan": lambda actual, wanted: actual < wanted,
    "lessthanequals": lambda actual, wanted: actual <= wanted,
    "greaterthan": lambda actual, wanted: actual > wanted,
    "greaterthanequals": lambda actual, wanted: actual >= wanted,
}


def readable(base: str, text: str) -> bool:
    """Whether ``text`` is a value that the operator can compare with at all: "one hour" is no number."""
    if base.startswith("numeric"):
        return number(text) is not None
    if base.startswith("date"):
        return timestamp(text) is not None
    if base == "binaryequals":
        return _binary(text, text)
    return base != "ipaddress" or network(text) is not None


COMPARE: dict[str, Compare] = {
    "stringequals": _string_equals,
    "stringequalsignorecase": _string_equals_ignore_case,
    "stringlike": glob.matches,
    "bool": _bool,
    "binaryequals": _binary,
    "ipaddress": _in_network,
    "arnlike": _arn_like,
    **{f"numeric{name}": _ordered(number, _number_of_request, test) for name, test in _ORDER.items()},
    **{f"date{name}": _ordered(timestamp, timestamp, test) for name, test in _ORDER.items()},
}
"""Base operator → test of one wanted value against one actual value."""
