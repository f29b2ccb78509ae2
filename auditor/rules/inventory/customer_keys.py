"""Rules about the choice of the key: AWS's, or the customer's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact
from auditor.model.resource import Resource
from auditor.rules.hit import Hit, given, listing, naming
from auditor.rules.inventory.sharing import shared_with
from auditor.rules.resources import BY_DEFAULT, Custody, called, custody, key_of, name_of, tier_of
from auditor.rules.trust import Standing
from auditor.rules.view import View

HELD = {
    Custody.AWS_MANAGED: "is encrypted with an AWS managed key",
    Custody.SERVICE_OWNED: "is encrypted with a key that the service owns",
    Custody.NONE: "is not encrypted with any key of KMS",
}
WITHOUT_DOWNTIME = {
    "AWS::S3::Bucket": "aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration "
    '\'{{"Rules":[{{"ApplyServerSideEncryptionByDefault":{{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"KEY_ARN"}},'
    '"BucketKeyEnabled":true}}]}}\'',
    "AWS::SQS::Queue": 'aws sqs set-queue-attributes --region {region} --queue-url "$(aws sqs get-queue-url --region '
    '{region} --queue-name {name} --query QueueUrl --output text)" --attributes KmsMasterKeyId=KEY_ARN',
    "AWS::SNS::Topic": "aws sns set-topic-attributes --region {region} --topic-arn {arn} "
    "--attribute-name KmsMasterKeyId --attribute-value KEY_ARN",
    "AWS::SecretsManager::Secret": "aws secretsmanager update-secret --region {region} --secret-id {arn} "
    "--kms-key-id KEY_ARN",
    "AWS::DynamoDB::Table": "aws dynamodb update-table --region {region} --table-name {name} "
    "--sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=KEY_ARN",
}
BY_COPYING = {
    "AWS::EC2::Volume": "aws ec2 create-snapshot --region {region} --volume-id {name}\n"
    "aws ec2 copy-snapshot --region {region} --source-region {region} --source-snapshot-id SNAPSHOT_ID --encrypted "
    "--kms-key-id KEY_ARN\n"
    "aws ec2 create-volume --region {region} --availability-zone ZONE --snapshot-id COPIED_SNAPSHOT_ID",
    "AWS::RDS::DBInstance": "aws rds create-db-snapshot --region {region} --db-instance-identifier {name} "
    "--db-snapshot-identifier NAME\n"
    "aws rds copy-db-snapshot --region {region} --source-db-snapshot-identifier NAME --target-db-snapshot-identifier "
    "NAME-own-key --kms-key-id KEY_ARN\n"
    "aws rds restore-db-instance-from-db-snapshot --region {region} --db-instance-identifier NEW-NAME "
    "--db-snapshot-identifier NAME-own-key",
    "AWS::RDS::DBCluster": "aws rds create-db-cluster-snapshot --region {region} --db-cluster-identifier {name} "
    "--db-cluster-snapshot-identifier NAME\n"
    "aws rds restore-db-cluster-from-snapshot --region {region} --snapshot-identifier NAME --db-cluster-identifier "
    "NEW-NAME --engine ENGINE --kms-key-id KEY_ARN",
    "AWS::EFS::FileSystem": "aws efs create-file-system --region {region} --encrypted --kms-key-id KEY_ARN",
}
"""Kinds whose key is chosen when they are made: their data has to be copied."""


def aws_managed_key_where_customer_key_expected(view: View) -> Iterator[Hit]:
    """A resource has a key of AWS where its data class demands one of the customer, or where others must use it.

    The data class is the tag ``data_class_tag`` of the resource, and ``customer_key_classes`` says which classes need a
    customer managed key; without a known class a resource counts as confidential, as a key does. A resource of such a
    class is told that is encrypted with an AWS managed key (alias/aws/SERVICE) or a key that the service owns, and one
    that is not encrypted at all. So is, of whatever class, one under an AWS managed key whose policy lets another
    account or an organization read or write the data: no other account can use that key. Of the policies of buckets,
    queues, topics and secrets those statements count that name an account, or that are for everybody under a condition
    which names one or an organization; other ways of sharing (snapshots, tables, AWS RAM) are not looked at.

    Of a bucket the default encryption is looked at: objects may have been stored with another key. Some services
    write logs only to buckets under the key of S3; such buckets are no place for restricted data, or an accepted risk.
    A key that was not read, or could not be, makes the resource one that the rule says nothing about.

    Fix: create a customer managed key with its own policy, and encrypt the resource with it.
    """
    for resource in view.snapshot.evidence.resources:
        held = custody(view, resource)
        if held is None or held is Custody.CUSTOMER:
            continue
        demanded, sharers = _demanded(view, resource), _sharers(view, resource, held)
        if demanded or sharers:
            yield _hit(view, resource, held, sharers, demanded=demanded)


def unread_choices(view: View) -> Iterator[SkippedScope]:
    """The resources that need a customer's key, or are shared, and of which nobody knows whose key they have; and those
    whose policy cannot be understood."""
    for resource in view.snapshot.evidence.resources:
        held = custody(view, resource)
        blind = held is None and (resource.tags is None or _demanded(view, resource) or bool(shared_with(resource)))
        garbled = resource.policy is not None and not resource.policy.readable
        if blind or (garbled and held in (None, Custody.AWS_MANAGED)):
            yield SkippedScope(resource.arn, Fact.RESOURCES)


def _hit(view: View, resource: Resource, held: Custody, sharers: tuple[str, ...], *, demanded: bool) -> Hit:
    classes = listing(resource.tag_values(view.settings.data_class_tag))
    evidence = [
        Evidence("resource", resource.arn),
        Evidence("key", _key(view, resource) or "none of KMS"),
        Evidence("data class", classes or ("could not be read" if resource.tags is None else "none; confidential")),
    ]
    evidence += [naming("shared with", sharers)] if sharers else []
    return Hit(
        subject=resource.arn,
        kind="resource",
        summary=_summary(resource, held, classes, sharers, demanded=demanded),
        account=resource.account,
        region=resource.region,
        evidence=tuple(evidence),
        raised=given((tier_of(view, resource) == "T1", "T1 resource")),
        remedy=_commands(resource),
        remedy_kind="cli",
    )


def _summary(resource: Resource, held: Custody, classes: str, sharers: tuple[str, ...], *, demanded: bool) -> str:
    name = called(resource)
    found = f"{name[0].upper()}{name[1:]} {HELD[held]}"
    if demanded:
        found += f", and its data class ({classes or 'none, so confidential'}) demands one of the customer"
    if sharers:
        found += f"; it is shared with {listing(sharers, 4)}, where nobody can use that key"
    return f"{found}."


def _key(view: View, resource: Resource) -> str:
    """What the resource names, with the alias of that key where it names another form of it."""
    key = key_of(view, resource)
    named = resource.key or ""
    return f"{named} ({key.label})" if key is not None and key.label not in named else named


def _demanded(view: View, resource: Resource) -> bool:
    """Whether the data class of a resource, where it was read, demands a key of the customer."""
    if resource.tags is None:
        return False
    wanted = {name.lower() for name in view.settings.customer_key_classes}
    values = {value.lower() for value in resource.tag_values(view.settings.data_class_tag)}
    if values & wanted:
        return True
    known = {name.lower(): tier for name, tier in view.settings.tiers}
    return not values & known.keys() and any(known.get(name) == BY_DEFAULT for name in wanted)


def _sharers(view: View, resource: Resource, held: Custody) -> tuple[str, ...]:
    """With whom a resource under an AWS managed key is shared; accounts of AWS itself need no key of the customer."""
    if held is not Custody.AWS_MANAGED:
        return ()
    found = shared_with(resource)
    return tuple(name for name in found if view.trust.standing(name, resource.account) is not Standing.AWS)


def _commands(resource: Resource) -> str:
    """The commands that give the resource another key; only the owner knows which."""
    text = {**WITHOUT_DOWNTIME, **BY_COPYING}.get(resource.kind, "")
    quoted = {
        "name": shlex.quote(name_of(resource)),
        "arn": shlex.quote(resource.arn),
        "region": shlex.quote(resource.region),
    }
    return text.format(**quoted)
