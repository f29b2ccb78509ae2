"""Edits that add a key, a user or a role: where they go, and what a new key is like."""

from __future__ import annotations

from dataclasses import replace

from auditor.errors import UnknownNameError, UsageError
from auditor.model.arn import Arn, is_account_id, parse_arn
from auditor.model.inventory import Inventory
from auditor.model.key import DEFAULT_POLICY, Key
from auditor.model.policy import Layer
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import AccountFacts, Snapshot
from auditor.questions.edits.documents import default_key_policy, document
from auditor.questions.edits.kinds import Edit

KINDS = {"user": PrincipalKind.USER, "role": PrincipalKind.ROLE}
OF_THE_PRIMARY = (
    "spec",
    "usage",
    "origin",
    "encryption_algorithms",
    "signing_algorithms",
    "mac_algorithms",
    "rotation",
)
"""What a replica has in common with its primary key."""


def add_key(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """A key with the given policy, or AWS's default one; a replica is like its primary. Its id may be any.

    Raises UsageError for a place whose keys were not collected: nobody could compare.
    """
    arn = parse_arn(edit.target)
    if arn is None or arn.service != "kms" or not arn.resource.startswith("key/") or not arn.name:
        raise UsageError(f"“{edit.target}” is no ARN of a key.", "Write arn:aws:kms:REGION:ACCOUNT:key/ID.")
    account = _account(snapshot, arn.account, edit.target)
    region = arn.region or _only_region(account, edit.target)
    if not Inventory(snapshot).keys_read(account.id, region):
        raise UsageError(f"The keys of account {account.id} in {region} were not collected.", "Collect them first.")
    made = _like_its_primary(snapshot, edit.key or Key(arn="", key_id="", account="", region=""))
    key_id = made.key_id or arn.name
    full = str(Arn(arn.partition or account.partition, "kms", region, account.id, f"key/{key_id}"))
    if any(key.arn == full for key in snapshot.keys):
        raise UsageError(f"{full} exists already.", "Replace its policy instead.")
    made = replace(made, arn=full, key_id=key_id, account=account.id, region=region)
    text = default_key_policy(made) if edit.text is None else edit.text
    made = replace(made, policies=(document(Layer.KEY_POLICY, DEFAULT_POLICY, full, text),))
    return replace(snapshot, keys=tuple(sorted((*_related(snapshot, made), made), key=lambda key: key.arn)))


def _like_its_primary(snapshot: Snapshot, made: Key) -> Key:
    if made.primary_arn is None:
        return made
    primary = next((key for key in snapshot.keys if made.primary_arn in (key.arn, key.key_id)), None)
    if primary is None:
        raise UnknownNameError(f"The primary key {made.primary_arn} is not in the snapshot.")
    shared = {name: getattr(primary, name) for name in OF_THE_PRIMARY}
    return replace(made, key_id=primary.key_id, primary_arn=primary.arn, **shared)


def _related(snapshot: Snapshot, made: Key) -> tuple[Key, ...]:
    """The keys that were there, with the primary of a new replica knowing it."""
    return tuple(
        replace(key, replica_arns=tuple(sorted((*key.replica_arns, made.arn)))) if key.arn == made.primary_arn else key
        for key in snapshot.keys
    )


def add_principal(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """A user or role without any permission; further edits give it some."""
    target = f"arn::iam:::{edit.target}" if edit.target.startswith(("user/", "role/")) else edit.target
    arn = parse_arn(target)
    kind = KINDS.get(arn.resource.partition("/")[0]) if arn and arn.service == "iam" else None
    if arn is None or kind is None or not arn.name or not (is_account_id(arn.account) or not arn.account):
        raise UsageError(f"“{edit.target}” is no ARN of a user or role.", "Write arn:aws:iam::ACCOUNT:role/NAME.")
    account = _account(snapshot, arn.account, edit.target)
    full = str(Arn(arn.partition or account.partition, "iam", "", account.id, arn.resource))
    if any(item.arn == full for item in snapshot.principals):
        raise UsageError(f"{full} exists already.", "Edit its policies instead.")
    path = arn.resource.removeprefix(arn.resource.partition("/")[0]).removesuffix(arn.name)
    made = Principal(kind=kind, arn=full, iam_arn=full, account=account.id, name=arn.name, path=path)
    principals = (*snapshot.principals, made)
    return replace(snapshot, principals=tuple(sorted(principals, key=lambda item: item.arn)))


def _account(snapshot: Snapshot, named: str, target: str) -> AccountFacts:
    """The account called ``named``, or the only one that was collected. Raises UsageError."""
    found = [account for account in snapshot.accounts if not named or account.id == named]
    if named and not found:
        raise UsageError(f"Account {named} was not collected.", "Only collected accounts can gain a key or principal.")
    if len(found) != 1:
        name = target.removeprefix("arn:::::")
        raise UsageError(f"Nothing says in which account {name} will be.", "Give its whole ARN.")
    return found[0]


def _only_region(account: AccountFacts, target: str) -> str:
    if len(account.regions) != 1:
        raise UsageError(
            f"Nothing says in which Region of account {account.id} {target.rpartition(':key/')[2]} will be.",
            "Give its whole ARN.",
        )
    return account.regions[0]
