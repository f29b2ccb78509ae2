"""The condition keys that describe the caller, its session and its network (IAM user guide, global condition keys)."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.evaluator.glob import matches
from auditor.evaluator.implied import ORGANIZATION_OF
from auditor.evaluator.request_keys import usual
from auditor.evaluator.surroundings import Surroundings
from auditor.evaluator.values import (
    ABSENT,
    ALWAYS_PRESENT,
    ANY,
    SOME_ORGANIZATION,
    KeyValue,
    Known,
    RunTime,
    Unsettled,
    known,
)
from auditor.evaluator.vocabulary import SESSION_KEYS
from auditor.model.arn import is_account_id
from auditor.model.key import Fact
from auditor.model.policy import Policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf

ROLES = (PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.SERVICE_LINKED_ROLE)
OUTSIDE = (PrincipalKind.EXTERNAL_ACCOUNT, PrincipalKind.EXTERNAL_PRINCIPAL)
"""Callers of accounts that were not collected: their tags and organization are not in the snapshot."""
_TYPE = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.SESSION: "AssumedRole",
    PrincipalKind.SERVICE_LINKED_ROLE: "AssumedRole",
}
SOURCE_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
_ROLE_SESSION_KEYS = (
    "aws:ec2instancesourcevpc",
    "aws:ec2instancesourceprivateipv4",
    "aws:chatbotsourcearn",
    "aws:federatedprovider",
    *SESSION_KEYS,
)
_TEMPORARY = (*ROLES, PrincipalKind.FEDERATED_USER)
"""Callers that have temporary credentials alone, whose requests say when these were issued."""
OF_KIND = frozenset({*_ROLE_SESSION_KEYS, "aws:tokenissuetime", "aws:sourceidentity"})
"""Condition keys of the session that some kinds of callers always carry, or never."""


def principal_value(name: str, principal: Principal, surroundings: Surroundings) -> KeyValue:
    """What is known of a caller's condition key ``name`` (lower case)."""
    if principal.kind is PrincipalKind.SERVICE:
        return _service_value(name, principal)
    if name in SOURCE_KEYS or name in ("aws:principalservicename", "aws:principalservicenameslist"):
        return ABSENT
    if name == "aws:principalisawsservice":
        return Known(("false",))
    if name == "aws:viaawsservice":
        return usual(name)
    if principal.kind is PrincipalKind.EVERYONE:
        return ALWAYS_PRESENT if name in ("aws:principalarn", "aws:principalaccount", "aws:principaltype") else ANY
    return _identity_value(name, principal, surroundings)


def _service_value(name: str, principal: Principal) -> KeyValue:
    match name:
        case "aws:principalisawsservice":
            return Known(("true",))
        case "aws:principalservicename":
            return Known((principal.name or principal.arn,))
        case "aws:viaawsservice":
            return Known(("false",))
        case "aws:principalservicenameslist":
            return RunTime(may_be_absent=False, includes=(principal.name or principal.arn,))
        case "aws:principalarn" | "aws:principalorgid" | "aws:principalorgpaths" | "aws:username":
            return ABSENT
        case "aws:multifactorauthpresent" | "aws:multifactorauthage":
            return ABSENT
        case "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast":
            return ABSENT  # nobody stands between a service and its own call
        case "aws:principalaccount" | "aws:principaltype" | "aws:userid":
            return ALWAYS_PRESENT
    return ABSENT if name.startswith("aws:principaltag/") or name in _ROLE_SESSION_KEYS else ANY


def _identity_value(name: str, principal: Principal, surroundings: Surroundings) -> KeyValue:
    if name.startswith("aws:principaltag/"):
        return _principal_tag(name.partition("/")[2], principal)
    match name:
        case "aws:principalarn":
            if principal.kind is PrincipalKind.EXTERNAL_ACCOUNT:
                return RunTime(may_be_absent=False, account=principal.account)
            if principal.path_unknown:
                before, _, name = principal.iam_arn.rpartition("/")
                return RunTime(may_be_absent=False, forms=(principal.iam_arn, f"{before}/*/{name}"))
            federated = principal.kind is PrincipalKind.FEDERATED_USER
            return Known((principal.arn if federated else principal.iam_arn,))
        case "aws:principalaccount":
            return known(principal.account)
        case "aws:principalorgid" | "aws:principalorgpaths":
            return _organization(name, principal, surroundings)
        case "aws:principaltype":
            kind = _TYPE.get(principal.kind)
            return Known((kind,)) if kind else ALWAYS_PRESENT
        case "aws:userid":
            return _user_id(principal)
        case "aws:username":
            if principal.kind in OUTSIDE:
                return ANY
            return (
                known(principal.name or principal.iam_arn.rsplit("/", 1)[-1])
                if principal.kind is PrincipalKind.USER
                else ABSENT
            )
        case "aws:assumedroot":
            return ANY if principal.kind is PrincipalKind.ROOT or principal.kind in OUTSIDE else ABSENT
        case "aws:tokenissuetime":
            return ALWAYS_PRESENT if principal.kind in _TEMPORARY else ANY
        case "aws:sourceidentity":  # given when a role or a root user is assumed
            return ABSENT if principal.kind in (PrincipalKind.USER, PrincipalKind.FEDERATED_USER) else ANY
    if name in _ROLE_SESSION_KEYS and principal.kind not in (*ROLES, *OUTSIDE):
        return ABSENT
    return usual(name)


