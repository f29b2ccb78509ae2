"""How much a residual condition proves about the caller: levels S0 to S4.

S0 nothing, S1 what a caller can choose or imitate, S2 how or from where, S3 fixed identities, S4 the key's own account.
A conjunction is as strong as its strongest part, an alternative as weak as its weakest. An operator that is true when
the key is absent proves nothing; a wildcard in the identifying part of a value makes it S1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from auditor.evaluator import vocabulary
from auditor.evaluator.expressions import UNSETTLED
from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.operators import Operator, everywhere, parse_operator, passes_when_absent
from auditor.evaluator.request_keys import never_met
from auditor.model.arn import account_of, is_account_id, is_unique_id
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual


class Strength(IntEnum):
    """The five levels, weakest first."""

    S0 = 0
    S1 = 1
    S2 = 2
    S3 = 3
    S4 = 4


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose key it is: the account, and the organization's id when there is one."""

    account: str
    organization: str | None = None


IMITABLE = frozenset({"aws:useragent", "aws:referer", "sts:rolesessionname", "aws:sourceidentity"})
ACCOUNT_KEYS = frozenset({"aws:principalaccount", "kms:calleraccount"})
IDENTITY_KEYS = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:userid", "aws:username"}
    | {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalservicename"}
    | {"aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "aws:principalservicenameslist"}
)
ALWAYS_PRESENT = frozenset(
    {"aws:principalaccount", "kms:calleraccount", "aws:principalarn", "aws:principaltype", "aws:userid"}
    | {"aws:requestedregion", "aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:viaawsservice"}
    | {"aws:principalisawsservice", "kms:grantoperations"}
)
CONSTANT = frozenset({"aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice", "aws:principaltype"})
"""Keys whose tests say nothing about who or from where: nearly every request passes them."""


def strength(residual: Residual, owner: Owner, there: frozenset[str] = ALWAYS_PRESENT) -> Strength:
    """The level of a residual condition on a key of ``owner``. ``TRUE`` is S0; ``FALSE`` lets nobody in, hence S4.

    ``there``: the condition keys, in lower case, that every request in question carries.
    """
    match residual:
        case Constant(value):
            return Strength.S0 if value else Strength.S4
        case AllOf(items):
            there |= _demanded(items)
            return max(strength(item, owner, there) for item in items)
        case AnyOf(items):
            return min(strength(item, owner, there) for item in items)
        case Not(Leaf() as leaf):
            return _negated(leaf, owner, there)
        case Not(item):
            return min(Strength.S1, strength(item, owner, there))
        case Leaf():
            return leaf_strength(residual, owner, there)


def conjuncts(residual: Residual, owner: Owner) -> tuple[tuple[Residual, Strength], ...]:
    """What has to hold for a residual, each with its own level, for the evidence of a finding."""
    items = residual.items if isinstance(residual, AllOf) else (residual,)
    there = ALWAYS_PRESENT | _demanded(items)
    return tuple((item, strength(item, owner, there)) for item in items)


def parts(residual: Residual, owner: Owner) -> tuple[tuple[Leaf, Strength], ...]:
    """Every leaf of a residual with its own level."""
    return tuple(_parts(residual, owner, ALWAYS_PRESENT))


def _parts(residual: Residual, owner: Owner, there: frozenset[str]) -> Iterator[tuple[Leaf, Strength]]:
    match residual:
        case Leaf():
            yield residual, leaf_strength(residual, owner, there)
        case Not(Leaf() as leaf):
            yield leaf, _negated(leaf, owner, there)
        case Not(item):
            yield from _parts(item, owner, there)
        case AllOf(items) | AnyOf(items):
            there |= _demanded(items) if isinstance(residual, AllOf) else frozenset()
            for item in items:
                yield from _parts(item, owner, there)


def _demanded(items: Iterable[Residual]) -> frozenset[str]:
    """The condition keys without which a request fails one of the tests that all have to hold."""
    found = set()
    for item in items:
        negated = isinstance(item, Not)
        leaf = item.item if isinstance(item, Not) else item
        if isinstance(leaf, Leaf) and holds_without_key(leaf) is negated:
            found.add(leaf.key.lower())
    return frozenset(found)


def holds_without_key(leaf: Leaf) -> bool | None:
    """Whether a test holds for a request without its key; None for a test that nobody knows."""
    operator = parse_operator(leaf.operator)
    if operator is None:
        return None
    if operator.base == "null":
        return any(value.strip().lower() == "true" for value in leaf.values)
    return passes_when_absent(operator)


def leaf_strength(leaf: Leaf, owner: Owner, there: frozenset[str] = ALWAYS_PRESENT) -> Strength:
    """The level of one test, where every request carries the keys of ``there``."""
    operator = parse_operator(leaf.operator)
    if operator is None:
        return Strength.S2 if leaf.operator == UNSETTLED else Strength.S0
    name = leaf.key.lower()
    if operator.base == "null":
        return _null(leaf, name)
    if passes_when_absent(operator) and name not in there:
        return Strength.S0
    if operator.negated:
        return Strength.S0 if name not in _WHERE else Strength.S1
    return _positive(leaf, name, operator, owner)


_WHERE = frozenset({"aws:sourceip", "aws:requestedregion"})


def _null(leaf: Leaf, name: str) -> Strength:
    """``Null false`` demands that a key is there: as much as its presence proves. ``Null true`` proves nothing."""
    demands_presence = all(value.strip().lower() == "false" for value in leaf.values)
    if not demands_presence or name in ALWAYS_PRESENT:
        return Strength.S0
    if name.startswith("kms:recipientattestation:") or name in ("aws:sourcevpc", "aws:sourcevpce", "kms:viaservice"):
        return Strength.S2
    return Strength.S1


def _negated(leaf: Leaf, owner: Owner, there: frozenset[str]) -> Strength:
    """The negation of a test, as a Deny leaves it behind: what remains is the opposite of the denied condition."""
    operator = parse_operator(leaf.operator)
    if operator is None:
        return Strength.S2
    name = leaf.key.lower()
    if operator.base == "null":
        flipped = tuple("false" if value.strip().lower() == "true" else "true" for value in leaf.values)
        return _null(Leaf(leaf.operator, leaf.key, flipped), name)
    if operator.base == "bool":
        flipped = tuple("false" if value.strip().lower() == "true" else "true" for value in leaf.values)
        positive = Operator(operator.quantifier, "bool", False, False)
        # Sparing an absent key (plain Bool in a Deny) lets long-term credentials through: nothing is proved.
        return (
            _positive(Leaf(leaf.operator, leaf.key, flipped), name, positive, owner)
            if operator.if_exists or name in there
            else Strength.S0
        )
    if not operator.negated or not (passes_when_absent(operator) or name in there):
        return Strength.S0  # ForAnyValue in a Deny spares who does not carry the key
    return _positive(leaf, name, Operator(operator.quantifier, operator.base, False, False), owner)


def _positive(leaf: Leaf, name: str, operator: Operator, owner: Owner) -> Strength:
    """A test that only a request with a fitting value passes; the weakest of its values counts."""
    if not leaf.values:
        return Strength.S4
    pattern = operator.base in ("stringlike", "arnlike")
    values = [value for value in leaf.values if pattern or not never_met(name, value)]
    if name == "aws:sourceip" and everywhere(values):
        return Strength.S0
    return min((_value(name, value, pattern, owner) for value in values), default=Strength.S4)


def _value(name: str, value: str, pattern: bool, owner: Owner) -> Strength:
    wild = pattern and has_wildcard(value)
    if pattern and set(value) <= {"*"}:
        return Strength.S0
    if "${" in value:
        return Strength.S1
    if name in ACCOUNT_KEYS:
        if wild or not is_account_id(value):
            return Strength.S1
        return Strength.S4 if value == owner.account else Strength.S3
    if name in ("aws:principalorgid", "aws:sourceorgid", "aws:sourceaccount", "aws:vpceaccount", "aws:vpceorgid"):
        return Strength.S1 if wild else Strength.S3
    if name in ("aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"):
        return Strength.S1 if has_wildcard(value.split("/", 1)[0]) else Strength.S3
    if name in ("aws:principalarn", "aws:sourcearn"):
        return _arn(value)
    return _other(name, value, wild)


def _arn(value: str) -> Strength:
    """An ARN binds when its account is fixed; the name may be a pattern within that account."""
    account = account_of(value)
    if account is not None:
        return Strength.S3
    return Strength.S3 if unique_without_account(value) else Strength.S1


def unique_without_account(value: str) -> bool:
    """Whether an ARN names one resource of a partition although it has no account: a bucket or a hosted zone."""
    parts = value.split(":", 5)
    return len(parts) > 5 and parts[0] == "arn" and parts[2] in ("s3", "route53") and not has_wildcard(parts[5])


def _other(name: str, value: str, wild: bool) -> Strength:
    if name == "aws:userid":
        # The id names the user or role, or the account of a federated user; what follows is the session.
        named = value.partition(":")[0]
        return Strength.S3 if not wild or is_unique_id(named) or is_account_id(named) else Strength.S1
    if name in IDENTITY_KEYS:
        return Strength.S1 if wild else Strength.S3
    if name in IMITABLE:
        return Strength.S1
    if name in CONSTANT:
        return Strength.S0
    if name in ("aws:sourceip", "aws:vpcsourceip"):
        return Strength.S0 if everywhere([value]) else Strength.S2
    family = vocabulary.family_of(name)
    if family == "aws:principaltag/" or (family == "kms:encryptioncontext:" and wild):
        return Strength.S1
    if wild and set(value) <= set("*?"):
        return Strength.S0
    return Strength.S2
