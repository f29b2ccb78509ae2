"""Shards → Snapshot: puts the decoded parts together and adds a Gap for every document that nobody can read.

Works on shards from disk and from memory alike; does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from auditor.model.key import Fact, Key
from auditor.model.organization import Organization
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.principal import Principal
from auditor.model.resource import Resource
from auditor.model.shard import ORGANIZATION_SHARD, Shard
from auditor.model.snapshot import Gap, Provenance, ShardCoverage, Snapshot
from auditor.store.decode_evidence import join_evidence
from auditor.store.parts import Part, part_of

_FACTS = {
    Layer.KEY_POLICY: Fact.KEY_POLICY,
    Layer.IDENTITY: Fact.IDENTITY_POLICY,
    Layer.BOUNDARY: Fact.BOUNDARY,
    Layer.SCP: Fact.SCP,
    Layer.RCP: Fact.RCP,
}

KEY_FACTS = (Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA)
PRINCIPAL_FACTS = (Fact.IDENTITY_POLICY, Fact.BOUNDARY)
UPROOTED = Gap(
    fact=Fact.ORGANIZATION,
    code="Contradictory",
    message="The levels above an account go round in a circle, or lead to no root.",
    remedy="Collect again.",
    effect="Organization limits (SCPs, RCPs) and membership are unknown.",
)
Described = TypeVar("Described", Key, Principal)


def decode(provenance: Provenance, shards: Iterable[Shard]) -> Snapshot:
    """The snapshot of shards in memory; every tuple sorted, whatever the order of the shards."""
    return join(provenance, [(shard.coverage, part_of(shard)) for shard in shards])


def join(provenance: Provenance, parts: Iterable[tuple[ShardCoverage, Part]]) -> Snapshot:
    """The snapshot of decoded shards, each with its line of the manifest, in any order."""
    ordered = sorted(parts, key=lambda item: (item[1].account, item[1].region))
    found = [part for _, part in ordered]
    organization, unread = next(
        ((part.organization, part.organization_unread) for part in found if part.account == ORGANIZATION_SHARD),
        (None, True),
    )
    gaps = {gap for part in found for gap in part.gaps}
    if organization is not None and organization.tree_read and not organization.rooted:
        organization = replace(organization, tree_read=False, branches_missing=False)
        gaps.add(UPROOTED)
    keys = _once((key for part in found for key in part.keys), KEY_FACTS, gaps)
    principals = _once((item for part in found for item in part.principals), PRINCIPAL_FACTS, gaps)
    evidence = join_evidence(part.evidence for part in found)
    gaps |= set(_unreadable(keys, principals, organization))
    gaps |= {_no_policy(item) for item in evidence.resources if item.policy is not None and not item.policy.readable}
    return Snapshot(
        provenance=provenance,
        accounts=tuple(account for part in found for account in part.accounts),
        keys=tuple(keys),
        principals=tuple(principals),
        organization=organization,
        organization_unread=unread,
        gaps=tuple(sorted(gaps, key=_gap_order)),
        coverage=tuple(coverage for coverage, _ in ordered),
        evidence=evidence,
    )


def _once(found: Iterable[Described], facts: tuple[Fact, ...], gaps: set[Gap]) -> list[Described]:
    """Each ARN once, sorted. Two descriptions that contradict each other prove neither: the facts count as unread."""
    kept: dict[str, Described] = {}
    for item in found:
        earlier = kept.setdefault(item.arn, item)
        if earlier is item or earlier == item:
            continue
        kept[item.arn] = replace(earlier, unread=earlier.unread | set(facts))
        gaps.update(_contradiction(item, fact) for fact in facts)
    return [kept[arn] for arn in sorted(kept)]


def _contradiction(item: Key | Principal, fact: Fact) -> Gap:
    return Gap(
        fact=fact,
        account=item.account or "",
        region=item.region if isinstance(item, Key) else "",
        subject=item.arn,
        code="Contradictory",
        message="The snapshot describes it twice, differently.",
        remedy="Collect again.",
        effect="Which of the two descriptions is true is unknown.",
    )


def _gap_order(gap: Gap) -> tuple[str, ...]:
    return (gap.account, gap.region, str(gap.fact), gap.subject, gap.operation, gap.code, gap.message)


def _unreadable(keys: list[Key], principals: list[Principal], organization: Organization | None) -> Iterator[Gap]:
    for key in keys:
        yield from _gaps(key.policies, key.account, key.region)
    for principal in principals:
        boundary = (principal.boundary,) if principal.boundary else ()
        yield from _gaps(principal.identity_policies + boundary, principal.account or "", "")
    for target in organization.targets if organization else ():
        yield from _gaps((target.scps or ()) + (target.rcps or ()), ORGANIZATION_SHARD, "")


def _no_policy(item: Resource) -> Gap:
    return Gap(
        fact=Fact.RESOURCES,
        account=item.account,
        region=item.region,
        subject=item.arn,
        code="Unreadable",
        message=item.policy.problems[0].message if item.policy and item.policy.problems else "",
        remedy="Correct the resource policy; it is kept verbatim in the snapshot.",
        effect="With whom the resource is shared is unknown.",
    )


def _gaps(policies: tuple[AttachedPolicy, ...], account: str, region: str) -> Iterator[Gap]:
    for attached in policies:
        if not attached.policy.readable:
            problem = attached.policy.problems[0].message if attached.policy.problems else ""
            yield Gap(
                fact=_FACTS[attached.layer],
                account=account,
                region=region,
                subject=attached.owner,
                code="Unreadable",
                message=f"{attached.name}: {problem}",
                remedy="Correct the document; it is kept verbatim in the snapshot.",
                effect="What the document allows or denies is unknown.",
            )
