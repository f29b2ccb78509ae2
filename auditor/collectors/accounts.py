"""Which accounts to read, and as whom: the profiles' own accounts, or the members of the organization by role."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.gaps import gap_of, remedy
from auditor.collectors.identity import Identity, assumed
from auditor.collectors.operations import ASSUME_ROLE, GET_CALLER_IDENTITY, LIST_ACCOUNTS
from auditor.collectors.organization import CLOSED, Tree
from auditor.collectors.regions import DISABLED
from auditor.collectors.request import SESSION_NAME, CollectRequest
from auditor.collectors.session import AwsSession
from auditor.errors import CollectionError, CredentialsError, UsageError
from auditor.evaluator.glob import matches
from auditor.model.arn import is_account_id, parse_arn
from auditor.model.key import Fact
from auditor.model.organization import TargetKind
from auditor.model.snapshot import Gap

Data = Mapping[str, Any]
SESSION_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """One account to read, through which session and as whom."""

    account: str
    session: AwsSession
    identity: Identity
    partition: str
    name: str = ""
    by_role: bool = False


@dataclass(frozen=True, slots=True)
class Self:
    """Who the credentials of a profile belong to."""

    account: str
    arn: str
    partition: str


def whoami(caller: Caller) -> Self:
    """GetCallerIdentity, which needs no permission: its failure means the credentials or the endpoint are wrong."""
    profile = f" of profile “{caller.session.profile}”" if caller.session.profile else ""
    _check_client(caller, profile)
    try:
        answer = caller.call(GET_CALLER_IDENTITY)
    except RefusedError as error:
        raise _unusable(error, caller, profile) from error
    arn = str(answer.get("Arn", ""))
    parsed = parse_arn(arn)
    if not is_account_id(answer["Account"]):
        raise _no_aws(caller, "it names no account id.")
    partition = parsed.partition if parsed else caller.session.partition_of(caller.region)
    return Self(answer["Account"], arn, partition)


def _no_aws(caller: Caller, message: str) -> CollectionError:
    where = caller.session.client("sts", caller.region).meta.endpoint_url
    return CollectionError(
        f"The endpoint {where} does not answer as AWS does: {message}",
        "Check --endpoint-url (or AWS_ENDPOINT_URL), the Region and the network.",
    )


def _check_client(caller: Caller, profile: str) -> None:
    """Raises UsageError where Region or endpoint are such that not even a client can be made."""
    from botocore.exceptions import BotoCoreError

    try:
        caller.session.client(GET_CALLER_IDENTITY.service, caller.region)
    except (ValueError, BotoCoreError) as error:
        raise UsageError(
            f"The AWS settings{profile} are not usable: {error}",
            "Check the Region and endpoint in ~/.aws/config, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL.",
        ) from error


def _unusable(error: RefusedError, caller: Caller, profile: str) -> CredentialsError | CollectionError:
    failure = error.failure
    if failure.cause in (Cause.UNREACHABLE, Cause.TIMEOUT, Cause.SERVER, Cause.NOT_SUPPORTED, Cause.MALFORMED):
        return _no_aws(caller, failure.message)
    if failure.cause is Cause.THROTTLED:
        return CollectionError(
            f"AWS answers no call{profile} at the moment: {failure.code}. {failure.message}".strip(),
            remedy(failure, GET_CALLER_IDENTITY.action, Fact.ACCOUNT),
        )
    if failure.cause is Cause.EXPIRED:
        return CredentialsError(
            f"The credentials{profile} have expired.", "Renew them, for example with: aws sso login."
        )
    if not failure.status:
        return CredentialsError(
            f"The credentials{profile} cannot be used: {failure.message or failure.code}",
            "Check --profile, the access key, and what the profile takes its credentials from.",
        )
    place = f", and whether {caller.region} is a Region of their partition" if failure.code in DISABLED else ""
    return CredentialsError(
        f"AWS refused the credentials{profile}: {failure.code or failure.cause}. {failure.message}".strip(),
        f"Check --profile or the access key, the clock{place}; temporary keys need their session token.",
    )


def members(tree: Tree, request: CollectRequest, me: Self, session: AwsSession, caller: Caller) -> list[Target]:
    """The active member accounts that the request asks for, sorted. Raises CollectionError when there is no list."""
    if not request.role_name:
        raise UsageError("--org needs the name of the role to assume.", "Give it with --role-name NAME.")
    if not tree.accounts:
        raise _no_list(tree, caller)
    _check_units(tree, request)
    paths = _unit_paths(tree.targets)
    chosen = [
        data
        for data in tree.accounts
        if data["Status"] not in CLOSED and _wanted(str(data["Id"]), paths.get(str(data["Id"]), ()), request)
    ]
    if not chosen:
        raise UsageError("No active account of the organization matches the accounts and units asked for.")
    return [_member(data, request, me, session, caller) for data in sorted(chosen, key=lambda data: str(data["Id"]))]


def unanswered(request: CollectRequest, tree: Tree, own: Collection[str]) -> list[Gap]:
    """A Gap for each account that was asked for by its number and is none that can be read; ``own``: the profiles'."""
    states = {str(data["Id"]): str(data["Status"]) for data in tree.accounts} if request.org else dict.fromkeys(own, "")
    found = []
    for account in filter(is_account_id, request.accounts):
        state = states.get(account)
        if state is None:
            words = "It is none of the accounts of the organization." if request.org else "No profile belongs to it."
            failure = Failure(Cause.NOT_FOUND, "", words)
        elif state in CLOSED:
            failure = Failure(Cause.OTHER, state, "Nobody can enter the account.")
        else:
            continue
        told = gap_of(failure, Fact.ACCOUNT, LIST_ACCOUNTS.action, account=account, region="")
        found.append(replace(told, remedy="Check --account, or leave the account out."))
    return found


