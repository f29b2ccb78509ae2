"""The organization of a case: a tree of targets made of the accounts' paths and their levels of SCPs and RCPs.

A case lists policies per account and level although accounts share their upper levels. Only the SCPs of the caller's
account and the RCPs of the key's account can decide the request: what a case says of other accounts is checked and says
nothing of the levels that they share with these. An account that is not listed has the full-access policies alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from auditor.cases.fields import Field
from auditor.cases.schema import ORGANIZATION_FACTS
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy

ORGANIZATION = ("id", "management_account", "paths", "scps", "rcps", "tree_read")
UNREAD_LEVEL = "unread"
DISABLED = "disabled"
FULL_ACCESS = {
    Layer.SCP: {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    Layer.RCP: {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    },
}
FULL_ACCESS_NAMES = {Layer.SCP: "FullAWSAccess", Layer.RCP: "RCPFullAWSAccess"}

Documents = tuple[AttachedPolicy, ...] | None
"""The policies of one level; None: they could not be read."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """One account's way from the root: the ids of its levels, root first, the account itself last."""

    account: str
    ids: tuple[str, ...]


def read_organization(field: Field, caller: str | None, owner: str, unread: frozenset[str]) -> Organization | None:
    """The organization of the field, or None; ``caller`` and ``owner`` are the accounts of principal and key."""
    if field.absent:
        missing = sorted(unread & set(ORGANIZATION_FACTS))
        if missing:
            field.fail(f"is required, because the case says that {missing[0]} could not be read.")
        return None
    field.mapping(ORGANIZATION)
    management = field["management_account"].account_id()
    identity = field["id"].text()
    chains = _chains(field, management, identity)
    scps = _policies(field["scps"], Layer.SCP, chains, caller)
    rcps = _policies(field["rcps"], Layer.RCP, chains, owner)
    targets: dict[str, OrgTarget] = {}
    for chain in chains.values():
        for position, target_id in enumerate(chain.ids):
            targets.setdefault(target_id, _target(chain, position, scps, rcps))
    blind = {"scp": chains.get(caller or ""), "rcp": chains.get(owner)}
    for name in sorted(unread & set(blind)):
        blinded = blind[name]
        for target_id in blinded.ids if blinded else ():
            targets[target_id] = _blinded(targets[target_id], ORGANIZATION_FACTS[name])
    return Organization(
        id=identity,
        management_account=management,
        targets=tuple(targets[target_id] for target_id in sorted(targets)),
        tree_read=field["tree_read"].default(Field.boolean, True),
    )


def _chains(field: Field, management: str, organization: str) -> dict[str, _Chain]:
    """account → chain, long enough for the levels that the case lists for it."""
    paths: dict[str, tuple[str, ...]] = {management: ("r-root",)}
    for account, entry in () if field["paths"].absent else field["paths"].items():
        parts = [part for part in entry.text().split("/") if part]
        if len(parts) < 2 or parts[0] != organization:
            entry.fail(f"is no path of {organization}.", f"Write {organization}/r-…/ou-…/.")
        paths[account] = tuple(parts[1:])
    root = next((path[0] for account, path in paths.items() if path[0] != "r-root"), "r-root")
    paths[management] = paths[management] if paths[management] != ("r-root",) else (root,)
    for kind in ("scps", "rcps"):
        if field[kind].absent or field[kind].value == DISABLED:
            continue
        for account, entry in field[kind].items():
            count = len(entry.elements())
            path = paths.get(account, (root,))
            extra = tuple(f"ou-{account}-level{number}" for number in range(len(path) + 1, count))
            paths[account] = path + extra
    return {account: _Chain(account, (*path, account)) for account, path in paths.items()}


def _policies(field: Field, layer: Layer, chains: dict[str, _Chain], bound: str | None) -> dict[str, Documents] | None:
    """target id → its policies on the way to the account ``bound``; None when the type is switched off."""
    if field.value == DISABLED:
        return None
    found: dict[str, Documents] = {}
    for account, entry in () if field.absent else field.items():
        entry.with_value(account).account_id()
        levels = entry.elements()
        places = _places(chains[account].ids, len(levels))
        listed = {place: _level(level, layer, place) for place, level in zip(places, levels, strict=True)}
        found |= listed if account == bound else {}
    return found


def _places(ids: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Which levels ``count`` lists belong to: the root and downwards, the last of several being the account."""
    if count <= 1 or count == len(ids):
        return ids[:count]
    return (*ids[: count - 1], ids[-1])


def _level(level: Field, layer: Layer, target_id: str) -> Documents:
    if level.value == UNREAD_LEVEL:
        return None
    return tuple(
        AttachedPolicy(layer, f"{layer}-{number}", target_id, element.policy())
        for number, element in enumerate(level.elements(), 1)
    )


def _target(
    chain: _Chain, position: int, scps: dict[str, Documents] | None, rcps: dict[str, Documents] | None
) -> OrgTarget:
    target_id = chain.ids[position]
    last = len(chain.ids) - 1
    kind = TargetKind.ACCOUNT if position == last else TargetKind.UNIT if position else TargetKind.ROOT
    unread: set[Fact] = set()
    lists: dict[Layer, tuple[AttachedPolicy, ...] | None] = {}
    for layer, known, fact in ((Layer.SCP, scps, Fact.SCP), (Layer.RCP, rcps, Fact.RCP)):
        documents = None if known is None else known.get(target_id, _full_access(layer, target_id))
        if known is not None and documents is None:
            unread.add(fact)
            documents = ()
        lists[layer] = documents
    return OrgTarget(
        id=target_id,
        name=target_id,
        kind=kind,
        parent=chain.ids[position - 1] if position else None,
        scps=lists[Layer.SCP],
        rcps=lists[Layer.RCP],
        unread=frozenset(unread),
    )


def _full_access(layer: Layer, target_id: str) -> tuple[AttachedPolicy, ...]:
    return (AttachedPolicy(layer, FULL_ACCESS_NAMES[layer], target_id, parse_policy(FULL_ACCESS[layer])),)


def _blinded(target: OrgTarget, fact: Fact) -> OrgTarget:
    """The target without the policies of one type, marked as unread."""
    unread = target.unread | {fact}
    return replace(target, unread=unread, scps=()) if fact is Fact.SCP else replace(target, unread=unread, rcps=())
