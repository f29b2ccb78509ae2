"""Where an ARN leads: its position among the keys or principals of a report, for links and for what is told of them."""

from __future__ import annotations

from auditor.model.principal import PrincipalKind
from auditor.model.report import Report


def key_places(report: Report) -> dict[str, int]:
    """ARN → position of the key."""
    return {key.arn: place for place, key in enumerate(report.snapshot.keys)}


def principal_places(report: Report) -> dict[str, int]:
    """ARN → position of the principal. The root ARN of an account outside, as policies and findings write it, leads to
    the row of the account."""
    places = {one.arn: place for place, one in enumerate(report.principals)}
    partitions = sorted({key.partition for key in report.snapshot.keys})
    for place, one in enumerate(report.principals):
        if one.kind is PrincipalKind.EXTERNAL_ACCOUNT:
            for partition in partitions:
                places.setdefault(f"arn:{partition}:iam::{one.account}:root", place)
    return places