def _no_list(tree: Tree, caller: Caller) -> CollectionError:
    """What to say when no account is known: in the words of what stopped the list, unless that was permission."""
    if not tree.in_use:
        return CollectionError("The account belongs to no organization.", "Leave --org out, or use another profile.")
    if not any(gap.fact is Fact.ORGANIZATION for gap in caller.gaps):
        return CollectionError("The organization lists no account, not even its own.", "Check --endpoint-url.")
    broken = next((gap for gap in caller.gaps if gap.fact is Fact.ORGANIZATION and gap.code != Cause.DENIED), None)
    if broken is not None:
        return CollectionError(
            f"The accounts of the organization could not be listed: {broken.operation} {broken.code}. {broken.message}",
            broken.remedy,
        )
    return CollectionError(
        "The accounts of the organization could not be listed.",
        "Run from the management account or a delegated administrator account, with the permissions that "
        "`kms-audit permissions` prints.",
    )


def single(request: CollectRequest, me: Self) -> bool:
    """Whether the request asks for a profile's own account."""
    return _wanted(me.account, (), replace(request, organizational_units=(), exclude_organizational_units=()))


def _member(data: Data, request: CollectRequest, me: Self, session: AwsSession, caller: Caller) -> Target:
    account, name = str(data["Id"]), str(data.get("Name", ""))
    if account == me.account:
        return Target(account, session, session.identity, me.partition, name)
    role = f"arn:{me.partition}:iam::{account}:role/{(request.role_name or '').lstrip('/')}"
    params: dict[str, Any] = {"RoleArn": role, "RoleSessionName": SESSION_NAME, "DurationSeconds": SESSION_SECONDS}
    if request.external_id:
        params["ExternalId"] = request.external_id
    identity = assumed(lambda: caller.call(ASSUME_ROLE, **params), role)
    return Target(account, session, identity, me.partition, name, by_role=True)


def _check_units(tree: Tree, request: CollectRequest) -> None:
    """Raises UsageError for a unit that does not exist: a misspelt one would leave its accounts out without a word.
    Where a branch of the tree is hidden, it may be there."""
    names = {
        str(level[name]) for level in tree.targets if level["Kind"] != TargetKind.ACCOUNT for name in ("Id", "Name")
    }
    for pattern in request.organizational_units:
        if tree.complete and not any(matches(pattern, name) for name in names):
            raise UsageError(
                f"No organizational unit is called “{pattern}”.",
                "Check organizational_units: ids or names, with globs.",
            )


def _unit_paths(levels: Sequence[Data]) -> dict[str, tuple[str, ...]]:
    """Target id → ids and names of the levels above it."""
    targets = {str(level["Id"]): level for level in levels}
    paths: dict[str, tuple[str, ...]] = {}
    for target_id, target in targets.items():
        above: list[str] = []
        parent, steps = target.get("Parent"), 0
        while parent in targets and steps < len(targets):
            above += [str(parent), str(targets[parent].get("Name", ""))]
            parent, steps = targets[parent].get("Parent"), steps + 1
        paths[target_id] = tuple(above)
    return paths


def _wanted(account: str, units: tuple[str, ...], request: CollectRequest) -> bool:
    def among(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
        return any(matches(pattern, name) for name in names for pattern in patterns)

    return (
        (not request.accounts or among((account,), request.accounts))
        and not among((account,), request.exclude_accounts)
        and (not request.organizational_units or among(units, request.organizational_units))
        and not among(units, request.exclude_organizational_units)
    )
