"""Every rule fires on the demonstration, or stands here with the reason why it cannot; those have their own cases."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import Answer, Cli, snapshot

pytestmark = pytest.mark.slow
SILENT = {
    "ram-shared-key": "moto has no AWS RAM shares of keys",
    "custom-key-store-disconnected": "moto has no custom key stores",
    "scope-not-collected": "every account of the demonstration can be entered",
    "idle-key": "asking for the last use is off by default",
    "direct-plaintext-without-context": "reading the event history is off by default",
    "unused-key-permission": "asking IAM for last access is off by default",
    "grant-outlives-policy-removal": "there is no baseline",
    "new-plaintext-access-since-baseline": "there is no baseline",
    "aws-managed-key-where-customer-key-expected": "reading encrypted resources is off by default",
}


def test_rules_fire_or_cannot(demo: Answer) -> None:
    result = demo.result()
    fired = {finding["rule"] for finding in result["findings"]}
    assert {rule["rule"] for rule in result["rules"]} - fired == SILENT.keys()


def test_service_written_policies_and_the_tidy_key_raise_no_alarm(demo: Answer) -> None:
    result = demo.result()
    tidy = {"alias/aws/s3", "alias/aws/ebs", "alias/shipping-events"}
    alarms = [
        finding["summary"]
        for finding in result["findings"]
        if finding["category"] == "exposure" and any(f"{alias} " in f"{finding['summary']} " for alias in tidy)
    ]
    assert alarms == []


def test_hidden_key_is_a_gap_and_strict_says_so(demo: Answer, cli: Cli) -> None:
    gaps = demo.result()["snapshot"]["gaps"]
    assert [gap["operation"] for gap in gaps] == ["kms:DescribeKey"]
    assert cli("evaluate", str(snapshot(demo)), "--strict", "-f", "json").code == 4
