"""Findings that are gone because a fact of the organization could not be read are not resolved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.audit import Auditor
from auditor.audit.comparing import UNVERIFIED, compare_findings
from auditor.model.key import Fact
from auditor.model.snapshot import Gap, Snapshot
from tests.rules import estate

PROD, TEST = "111111111111", "222222222222"
READ = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
CROSSED = {
    "collected": [PROD, TEST],
    "organization": {
        "accounts": {PROD: {"ou": "one", "tags": {"environment": "prod"}}, TEST: {"ou": "two"}},
        "units": {"two": {"tags": {"environment": "test"}}},
    },
    "keys": [{"policy": [{**READ, "Principal": {"AWS": TEST}}]}],
    "roles": [{"name": "reader", "account": TEST, "policy": [READ]}],
}


def without_tags(snapshot: Snapshot, subject: str) -> Snapshot:
    """The snapshot where the tags of a level, or of all levels (no subject), could not be read."""
    organization = snapshot.organization
    assert organization is not None
    targets = [replace(one, tags=() if subject in ("", one.id) else one.tags) for one in organization.targets]
    gap = Gap(
        fact=Fact.TAGS,
        account=organization.management_account,
        subject=subject,
        operation="organizations:ListTagsForResource",
        code="AccessDenied",
    )
    return replace(snapshot, organization=replace(organization, targets=tuple(targets)), gaps=(gap,))


@pytest.mark.parametrize("subject", ["ou-two", ""])
def test_tags_of_a_level_that_could_not_be_read_resolve_nothing(subject: str) -> None:
    auditor = Auditor()
    before = estate.snapshot(CROSSED)
    after = without_tags(before, subject)
    old, new = (auditor.judge(auditor.evaluate(one, estate.AS_OF)) for one in (before, after))
    rule = "cross-environment-access"
    assert rule in {one.rule for one in old.findings}
    assert rule not in {one.rule for one in new.findings}
    headed = dict(compare_findings(old, new, before, after))
    assert rule in {one.rule for one in headed[UNVERIFIED]}
    assert rule not in {one.rule for one in headed["resolved"]}


def test_tags_of_a_key_that_could_not_be_read_hide_nothing_elsewhere() -> None:
    auditor = Auditor()
    before = estate.snapshot(CROSSED)
    gap = Gap(
        fact=Fact.TAGS,
        account=TEST,
        region=estate.REGION,
        subject=f"arn:aws:kms:{estate.REGION}:{TEST}:key/other",
        operation="kms:ListResourceTags",
        code="AccessDenied",
    )
    after = replace(before, keys=tuple(replace(key, policies=()) for key in before.keys), gaps=(gap,))
    old, new = (auditor.judge(auditor.evaluate(one, estate.AS_OF)) for one in (before, after))
    headed = dict(compare_findings(old, new, before, after))
    assert "cross-environment-access" in {one.rule for one in headed["resolved"]}
