"""Key records → model keys: aliases attached, replicas told from primaries, refused facts marked."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.arn import account_of, parse_arn
from auditor.model.grant import Grant, Pairs
from auditor.model.key import Alias, Fact, Key, LastUsage, Rotation
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.shard import Kind, Shard
from auditor.store.values import Data, inner, items, maybe, number, tags, text, texts


def decode_keys(shard: Shard) -> tuple[Key, ...]:
    """The keys of one account and Region."""
    aliases: dict[str, list[Alias]] = {}
    for record in shard.records:
        if record.kind is Kind.ALIAS and record.data.get("TargetKeyId"):
            aliases.setdefault(str(record.data["TargetKeyId"]), []).append(_alias(record.data))
    here = {gap.fact for gap in shard.gaps if not gap.subject}
    everywhere = frozenset({Fact.ALIASES} & here)
    return tuple(_key(record.data, shard, aliases, everywhere) for record in shard.records if record.kind is Kind.KEY)


def _key(data: Data, shard: Shard, aliases: dict[str, list[Alias]], everywhere: frozenset[Fact]) -> Key:
    metadata = inner(data, "Metadata")
    key_id = text(data, "KeyId")
    arn = maybe(metadata, "Arn") or maybe(data, "KeyArn") or key_id
    parsed = parse_arn(arn)
    primary, replicas, strange = _related(metadata)
    multi_region = bool(metadata.get("MultiRegion")) or key_id.startswith("mrk-")
    policies = _policies(data, arn)
    garbled = frozenset() if all(item.policy.readable for item in policies) else frozenset({Fact.KEY_POLICY})
    garbled |= {Fact.KEY_METADATA} if strange else frozenset()
    return Key(
        arn=arn,
        key_id=key_id,
        account=text(metadata, "AWSAccountId") or (parsed.account if parsed else shard.account),
        region=parsed.region if parsed else shard.region,
        manager=text(metadata, "KeyManager") or _manager(aliases.get(key_id, ())),
        state=text(metadata, "KeyState", "Enabled"),
        spec=maybe(metadata, "KeySpec") or text(metadata, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        usage=text(metadata, "KeyUsage", "ENCRYPT_DECRYPT"),
        origin=text(metadata, "Origin", "AWS_KMS"),
        description=text(metadata, "Description"),
        created=maybe(metadata, "CreationDate"),
        deletion_date=maybe(metadata, "DeletionDate"),
        pending_window_days=number(metadata, "PendingDeletionWindowInDays"),
        valid_to=maybe(metadata, "ValidTo"),
        expiration_model=maybe(metadata, "ExpirationModel"),
        custom_key_store_id=maybe(metadata, "CustomKeyStoreId"),
        multi_region=multi_region,
        multi_region_key_type=_multi_region_type(metadata, arn, primary) if multi_region else None,
        primary_arn=primary,
        replica_arns=replicas,
        encryption_algorithms=texts(metadata, "EncryptionAlgorithms"),
        signing_algorithms=texts(metadata, "SigningAlgorithms"),
        mac_algorithms=texts(metadata, "MacAlgorithms"),
        aliases=tuple(sorted(aliases.get(key_id, ()), key=lambda alias: alias.name)),
        tags=tags(data),
        policies=policies,
        grants=decode_grants(items(data, "Grants"), arn),
        rotation=_rotation(data),
        last_usage=_last_usage(data),
        unread=everywhere | garbled | {Fact(name) for name in texts(data, "Unread")},
    )


def _manager(aliases: Iterable[Alias]) -> str:
    """Who manages a key that was not described: such names are kept for AWS managed keys (API: CreateAlias)."""
    return "AWS" if any(alias.name.startswith("alias/aws/") for alias in aliases) else "CUSTOMER"


def _multi_region_type(metadata: Data, arn: str, primary: str | None) -> str | None:
    """By the primary's ARN, which no replica shares; the reported type only where that is missing."""
    if primary is None:
        return maybe(inner(metadata, "MultiRegionConfiguration"), "MultiRegionKeyType")
    return "PRIMARY" if primary == arn else "REPLICA"


def _related(metadata: Data) -> tuple[str | None, tuple[str, ...], bool]:
    """The ARNs of the primary and of the replicas, and whether something else stands in the place of one."""
    described = inner(metadata, "MultiRegionConfiguration")
    primary = maybe(inner(described, "PrimaryKey"), "Arn")
    replicas = sorted(text(item, "Arn") for item in items(described, "ReplicaKeys") if item.get("Arn"))
    real = tuple(arn for arn in replicas if parse_arn(arn))
    strange = len(real) < len(replicas) or (primary is not None and parse_arn(primary) is None)
    return primary if primary and parse_arn(primary) else None, real, strange


def _alias(data: Data) -> Alias:
    return Alias(
        text(data, "AliasName"),
        text(data, "AliasArn"),
        maybe(data, "TargetKeyId"),
        maybe(data, "CreationDate"),
        maybe(data, "LastUpdatedDate"),
    )


def _policies(data: Data, arn: str) -> tuple[AttachedPolicy, ...]:
    found = inner(data, "Policies")
    return tuple(AttachedPolicy(Layer.KEY_POLICY, name, arn, parse_policy(str(found[name]))) for name in sorted(found))


def decode_grants(entries: Iterable[Data], key_arn: str) -> tuple[Grant, ...]:
    """Grants by id; ``key_arn`` is used where an entry names no ARN."""
    return tuple(sorted((_grant(entry, key_arn) for entry in entries), key=lambda grant: grant.grant_id))


def _grant(entry: Data, key_arn: str) -> Grant:
    constraints = inner(entry, "Constraints")
    named = text(entry, "KeyId")
    issuer = text(entry, "IssuingAccount")
    return Grant(
        grant_id=text(entry, "GrantId"),
        key_arn=key_arn or named,
        name=maybe(entry, "Name"),
        created=maybe(entry, "CreationDate"),
        grantee=maybe(entry, "GranteePrincipal"),
        grantee_service=maybe(entry, "GranteeServicePrincipal"),
        retiring=maybe(entry, "RetiringPrincipal"),
        retiring_service=maybe(entry, "RetiringServicePrincipal"),
        issuing_account=account_of(issuer) or issuer or None,
        operations=tuple(sorted(set(texts(entry, "Operations")))),
        context_equals=_pairs(constraints, "EncryptionContextEquals"),
        context_subset=_pairs(constraints, "EncryptionContextSubset"),
        source_arn=maybe(constraints, "SourceArn"),
    )


def _pairs(constraints: Data, name: str) -> Pairs | None:
    if not isinstance(constraints.get(name), dict):
        return None
    return tuple(sorted((str(key), str(value)) for key, value in constraints[name].items()))


def _rotation(data: Data) -> Rotation | None:
    status, listed = inner(data, "Rotation"), items(data, "Rotations")
    if not status and not listed:
        return None
    expiring = (item for item in listed if item.get("ExpirationModel") != "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return Rotation(
        bool(status.get("KeyRotationEnabled")),
        number(status, "RotationPeriodInDays"),
        maybe(status, "NextRotationDate"),
        tuple(sorted(text(item, "RotationDate") for item in listed if item.get("RotationDate"))),
        tuple(sorted(text(item, "ValidTo") for item in expiring if item.get("ValidTo"))),
    )


def _last_usage(data: Data) -> LastUsage | None:
    answer = inner(data, "LastUsage")
    if not answer:
        return None
    usage = inner(answer, "KeyLastUsage")
    return LastUsage(maybe(usage, "Timestamp"), maybe(usage, "Operation"), maybe(answer, "TrackingStartDate"))
