"""Organization records → the tree with its SCPs and RCPs."""

from __future__ import annotations

from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer, Policy
from auditor.model.policy_document import parse_policy
from auditor.model.shard import Kind, Shard
from auditor.store.values import Data, inner, maybe, tags, text, texts

Documents = dict[str, tuple[str, Policy]]
TYPES = (
    ("SERVICE_CONTROL_POLICY", Layer.SCP, Fact.SCP),
    ("RESOURCE_CONTROL_POLICY", Layer.RCP, Fact.RCP),
)
KINDS: dict[str, TargetKind] = {kind.value: kind for kind in TargetKind}


def decode_organization(shard: Shard | None) -> tuple[Organization | None, bool]:
    """``(organization, unread)``: None, False when there is known to be none; None, True when nobody could look."""
    described = (
        next((record.data for record in shard.records if record.kind is Kind.ORGANIZATION), None) if shard else None
    )
    if shard is None or described is None:
        return None, True
    if described.get("NotInUse"):
        return None, False
    documents = _documents(shard)
    targets = [_target(record.data, documents) for record in shard.records if record.kind is Kind.ORG_TARGET]
    organization = Organization(
        id=text(described, "Id"),
        management_account=maybe(described, "MasterAccountId") or text(described, "ManagementAccountId"),
        targets=tuple(sorted(targets, key=lambda target: target.id)),
        tree_read=bool(described.get("TreeRead")),
        branches_missing=bool(described.get("BranchesMissing")),
        unseen=frozenset(texts(described, "Unseen")),
    )
    return organization, False


def _documents(shard: Shard) -> Documents:
    found = {}
    for record in shard.records:
        if record.kind is Kind.ORG_POLICY:
            summary = inner(record.data, "PolicySummary")
            found[text(summary, "Id")] = (text(summary, "Name"), parse_policy(text(record.data, "Content")))
    return found


def _target(data: Data, documents: Documents) -> OrgTarget:
    unread = {Fact(name) for name in texts(data, "Unread")}
    attached: dict[Layer, tuple[AttachedPolicy, ...] | None] = {}
    for name, layer, fact in TYPES:
        ids = inner(data, "Attached").get(name)
        if ids is None:
            attached[layer] = None
            continue
        if any(str(policy_id) not in documents for policy_id in ids):
            unread.add(fact)
        known = [documents[str(policy_id)] for policy_id in ids if str(policy_id) in documents]
        attached[layer] = tuple(
            AttachedPolicy(layer, policy_name, text(data, "Id"), policy)
            for policy_name, policy in sorted(known, key=lambda item: item[0])
        )
    return OrgTarget(
        id=text(data, "Id"),
        name=text(data, "Name"),
        kind=KINDS.get(text(data, "Kind"), TargetKind.UNKNOWN),
        parent=maybe(data, "Parent"),
        tags=tags(data),
        status=text(data, "Status", "ACTIVE"),
        scps=attached[Layer.SCP],
        rcps=attached[Layer.RCP],
        unread=frozenset(unread),
    )
