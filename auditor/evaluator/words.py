"""Residual conditions in plain words: “only through Secrets Manager in us-east-1, with encryption context …”."""

from __future__ import annotations

import re
from dataclasses import replace

from auditor.evaluator.consistency import operator_of
from auditor.evaluator.expressions import UNSETTLED
from auditor.evaluator.operators import Operator, satisfied
from auditor.evaluator.phrases import BOOLEANS, COMPARISONS, NAMED, ONE, PATHS, SERVICES, SUBJECTS, WHOSE
from auditor.evaluator.request_keys import usual
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual

_VIA = re.compile(r"^([a-z0-9-]+)\.([a-z0-9-]+|\*)\.amazonaws\.com$")


def in_words(residual: Residual | None) -> str:
    """The condition as a phrase that completes “allowed …”; empty for no condition."""
    if residual is None or residual == Constant(True):
        return ""
    return _phrase(residual, nested=False)


def _phrase(item: Residual, *, nested: bool, present: frozenset[str] = frozenset()) -> str:
    """``present``: the condition keys (lower case) that the request carries, as a part beside this one says."""
    match item:
        case Constant(value):
            return "always" if value else "never"
        case Leaf():
            return _leaf(item, holds=True, present=present)
        case Not(Leaf() as leaf):
            return _leaf(leaf, holds=False, present=present)
        case Not(inner):
            return f"not ({_phrase(inner, nested=False)})"
        case AllOf(items):
            parts, word = _parts(items, frozenset(filter(None, map(_carried, items)))), " and "
        case AnyOf(items):
            first, *others = _parts(items)
            parts, word = [first, *(other.removeprefix("only ") for other in others)], " or "
    return f"({word.join(parts)})" if nested and len(parts) > 1 else word.join(parts)


def _carried(item: Residual) -> str:
    """The condition key (lower case) that a part asks for, whatever its value; empty for another part."""
    leaf = item.item if isinstance(item, Not) else item
    if not isinstance(leaf, Leaf) or leaf.operator.lower() != "null":
        return ""
    absent = any(value.lower() == "true" for value in leaf.values)
    return leaf.key.lower() if absent == isinstance(item, Not) else ""


def _parts(items: tuple[Residual, ...], present: frozenset[str] = frozenset()) -> list[str]:
    """The parts of a conjunction or disjunction; facts that could not be read are told once, together, and last."""
    open_facts = [_open_fact(part) for part in items]
    plain = [part for part, fact in zip(items, open_facts, strict=True) if fact is None]
    told = [_phrase(part, nested=True, present=present) for part in plain]
    reasons: dict[str, list[str]] = {}
    for fact in dict.fromkeys(fact for fact in open_facts if fact is not None):
        reasons.setdefault(_why_open(fact), []).append(fact)
    return [*told, *(_depends(facts, why) for why, facts in reasons.items())]


def _open_fact(item: Residual) -> str | None:
    """The fact that a leaf stands for, whichever way it is asked; None for another condition."""
    leaf = item.item if isinstance(item, Not) else item
    return leaf.key if isinstance(leaf, Leaf) and leaf.operator == UNSETTLED else None


def _depends(facts: list[str], why: str) -> str:
    named = " and ".join(part for part in (", ".join(facts[:-1]), facts[-1]) if part)
    return f"depends on {named}, which {why}"


def _listed(values: tuple[str, ...]) -> str:
    if not values:
        return "nothing"
    if len(values) == 1:
        return values[0]
    shown = values[:8]
    rest = f" or {len(values) - 8} more" if len(values) > 8 else ""
    if rest:
        return ", ".join(shown) + rest
    return f"{', '.join(shown[:-1])} or {shown[-1]}"


def _leaf(leaf: Leaf, *, holds: bool, present: frozenset[str]) -> str:
    if leaf.operator == UNSETTLED:
        return _depends([leaf.key], _why_open(leaf.key))
    if leaf.unread:
        return f"{_leaf(replace(leaf, unread=''), holds=holds, present=present)} ({leaf.unread} could not be read)"
    operator = operator_of(leaf)
    if operator is None and leaf.operator.startswith("Grant"):
        return _grant_constraint(leaf, holds)
    key = leaf.key.lower()
    if operator is None:
        return f"{'if' if holds else 'unless'} {leaf.operator} {leaf.key} {_listed(leaf.values)}"
    positive = holds != operator.negated
    plain = key in PATHS and not positive  # “not callers below …” says it
    may_be_absent = usual(key).may_be_absent and key not in present and not plain
    absent = _absent_passes(operator, holds) if may_be_absent else ""
    if operator.base == "null":
        missing = any(value.lower() == "true" for value in leaf.values) == holds
        return _presence(key, leaf.key, missing)
    if _any_value_will_do(operator, key, leaf.values):
        return _presence(key, leaf.key, not positive)
    if operator.base == "bool" and len(leaf.values) == 1:
        return _boolean(key, leaf, positive, absent)
    return _test(key, leaf, COMPARISONS.get(operator.base, operator.base), _every(operator, holds), positive) + absent


