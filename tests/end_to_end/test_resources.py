"""Encrypted resources: read on request, judged by their class, and never called clean where they were not read."""

from __future__ import annotations

import json
from typing import Any

from tests.end_to_end.conftest import Answer, Cli, StandIn
from tests.end_to_end.estate import ACCOUNT, REGIONS

RULE = "aws-managed-key-where-customer-key-expected"
HERE = ("--profile", "shop", "--region", REGIONS[0])


def found(answer: Answer) -> list[dict[str, Any]]:
    return [one for one in answer.result()["findings"] if one["rule"] == RULE]


def status(answer: Answer) -> Any:
    return next(one for one in answer.result()["rules"] if one["rule"] == RULE)


def test_a_restricted_bucket_under_the_key_of_aws(cli: Cli, stand_in: StandIn) -> None:
    answer = cli(*HERE, "--resources")
    assert answer.code == 0, answer.err
    (finding,) = found(answer)
    assert (finding["subject"], finding["severity"]) == ("arn:aws:s3:::statements", "high")
    assert (finding["account"], finding["region"]) == (ACCOUNT, REGIONS[0])
    assert status(answer)["evaluated"]
    assert "Bucket statements is encrypted with an AWS managed key" in answer.files()["findings.csv"].read_text(
        "utf-8-sig"
    )


def test_without_the_option_the_rule_is_not_evaluated(audited: Answer) -> None:
    assert not status(audited)["evaluated"]
    assert "--resources" in status(audited)["reason"]


def test_the_class_and_the_option_are_settings(cli: Cli, stand_in: StandIn) -> None:
    (cli.home / "own.yaml").write_text("collection: {resources: true}\nrules: {customer_key_classes: [pci]}\n")
    answer = cli("-c", "own.yaml", *HERE)
    assert answer.code == 0, answer.err
    assert found(answer) == [] and status(answer)["evaluated"]


def test_a_list_that_is_refused_is_told(cli: Cli, server: StandIn) -> None:
    server.refuse({"operation": "sqs.ListQueues"})
    answer = cli(*HERE, "--resources", "--strict")
    assert answer.code == 0, answer.err
    (gap,) = [one for one in answer.result()["snapshot"]["gaps"] if one["fact"] == "resources"]
    assert (gap["operation"], gap["code"]) == ("sqs:ListQueues", "AccessDenied")
    assert len(found(answer)) == 1
    assert status(answer)["skipped"]


def test_what_it_takes_is_printed_on_request(cli: Cli) -> None:
    plain, more = (json.loads(cli("permissions", *given).out) for given in ((), ("--resources",)))
    assert "s3:GetBucketTagging" in json.dumps(more) and "s3:" not in json.dumps(plain)
