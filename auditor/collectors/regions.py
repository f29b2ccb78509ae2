"""Which Regions of an account to read: account:ListRegions, else ec2:DescribeRegions, else the SDK's list and probing.

A Region that was asked for by name and is not enabled leaves a Gap; a name that no SDK knows is a usage error.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import DESCRIBE_REGIONS, LIST_REGIONS
from auditor.collectors.request import CollectRequest
from auditor.errors import UsageError
from auditor.model.key import Fact

ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")
WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Regions:
    """The Regions to read. ``probed``: nobody said which are enabled; one that refuses the first call is not."""

    names: tuple[str, ...]
    probed: bool = False


def check_regions(request: CollectRequest, known: tuple[str, ...]) -> None:
    """Raises UsageError for a Region name or pattern that matches no Region where the SDK knows KMS."""
    for wanted in request.regions:
        if not any(fnmatchcase(region, wanted) for region in known):
            raise UsageError(
                f"Unknown Region: {wanted}.",
                f"KMS is known in: {', '.join(known)}. A newer Region needs a newer boto3.",
            )


def regions_of(caller: Caller, request: CollectRequest, known: tuple[str, ...]) -> Regions:
    """The enabled Regions of the caller's account that the request asks for, sorted."""
    partition = caller.session.partition_of(known[0]) if known else "aws"
    listed = _listed(caller) or _described(caller)
    enabled = tuple(name for name in listed or () if caller.session.partition_of(name) == partition)
    if listed is None:
        return Regions(_chosen(known, request), probed=True)
    chosen = _chosen(enabled, request)
    for wanted in request.regions:
        if not set(wanted) & WILDCARDS and wanted not in enabled:
            failure = Failure(Cause.CREDENTIALS, "RegionNotEnabled", f"The Region {wanted} is not enabled.")
            caller.note(failure, Fact.REGIONS, LIST_REGIONS, wanted)
    return Regions(chosen)


def _chosen(regions: tuple[str, ...], request: CollectRequest) -> tuple[str, ...]:
    asked = request.regions or ("*",)
    return tuple(
        sorted(
            region
            for region in regions
            if any(fnmatchcase(region, pattern) for pattern in asked)
            and not any(fnmatchcase(region, pattern) for pattern in request.exclude_regions)
        )
    )


def _listed(caller: Caller) -> tuple[str, ...] | None:
    try:
        listing = caller.pages(LIST_REGIONS, RegionOptStatusContains=list(ENABLED))
    except RefusedError:
        return None
    return tuple(item["RegionName"] for item in listing.items if item.get("RegionName")) or None


def _described(caller: Caller) -> tuple[str, ...] | None:
    try:
        answer = caller.call(DESCRIBE_REGIONS)
    except RefusedError:
        return None
    return tuple(item["RegionName"] for item in answer.get("Regions", ()) if item.get("RegionName")) or None
