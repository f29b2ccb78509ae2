"""GetKeyLastUsage: five requests a second, so it overlaps with everything else, and a run says how long it takes."""

from __future__ import annotations

import pytest

from auditor.collectors import CollectRequest, NoProgress, collect
from auditor.model.key import Fact
from tests.aws.estate import fill, management
from tests.aws.faults import Fault
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy
from tests.aws.sink import MemorySink


class Said(NoProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.mark.slow
def test_it_begins_while_keys_are_read_and_says_how_long_it_takes(proxy: Proxy) -> None:
    ids = fill(management(proxy.url), keys=6)
    used = {"Operation": "Decrypt", "Timestamp": 1790000000}
    proxy.replaced["kms:GetKeyLastUsage"] = lambda *_: {"TrackingStartDate": 1775000000, "KeyLastUsage": used}
    proxy.faults.add(Fault("kms:GetKeyLastUsage", containing=ids[1], code="AccessDeniedException", status=400))
    before, said, sink = len(proxy.calls), Said(), MemorySink()
    request = CollectRequest(
        endpoint_url=proxy.url,
        regions=("eu-central-1",),
        evidence=False,
        last_usage=True,
        quota_share=1.0,
        max_workers=2,
    )
    snapshot = sink.snapshot(collect(request, sink, said))
    assert [line for line in said.lines if "last usage: about 1 s for 6 keys" in line]
    order = [call.operation for call in proxy.calls[before:]]
    assert order.index("GetKeyLastUsage") < len(order) - 1 - order[::-1].index("ListGrants")
    assert [(gap.fact, gap.code) for gap in snapshot.gaps] == [(Fact.LAST_USAGE, "AccessDenied")]
    usages = {key.key_id: key.last_usage for key in snapshot.keys}
    assert usages.pop(ids[1]) is None
    assert {(usage.last_used, usage.operation) for usage in usages.values() if usage} == {
        ("2026-09-21T14:13:20Z", "Decrypt")
    }
    assert len(usages) == 5


def test_it_is_not_asked_for_without_the_option(proxy: Proxy) -> None:
    fill(management(proxy.url), keys=1)
    before = len(proxy.calls)
    collected(proxy, evidence=False)
    assert "GetKeyLastUsage" not in {call.operation for call in proxy.calls[before:]}
