"""Single steps by which an identity becomes another, or gives itself a policy (kms-audit's reading of IAM escalation).

A step is told only when the identity's own side allows it and, where the target has a say, its trust policy as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evaluator.glob import matches
from auditor.evaluator.operators import parse_operator
from auditor.model.arn import is_account_id, is_root
from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy, Policy, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.acting import acts
from auditor.rules.iam_request import Request, met
from auditor.rules.iam_side import may, not_stopped
from auditor.rules.principals import Admission, admissions, assumes, condition_values
from auditor.rules.privilege.central import ASSIGNING, ASSUME_ROOT, LIFTS, RESERVED, ROOT_NEEDS, assigns, recovers
from auditor.rules.privilege.compute import FIRST, LENT, ROLES_ANYWHERE, STARTED, Ways, handed, taken_over
from auditor.rules.privilege.sharing import SHARING
from auditor.rules.view import View

ASSUME = "sts:AssumeRole"
ASSUMING = Request(ASSUME, None)
TRUST = "iam:UpdateAssumeRolePolicy"
HAND_ROLE = "iam:PassRole"
FEDERATION = "iam:UpdateSAMLProvider"
REMAKING = ("iam:DeleteSAMLProvider", "iam:CreateSAMLProvider")
"""Making an identity provider anew, under the name that roles trust, with metadata of one's own."""
CREDENTIALS = ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile")
OWN_POLICY = {
    PrincipalKind.USER: ("iam:PutUserPolicy", "iam:AttachUserPolicy"),
    PrincipalKind.ROLE: ("iam:PutRolePolicy", "iam:AttachRolePolicy"),
}
GROUP_POLICY = ("iam:PutGroupPolicy", "iam:AttachGroupPolicy")
POLICY_VERSION = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
JOIN = "iam:AddUserToGroup"
LEAVE = "iam:RemoveUserFromGroup"
EDITS = frozenset((*(action for actions in OWN_POLICY.values() for action in actions), *GROUP_POLICY, *POLICY_VERSION))
"""The actions by which somebody is given any identity policy."""
VERBS = (
    *(ASSUME, TRUST, HAND_ROLE, FEDERATION, *REMAKING, *CREDENTIALS, JOIN, *GROUP_POLICY, *POLICY_VERSION),
    *(action for actions in OWN_POLICY.values() for action in actions),
    *sorted(FIRST | ASSIGNING | LIFTS | SHARING),
    ASSUME_ROOT,
)
ENTERING = frozenset(VERBS) - EDITS - LIFTS - SHARING - {JOIN}
"""Those by which somebody becomes another; the rest change what an identity may do."""
OTHER = "arn:aws:iam::aws:policy/AdministratorAccess"
"""A permissions boundary that keeps nothing from anybody."""
STEMS = ("*", "?", *sorted({action.split(":")[0][:1].lower() for action in VERBS}))
"""How an action pattern begins that may speak of a step at all."""
RUNNING = ("something must be running under the role already",)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the actions that make it, and what else must be the case for it."""

    action: str
    needs: tuple[str, ...] = ()


def verbs_of(view: View, who: Principal) -> frozenset[str]:
    """The step actions that the identity's policies allow on anything: a cheap first look."""
    memo = view.commons.of_documents.once("document-verbs", dict[int, frozenset[str]])
    found: set[str] = set()
    for attached in who.identity_policies:
        place = id(attached.policy)
        if place not in memo:
            memo[place] = _document_verbs(attached.policy)
        found |= memo[place]
    return frozenset(found)


def _document_verbs(policy: Policy) -> frozenset[str]:
    """The step actions that the Allow statements of a document speak of."""
    speaking = [
        statement
        for statement in policy.statements
        if statement.effect == "Allow"
        and (statement.actions is None or any(name.lower().startswith(STEMS) for name in statement.actions))
    ]
    return frozenset(action for action in VERBS if any(acts(statement, action) for statement in speaking))


