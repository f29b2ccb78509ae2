"""What a key's side can depend on: the callers it names, the accounts it names, the caller facts that it tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import Compiled
from auditor.evaluator.traits import ACCOUNT_SCOPED, caller_scoped
from auditor.model.actions import ON_KEY
from auditor.model.arn import account_of, is_unique_id, session_role_name
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer, PrincipalValue
from auditor.model.principal import Principal


@dataclass(frozen=True, slots=True)
class CallerTest:
    """A condition test whose answer belongs to the individual caller. ``bits``: one action of each kind of request that
    the test can tell apart. ``of_key``: the key takes part in it too."""

    test: ConditionTest
    effect: str
    layer: Layer
    bits: tuple[int, ...]
    has_variables: bool
    of_key: bool


@dataclass(frozen=True, slots=True)
class KeyView:
    """See the module; ``named`` are Principal and grantee values other than ``*`` and accounts, ``caller_facts`` the
    facts of the individual caller that stand as variables in a Resource."""

    named: tuple[str, ...]
    accounts: frozenset[str]
    account_facts: tuple[str, ...]
    tests: tuple[CallerTest, ...]
    caller_facts: tuple[str, ...]
    not_principal: bool


def view_of(key: Key, compiled: Iterable[Compiled]) -> KeyView:
    """The view of one key; ``compiled`` are the statements of its policies and of the RCPs that bind it."""
    values: list[PrincipalValue] = []
    names: set[str] = set()
    tests: dict[CallerTest, None] = {}
    in_resources: set[str] = set()
    not_principal = False
    for one in compiled:
        statement = one.statement
        values.extend([*(statement.principals or ()), *(statement.not_principals or ())])
        not_principal = not_principal or statement.not_principals is not None
        names |= one.keys
        tests.update(dict.fromkeys(_caller_tests(one)))
        in_resources.update(_in_resources(one))
    holders = [arn for grant in key.grants for arn in (grant.grantee, grant.retiring) if arn is not None]
    texts = dict.fromkeys([*(entry.value for entry in values if entry.kind == "AWS"), *holders])
    accounts = {account_of(text) for text in texts if is_account_principal(text)}
    accounts |= {grant.issuing_account for grant in key.grants}
    return KeyView(
        named=tuple(text for text in texts if text != "*" and not is_account_principal(text)),
        accounts=frozenset(account for account in accounts if account) | {key.account},
        account_facts=tuple(sorted(names & ACCOUNT_SCOPED)),
        tests=tuple(tests),
        caller_facts=tuple(sorted(in_resources)),
        not_principal=not_principal,
    )


def _caller_tests(one: Compiled) -> Iterator[CallerTest]:
    """The tests of a statement that concern the individual caller, directly or through a variable."""
    if not caller_scoped(one.keys):
        return
    groups = [group for group in one.groups if group & ON_KEY] or one.groups
    bits = tuple((group & -group).bit_length() - 1 for group in groups)
    for test in one.statement.conditions:
        direct = bool(caller_scoped(frozenset([test.key.lower()])))
        variable = one.has_variables and any("${" in value for value in test.values)
        if direct or variable:
            effect, asked = one.statement.effect or "", bits if variable else bits[:1]
            yield CallerTest(test, effect, one.ref.layer, asked, one.has_variables, of_key=variable)


def _in_resources(one: Compiled) -> tuple[str, ...]:
    """The facts of the individual caller that stand as variables in the statement's Resource or NotResource."""
    texts = (*(one.statement.resources or ()), *(one.statement.not_resources or ()))
    if not one.has_variables or not any("${" in text for text in texts):
        return ()
    return caller_scoped(one.variables)


def named_accounts(test: CallerTest) -> frozenset[str] | None:
    """The accounts that a test on aws:PrincipalArn names; None when it is another test or may concern any account."""
    operator = parse_operator(test.test.operator)
    if test.of_key or operator is None or operator.quantifier or test.test.key.lower() != "aws:principalarn":
        return None
    if operator.base not in ("arnlike", "stringequals"):
        return None
    accounts = {account_of(value) for value in test.test.values}
    return None if None in accounts else frozenset(account for account in accounts if account)


def negated(test: CallerTest) -> bool:
    """Whether the operator of the test is a negation."""
    operator = parse_operator(test.test.operator)
    return operator is not None and operator.negated


@dataclass(slots=True)
class CallerIndex:
    """Row numbers of callers by the ways in which policies and grants name them."""

    by_arn: dict[str, list[int]] = field(default_factory=dict)
    by_unique_id: dict[str, list[int]] = field(default_factory=dict)
    by_role_name: dict[tuple[str | None, str], list[int]] = field(default_factory=dict)
    by_unknown_path: dict[tuple[str | None, str], list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, principals: tuple[Principal, ...]) -> CallerIndex:
        """The index of all rows."""
        index = cls()
        for row, principal in enumerate(principals):
            for arn in sorted({principal.arn, principal.iam_arn}):
                index.by_arn.setdefault(arn, []).append(row)
            if principal.unique_id:
                index.by_unique_id.setdefault(principal.unique_id, []).append(row)
            name = (principal.account, principal.iam_arn.rsplit("/", 1)[-1])
            index.by_role_name.setdefault(name, []).append(row)
            if principal.path_unknown:
                index.by_unknown_path.setdefault(name, []).append(row)
        return index

    def rows(self, value: str) -> Iterator[int]:
        """The rows that a Principal value, other than ``*`` or an account, may name."""
        yield from self.by_arn.get(value, ())
        if self.by_unknown_path:
            yield from self.by_unknown_path.get((account_of(value), value.rsplit("/", 1)[-1]), ())
        if is_unique_id(value):
            yield from self.by_unique_id.get(value, ())
        session = session_role_name(value)
        if session is not None:
            yield from self.by_role_name.get((account_of(value), session[0]), ())
