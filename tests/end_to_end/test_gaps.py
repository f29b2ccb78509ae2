"""What cannot be read is shown, makes verdicts unknown, and fails only under ``--strict``."""

from __future__ import annotations

import csv
from typing import Any

from tests.end_to_end.conftest import Answer, Cli, StandIn
from tests.end_to_end.estate import REGIONS

HERE = ("--profile", "shop", "--region", REGIONS[0])


def access(answer: Answer, key: str) -> list[dict[str, str]]:
    with answer.files()["access.csv"].open(encoding="utf-8-sig", newline="") as stream:
        return [row for row in csv.DictReader(stream) if key in row.values()]


def gaps(answer: Answer) -> list[dict[str, Any]]:
    found = answer.result()["snapshot"]["gaps"]
    assert isinstance(found, list)
    return found


def test_one_refused_key_policy(cli: Cli, server: StandIn) -> None:
    ledger = server.keys["ledger"]
    server.refuse({"operation": "kms.GetKeyPolicy", "holding": ledger.rsplit("/", 1)[1]})
    answer = cli(*HERE)
    assert answer.code == 0, answer.err
    assert any(gap.get("subject") == ledger and "GetKeyPolicy" in gap["operation"] for gap in gaps(answer))
    outcomes = {row["outcome"] for row in access(answer, ledger)}
    assert "unknown" in outcomes
    assert "allowed" not in outcomes
    assert "allowed" in {row["outcome"] for row in access(answer, server.keys["open"])}
    html = answer.files()["report.html"].read_text(encoding="utf-8")
    assert "GetKeyPolicy" in html
    assert cli(*HERE, "--strict").code == 4


def test_organizations_refused(cli: Cli, server: StandIn) -> None:
    server.refuse({"operation": "organizations."})
    answer = cli(*HERE)
    assert answer.code == 0, answer.err
    assert any("rganization" in gap["operation"] for gap in gaps(answer))
    outcomes = {row["outcome"] for row in access(answer, server.keys["ledger"])}
    assert "unknown" in outcomes
    assert "allowed" not in outcomes
    assert cli(*HERE, "--strict", "--fail-on", "low").code == 4