def step_to(
    view: View, who: Principal, target: Principal, ways: tuple[Admission, ...], verbs: frozenset[str]
) -> Step | None:
    """How ``who`` becomes ``target`` in one step, the easiest first; ``ways`` are the admissions of the target."""
    if target.kind is PrincipalKind.USER:
        return _to_user(view, who, target, verbs)
    if target.kind is PrincipalKind.ROOT:
        return Step(ASSUME_ROOT, ROOT_NEEDS) if recovers(view, who, target, verbs) else None
    if _assumes(view, who, target, ways):
        return Step(ASSUME)
    if RESERVED in target.path:
        return next((Step(one) for one in assigns(view, who, target, verbs)), None)
    if who.account != target.account:
        return None
    if TRUST in verbs and may(view, who, TRUST, target.arn):
        return Step(TRUST)
    for actions in ((FEDERATION,), REMAKING):
        if verbs.issuperset(actions) and any(_speaks_for(view, who, way, actions) for way in ways):
            return Step(" + ".join(actions))
    return _by_compute(view, who, target, ways, verbs)


def _speaks_for(view: View, who: Principal, way: Admission, actions: tuple[str, ...]) -> bool:
    """Whether the identity may take the actions on the SAML provider that a role lets in."""
    return way.kind == "saml" and all(may(view, who, action, way.value) for action in actions)


def _to_user(view: View, who: Principal, user: Principal, verbs: frozenset[str]) -> Step | None:
    if who.account != user.account:
        return None
    found = (action for action in CREDENTIALS if action in verbs and may(view, who, action, user.arn))
    return next((Step(action) for action in found), None)


def _assumes(view: View, who: Principal, role: Principal, all_ways: tuple[Admission, ...]) -> bool:
    ways = [way for way in all_ways if admits(view, way, who)]
    if not ways or _refused(role, who):
        return False
    if may(view, who, ASSUME, role.arn):
        return True
    named = any(way.value in (who.arn, who.iam_arn) for way in ways)
    return named and who.account == role.account and not_stopped(view, who, ASSUME, role.arn)


def admits(view: View, way: Admission, who: Principal) -> bool:
    """Whether a way into a role is open to the identity, as far as its ARN, account, organization and tags tell."""
    if not _fits(way.statement, who) or not _in_organization(view, way.statement, who):
        return False
    if way.kind in ("everyone", "organization"):
        return True
    if is_account_id(way.value) or is_root(way.value):
        return way.account == who.account
    return way.value in (who.arn, who.iam_arn)


def _refused(role: Principal, who: Principal) -> bool:
    """Whether a Deny of the trust policy certainly speaks of the identity."""
    for statement in role.trust_policy.statements if role.trust_policy else ():
        if statement.effect != "Deny" or not assumes(statement, "Deny"):
            continue
        named = any(
            entry.value in ("*", who.arn, who.iam_arn)
            or ((is_account_id(entry.value) or is_root(entry.value)) and entry.value.find(who.account or "-") >= 0)
            for entry in statement.principals or ()
        )
        if named and all(_answers(statement, who)):
            return True
    return False


def _about_identity(key: str) -> bool:
    return key.lower() in ("aws:principalarn", "aws:principalaccount") or key.lower().startswith("aws:principaltag/")


def _fits(statement: Statement, who: Principal) -> bool:
    """Whether the tests about the caller may hold; tests of anything else are taken as met."""
    return all(answer is not False for answer in _answers(statement, who))


def _answers(statement: Statement, who: Principal) -> Iterator[bool | None]:
    """Of each test, whether it holds for the caller; None where it looks at something else, or nobody can tell."""
    return (met(test, who, ASSUMING) if _about_identity(test.key) else None for test in statement.conditions)


def _in_organization(view: View, statement: Statement, who: Principal) -> bool:
    """Whether the tests about the caller's organization hold; where nobody knows it, they are taken as met."""
    for test in statement.conditions:
        operator, name = parse_operator(test.operator), test.key.lower()
        if operator is None or operator.base == "null" or name not in ("aws:principalorgid", "aws:principalorgpaths"):
            continue
        held = view.trust.organization_of(who.account or "", whole_path=name == "aws:principalorgpaths")
        absent = held == "" and (operator.if_exists or operator.quantifier == "all")
        if held is None or absent:
            continue
        if any(matches(value, held) for value in test.values) == operator.negated:
            return False
    return True


def _by_compute(
    view: View, who: Principal, role: Principal, ways: tuple[Admission, ...], verbs: frozenset[str]
) -> Step | None:
    """Starting something under the role, or taking over what runs under it."""
    services = frozenset(way.value for way in ways if way.kind == "service" and not _of_one_anchor(way))
    passing = HAND_ROLE in verbs
    if passing and (actions := _passed(view, who, role, STARTED, services)):
        return Step(actions)
    for taking in taken_over(role, services) if verbs & FIRST else ():
        if taking[0] in verbs and all(may(view, who, action, None) for action in taking):
            return Step(" + ".join(taking), RUNNING)
    if passing and (actions := _passed(view, who, role, LENT, services)):
        return Step(actions, RUNNING)
    return None


