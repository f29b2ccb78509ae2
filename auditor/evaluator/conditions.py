"""Partial evaluation of a statement's conditions: what is known is decided, what only a request can tell remains.

Operators under one Condition, keys under one operator: AND; values: OR.
Source: IAM user guide, conditions with multiple context keys or values.
"""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.callers import places_of
from auditor.evaluator.expressions import all_of, unsettled
from auditor.evaluator.facts import Question, over_alias_quota
from auditor.evaluator.operators import COMPARE, Operator, parse_operator, readable, satisfied
from auditor.evaluator.request_keys import never_met, usual
from auditor.evaluator.values import ABSENT, KeyValue, Known, RunTime, Unsettled
from auditor.evaluator.variables import VARIABLE, lone_variable, may_lack_value, resolve
from auditor.model.arn import is_account_id, parse_arn
from auditor.model.policy import ConditionTest, Statement, StatementRef
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

_PATTERNED = ("stringlike", "arnlike")
_TURNABLE = ("stringequals", "stringequalsignorecase", "stringlike")
LETTER_BY_LETTER = ("stringequals", "stringequalsignorecase")
_BOOLEANS = ("false", "true")


def condition_residual(
    statement: Statement, question: Question, *, has_variables: bool, source: StatementRef
) -> Residual:
    """What remains of the statement's Condition for this question."""
    effect = statement.effect or ""
    parts = [
        test_outcome(test, effect, question, has_variables=has_variables, source=source)
        for test in statement.conditions
    ]
    if not statement.condition_readable:
        parts.append(unsettled(f"the Condition of {source}"))
    return all_of(parts)


def empty_set_passes(statement: Statement, question: Question) -> bool:
    """Whether a test of the statement holds only because its key is absent (see ``passes_empty``)."""
    return any(passes_empty(test, question.value(test.key)) for test in statement.conditions)


def passes_empty(test: ConditionTest, value: KeyValue) -> bool:
    """Whether a ForAllValues test holds only because its key is absent (a known trap)."""
    operator = parse_operator(test.operator)
    return operator is not None and operator.quantifier == "all" and value == ABSENT


def never_passes(test: ConditionTest) -> bool:
    """Whether no request meets the test, whoever makes it and whatever key it is about."""
    operator = parse_operator(test.operator)
    if operator is None or any("${" in value for value in test.values):
        return False
    return _outcomes(operator, _meetable(operator, test, usual(test.key.lower())), usual(test.key.lower())) == {False}


def test_outcome(
    test: ConditionTest, effect: str, question: Question, *, has_variables: bool, source: StatementRef | None = None
) -> Residual:
    """What remains of one test; ``effect`` is that of its statement."""
    operator = parse_operator(test.operator)
    if operator is None:
        return unsettled(f"condition operator {test.operator}", _spelled(test))
    value = question.value(test.key)
    outcome = _outcome(test, operator, value, question, has_variables=has_variables, source=source)
    if test.key.lower() == "kms:resourcealiases" and effect == "Allow":
        return all_of((outcome, _within_alias_quota(value, question)))
    return outcome


def _within_alias_quota(value: KeyValue, question: Question) -> Residual:
    """Too many aliases make false what rests on them; of aliases that could not be read nobody knows how many."""
    if over_alias_quota(question.key):
        return FALSE
    return unsettled(value.what, "within the quota") if isinstance(value, Unsettled) else TRUE


def _outcome(
    test: ConditionTest,
    operator: Operator,
    value: KeyValue,
    question: Question,
    *,
    has_variables: bool,
    source: StatementRef | None,
) -> Residual:
    """What remains of a test of a condition key of which ``value`` is known."""
    wanted: list[str] = []
    waiting: list[str] = []
    missing = None
    for text in _meetable(operator, test, value):
        if not (has_variables and operator.takes_variables):
            wanted.append(text)
            continue
        resolved = resolve(text, question.value)
        if resolved.unsettled is not None:
            missing = resolved.unsettled
        elif resolved.text is not None:
            (waiting if resolved.open else wanted).append(resolved.text)
        elif operator.if_exists:
            return TRUE
    spell = glob.spelled if operator.base in _PATTERNED else glob.plain
    name, texts = vocabulary.canonical(test.key), {spell(text) for text in (*wanted, *waiting)}
    values = tuple(sorted(texts))
    leaf = Leaf(test.operator, name, values, source, places=places_of(name, values, question.surroundings))
    if missing is not None:
        # One more value can only turn a test towards its match, and none counts where the key is absent.
        rest = _decide(operator, tuple(wanted), value, leaf)
        settled = value == ABSENT or rest == (FALSE if operator.negated else TRUE)
        return rest if settled else unsettled(missing, _spelled(test))
    if waiting and value != ABSENT:
        if isinstance(value, Unsettled):
            return unsettled(value.what, _spelled(test))
        return _with_variables(operator, (tuple(wanted), tuple(waiting)), value, leaf, question)
    return _decide(operator, tuple(wanted), value, leaf)