def _user_id(principal: Principal) -> KeyValue:
    if principal.kind is PrincipalKind.ROOT:
        return known(principal.account)
    if principal.kind is PrincipalKind.FEDERATED_USER:
        return Known((f"{principal.account}:{principal.arn.rsplit('/', 1)[-1]}",))
    if principal.unique_id is None:
        return ALWAYS_PRESENT
    if principal.kind is PrincipalKind.USER:
        return Known((principal.unique_id,))
    if principal.session_name is not None:
        return Known((f"{principal.unique_id}:{principal.session_name}",))
    return RunTime(may_be_absent=False, forms=(f"{principal.unique_id}:*",))


def _principal_tag(tag: str, principal: Principal) -> KeyValue:
    if principal.kind in OUTSIDE:
        return ANY
    if Fact.IDENTITIES in principal.unread:
        return Unsettled("principal tags", ANY)
    if principal.kind is PrincipalKind.ROOT:
        return ABSENT
    if principal.kind is PrincipalKind.FEDERATED_USER:
        return ANY
    own = next((value for key, value in principal.tags if key.lower() == tag.lower()), None)
    if principal.kind in (PrincipalKind.ROLE, PrincipalKind.SESSION) and accepts_session_tags(principal.trust_policy):
        return ANY if own is None else ALWAYS_PRESENT  # a session overrides a tag of its role and takes none away
    return known(own)


def accepts_session_tags(trust: Policy | None) -> bool:
    """Whether a session of a role may carry tags that override the role's own: the trust policy allows
    sts:TagSession to somebody, or is not known."""
    if trust is None or not trust.readable:
        return True
    return any(
        statement.effect == "Allow"
        and (
            statement.not_actions is not None
            or any(_covers_tag_session(pattern) for pattern in statement.actions or ())
        )
        for statement in trust.statements
    )


def _covers_tag_session(pattern: str) -> bool:
    return matches(pattern.lower(), "sts:tagsession")


def _organization(name: str, principal: Principal, surroundings: Surroundings) -> KeyValue:
    if surroundings.organization is None and not surroundings.organization_unread:
        return ANY if principal.kind in OUTSIDE else ABSENT
    if principal.account is None and not surroundings.organization_unread:
        return ANY
    return organization_value(principal.account or "", surroundings, path=name == "aws:principalorgpaths")


def organization_value(account: str, surroundings: Surroundings, *, path: bool) -> KeyValue:
    """The organization's id, or the path, of an account by the organization that was read."""
    organization = surroundings.organization
    if surroundings.organization_unread or organization is None:
        return Unsettled("organization", SOME_ORGANIZATION)
    listed = organization.levels(account) is not None
    if organization.tree_read and not listed:
        return RunTime(not_value=organization.id)
    if not path and (listed or account == organization.management_account):
        return Known((organization.id,))  # a listed account is a member, wherever it is
    found = organization.path(account) if organization.placed(account) else None
    return Unsettled("organization", SOME_ORGANIZATION) if found is None else Known((found,))


def places_of(name: str, values: Iterable[str], surroundings: Surroundings) -> tuple[tuple[str, tuple[Leaf, ...]], ...]:
    """For the accounts among the values of a condition key ``name``: what every request of that account says of its
    organization. Nothing for other keys, and of accounts whose organization is not known."""
    keys = ORGANIZATION_OF.get(name.lower())
    if keys is None or surroundings.organization is None:
        return ()
    found = ((value, _place(value, keys, surroundings)) for value in values if is_account_id(value))
    return tuple((value, said) for value, said in found if said)


def _place(account: str, keys: tuple[str, str], surroundings: Surroundings) -> tuple[Leaf, ...]:
    organization, paths = keys
    member = organization_value(account, surroundings, path=False)
    if isinstance(member, RunTime) and member.not_value:
        outside = (f"{member.not_value}/*",)
        return Leaf("StringNotEquals", organization, (member.not_value,)), Leaf(
            "ForAllValues:StringNotLike", paths, outside
        )
    if not isinstance(member, Known):
        return ()
    path = organization_value(account, surroundings, path=True)
    below = path.values if isinstance(path, Known) else ()
    said = [Leaf(f"{every}:StringEquals", paths, below) for every in ("ForAnyValue", "ForAllValues") if below]
    return Leaf("StringEquals", organization, member.values), *said
