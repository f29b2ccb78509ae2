"""The key of a case: metadata, both key policies, grants, aliases and tags."""

from __future__ import annotations

from auditor.cases.fields import Field
from auditor.cases.schema import KEY_FACTS
from auditor.model.arn import account_of, parse_arn
from auditor.model.grant import Grant
from auditor.model.key import DEFAULT_POLICY, RAM_POLICY, Alias, Key, LastUsage
from auditor.model.policy import AttachedPolicy, Layer

KEY = (
    "arn",
    "account",
    "region",
    "manager",
    "state",
    "spec",
    "usage",
    "origin",
    "created",
    "tags",
    "aliases",
    "multi_region",
    "multi_region_key_type",
    "primary_arn",
    "replica_arns",
    "custom_key_store_id",
    "encryption_algorithms",
    "signing_algorithms",
    "mac_algorithms",
    "last_usage",
)
GRANT = (
    "GrantId",
    "KeyId",
    "Name",
    "CreationDate",
    "GranteePrincipal",
    "GranteeServicePrincipal",
    "RetiringPrincipal",
    "RetiringServicePrincipal",
    "IssuingAccount",
    "Operations",
    "Constraints",
)
STATES = (
    "Creating",
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingImport",
    "PendingReplicaDeletion",
    "Unavailable",
    "Updating",
)


def read_key(case: Field, unread: frozenset[str]) -> Key:
    """The key that the fields ``key``, ``key_policies`` and ``grants`` of a case describe."""
    field = case["key"]
    field.mapping(KEY)
    text = field["arn"].text()
    arn = parse_arn(text)
    if arn is None or arn.service != "kms" or not arn.resource.startswith("key/"):
        field["arn"].fail(f"{text!r} is no key ARN.")
    account = field["account"].default(Field.account_id, arn.account)
    return Key(
        arn=text,
        key_id=arn.name,
        account=account,
        region=field["region"].default(Field.text, arn.region),
        manager=field["manager"].default(lambda f: f.choice(("CUSTOMER", "AWS")), "CUSTOMER"),
        state=field["state"].default(lambda f: f.choice(STATES), "Enabled"),
        spec=field["spec"].default(Field.text, "SYMMETRIC_DEFAULT"),
        usage=field["usage"].default(Field.text, "ENCRYPT_DECRYPT"),
        origin=field["origin"].default(Field.text, "AWS_KMS"),
        created=field["created"].default(Field.moment, None),
        custom_key_store_id=field["custom_key_store_id"].default(Field.text, None),
        multi_region=field["multi_region"].default(Field.boolean, False),
        multi_region_key_type=field["multi_region_key_type"].default(lambda f: f.choice(("PRIMARY", "REPLICA")), None),
        primary_arn=field["primary_arn"].default(Field.text, None),
        replica_arns=field["replica_arns"].texts(),
        encryption_algorithms=field["encryption_algorithms"].texts(),
        signing_algorithms=field["signing_algorithms"].texts(),
        mac_algorithms=field["mac_algorithms"].texts(),
        aliases=_aliases(field["aliases"], f"arn:{arn.partition}:kms:{arn.region}:{account}", arn.name),
        tags=field["tags"].pairs(),
        policies=_policies(case["key_policies"], text),
        grants=() if case["grants"].absent else _grants(case["grants"], text),
        last_usage=field["last_usage"].default(_last_usage, None),
        unread=frozenset(KEY_FACTS[name] for name in unread if name in KEY_FACTS),
    )


def _aliases(field: Field, prefix: str, key_id: str) -> tuple[Alias, ...]:
    if field.absent:
        return ()
    found = []
    for element in field.elements():
        name = element.text()
        if not name.startswith("alias/"):
            element.fail(f"{name!r} is no alias name.", "Write alias/NAME.")
        found.append(Alias(name=name, arn=f"{prefix}:{name}", target_key_id=key_id))
    return tuple(sorted(found, key=lambda alias: alias.name))


def _policies(field: Field, key_arn: str) -> tuple[AttachedPolicy, ...]:
    if field.absent:
        return ()
    field.mapping((DEFAULT_POLICY, RAM_POLICY))
    return tuple(AttachedPolicy(Layer.KEY_POLICY, name, key_arn, entry.policy()) for name, entry in field.items())


def _last_usage(field: Field) -> LastUsage:
    field.mapping(("last_used", "operation", "tracking_since"))
    return LastUsage(
        last_used=field["last_used"].default(Field.moment, None),
        operation=field["operation"].default(Field.text, None),
        tracking_since=field["tracking_since"].default(Field.moment, None),
    )


def _grants(field: Field, key_arn: str) -> tuple[Grant, ...]:
    """The grants on the key of the case. Those of other keys are checked too, but say nothing about this one."""
    found = [(element["KeyId"].default(Field.text, key_arn), _grant(element, key_arn)) for element in field.elements()]
    here = (key_arn, key_arn.rsplit("/", 1)[-1])
    return tuple(grant for key, grant in found if key in here)


def _grant(field: Field, key_arn: str) -> Grant:
    """A grant as ListGrants shows it; a KeyId that is left out means the key of the case."""
    field.mapping(GRANT)
    if field["GranteePrincipal"].absent and field["GranteeServicePrincipal"].absent:
        field["GranteePrincipal"].fail("is required, or GranteeServicePrincipal.")
    issuer = field["IssuingAccount"].default(Field.text, key_arn)
    account = account_of(issuer)
    if account is None:
        field["IssuingAccount"].fail(f"{issuer!r} names no account.")
    constraints = field["Constraints"]
    if not constraints.absent:
        constraints.mapping(("EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"))
    return Grant(
        grant_id=field["GrantId"].text(),
        key_arn=key_arn,
        name=field["Name"].default(Field.scalar, None) or None,
        created=field["CreationDate"].default(Field.scalar, None),
        grantee=field["GranteePrincipal"].default(Field.text, None),
        grantee_service=field["GranteeServicePrincipal"].default(Field.text, None),
        retiring=field["RetiringPrincipal"].default(Field.text, None),
        retiring_service=field["RetiringServicePrincipal"].default(Field.text, None),
        issuing_account=account,
        operations=field["Operations"].texts(),
        context_equals=constraints["EncryptionContextEquals"].default(Field.pairs, None),
        context_subset=constraints["EncryptionContextSubset"].default(Field.pairs, None),
        source_arn=constraints["SourceArn"].default(Field.text, None),
    )