def _spelled(test: ConditionTest) -> str:
    """The test as a text that tells it from others."""
    return f"{test.operator} {vocabulary.canonical(test.key)} {sorted(test.values)}"


def _meetable(operator: Operator, test: ConditionTest, value: KeyValue) -> tuple[str, ...]:
    """The values without those that no request has: a pattern where the operator has no wildcards, a text that has not
    the form of the key's values. One with a variable waits for what becomes of it."""
    if isinstance(value, Known):
        return test.values
    found = test.values
    if operator.base in LETTER_BY_LETTER:
        found = tuple(text for text in found if not never_met(test.key.lower(), text))
    if isinstance(value, RunTime) and value.forms and operator.base != "null":
        found = tuple(text for text in found if "${" in text or _possible(operator, text, value))
    return found


def _with_variables(
    operator: Operator,
    texts: tuple[tuple[str, ...], tuple[str, ...]],
    value: Known | RunTime,
    leaf: Leaf,
    question: Question,
) -> Residual:
    """A test with values that wait for a request to fill in their variables; ``texts``: the finished ones, then those.
    Where the key's own value is settled, only what the variables may still change remains."""
    wanted, waiting = texts
    if operator.quantifier:
        return leaf
    if isinstance(value, RunTime):
        spared = operator.if_exists or any(_within_reach(operator, text, value) for text in (*wanted, *waiting))
        return leaf if spared else _decide(operator, (), value, leaf)
    if len(value.values) > 1:
        return leaf
    actual = value.values[0]
    # Under IfExists a variable without a value makes the test true: such a request keeps it from being false for sure.
    spared = operator.if_exists and any(may_lack_value(text, question.value) for text in waiting)
    never: Residual = leaf if spared else FALSE
    if any(COMPARE[operator.base](text, actual) for text in wanted):
        return never if operator.negated else TRUE
    possible = [text for text in waiting if _may_become(operator, text, actual)]
    if not possible:
        return TRUE if operator.negated else never
    name = lone_variable(possible[0]) if len(possible) == 1 and operator.base in _TURNABLE else None
    if name is not None:
        return _turned(operator, name, actual, question, leaf.source)
    spell = glob.spelled if operator.base in _PATTERNED else glob.plain
    return Leaf(leaf.operator, leaf.key, tuple(sorted({spell(text) for text in possible})), leaf.source)


def _within_reach(operator: Operator, text: str, value: RunTime) -> bool:
    """Whether ``text``, its variables filled in, can match a value that the key can have."""
    if operator.base not in _TURNABLE:
        return True
    if value.domain is not None:
        return any(_may_become(operator, text, one) for one in value.domain)
    if operator.base == "stringequalsignorecase":
        return True
    return _possible(replace(operator, base="stringlike"), _opened(operator, text), value)


def _opened(operator: Operator, text: str) -> str:
    """``text`` as a pattern, with whatever may stand for its variables."""
    return VARIABLE.sub("*", text if operator.base == "stringlike" else glob.literal(text))


def _may_become(operator: Operator, text: str, value: str) -> bool:
    """Whether ``text`` can match ``value`` once its variables are filled in."""
    if operator.base not in _TURNABLE:
        return True
    pattern = _opened(operator, text)
    if operator.base == "stringequalsignorecase":
        pattern, value = pattern.lower(), value.lower()
    return glob.matches(pattern, value)


