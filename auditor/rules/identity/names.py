"""Rules about names that policies trust by text: whoever can make or take the name has the access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import common_text, has_wildcard, matches
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.request_keys import never_met
from auditor.evaluator.statements import action_mask
from auditor.model.actions import CONTROL, READ_PLAINTEXT
from auditor.model.arn import SERVICE_LINKED_PATH, account_of
from auditor.model.finding import Evidence
from auditor.model.policy import ConditionTest, Statement
from auditor.model.principal import Principal
from auditor.rules.acting import acts
from auditor.rules.corrections import one_or_many
from auditor.rules.exposure.strangers import for_everybody
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, count, given, naming, titled
from auditor.rules.iam_request import resolved
from auditor.rules.iam_side import identities_of, may, speakers
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.principals import condition_values, service_linked
from auditor.rules.statements import render
from auditor.rules.view import View

UNLOCKS = READ_PLAINTEXT | CONTROL
FILLER = "x"


def name_tests(statement: Statement) -> list[ConditionTest]:
    """The positive tests on ``aws:PrincipalArn`` of an Allow, or the exempting ones of a Deny."""
    found = []
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator is None or test.key.lower() != "aws:principalarn" or operator.base == "null":
            continue
        if operator.negated == (statement.effect == "Deny"):
            like = operator.base in ("stringlike", "arnlike")
            values = tuple(value for value in test.values if like or not never_met("aws:principalarn", value))
            found.append(replace(test, values=values))
    return found


def candidate(pattern: str, account: str) -> str:
    """A role ARN in ``account`` that the pattern matches: wildcards in the name are filled in."""
    parts = pattern.split(":", 5)
    if len(parts) != 6:
        return ""
    name = parts[5].replace("*", FILLER).replace("?", FILLER)
    resource = name if name.startswith(("role/", "user/")) else f"role/{name}"
    return f"arn:{parts[1].replace('*', 'aws')}:iam::{account}:{resource}"


def creators(view: View, target: str, account: str) -> tuple[list[Principal], list[Principal]]:
    """Identities of the account that may create ``target``: ordinary ones, and account administrators."""
    action = "iam:CreateUser" if ":user/" in target else "iam:CreateRole"
    able = [
        who for who in speakers(view, account, action) if not service_linked(who) and may(view, who, action, target)
    ]
    return told_apart(view, able)


def told_apart(view: View, able: list[Principal]) -> tuple[list[Principal], list[Principal]]:
    """Ordinary identities, and account administrators."""
    ordinary = [who for who in able if not view.trust.account_admin(who)]
    return ordinary, [who for who in able if view.trust.account_admin(who)]


def makers(view: View, pattern: str, account: str) -> tuple[list[Principal], list[Principal]]:
    """Those of the account who may create a name that the pattern matches: any, or one that their policies allow."""
    target = candidate(pattern, account)
    ordinary, admins = creators(view, target, account)
    if not target or not has_wildcard(pattern.split(":", 5)[-1]):
        return ordinary, admins
    action = "iam:CreateUser" if ":user/" in target else "iam:CreateRole"
    spelled = ":".join((*target.split(":", 5)[:5], pattern.split(":", 5)[-1]))
    found = {who.arn for who in (*ordinary, *admins)}
    more = [
        who
        for who in speakers(view, account, action)
        if who.arn not in found
        and not service_linked(who)
        and any(may(view, who, action, name) for name in shared_names(who, action, spelled))
    ]
    others, more_admins = told_apart(view, more)
    return ordinary + others, admins + more_admins


def shared_names(who: Principal, action: str, pattern: str) -> set[str]:
    """Names that the pattern and a Resource of the identity's Allow statements both match, new ones where possible."""
    found = set()
    for attached in who.identity_policies:
        for statement in attached.policy.statements:
            if statement.effect != "Allow" or not acts(statement, action):
                continue
            spoken = [resolved(one, who) for one in statement.resources or ()]
            for resource in [*spoken, "*"] if statement.not_resources is not None else spoken:
                new = common_text(pattern.replace("*", f"*{FILLER}"), resource)
                found.add(new or common_text(pattern, resource))
    return {name for name in found if ":role/" in name or ":user/" in name}


def protected(pattern: str) -> bool:
    """Whether only AWS can make a matching role."""
    return SERVICE_LINKED_PATH in pattern or "/aws-reserved/" in pattern