def _of_one_anchor(way: Admission) -> bool:
    return way.value == ROLES_ANYWHERE and bool(condition_values(way.statement, "aws:sourcearn"))


def _passed(view: View, who: Principal, role: Principal, ways: Ways, services: frozenset[str]) -> str:
    """The actions by which the identity has something of a table run under the role that it passes; empty: none."""
    for way in handed(ways, role, services):
        passes = may(view, who, HAND_ROLE, role.arn, known=(("iam:passedtoservice", way.service),))
        if passes and all(may(view, who, action, None) for action in way.actions):
            return " + ".join((HAND_ROLE, *way.actions))
    return ""


def edits_itself(view: View, who: Principal, verbs: frozenset[str]) -> Iterator[str]:
    """The actions by which the identity may give itself any identity policy."""
    return edits(view, who, who, verbs)


def edits(view: View, who: Principal, target: Principal, verbs: frozenset[str]) -> Iterator[str]:
    """The actions by which ``who`` may give the target any identity policy: of its own, of its group, or as a new
    version of one that it has."""
    bound = boundary_of(target)
    for action in OWN_POLICY.get(target.kind, ()):
        if action in verbs and may(view, who, action, target.arn, boundary=bound):
            yield action
    for attached in target.identity_policies:
        if ":group/" in attached.owner:
            yield from (one for one in GROUP_POLICY if one in verbs and may(view, who, one, attached.owner))
        name = attached.name
        if name.startswith("arn:") and ":iam::aws:" not in name:
            yield from (one for one in POLICY_VERSION if one in verbs and may(view, who, one, name))


def boundary_of(who: Principal) -> str | None:
    """The ARN of the identity's permissions boundary, empty for none; None where nobody could look."""
    if who.boundary is not None:
        return who.boundary.name
    return None if Fact.BOUNDARY in who.unread else ""


def overwrites(view: View, who: Principal, target: Principal, attached: AttachedPolicy, verbs: frozenset[str]) -> str:
    """The action by which ``who`` may write another document in place of a policy of the target; empty where it may
    not. Whoever puts an inline policy may give it the name of one that is there (IAM API, PutRolePolicy)."""
    actions: tuple[str, ...] = OWN_POLICY[target.kind][:1]
    place = target.arn
    if attached.name.startswith("arn:"):
        actions, place = () if ":iam::aws:" in attached.name else POLICY_VERSION, attached.name
    elif ":group/" in attached.owner:
        actions, place = GROUP_POLICY[:1], attached.owner
    return next((action for action in actions if action in verbs and may(view, who, action, place)), "")


def sheds(view: View, who: Principal, attached: AttachedPolicy) -> str:
    """The action by which the identity may rid itself of one of its identity policies; empty where it may not."""
    verb = "Detach" if attached.name.startswith("arn:") else "Delete"
    if ":group/" in attached.owner:
        found = (action for action in (f"iam:{verb}GroupPolicy", LEAVE) if may(view, who, action, attached.owner))
        return next(found, "")
    action = f"iam:{verb}{'User' if who.kind is PrincipalKind.USER else 'Role'}Policy"
    return action if may(view, who, action, who.arn, boundary=boundary_of(who)) else ""


def denying(who: Principal) -> tuple[AttachedPolicy, ...]:
    """The identity policies with a Deny."""
    return tuple(one for one in who.identity_policies if any(s.effect == "Deny" for s in one.policy.statements))


def unbinds_itself(view: View, who: Principal) -> str:
    """The action by which the identity may take its permissions boundary away; empty when it has none or may not."""
    if who.boundary is None:
        return ""
    word = "User" if who.kind is PrincipalKind.USER else "Role"
    ways = ((f"iam:Delete{word}PermissionsBoundary", who.boundary.name), (f"iam:Put{word}PermissionsBoundary", OTHER))
    return next((action for action, left in ways if may(view, who, action, who.arn, boundary=left)), "")


def about_identity(statement: Statement) -> bool:
    """Whether a condition of a trust statement looks at who the caller is."""
    return any(_about_identity(test.key) for test in statement.conditions)


def ways_into(target: Principal) -> tuple[Admission, ...]:
    """The admissions of a role; none for a user, or the root user of an account."""
    return () if target.kind in (PrincipalKind.USER, PrincipalKind.ROOT) else admissions(target)
