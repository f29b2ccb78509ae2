"""Rule about where a multi-Region key could be replicated to, Region by Region, by those who would write its policy."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.access import Decision
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.model.principal import Principal
from auditor.model.residual import Leaf
from auditor.rules.conditions import asks_for_values, demands
from auditor.rules.hit import Hit, count, given, listing, naming
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import given_by
from auditor.rules.privilege.power import REPLICATE, power
from auditor.rules.reach import CERTAIN, LIVE, openness
from auditor.rules.statements import render
from auditor.rules.view import View

ELSEWHERE = "xx-elsewhere-9"
"""A Region that does not exist: what is open there is open in every Region that is not named."""
REGION_KEYS = ("kms:replicaregion", "aws:requestedregion")


def _named_regions(view: View) -> tuple[str, ...]:
    """The Regions worth asking about: enabled ones, and those that policies name."""
    found = {region for account in view.snapshot.accounts for region in account.regions}
    documents = [document.policy for document in (*view.identity_documents, *view.scps, *view.boundaries)]
    documents += [attached.policy for key in view.keys for attached in key.policies]
    for policy in documents:
        for statement in policy.statements:
            for test in statement.conditions:
                if test.key.lower() in REGION_KEYS:
                    found |= {value for value in test.values if not set(value) & set("*?$")}
    return tuple(sorted(found))


def _open(decision: Decision) -> bool:
    return openness(decision) in LIVE


def _named_by_policy(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only replicas in Regions that it names."""
    anything = any(set(value) <= {"*"} for value in leaf.values)
    return leaf.key.lower() == "kms:replicaregion" and asks_for_values(leaf, negated) and not anything


def _reachable(view: View, who: Principal, key: Key) -> list[str]:
    """The Regions without a related key in which the principal could make a replica."""
    if demands(view.decide(who, key, "ReplicateKey").residual, _named_by_policy):
        return []
    taken = {arn.split(":")[3] for arn in (key.arn, *key.replica_arns)}
    regions = [*view.once("named-regions", lambda: _named_regions(view)), ELSEWHERE]
    return [region for region in regions if region not in taken and _may_replicate(view, who, key, region)]


def _may_replicate(view: View, who: Principal, key: Key, region: str) -> bool:
    replicate = view.evaluation.decide(who, key, "kms:ReplicateKey", {"kms:ReplicaRegion": (region,)})
    create = view.evaluation.decide(who, key, "kms:CreateKey", {"aws:RequestedRegion": (region,)})
    return _open(replicate) and _open(create)


def replicate_key_unrestricted(view: View) -> Iterator[Hit]:
    """Somebody can replicate a multi-Region key to a Region where it is not, and writes the policy of the replica.

    Told for primaries whose ReplicateKey is open to somebody who may create keys in another Region. Every Region is
    asked about by itself, so SCPs on ``aws:RequestedRegion`` count. Regions of ``approved_regions`` are meant, and so
    are those that a policy names by ``kms:ReplicaRegion``.

    Fix: list the Regions that need the key in a Deny of the key policy.
    """
    own = power(view)
    for key in view.keys_with(Fact.KEY_POLICY):
        if key.multi_region_key_type != "PRIMARY":
            continue
        position = view.reach.key_at[key.arn]
        reached: dict[str, list[str]] = {}
        for row in range(len(view.reach.principals)) if own.creators.any() else ():
            who = view.reach.principals[row]
            profile = view.reach.profile(row, position)
            if not own.creators[row] or not view.reach.held(profile, position, *LIVE) & REPLICATE:
                continue
            if service_linked(who) or who.assume_allowed or who.kind.value == "root":
                continue
            regions = [name for name in _reachable(view, who, key) if name not in view.settings.approved_regions]
            if regions:
                reached[who.arn] = regions
        if reached:
            yield _hit(view, key, reached)


def _hit(view: View, key: Key, reached: dict[str, list[str]]) -> Hit:
    regions = sorted({region for found in reached.values() for region in found})
    names = [region for region in regions if region != ELSEWHERE]
    where = "any Region" if ELSEWHERE in regions else listing(names)
    ordinary = [arn for arn in reached if not view.trust.key_admin(view.principal_by_arn[arn])]
    position = view.reach.key_at[key.arn]
    sure = any(
        view.reach.held(view.reach.profile(view.reach.principal_at[arn], position), position, *CERTAIN) & REPLICATE
        for arn in reached
    )
    able = next(iter(reached)) if len(reached) == 1 else count(len(reached), "principal")
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{able} can replicate {key.label} to {where}, and would write the replica's policy.",
        keys=(key.arn,),
        principals=tuple(reached),
        evidence=(
            Evidence("principals", listing(reached)),
            Evidence("Regions reachable", where),
            naming("related keys", (key.arn, *key.replica_arns)),
            *given_by(view, list(reached), key, REPLICATE),
        ),
        raised=given((ordinary, "not a key administrator")),
        confidence=Confidence.CONFIRMED if sure else Confidence.POTENTIAL,
        identity=tuple(reached),
        remedy=_only_here(key),
    )


def _only_here(key: Key) -> str:
    """A Deny for the key policy that leaves the Regions in which the key is today."""
    regions = sorted({arn.split(":")[3] for arn in (key.arn, *key.replica_arns)})
    return render(
        {
            "Sid": "ReplicateOnlyHere",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "kms:ReplicateKey",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"kms:ReplicaRegion": regions}},
        }
    )
