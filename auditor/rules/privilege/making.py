"""Making an identity of one's own: a role or user that did not exist, with any policy, and nobody's boundary."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.arn import SERVICE_LINKED_PATH
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.iam_side import may, not_stopped, speaks_of
from auditor.rules.identity.names import shared_names
from auditor.rules.privilege.central import RESERVED
from auditor.rules.privilege.steps import ASSUME, CREDENTIALS, OWN_POLICY
from auditor.rules.view import View

CREATING = {PrincipalKind.ROLE: "iam:CreateRole", PrincipalKind.USER: "iam:CreateUser"}
SIGN_IN = CREDENTIALS[:2]
"""The first credentials of a user."""
NO_BOUNDARY = ""


@dataclass(frozen=True, slots=True)
class Made:
    """An identity that somebody could make: the actions that it takes, and what it would be, without any policy yet."""

    actions: str
    identity: Principal


def made_by(view: View, who: Principal, verbs: frozenset[str]) -> Made | None:
    """A new role or user that the identity may make, give any policy to and become; None where it may not.

    Its maker writes the trust policy of a role, so nothing else has to let it in. Whoever must give what it makes a
    permissions boundary makes nothing here.
    """
    for kind, create in CREATING.items():
        giving = [action for action in OWN_POLICY[kind] if action in verbs]
        if not giving or not speaks_of(view, who, create):
            continue
        place = f"{who.arn.rpartition(':')[0]}:{kind.value}/*"
        for name in sorted(shared_names(who, create, place)):
            actions = _actions(view, who, create, giving, name) if _free(view, name) else ""
            if actions:
                return Made(actions, _identity(kind, name, who.account))
    return None


def _free(view: View, name: str) -> bool:
    """Whether a name is nobody's, and not one that AWS alone gives."""
    return name not in view.principal_by_arn and RESERVED not in name and SERVICE_LINKED_PATH not in name


def _actions(view: View, who: Principal, create: str, giving: list[str], name: str) -> str:
    if not may(view, who, create, name, boundary=NO_BOUNDARY):
        return ""
    give = _first(view, who, giving, name)
    if ":role/" in name:
        enters = ASSUME if not_stopped(view, who, ASSUME, name) else ""
    else:
        enters = _first(view, who, SIGN_IN, name)
    return " + ".join((create, give, enters)) if give and enters else ""


def _first(view: View, who: Principal, actions: tuple[str, ...] | list[str], name: str) -> str:
    return next((one for one in actions if may(view, who, one, name, boundary=NO_BOUNDARY)), "")


def _identity(kind: PrincipalKind, arn: str, account: str | None) -> Principal:
    path, _, name = arn.partition("/")[2].rpartition("/")
    return Principal(kind=kind, arn=arn, iam_arn=arn, account=account, name=name, path=f"/{path}/" if path else "/")