def _turned(operator: Operator, name: str, value: str, question: Question, source: StatementRef | None) -> Residual:
    """A settled value compared with nothing but a variable, said of the variable's key: that is what a request decides.
    Where that key is absent, both forms give the same answer."""
    base = "stringequalsignorecase" if operator.base == "stringequalsignorecase" else "stringequals"
    turned = replace(operator, base=base)
    spelled = f"String{'Not' if operator.negated else ''}{'EqualsIgnoreCase' if 'ignorecase' in base else 'Equals'}"
    leaf = Leaf(f"{spelled}{'IfExists' if operator.if_exists else ''}", vocabulary.canonical(name), (value,), source)
    return _decide(turned, (glob.literal(value),), question.value(name), leaf)


def _decide(operator: Operator, wanted: tuple[str, ...], value: Known | RunTime | Unsettled, leaf: Leaf) -> Residual:
    if isinstance(value, Unsettled):
        return _of_unread(operator, wanted, value, leaf)
    if isinstance(value, Known):
        return TRUE if satisfied(operator, wanted, value.values) else FALSE
    outcomes = _outcomes(operator, wanted, value)
    if outcomes == {True}:
        return TRUE
    if outcomes == {False}:
        return FALSE
    if None not in outcomes:
        missing = "true" if satisfied(operator, wanted, ()) else "false"
        return replace(leaf, operator="Null", values=(missing,))  # any value that a request has gives one answer
    if value.domain is not None and value.domain != usual(leaf.key.lower()).domain:
        leaf = replace(leaf, among=value.domain)
    never_missing = operator.if_exists and not value.may_be_absent
    return replace(leaf, operator=leaf.operator[: -len("IfExists")]) if never_missing else leaf


def _of_unread(operator: Operator, wanted: tuple[str, ...], value: Unsettled, leaf: Leaf) -> Residual:
    """A test of a fact that could not be read: decided only where every value that it could have gives one answer.
    Otherwise it stays a test, so that it is compared with other tests of the fact; of an effect that nobody knows,
    only the same test says the same."""
    outcomes = _outcomes(operator, wanted, value.could) if value.could is not None else {None}
    if outcomes in ({True}, {False}):
        return TRUE if True in outcomes else FALSE
    if value.could is None or value.undocumented:
        return unsettled(value.what, f"{leaf.operator} {leaf.key} {leaf.values}")
    return replace(leaf, unread=value.what)


def _outcomes(operator: Operator, wanted: tuple[str, ...], value: RunTime) -> set[bool | None]:
    """The results that requests can have; None: a result that depends on the value."""
    outcomes = {_when_present(operator, wanted, value)}
    if value.may_be_absent:
        outcomes.add(satisfied(operator, wanted, ()))
    return outcomes


def _when_present(operator: Operator, wanted: tuple[str, ...], value: RunTime) -> bool | None:
    """The result for a request that carries the key, or None when it depends on the value."""
    if operator.base == "null":
        return satisfied(operator, wanted, ("present",))
    domain = _BOOLEANS if value.domain is None and operator.base == "bool" else value.domain
    if domain is not None:
        results = {satisfied(operator, wanted, (text,)) for text in domain}
        return results.pop() if len(results) == 1 else (None if results else False)
    if value.includes and operator.quantifier == "any" and satisfied(operator, wanted, value.includes):
        return True
    if value.includes and operator.quantifier == "all" and not satisfied(operator, wanted, value.includes):
        return False
    possible = tuple(text for text in wanted if _possible(operator, text, value))
    if not possible:
        return operator.negated
    if any(_certain(operator, text, value) for text in possible):
        return not operator.negated
    return None


def _possible(operator: Operator, text: str, value: RunTime) -> bool:
    """Whether the key can have a value that ``text`` matches, under the restrictions of ``value``."""
    patterned = operator.base in _PATTERNED
    if not readable(operator.base, text):
        return False
    if value.account is not None:
        arn = parse_arn(text)
        return arn is None or not is_account_id(arn.account) or arn.account == value.account
    if value.forms:
        asked, forms = text if patterned else glob.literal(text), value.forms
        if operator.base == "stringequalsignorecase":
            asked, forms = asked.lower(), tuple(form.lower() for form in forms)
        return any(glob.overlap(asked, form) for form in forms)
    if value.not_value is not None:
        return not glob.plain(text).startswith(value.not_value) or glob.has_wildcard(text[: len(value.not_value)])
    return True


def _certain(operator: Operator, text: str, value: RunTime) -> bool:
    """Whether every value that the key can have matches ``text``."""
    if operator.base != "stringlike":
        return False
    if set(text) == {"*"}:
        return True
    return bool(value.forms) and all(glob.covers(text, form) for form in value.forms)
