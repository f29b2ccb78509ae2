"""IAM records → principals: inline, managed and group policies folded together, boundaries resolved."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.model.arn import SERVICE_LINKED_PATH
from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy, Layer, Policy
from auditor.model.principal import CredentialFacts, LastAccessed, Principal, PrincipalKind
from auditor.model.shard import Kind, Shard
from auditor.store.decode_credentials import credentials_by_arn
from auditor.store.decode_last_accessed import last_accessed_by_arn
from auditor.store.values import Data, IamDocuments, inner, items, maybe, tags, text, texts


def decode_principals(shard: Shard) -> tuple[Principal, ...]:
    """The users and roles of one account."""
    written = IamDocuments()
    documents = _documents(shard, written)
    groups = {text(item, "GroupName"): item for item in _of(shard, Kind.GROUP)}
    credentials, accessed = credentials_by_arn(shard), last_accessed_by_arn(shard)
    found = []
    for kind in (Kind.USER, Kind.ROLE):
        for data in _of(shard, kind):
            if data.get("Arn"):
                carrier = _Carrier(data, kind, shard.account, written, documents, groups)
                found.append(carrier.principal(credentials, accessed))
    return tuple(found)


def _of(shard: Shard, kind: Kind) -> list[Data]:
    return [record.data for record in shard.records if record.kind is kind]


def _documents(shard: Shard, written: IamDocuments) -> dict[str, Policy]:
    """Managed policy ARN → its default version."""
    found = {}
    for data in _of(shard, Kind.MANAGED_POLICY):
        for version in items(data, "PolicyVersionList"):
            if version.get("IsDefaultVersion") and version.get("Document"):
                found[text(data, "Arn")] = written.policy(version["Document"])
    return found


class _Carrier:
    """A user or role with everything that policies are attached to on its behalf."""

    def __init__(
        self,
        data: Data,
        kind: Kind,
        account: str,
        written: IamDocuments,
        documents: dict[str, Policy],
        groups: dict[str, Data],
    ) -> None:
        self.data = data
        self.kind = kind
        self.account = account
        self.written = written
        self.documents = documents
        self.arn = text(data, "Arn")
        self.group_names = tuple(sorted(set(texts(data, "GroupList"))))
        self.groups = [(name, groups.get(name)) for name in self.group_names]
        self.unread: set[Fact] = set()

    def principal(self, credentials: Mapping[str, CredentialFacts], accessed: Mapping[str, LastAccessed]) -> Principal:
        """The principal."""
        data = self.data
        policies = self._policies()
        trust = data.get("AssumeRolePolicyDocument")
        boundary = self._boundary()
        return Principal(
            kind=self._kind(),
            arn=self.arn,
            iam_arn=self.arn,
            account=self.account,
            name=text(data, "UserName") or text(data, "RoleName"),
            path=text(data, "Path", "/"),
            unique_id=maybe(data, "UserId") or maybe(data, "RoleId"),
            created=maybe(data, "CreateDate"),
            last_used=maybe(inner(data, "RoleLastUsed"), "LastUsedDate"),
            tags=tags(data),
            groups=self.group_names,
            identity_policies=policies,
            boundary=boundary,
            trust_policy=self.written.policy(trust) if trust else None,
            credentials=credentials.get(self.arn),
            last_accessed=accessed.get(self.arn),
            instance_profiles=tuple(
                sorted({text(profile, "Arn") for profile in items(data, "InstanceProfileList") if profile.get("Arn")})
            ),
            unread=frozenset(self.unread),
        )

    def _kind(self) -> PrincipalKind:
        if self.kind is Kind.USER:
            return PrincipalKind.USER
        linked = text(self.data, "Path", "/").startswith(SERVICE_LINKED_PATH)
        return PrincipalKind.SERVICE_LINKED_ROLE if linked else PrincipalKind.ROLE

    def _policies(self) -> tuple[AttachedPolicy, ...]:
        inline = "UserPolicyList" if self.kind is Kind.USER else "RolePolicyList"
        found = self._carried(self.data, inline, self.arn)
        for _, group in self.groups:
            if group is None:
                self.unread.add(Fact.IDENTITY_POLICY)
            else:
                found += self._carried(group, "GroupPolicyList", text(group, "Arn"))
        return tuple(found)

    def _carried(self, data: Data, inline: str, owner: str) -> list[AttachedPolicy]:
        read = self.written.policy
        found = [
            AttachedPolicy(Layer.IDENTITY, text(item, "PolicyName"), owner, read(item.get("PolicyDocument")))
            for item in items(data, inline)
        ]
        for arn in {text(item, "PolicyArn") for item in items(data, "AttachedManagedPolicies")}:
            policy = self.documents.get(arn)
            if policy is None:
                self.unread.add(Fact.IDENTITY_POLICY)
            else:
                found.append(AttachedPolicy(Layer.IDENTITY, arn, owner, policy))
        return sorted(found, key=lambda attached: attached.name)

    def _boundary(self) -> AttachedPolicy | None:
        arn = maybe(inner(self.data, "PermissionsBoundary"), "PermissionsBoundaryArn")
        if arn is None:
            return None
        policy = self.documents.get(arn)
        if policy is None:
            self.unread.add(Fact.BOUNDARY)
            return None
        return AttachedPolicy(Layer.BOUNDARY, arn, self.arn, policy)
