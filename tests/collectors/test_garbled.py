"""Answers broken in one place each, one for each account of an organization: the account has a gap, the others nothing.

``Way.plausible`` breaks are told apart by nobody, so that they need only do no harm.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

import pytest

from auditor.collectors.operations import ALL
from auditor.errors import KmsAuditError
from tests.aws.collecting import Found, Verdicts, collected
from tests.aws.garbling import Way, ways
from tests.aws.wire import Call
from tests.aws.written_server import Wire, WrittenAws

UNTOUCHED = "299999999999"
NO_ENVELOPE = "s3:GetBucketPolicy"
"""Its answer is the document itself, in which anything may be written; no document is told from one."""
ONLY_A_NAME = "iam:ListAccountAliases"
"""Its answer is not worth a gap."""
TOLD_APART = {operation.action: operation.identity for operation in ALL}
"""Lists that may name nothing twice, by operation."""
OPTIONAL = frozenset(
    {"name", "Name", "Description", "Path", "UserId"}
    | {"RoleId", "GroupId", "CreationDate", "CreateDate", "created"}
    | {"createdAt", "InstanceProfileList", "RoleLastUsed", "LastUsedDate", "Region"}
    | {"Tags", "PermissionsBoundary", "UserPolicyList", "AliasArn", "TargetKeyId"}
    | {"LastUpdatedDate", "EncryptionAlgorithms", "ExpirationModel", "ValidTo", "IssuingAccount"}
    | {"RetiringPrincipal", "Constraints", "EncryptionContextSubset", "app", "NextRotationDate"}
    | {"RotationDate", "RotationPeriodInDays", "Operation", "PrimaryKey"}
    | {"RetentionPeriod", "CustomKeyStoreName", "CustomKeyStoreType", "CloudHsmClusterId", "ClientIDList"}
    | {"ValidUntil", "EventPattern", "EventBusName", "filterPattern", "logGroupName"}
    | {"Namespace", "MetricName", "ActionsEnabled", "HomeRegion", "Equals"}
    | {"BucketRegion", "BucketKeyEnabled", "QueueUrls", "TagList", "tagSet", "KmsMasterKeyId", "SSEDescription"}
    | {"SSEType", "SqsManagedSseEnabled", "ApproximateNumberOfMessages", "key", "value", "data-class"}
)
"""Members without which an answer is as good: AWS leaves them out, or no verdict and no rule rests on them."""

pytestmark = pytest.mark.usefixtures("local_credentials")


@dataclass(frozen=True)
class Broken:
    """One way to break the answer of one call; ``asked`` are its parameters."""

    action: str
    asked: str
    number: int
    way: Way

    def __str__(self) -> str:
        return f"{self.action} {self.asked} {self.way}"


def _asked(call: Call, asked: dict[str, Any]) -> str:
    return json.dumps(asked, sort_keys=True).replace(call.account, "ACCOUNT")


@dataclass(frozen=True)
class Good:
    """What is found of UNTOUCHED where nothing is broken, and every way to break the answers about it."""

    found: Found
    verdicts: Verdicts
    ways: dict[str, list[Broken]]


@pytest.fixture(scope="module")
def good(local_credentials: None) -> Good:
    seen: dict[tuple[str, str], bytes] = {}

    def remember(call: Call, asked: dict[str, Any], good: Wire) -> None:
        if call.account == UNTOUCHED:
            seen.setdefault((call.action, _asked(call, asked)), good[2])

    with WrittenAws((UNTOUCHED,)) as aws:
        aws.garble = remember
        found = collected(aws, resources=True)
    assert not found.snapshot.gaps
    broken: dict[str, list[Broken]] = {}
    for (action, asked), body in sorted(seen.items()):
        broken.setdefault(action, []).extend(Broken(action, asked, *way) for way in enumerate(ways(body)))
    return Good(found, found.verdicts([UNTOUCHED])[UNTOUCHED], broken)


def run(broken: dict[str, Broken]) -> Found:
    """The organization, where each account has its own broken answer and one has none."""

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        case = broken.get(call.account)
        if case is None or (call.action, _asked(call, asked)) != (case.action, case.asked):
            return None
        return good[0], good[1], ways(good[2])[case.number].make()

    with WrittenAws((*broken, UNTOUCHED)) as aws:
        aws.garble = garble
        return collected(aws, resources=True)


def misjudged(found: Verdicts, clean: Verdicts, *, gaps: bool) -> list[str]:
    """The verdicts that are certain and others than without the break, and those that are missing without a gap."""
    return [
        f"{question}: {before} → {after}"
        for question, before in clean.items()
        if (after := found.get(question, "unknown" if gaps else "missing")) != before
        and not after.startswith("unknown")
        and not ("denied" in before and "denied" in after)
    ]


def check(case: Broken, account: str, found: Found, verdicts: Verdicts, good: Good) -> list[str]:
    """What is wrong with what was found of an account."""
    gaps = found.gaps(account)
    told = [item for item in (*found.snapshot.keys, *found.snapshot.principals) if item.account == account]
    if not gaps and any(item.unread for item in told):
        return ["unknown without a gap"]
    wrong = [f"a gap that says nothing: {gap}" for gap in gaps if not (gap.message and gap.remedy and gap.effect)]
    way = case.way
    if way.how == "alike" and way.member not in TOLD_APART.get(case.action, {}):
        return wrong
    if (case.action == NO_ENVELOPE and way.where) or (way.how == "empty" and way.member in ("Value", "TagValue")):
        return wrong
    if case.action == ONLY_A_NAME or way.plausible or way.unlisted or (way.absent and way.member in OPTIONAL):
        return wrong
    wrong += misjudged(verdicts, good.verdicts, gaps=bool(gaps))
    facts, clean = found.facts(account), good.found.facts(UNTOUCHED)
    if not gaps and facts != clean:
        wrong.append(f"changed without a gap: {sorted(set(facts) ^ set(clean))}")
    return wrong


def troubles(cases: list[Broken], good: Good) -> list[str]:
    """What goes wrong in an organization with an account for each case and one that is left alone."""
    broken = {f"{200000000000 + number}": case for number, case in enumerate(cases)}
    found = run(broken)
    for name, content in good.found.shards.items():
        assert name.startswith("organization") or found.shards[name] == content
    verdicts = found.verdicts(broken)
    return [
        f"{case} | {wrong[:600]}"
        for account, case in broken.items()
        for wrong in check(case, account, found, verdicts[account], good)
    ]


def test_a_broken_answer_is_a_gap_of_its_account_and_nothing_else(good: Good) -> None:
    chosen = random.Random(1)
    operations = chosen.sample(sorted(good.ways), 12)
    assert troubles([chosen.choice(good.ways[action]) for action in operations], good) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_broken_answers_of_every_operation(good: Good, seed: int) -> None:
    chosen = random.Random(seed)
    assert troubles([case for found in good.ways.values() for case in chosen.sample(found, 2)], good) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_broken_answers_about_the_organization_end_in_gaps_or_in_plain_words(good: Good, seed: int) -> None:
    seen: dict[tuple[str, str], bytes] = {}

    def remember(call: Call, asked: dict[str, Any], answer: Wire) -> None:
        if call.service in ("organizations", "sts"):
            seen.setdefault((call.action, _asked(call, asked)), answer[2])

    with WrittenAws((UNTOUCHED,)) as aws:
        aws.garble = remember
        collected(aws)
    every = [Broken(*key, *way) for key, body in sorted(seen.items()) for way in enumerate(ways(body))]
    for case in random.Random(seed).sample(every, 15):
        try:
            found = _with(case)
        except KmsAuditError:
            continue
        if not (case.way.plausible or case.way.unlisted or case.way.absent):
            gaps = bool(found.snapshot.gaps)
            wrong = misjudged(found.verdicts([UNTOUCHED])[UNTOUCHED], good.verdicts, gaps=gaps)
            assert not wrong, f"{case}: {wrong[:3]}"


def _with(case: Broken) -> Found:
    """A collection in which one call about the organization is answered badly."""

    def garble(call: Call, asked: dict[str, Any], answer: Wire) -> Wire | None:
        if (call.action, _asked(call, asked)) != (case.action, case.asked):
            return None
        return answer[0], answer[1], ways(answer[2])[case.number].make()

    with WrittenAws((UNTOUCHED,)) as aws:
        aws.garble = garble
        return collected(aws)
