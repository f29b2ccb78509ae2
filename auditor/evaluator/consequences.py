"""What a test that holds says about other condition keys: facts that follow from each other in every request.

The same facts as in ``implied``, said of tests instead of known values. Sources: as there; KMS developer guide, grants,
for what a grant needs. Nothing here looks at a policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator import glob, implied
from auditor.evaluator.consistency import Literal, asks_for_values, excludes, needs_absence, operator_of
from auditor.evaluator.exact_context import EXACT
from auditor.evaluator.naming import SESSION_NAME
from auditor.evaluator.operators import Operator
from auditor.evaluator.places import of_organization
from auditor.model.residual import Leaf

_THROUGH_SERVICE = Leaf("Bool", "aws:ViaAWSService", ("true",))
_WITH_CONTEXT = Leaf("Null", "kms:EncryptionContextKeys", ("false",))
_WITH_MFA = Leaf("Bool", "aws:MultiFactorAuthPresent", ("true",))
_WITH_CONSTRAINT = Leaf("Null", "kms:GrantConstraintType", ("false",))
_WITH_EXACT = Leaf("StringEquals", "kms:GrantConstraintType", ("EncryptionContextEquals",))
_MAY_EXPIRE = Leaf("StringNotEquals", "kms:ExpirationModel", ("KEY_MATERIAL_DOES_NOT_EXPIRE",))
_WITH_SOURCE = Leaf("Null", "aws:SourceAccount", ("false",))
_OF_MANY_REGIONS = Leaf("Bool", "kms:MultiRegion", ("true",))
_SAID = {
    implied.MFA_AGE: (_WITH_MFA,),
    implied.CONTEXT_KEYS: (_WITH_CONSTRAINT,),
    implied.CONSTRAINT_TYPE: (_WITH_CONTEXT,),
    implied.VALID_TO: (_MAY_EXPIRE,),
    "kms:multiregionkeytype": (_OF_MANY_REGIONS,),
    **dict.fromkeys(implied.SOURCE_ORGANIZATION, (_WITH_SOURCE,)),
}
"""Condition key (lower case) → what every request says that carries it. Constraints are of grants alone; where a
request makes none, nothing asks for their type."""
_LISTS = {implied.CONTEXT_KEYS: "kms:EncryptionContext:", implied.TAG_KEYS: "aws:RequestTag/"}
"""Condition key (lower case) with the names of pairs → what the condition keys of the pairs begin with."""
_CONTEXT_CONSTRAINTS = (EXACT, "GrantEncryptionContextSubset")
_ONE_FACT = {
    "kms:calleraccount": "aws:PrincipalAccount",
    "aws:principalaccount": "kms:CallerAccount",
    **implied.OTHER_TIME,
}
"""Two names of one fact."""


def said_by(literal: Literal) -> list[Literal]:
    """What a literal says about other condition keys."""
    leaf, holds = literal
    key = leaf.key.lower()
    if holds and leaf.operator in _CONTEXT_CONSTRAINTS:
        return [(one, True) for one in _of_constraint(leaf)]
    if key in _ONE_FACT:
        return [(replace(leaf, key=_ONE_FACT[key]), holds), *((one, True) for one in of_organization(literal))]
    if key == implied.FOR_RESOURCE and not excludes(literal, ("false",)):
        return []
    said = (*_of_presence(literal), *_of_values(literal), *_of_absence(literal), *of_organization(literal))
    return [(one, True) for one in said]


def _of_constraint(leaf: Leaf) -> list[Leaf]:
    """The pairs that a grant's constraint demands, their names, and that there are some. A grant that is made by
    permission of one with a constraint has one that is at least as strict."""
    pairs = [pair for value in leaf.values if len(pair := value.split("=")) == 2]
    said = [Leaf("StringEquals", f"kms:EncryptionContext:{name}", (value,)) for name, value in pairs]
    named = [Leaf("ForAnyValue:StringEqualsIgnoreCase", _WITH_CONTEXT.key, (name,)) for name, _ in pairs]
    there = [_WITH_CONTEXT, _WITH_EXACT if leaf.operator == EXACT else _WITH_CONSTRAINT] if leaf.values else []
    return [*said, *named, *there]


def _of_presence(literal: Literal) -> tuple[Leaf, ...]:
    """What every request says that carries the literal's condition key, where no other meets the literal."""
    key = literal[0].key.lower()
    together = tuple(Leaf("Null", other, ("false",)) for other in implied.TOGETHER.get(key, ()))
    apart = tuple(Leaf("Null", other, ("true",)) for other in implied.EXCLUSIVE.get(key, ()))
    through = key in implied.THROUGH_SERVICE or key == implied.FOR_RESOURCE
    found = (*((_THROUGH_SERVICE,) if through else ()), *apart, *together, *_SAID.get(key, ()), *_of_pair(key))
    return found if found and excludes(literal, ()) else ()


def _of_pair(key: str) -> tuple[Leaf, ...]:
    """What a pair of the encryption context or a tag of the request says about the list of their names."""
    for names, prefix in _LISTS.items():
        if key.startswith(prefix.lower()):
            named = Leaf("ForAnyValue:StringEqualsIgnoreCase", implied.SPELLED[names], (key[len(prefix) :],))
            return (_WITH_CONTEXT, named, _WITH_CONSTRAINT) if names == implied.CONTEXT_KEYS else (named,)
    return ()


def _of_absence(literal: Literal) -> Iterator[Leaf]:
    """What every request says that does not carry the literal's key, where no other meets it: a grant has a grantee."""
    other = implied.EITHER.get(literal[0].key.lower())
    if other is not None and needs_absence(literal):
        yield Leaf("Null", other, ("false",))


def _of_values(literal: Literal) -> Iterator[Leaf]:
    """What every request says whose key has a value that the literal asks for."""
    leaf, key = literal[0], literal[0].key.lower()
    operator = operator_of(leaf)
    if operator is None or not asks_for_values(operator, literal):
        return
    if key in implied.CALLED_VIA[1:] and operator.base != "bool":
        yield Leaf(f"ForAnyValue:{_positive(leaf.operator)}", "aws:CalledVia", leaf.values)
    if key == SESSION_NAME.lower() and operator.base == "stringequals":
        yield Leaf("StringLike", "aws:userid", tuple(f"*:{glob.literal(name)}" for name in leaf.values))
    if key in _LISTS and (name := _lone_name(leaf, operator)):
        yield Leaf("Null", f"{_LISTS[key]}{name}", ("false",))


def _positive(operator: str) -> str:
    """The name of the operator without negation, quantifier and IfExists."""
    return operator.rpartition(":")[2].replace("Not", "").removesuffix("IfExists")


def _lone_name(leaf: Leaf, operator: Operator) -> str | None:
    """The one name that a test asks a list for, whatever else is in it."""
    equal = operator.base in ("stringequals", "stringequalsignorecase")
    return leaf.values[0] if equal and len(leaf.values) == 1 and "${" not in leaf.values[0] else None
