"""Verdicts on the demonstration, against what its policies mean on AWS; the expectations stand in verdicts.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from auditor.audit import Auditor, Evaluation
from auditor.model.key import Key
from tests.end_to_end.conftest import Answer, snapshot

pytestmark = pytest.mark.slow
EXPECTED = yaml.safe_load((Path(__file__).parent / "verdicts.yaml").read_text(encoding="utf-8"))


@cache
def evaluation_of(folder: Path) -> Evaluation:
    auditor = Auditor()
    return auditor.evaluate(auditor.load(folder))


def account_ids(evaluation: Evaluation) -> dict[str, str]:
    """Short name → id: shop for securecart-shop."""
    organization = evaluation.snapshot.organization
    assert organization is not None
    members = {
        target.name.removeprefix("securecart-").replace("-", "_"): target.id
        for target in organization.targets
        if target.kind == "account"
    }
    return {**members, "management": organization.management_account}


def key_called(evaluation: Evaluation, account: str, alias: str) -> Key:
    found = [
        key
        for key in evaluation.snapshot.keys
        if key.account == account and f"alias/{alias}" in {known.name for known in key.aliases}
    ]
    return next(key for key in found if key.multi_region_key_type != "REPLICA")


@pytest.mark.parametrize(("who", "action", "what", "outcome", "why"), EXPECTED)
def test_verdict(demo: Answer, who: str, action: str, what: str, outcome: str, why: str) -> None:
    evaluation = evaluation_of(snapshot(demo))
    ids = account_ids(evaluation)
    place, _, name = who.partition("/")
    arn = f"arn:aws:iam::{ids[place]}:{name}" if place in ids else who
    principal = next(principal for principal in evaluation.principals if principal.arn == arn)
    account, _, alias = what.partition("/")
    decision = evaluation.decide(principal, key_called(evaluation, ids[account], alias), f"kms:{action}")
    found = "denied" if "denied" in decision.outcome.value else decision.outcome.value
    assert found == outcome, f"{why}: {decision.reason}"