def _every(operator: Operator, holds: bool) -> bool | None:
    """Whether all values have to be as the test says, or one of them; None: it compares no set. What is false of one is
    so because every other thing is true of all, and the other way round."""
    return (operator.quantifier == "all") == holds if operator.quantifier else None


def _any_value_will_do(operator: Operator, key: str, values: tuple[str, ...]) -> bool:
    """Whether the test is one of the key's presence: every value that the key can have is listed."""
    if operator.quantifier == "all" or operator.if_exists:
        return False
    if operator.base == "stringlike" and "*" in values:
        return True
    one = replace(operator, negated=False, quantifier="")
    domain = usual(key).domain
    return domain is not None and all(satisfied(one, values, (value,)) for value in domain)


def _why_open(what: str) -> str:
    """Why a fact is missing, by its name."""
    if what.startswith("effect of "):
        return "AWS does not document"
    return "does not exist" if what.startswith("condition operator ") else "could not be read"


def _absent_passes(operator: Operator, holds: bool) -> str:
    """A reminder where a request without the condition key passes too; “the key” alone would be the KMS key."""
    expected = operator.if_exists or _every(operator, holds)
    passes = operator.if_exists or operator.quantifier == "all" or (operator.negated and operator.quantifier != "any")
    return " (or where the request does not say)" if passes == holds and expected else ""


def _presence(key: str, name: str, missing: bool) -> str:
    if key == "kms:viaservice":
        return "only in direct calls" if missing else "only through an AWS service"
    if key == "aws:multifactorauthage":
        return "without MFA" if missing else "with MFA"
    if key.startswith("kms:encryptioncontext"):
        what = "an encryption context" if key == "kms:encryptioncontextkeys" else _subject(key, name)
        return f"{'without' if missing else 'with'} {what}"
    return f"only {'without' if missing else 'with'} {name} in the request"


def _boolean(key: str, leaf: Leaf, positive: bool, absent: str) -> str:
    value = leaf.values[0].lower()
    wanted = value if positive else ("false" if value == "true" else "true")
    known = BOOLEANS.get((key, wanted))
    if known:
        return f"only {known}{absent}"
    return f"only if {leaf.key} is {wanted}{absent}"


def _services(values: tuple[str, ...]) -> str:
    names = []
    for value in values:
        found = _VIA.match(value)
        if found is None:
            names.append(value)
            continue
        name = SERVICES.get(found.group(1), found.group(1))
        names.append(name if found.group(2) == "*" else f"{name} in {found.group(2)}")
    return _listed(tuple(names))


def _subject(key: str, name: str) -> str:
    for family, subject in NAMED.items():
        if key.startswith(family):
            return f"{subject} {name[len(family) :]}"
    return SUBJECTS.get(key, name)


def _test(key: str, leaf: Leaf, verb: str, every: bool | None, positive: bool) -> str:
    if key == "kms:viaservice":
        return f"{'only' if positive else 'not'} through {_services(leaf.values)}"
    if key.startswith("kms:encryptioncontext:") and verb == "is":
        name = leaf.key[len("kms:encryptioncontext:") :]
        return f"{'with' if positive else 'without'} encryption context {name} = {_listed(leaf.values)}"
    if key == "sts:rolesessionname":
        return f"{'only for session' if positive else 'not for session'} {_listed(leaf.values)}"
    if key in WHOSE or (key in PATHS and not (every and positive)):
        subject = PATHS.get(key) or _subject(key, leaf.key)
        return f"{'only' if positive else 'not'} {subject} {_listed(leaf.values)}"
    each = "" if every is None else "every one of " if every else "at least one of "
    subject = ONE.get(key, "") if not each else ""
    phrase = verb if positive else _negated(verb)
    return f"only if {each}{subject or _subject(key, leaf.key)} {phrase} {_listed(leaf.values)}"


def _negated(verb: str) -> str:
    if verb.startswith("is not "):
        return f"is {verb[7:]}"
    return f"is not {verb[3:]}".strip() if verb.startswith("is") else f"does not {verb.removesuffix('es')}"


def _grant_constraint(leaf: Leaf, holds: bool) -> str:
    pairs = " and ".join(leaf.values)
    text = {
        "GrantEncryptionContextEquals": f"with exactly the encryption context {pairs}",
        "GrantEncryptionContextSubset": f"with encryption context {pairs}",
    }.get(leaf.operator, f"{leaf.operator} {pairs}")
    return text if holds else f"not {text}"
