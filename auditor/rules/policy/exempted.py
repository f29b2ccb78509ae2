"""Rules about denials that name whom they spare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from auditor.evaluator.caller_side import certainly_bounded
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.model.arn import account_of, is_account_id, is_unique_id, parse_arn, session_role_name
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact
from auditor.model.policy import PrincipalValue
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, naming, titled
from auditor.rules.iam_side import identities_of
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.privilege.power import PUT_POLICY
from auditor.rules.reach import POSSIBLE
from auditor.rules.statements import as_written, render
from auditor.rules.view import View


def notprincipal_deny_trap(view: View) -> Iterator[Hit]:
    """A Deny with NotPrincipal locks out more than it says.

    IAM denies an exempted role that carries any permissions boundary all the same, an exempted role needs its account
    listed next to it, and an exempted session its role. Where every exemption works as written the finding is
    information, and potential where nobody could look whether an exempted role has a boundary.

    Fix: rewrite it as Principal * with ArnNotEquals on ``aws:PrincipalArn``.
    """
    for placed in key_statements(view):
        statement = placed.located.statement
        if statement.effect == "Deny" and statement.not_principals is not None:
            yield _trap_hit(view, placed, statement.not_principals, _problems(view, statement.not_principals))


def _unseen(view: View, value: str) -> bool:
    """Whether an exempted name is of a role or user that nobody looked at."""
    who = view.principal_by_arn.get(value)
    named = parse_arn(value)
    looked_at = who is not None and not who.assume_allowed and Fact.IDENTITIES not in who.unread
    return named is not None and named.resource.startswith(("role/", "user/")) and not looked_at


def _problems(view: View, exempt: Sequence[PrincipalValue]) -> list[str]:
    """What does not work as it is written, one sentence for each exemption."""
    listed = sorted(entry.value for entry in exempt if entry.kind == "AWS")
    accounts = {account_of(value) for value in listed if is_account_principal(value)}
    problems = []
    for value in listed:
        who = view.principal_by_arn.get(value)
        if who is not None and certainly_bounded(who):
            problems.append(f"{value} carries a permissions boundary and is denied all the same")
        elif is_unique_id(value) or _gone(view, value):
            problems.append(f"{value} was deleted")
        elif not is_account_principal(value) and value != "*" and account_of(value) not in accounts:
            problems.append(f"{value} is listed without its account principal")
        elif session_role_name(value) is not None and not _role_of(value, listed):
            problems.append(f"{value} is listed without its role")
    return problems


def _gone(view: View, arn: str) -> bool:
    """Whether the ARN is of a role or user that is not among those of an account whose identities were read."""
    named = parse_arn(arn)
    if named is None or named.service != "iam" or not named.resource.startswith(("role/", "user/")):
        return False
    facts, known = view.snapshot.account(named.account), identities_of(view, named.account)
    read = facts is not None and Fact.IDENTITIES not in facts.unread and bool(known)
    return read and all(who.arn != arn for who in known)


def _role_of(session: str, arns: Sequence[str]) -> str:
    """The one of the ARNs that is the role of a session, whatever its path; empty without any."""
    named, account = session_role_name(session), account_of(session)
    ending = f"/{named[0]}" if named else ""
    fitting = (arn for arn in arns if ":role/" in arn and account_of(arn) == account and arn.endswith(ending))
    return next(fitting, "")


def _trap_hit(view: View, placed: Placed, exempt: Sequence[PrincipalValue], problems: list[str]) -> Hit:
    statement = placed.located.statement
    covers = bool(action_mask(statement) & PUT_POLICY)
    position = view.reach.key_at[placed.key.arn] if placed.key else 0
    column = view.reach.table.cells[:, position]
    able = covers and any(
        view.reach.held(int(profile), position, *POSSIBLE) & PUT_POLICY for profile in set(column.tolist())
    )
    said = problems[0] if problems else "every exemption works as written"
    names = [entry.value for entry in exempt]
    doubtful = not problems and any(_unseen(view, name) for name in names)
    hit = placed.hit(
        f"{titled(statement)} of {placed.name} denies everybody but its exemptions: {said}.",
        more=(naming("exempted", names), *(Evidence("trap", text) for text in problems)),
        raised=given((problems and covers and not able, "covers kms:PutKeyPolicy")),
        lowered=given((not problems, "works as written")),
        identity=(meaning(statement),),
        remedy=_rewritten(view, placed, exempt),
    )
    return replace(hit, confidence=Confidence.POTENTIAL) if doubtful else hit


def _rewritten(view: View, placed: Placed, exempt: Sequence[PrincipalValue]) -> str:
    """The statement as one for everybody whose conditions spare those who were meant."""
    written = as_written(placed.policy, placed.located.statement.index)
    written.pop("NotPrincipal", None)
    condition: dict[str, Any] = dict(written.get("Condition") or {})
    partition = placed.key.partition if placed.key else "aws"
    known = [who.arn for who in identities_of(view, placed.key.account)] if placed.key else []
    spared = {_arn(entry.value, partition, known) for entry in exempt if entry.kind == "AWS"}
    services = sorted(entry.value for entry in exempt if entry.kind == "Service")
    condition["ArnNotEquals"] = {"aws:PrincipalArn": sorted(spared - {""})}
    if services:
        condition["StringNotEquals"] = {
            **condition.get("StringNotEquals", {}),
            "aws:PrincipalServiceName": services,
        }
    return render({**written, "Principal": {"AWS": "*"}, "Condition": condition})


def _arn(value: str, partition: str, known: Sequence[str]) -> str:
    """What ``aws:PrincipalArn`` is for an exempted principal; empty for one that was deleted. A session has the ARN of
    its role."""
    if is_account_id(value):
        return f"arn:{partition}:iam::{value}:root"
    session = session_role_name(value)
    if session is not None:
        return _role_of(value, known) or f"arn:{partition}:iam::{account_of(value)}:role/{session[0]}"
    return "" if is_unique_id(value) else value
