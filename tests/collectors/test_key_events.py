"""CloudTrail's event history: read back within bounds, reduced to counts, and never taken for whole where it is not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.collectors import pacing
from auditor.collectors.event_calls import MOST_NAMES, CallCounter
from auditor.model.key import Fact
from auditor.model.key_events import EventWindow, KeyCalls
from tests.aws import events
from tests.aws.collecting import Found, collected
from tests.aws.events import call, entry, role, through, user
from tests.aws.serial import spelt
from tests.aws.wire import Call, error_answer
from tests.aws.written import KEYS, MANAGEMENT, OTHER, REGION, key_arn
from tests.aws.written_server import Wire, WithoutKeys, WrittenAws

LOOKUP = "cloudtrail:LookupEvents"
QUICK = {"evidence": False, "last_usage": False, "last_accessed": False, "retirable_grants": False}
ALONE = {**QUICK, "org": False, "role_name": None, "quota_share": 1.0}
KEY = key_arn(MANAGEMENT, KEYS[0])
APP = f"arn:aws:iam::{MANAGEMENT}:role/app"
ADA = f"arn:aws:iam::{MANAGEMENT}:user/ada"
Data = dict[str, Any]
Paged = Callable[[Data], Data | str]

pytestmark = pytest.mark.usefixtures("local_credentials")


@pytest.fixture
def aws() -> Iterator[WrittenAws]:
    with WithoutKeys() as served:
        yield served


@pytest.fixture(autouse=True)
def _unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pacing.QUOTAS, LOOKUP, 10_000)
    monkeypatch.setattr("auditor.collectors.caller.PAUSES", (0.01,))


def answering(aws: WrittenAws, page: Paged) -> None:
    """Has ``page`` answer LookupEvents: an answer, or the code of an error."""

    def garble(call: Call, asked: Data, good: Wire) -> Wire | None:
        if call.action != LOOKUP:
            return None
        found = page(asked)
        if isinstance(found, str):
            return error_answer(call, found, "no", 400)
        kind, body = spelt("cloudtrail", call.operation, found)
        return 200, {"Content-Type": kind}, body

    aws.garble = garble


def pages(*contents: list[Data]) -> Paged:
    """Pages that follow each other by token."""

    def page(asked: Data) -> Data:
        number = int(asked.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(contents) else {}
        return {"Events": contents[number], **more}

    return page


def decrypts(minute: int, times: int = 1) -> list[Data]:
    """Entries of one page, newest first."""
    moments = (datetime(2025, 5, 20, 12, minute, 59 - n, tzinfo=UTC).isoformat() for n in range(times))
    return [entry(call("Decrypt", KEY, role(MANAGEMENT, "app")), moment) for moment in moments]


def window(found: Found) -> EventWindow:
    (only,) = found.snapshot.evidence.event_windows
    return only


def whole(found: Found) -> bool:
    return found.snapshot.evidence.read(Fact.KEY_EVENTS, MANAGEMENT, REGION)


def calls(*contents: Data) -> list[KeyCalls]:
    """What is kept of entries, decoded."""
    from auditor.model.shard import Kind, Shard
    from auditor.model.snapshot import ShardCoverage
    from auditor.store.decode_evidence import evidence_of

    counter = counted(*contents)
    assert {record.kind for record in counter.records()} <= {Kind.KEY_CALLS}
    place = ShardCoverage(MANAGEMENT, REGION, "read")
    shard = Shard(account=MANAGEMENT, region=REGION, records=tuple(counter.records()), coverage=place)
    return list(evidence_of(shard).key_calls)


def counted(*contents: Data) -> CallCounter:
    counter = CallCounter(MANAGEMENT, REGION, "aws")
    for content in contents:
        times = {name: datetime.fromisoformat(time) for name, time in content.items() if name == "EventTime"}
        counter.take({**content, **times})
    return counter


def unreadable(*contents: Data) -> int:
    return counted(*contents).unreadable


def told(found: KeyCalls) -> tuple[str, str, str]:
    return found.caller, found.caller_account, found.service


def test_the_history_is_read_and_kept_as_counts(aws: WrittenAws) -> None:
    found = collected(aws, **ALONE, key_events=30)
    common = {"key": KEY, "account": MANAGEMENT, "region": REGION, "caller_account": MANAGEMENT, "count": 1}
    at = "2025-05-20T20:45:00Z"
    assert found.snapshot.evidence.key_calls == (
        KeyCalls(**common, caller=APP, operation="Decrypt", last=at, service="AWS Internal", context=("aws:s3:arn",)),
        KeyCalls(**common, caller=ADA, operation="Encrypt", last=at),
    )
    read = window(found)
    assert (read.start, read.events, read.unreadable) == (read.asked, 2, 0)
    assert datetime.fromisoformat(read.end) - datetime.fromisoformat(read.asked) == timedelta(days=30)
    assert read.end == found.snapshot.provenance.started
    assert whole(found) and found.gaps(MANAGEMENT) == []
    assert "key-events=30" in found.snapshot.provenance.scope.filters


def test_one_request_asks_for_the_events_of_kms_in_the_window(aws: WrittenAws) -> None:
    found = collected(aws, **ALONE, key_events=30)
    (asked,) = (json.loads(call.body) for call in aws.calls if call.action == LOOKUP)
    assert asked["LookupAttributes"] == [{"AttributeKey": "EventSource", "AttributeValue": "kms.amazonaws.com"}]
    assert asked["MaxResults"] == 50
    times = [datetime.fromtimestamp(asked[name], UTC) for name in ("StartTime", "EndTime")]
    assert times == [datetime.fromisoformat(text) for text in (window(found).asked, window(found).end)]


def test_it_is_not_asked_for_without_the_option(aws: WrittenAws) -> None:
    found = collected(aws, **ALONE, key_events=0)
    assert LOOKUP not in {call.action for call in aws.calls}
    assert found.snapshot.evidence.event_windows == ()
    assert not whole(found)


def test_nothing_of_a_raw_event_is_on_disk(aws: WrittenAws) -> None:
    private = {"encryptionContext": {"patient": "Jane Roe"}}
    app = role(MANAGEMENT, "app", session="jane.roe@example.com")
    answering(aws, pages([entry(call("Decrypt", KEY, app, requestParameters=private, sourceIPAddress="192.0.2.77"))]))
    found = collected(aws, **ALONE)
    written = b"".join(gzip.decompress(content) for content in found.shards.values())
    assert b"patient" in written
    for secret in (b"Jane", b"jane", b"192.0.2", b"AROAEXAMPLE"):
        assert secret not in written


def test_every_page_is_read_and_the_order_does_not_matter(aws: WrittenAws) -> None:
    answering(aws, pages(decrypts(30, 3), [], decrypts(20, 2)))
    first = collected(aws, **ALONE)
    answering(aws, pages(decrypts(20, 2), decrypts(30, 3)[::-1]))
    second = collected(aws, **ALONE)
    (only,) = first.snapshot.evidence.key_calls
    assert (only.count, only.last) == (5, "2025-05-20T12:30:59Z")
    assert second.snapshot.evidence.key_calls == (only,)
    assert whole(first) and whole(second)


def test_an_event_on_two_pages_counts_once(aws: WrittenAws) -> None:
    answering(aws, pages(decrypts(30, 2), decrypts(30, 3)))
    assert [item.count for item in collected(aws, **ALONE).snapshot.evidence.key_calls] == [3]


def test_more_events_than_pages_is_a_gap_with_what_was_read(aws: WrittenAws) -> None:
    answering(aws, pages(decrypts(30, 2), decrypts(20, 2), decrypts(10, 2)))
    found = collected(aws, **ALONE, key_event_pages=2)
    (gap,) = found.gaps(MANAGEMENT)
    assert (gap.fact, gap.code, gap.operation, gap.subject) == (Fact.KEY_EVENTS, "LimitReached", LOOKUP, "")
    assert "The events since 2025-05-20T12:20:59Z were read" in gap.message
    assert "key_event_pages" in gap.remedy and not gap.essential
    assert window(found).start == "2025-05-20T12:20:59Z" and window(found).events == 4
    assert not whole(found)


def test_exactly_as_many_pages_as_allowed_are_whole(aws: WrittenAws) -> None:
    answering(aws, pages(decrypts(30), decrypts(20)))
    assert whole(collected(aws, **ALONE, key_event_pages=2))


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("ThrottlingException", "Throttled"),
        ("AccessDeniedException", "AccessDenied"),
        ("InvalidTimeRangeException", "InvalidTimeRangeException"),
        ("UnsupportedOperationException", "UnsupportedOperationException"),
    ],
)
def test_a_refusal_half_way_keeps_what_was_read(aws: WrittenAws, code: str, cause: str) -> None:
    good = pages(decrypts(30, 2), [])
    answering(aws, lambda asked: code if "NextToken" in asked else good(asked))
    found = collected(aws, **ALONE)
    (gap,) = found.gaps(MANAGEMENT)
    assert gap.code == cause and "since 2025-05-20T12:30:59Z" in gap.message
    assert [item.count for item in found.snapshot.evidence.key_calls] == [2]
    assert not whole(found)


def test_a_refusal_at_once_covers_nothing(aws: WrittenAws) -> None:
    answering(aws, lambda asked: "AccessDeniedException")
    found = collected(aws, **ALONE)
    assert window(found).start == window(found).end
    assert [(gap.code, "No event was read" in gap.message) for gap in found.gaps(MANAGEMENT)] == [
        ("AccessDenied", True)
    ]
    assert not whole(found)


def test_a_throttle_that_passes_leaves_nothing_behind(aws: WrittenAws) -> None:
    left = ["ThrottlingException"]
    good = pages(decrypts(30))
    answering(aws, lambda asked: left.pop() if left else good(asked))
    assert whole(collected(aws, **{**ALONE, "max_attempts": 3}))


def test_pages_that_go_round_in_a_circle_are_a_gap(aws: WrittenAws) -> None:
    answering(aws, lambda asked: {"Events": decrypts(30), "NextToken": "again"})
    found = collected(aws, **ALONE)
    assert {gap.code for gap in found.gaps(MANAGEMENT)} == {"IncompleteAnswer"}
    assert not whole(found)


@pytest.mark.parametrize(
    "event",
    [
        "{",
        "",
        "[]",
        "null",
        "[" * 20_000,
        {"eventSource": "kms.amazonaws.com"},
        {key: value for key, value in call("Decrypt", KEY, {}).items() if key != "userIdentity"},
        call("Decrypt", KEY, {}) | {"userIdentity": "ada"},
        call("Decrypt", None, user(MANAGEMENT, "ada")),
        call("ReEncrypt", None, user(MANAGEMENT, "ada")),
        call("Encrypt", None, user(MANAGEMENT, "ada"), requestParameters={"keyId": "alias/app"}),
        call("PutKeyPolicy", None, user(MANAGEMENT, "ada"), resources=None, requestParameters=None),
    ],
)
def test_an_event_that_nobody_understands_is_a_gap(aws: WrittenAws, event: Data | str) -> None:
    answering(aws, pages([entry(event), *decrypts(30)]))
    found = collected(aws, **ALONE)
    (gap,) = found.gaps(MANAGEMENT)
    assert gap.message == "1 of 2 events do not say what happened."
    assert window(found).unreadable == 1 and window(found).start == window(found).asked
    assert [item.count for item in found.snapshot.evidence.key_calls] == [1]
    assert not whole(found)


def test_a_time_is_needed() -> None:
    event = call("Decrypt", KEY, user(MANAGEMENT, "ada"))
    assert unreadable({"CloudTrailEvent": json.dumps(event)}) == 1
    assert unreadable({"CloudTrailEvent": json.dumps({**event, "eventTime": "2025-05-20T20:45:00Z"})}) == 0


@pytest.mark.parametrize("operation", ["ListKeys", "GenerateRandom", "DescribeKey", "ConnectCustomKeyStore", "Unheard"])
def test_an_event_about_no_key_is_left_out(operation: str) -> None:
    event = entry(call(operation, None, user(MANAGEMENT, "ada")))
    assert calls(event) == [] and unreadable(event) == 0


def test_events_of_other_services_are_none_of_ours() -> None:
    assert calls(entry(call("Decrypt", KEY, user(MANAGEMENT, "ada"), eventSource="s3.amazonaws.com"))) == []


SESSION = f"arn:aws:sts::{MANAGEMENT}:assumed-role/app/someone"
LINKED = f"arn:aws:iam::{MANAGEMENT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
VOLUMES = f"arn:aws:iam::{MANAGEMENT}:role/aws:ec2-infrastructure"


@pytest.mark.parametrize(
    ("identity", "source", "expected"),
    [
        (user(MANAGEMENT, "ada"), "192.0.2.0", (ADA, MANAGEMENT, "")),
        (role(MANAGEMENT, "app"), "2001:db8::1", (APP, MANAGEMENT, "")),
        (role(MANAGEMENT, "app", path="/team/"), "", (f"arn:aws:iam::{MANAGEMENT}:role/team/app", MANAGEMENT, "")),
        ({"type": "AssumedRole", "arn": SESSION}, "192.0.2.0", (APP, MANAGEMENT, "")),
        # As in the older examples of Secrets Manager: a session that calls itself a user and names no issuer.
        (
            {"type": "IAMUser", "arn": SESSION, "sessionContext": {"attributes": {}}, "invokedBy": "rds.amazonaws.com"},
            "rds.amazonaws.com",
            (APP, MANAGEMENT, "rds.amazonaws.com"),
        ),
        (
            {
                "type": "FederatedUser",
                "arn": f"arn:aws:sts::{MANAGEMENT}:federated-user/guest",
                "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": ADA}},
            },
            "192.0.2.0",
            (ADA, MANAGEMENT, ""),
        ),
        (
            {"type": "FederatedUser", "arn": f"arn:aws:sts::{MANAGEMENT}:federated-user/guest"},
            "192.0.2.0",
            (f"arn:aws:sts::{MANAGEMENT}:federated-user/guest", MANAGEMENT, ""),
        ),
        (
            {"type": "Root", "arn": f"arn:aws:iam::{MANAGEMENT}:root", "accountId": MANAGEMENT},
            "192.0.2.0",
            (f"arn:aws:iam::{MANAGEMENT}:root", MANAGEMENT, ""),
        ),
        (
            {"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"},
            "delivery.logs.amazonaws.com",
            ("delivery.logs.amazonaws.com", "", "delivery.logs.amazonaws.com"),
        ),
        ({"type": "AWSService"}, "192.0.2.0", ("AWSService", "", "AWS Internal")),
        ({"accountId": MANAGEMENT, "invokedBy": "AWS Internal"}, "", ("AWS Internal", MANAGEMENT, "AWS Internal")),
        (
            {"type": "AWSAccount", "principalId": "AROAEXAMPLEFOREIGN:session", "accountId": OTHER},
            "192.0.2.0",
            ("AROAEXAMPLEFOREIGN", OTHER, ""),
        ),
        ({"type": "AWSAccount", "accountId": OTHER}, "192.0.2.0", (OTHER, OTHER, "")),
        ({"type": "IdentityCenterUser", "onBehalfOf": {}}, "192.0.2.0", ("IdentityCenterUser", "", "")),
        ({}, "", ("unknown", "", "")),
        # People at the console, whatever the event calls it.
        ({**user(MANAGEMENT, "ada"), "invokedBy": "signin.amazonaws.com"}, "192.0.2.0", (ADA, MANAGEMENT, "")),
        # Services that do not say so in invokedBy.
        (user(MANAGEMENT, "ada"), "secretsmanager.amazonaws.com", (ADA, MANAGEMENT, "secretsmanager.amazonaws.com")),
        (user(MANAGEMENT, "ada"), "s3.amazonaws.com.cn", (ADA, MANAGEMENT, "s3.amazonaws.com.cn")),
        (user(MANAGEMENT, "ada"), "AWS Internal", (ADA, MANAGEMENT, "AWS Internal")),
        (user(MANAGEMENT, "ada"), "amazonaws.com.example", (ADA, MANAGEMENT, "")),
        (
            {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": LINKED}}},
            "192.0.2.0",
            (LINKED, MANAGEMENT, "autoscaling.amazonaws.com"),
        ),
        (
            {"type": "AssumedRole", "arn": f"arn:aws:sts::{MANAGEMENT}:assumed-role/aws:ec2-infrastructure/i-1"},
            "192.0.2.0",
            (VOLUMES, MANAGEMENT, "aws:ec2-infrastructure"),
        ),
        ({"type": 7, "arn": ["a"], "accountId": None, "sessionContext": "x"}, "192.0.2.0", ("unknown", "", "")),
    ],
)
def test_callers(identity: Data, source: str, expected: tuple[str, str, str]) -> None:
    (found,) = calls(entry(call("Decrypt", KEY, identity, sourceIPAddress=source)))
    assert told(found) == expected


ALIAS = f"arn:aws:kms:{REGION}:{MANAGEMENT}:alias/app"
DENIED = {"errorCode": "AccessDenied", "responseElements": None}


@pytest.mark.parametrize(
    ("named", "key"),
    [
        (KEY, KEY),
        (KEYS[0], KEY),
        ("alias/app", ALIAS),
        (ALIAS, ALIAS),
        (key_arn(OTHER, KEYS[0]), key_arn(OTHER, KEYS[0])),
        (None, ""),
        (7, ""),
    ],
)
def test_a_call_that_failed_is_about_the_key_it_named(named: Any, key: str) -> None:
    parameters = {"requestParameters": {"keyId": named}}
    event = entry(call("Encrypt", None, user(MANAGEMENT, "ada"), **parameters, **DENIED))
    assert [(item.key, item.error) for item in calls(event)] == [(key, "AccessDenied")]
    assert unreadable(event) == 0


def test_the_key_that_a_name_was_resolved_to_wins() -> None:
    event = call("GenerateDataKey", KEY, user(MANAGEMENT, "ada"), requestParameters={"keyId": "alias/other"})
    assert [item.key for item in calls(entry(event))] == [KEY]


def test_a_foreign_caller_names_a_key_of_its_own_account() -> None:
    caller = {"type": "AssumedRole", "arn": f"arn:aws:sts::{OTHER}:assumed-role/x/y", "accountId": OTHER}
    event = entry(call("Encrypt", None, caller, requestParameters={"keyId": KEYS[0]}, **DENIED))
    assert [item.key for item in calls(event)] == [key_arn(OTHER, KEYS[0])]


def test_both_keys_of_a_re_encryption_count() -> None:
    resources = [{"ARN": key_arn(MANAGEMENT, name)} for name in KEYS[:2]]
    contexts = {"sourceEncryptionContext": {"from": "1"}, "destinationEncryptionContext": {"to": "2"}}
    event = call("ReEncrypt", None, user(MANAGEMENT, "ada"), resources=resources, requestParameters=contexts)
    assert [(item.key, item.context) for item in calls(entry(event))] == [
        (key_arn(MANAGEMENT, name), ("from", "to")) for name in KEYS[:2]
    ]


def test_failures_services_and_operations_are_counted_apart() -> None:
    app = role(MANAGEMENT, "app")
    s3 = through("s3.amazonaws.com", app)
    found = calls(
        entry(call("Decrypt", KEY, app)),
        entry(call("Decrypt", KEY, app), "2025-05-21T00:00:00+00:00"),
        entry(call("Decrypt", KEY, app, errorCode="AccessDenied")),
        entry(call("Decrypt", KEY, app, **s3)),
        entry(call("Encrypt", KEY, app)),
    )
    assert sorted((item.operation, item.service, item.error, item.count) for item in found) == [
        ("Decrypt", "", "", 2),
        ("Decrypt", "", "AccessDenied", 1),
        ("Decrypt", "s3.amazonaws.com", "", 1),
        ("Encrypt", "", "", 1),
    ]


def test_names_in_encryption_contexts_are_bounded() -> None:
    many = [
        entry(call("Decrypt", KEY, role(MANAGEMENT, "app"), requestParameters={"encryptionContext": {f"n{n:03}": "v"}}))
        for n in range(MOST_NAMES + 10)
    ]
    (found,) = calls(*many[::-1])
    assert found.context == tuple(f"n{n:03}" for n in range(MOST_NAMES))
    assert found.count == MOST_NAMES + 10


def test_deleted_keys_and_the_deeds_of_kms_itself_are_kept() -> None:
    gone = key_arn(MANAGEMENT, "gone")
    internal = {"accountId": MANAGEMENT, "invokedBy": "AWS Internal"}
    event = call("DeleteKey", gone, internal, eventType="AwsServiceEvent", requestParameters=None)
    assert [(item.key, item.operation, item.service) for item in calls(entry(event))] == [
        (gone, "DeleteKey", "AWS Internal")
    ]


def test_a_call_across_accounts_is_kept_once_for_each_history() -> None:
    foreign = {"type": "AWSAccount", "principalId": "AROAEXAMPLE:s", "accountId": OTHER}
    with WithoutKeys((OTHER,)) as aws:
        shared = {"sharedEventID": "1", "recipientAccountId": MANAGEMENT}
        seen_by_owner = entry(call("Decrypt", KEY, foreign, **shared))
        seen_by_caller = entry(call("Decrypt", KEY, role(OTHER, "x"), **{**shared, "recipientAccountId": OTHER}))

        def garble(call: Call, asked: Data, good: Wire) -> Wire | None:
            if call.action != LOOKUP:
                return None
            found = seen_by_owner if call.account == MANAGEMENT else seen_by_caller
            kind, body = spelt("cloudtrail", call.operation, {"Events": [found]})
            return 200, {"Content-Type": kind}, body

        aws.garble = garble
        found = collected(aws, **{**ALONE, "org": True, "role_name": "audit"})
    assert [(item.account, item.caller, item.caller_account) for item in found.snapshot.evidence.key_calls] == [
        (MANAGEMENT, "AROAEXAMPLE", OTHER),
        (OTHER, f"arn:aws:iam::{OTHER}:role/x", OTHER),
    ]


def test_what_is_kept_does_not_hang_on_the_order_of_events() -> None:
    app, ada = role(MANAGEMENT, "app"), user(MANAGEMENT, "ada")
    found = [
        entry(call("Decrypt", KEY, caller, **(through(service, caller) if service else {})), time)
        for caller in (app, ada)
        for service in ("", "s3.amazonaws.com")
        for time in (events.LATELY, "2025-05-21T00:00:00+00:00")
    ]
    assert calls(*found) == calls(*found[::-1])
    assert len(calls(*found)) == 4