def reclaimable_principal_name(view: View) -> Iterator[Hit]:
    """Access waits for whoever creates a missing name again.

    A condition on ``aws:PrincipalArn`` keeps the text of a name, so a role that is created anew under it gets the
    access; a Principal element does not. Told when nobody of that name exists and somebody may create it, and for a
    pattern under which others than account administrators may create one more, in every account that it lets in.
    Accounts that were not collected are silent; exemptions of SCPs and RCPs are told by guardrail-exemption-matchable.

    Fix: use a Principal element or a protected path, and deny role creation on that path.
    """
    for placed in key_statements(view):
        statement, key = placed.located.statement, placed.key
        if key is None or statement.effect is None:
            continue
        for test in name_tests(statement):
            for pattern in test.values:
                if "${" in pattern or pattern.endswith(":root") or protected(pattern):
                    continue
                held, ordinary, admins = _takers(view, pattern, _accounts_meant(view, statement, pattern, key.account))
                if ordinary or (admins and not held):
                    yield _reclaim_hit(placed, test, pattern, ordinary, admins, held)


def _takers(view: View, pattern: str, accounts: list[str]) -> tuple[list[Principal], list[Principal], list[Principal]]:
    """Who has a name of the pattern in the accounts, and who may create one that is not taken: ordinary identities, and
    administrators of the account."""
    held: list[Principal] = []
    ordinary: list[Principal] = []
    admins: list[Principal] = []
    for account in accounts:
        named = named_by(view, account, pattern)
        held += named
        if not named or has_wildcard(pattern.split("/", 1)[-1]):
            here, there = _makers_once(view, pattern, account)
            taken = {who.arn for who in named}
            ordinary += [who for who in here if who.arn not in taken]
            admins += there
    return held, ordinary, admins


def _makers_once(view: View, pattern: str, account: str) -> tuple[list[Principal], list[Principal]]:
    memo = view.commons.of_account(account)
    return memo.once(f"makers of {pattern} {view.settings.account_admins}", lambda: makers(view, pattern, account))


def named_by(view: View, account: str, pattern: str) -> list[Principal]:
    """The identities of an account that a pattern matches; asked once."""

    def make() -> list[Principal]:
        return [who for who in identities_of(view, account) if matches(pattern, who.iam_arn)]

    return view.commons.of_account(account).once(f"named by {pattern}", make)


def _accounts_meant(view: View, statement: Statement, pattern: str, owner: str) -> list[str]:
    """The collected accounts whose identities a pattern speaks of: of one with a wildcard for the account, those that
    the statement lets in."""
    parts = pattern.split(":")
    if len(parts) <= 4 or not has_wildcard(parts[4]):
        named = account_of(pattern)
        return [named] if named is not None and identities_of(view, named) else []
    meant = {account for account in _spoken_to(view, statement, owner) if matches(parts[4], account)}
    return [one for one in sorted(meant) if identities_of(view, one) and _lets_in(view, statement, one)]


def _spoken_to(view: View, statement: Statement, owner: str) -> set[str]:
    """The accounts whose identities a statement speaks of: all that were collected, or those that it names."""
    if for_everybody(statement):
        return {owner, *view.trust.collected}
    named = {account_of(entry.value) for entry in statement.principals or () if is_account_principal(entry.value)}
    return {one for one in named if one} if statement.effect == "Allow" else {owner}


def _lets_in(view: View, statement: Statement, account: str) -> bool:
    """Whether what a statement asks of the caller's account and organization leaves the identities of an account."""
    accounts = condition_values(statement, "aws:principalaccount", "kms:calleraccount")
    if accounts and not any(matches(value, account) for value in accounts):
        return False
    organizations = condition_values(statement, "aws:principalorgid", "aws:principalorgpaths")
    known = view.trust.organization_of(account, whole_path=False)
    return not organizations or known is None or any(matches(value.split("/")[0], known) for value in organizations)


def _reclaim_hit(
    placed: Placed,
    test: ConditionTest,
    pattern: str,
    ordinary: list[Principal],
    admins: list[Principal],
    held: list[Principal],
) -> Hit:
    statement = placed.located.statement
    able = ordinary or admins
    unlocks = action_mask(statement) & UNLOCKS
    return placed.hit(
        f"{titled(statement)} of {placed.name} trusts the name {pattern}, which "
        f"{'others may take as well' if held else 'nobody has'}: {count(len(able), 'identity')} can create it.",
        more=(
            Evidence("condition", f"{test.operator} {test.key} {pattern}"),
            naming("can create it", (who.arn for who in able)),
        ),
        raised=given((ordinary and unlocks, "what the name unlocks")),
        lowered=given((not ordinary, "only administrators")),
        identity=(meaning(statement), pattern),
        remedy=sealed([pattern]),
        advice="Name the principal in the Principal element, or seal the name: the SCP statement keeps others from it.",
    )


def sealed(patterns: list[str]) -> str:
    """An SCP statement that keeps everybody but those who have the name from creating or changing it."""
    actions = (
        "iam:CreateRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:TagRole",
    )
    statement = {"Sid": "SealedNames", "Effect": "Deny", "Action": list(actions), "Resource": one_or_many(patterns)}
    return render({**statement, "Condition": {"ArnNotLike": {"aws:PrincipalArn": one_or_many(patterns)}}})
