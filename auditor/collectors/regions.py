"""Which Regions of an account to read: account:ListRegions, else ec2:DescribeRegions, else the SDK's list and probing.

A Region that was asked for by name and is not enabled leaves a Gap, and so does an account in whose partition none of
those asked for is; a name that no SDK knows is a usage error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import DESCRIBE_REGIONS, LIST_REGIONS
from auditor.collectors.request import CollectRequest
from auditor.errors import UsageError
from auditor.model.key import Fact

ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")
WILDCARDS = frozenset("*?[")
NO_REGIONS = Failure(Cause.MALFORMED, "", "The answer names no Region, or something that is none.")
_NAME = re.compile(r"[a-z0-9-]{1,63}")
"""Region names become parts of host names, and of the names of files."""
ALWAYS_ENABLED = frozenset(
    {"us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"}
    | {"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"}
    | {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"}
)
"""Regions that no account can disable (Account Management reference guide, "Enable or disable AWS Regions"): one of
these that refuses credentials means bad credentials, not a disabled Region."""
DISABLED = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "InvalidAccessKeyId"}
    | {"OptInRequired", "SubscriptionRequiredException"}
)
"""How a Region that is not enabled refuses credentials that are good elsewhere. A clock that is wrong, or a signature,
is refused in other words."""


@dataclass(frozen=True, slots=True)
class Regions:
    """The Regions to read. ``probed``: nobody said which are enabled; one that refuses the first call is not."""

    names: tuple[str, ...]
    probed: bool = False


def check_regions(request: CollectRequest, known: Collection[str]) -> None:
    """Raises UsageError for a Region name or pattern that matches no Region where the SDK knows KMS."""
    for wanted in request.regions:
        if not any(fnmatchcase(region, wanted) for region in known):
            raise UsageError(
                f"Unknown Region: {wanted}.",
                f"KMS is known in: {', '.join(sorted(known))}. A newer Region needs a newer boto3.",
            )


def regions_of(caller: Caller, request: CollectRequest, known: tuple[str, ...]) -> Regions:
    """The enabled Regions of the caller's account that the request asks for, sorted."""
    partition = caller.session.partition_of(known[0]) if known else "aws"
    if request.regions and not any(fnmatchcase(name, wanted) for name in known for wanted in request.regions):
        told = f"None of the Regions asked for is in the partition {partition} of the account."
        caller.note(Failure(Cause.OTHER_PARTITION, "", told), Fact.REGIONS, LIST_REGIONS)
    listed, failure = _listed(caller)
    if listed is None:
        listed, failure = _described(caller)
    if listed is None:
        if not request.regions or any(map(_pattern, request.regions)):
            # Probing finds the Regions that the SDK knows; whether there are others, nobody said.
            caller.note(failure, Fact.REGIONS, DESCRIBE_REGIONS)
        return Regions(_chosen(known, request), probed=True)
    enabled = tuple(name for name in listed if caller.session.partition_of(name) == partition)
    for wanted in request.regions:
        if not _pattern(wanted) and wanted not in enabled and wanted in known:
            note_disabled(caller, wanted)
    return Regions(_chosen(enabled, request))


def note_disabled(caller: Caller, region: str) -> None:
    """A Region that was asked for by name is not enabled: a Gap."""
    failure = Failure(Cause.NOT_ENABLED, "", f"The Region {region} is not enabled for the account.")
    caller.note(failure, Fact.REGIONS, LIST_REGIONS, region)


def _pattern(region: str) -> bool:
    return bool(set(region) & WILDCARDS)


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


def _listed(caller: Caller) -> tuple[tuple[str, ...] | None, Failure]:
    try:
        listing = caller.pages(LIST_REGIONS, RegionOptStatusContains=list(ENABLED))
    except RefusedError as error:
        return None, error.failure
    names = _names(listing.items)
    return (names, NO_REGIONS) if names and listing.complete else (None, listing.failure or NO_REGIONS)


def _described(caller: Caller) -> tuple[tuple[str, ...] | None, Failure]:
    try:
        answer = caller.call(DESCRIBE_REGIONS)
    except RefusedError as error:
        return None, error.failure
    return _names(answer["Regions"]), NO_REGIONS


def _names(listed: Iterable[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """The Regions of a list, each once; None when it is empty or a name can be none of a Region."""
    names = tuple(dict.fromkeys(str(item["RegionName"]) for item in listed))
    return names if names and all(map(_NAME.fullmatch, names)) else None
