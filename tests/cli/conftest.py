"""A small estate in memory, and the command line run in this process the way a shell would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Auditor
from auditor.cli.entry import run
from auditor.model.grant import Grant
from auditor.model.key import Alias, Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import AccountFacts, Provenance, Snapshot

HOME = "111111111111"
KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = f"arn:aws:kms:eu-west-1:{HOME}:key/99999999-12ab-34cd-56ef-1234567890ab"
APP = f"arn:aws:iam::{HOME}:role/app"
BATCH = f"arn:aws:iam::{HOME}:role/batch"
OPS = f"arn:aws:iam::{HOME}:role/ops"
PARTNER = "arn:aws:iam::222222222222:role/partner"


def allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Resource": "*", **elements}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ROOT = allow(Sid="Root", Principal={"AWS": f"arn:aws:iam::{HOME}:root"}, Action="kms:*")
VIA_S3 = allow(
    Sid="PartnerViaS3",
    Principal={"AWS": PARTNER},
    Action="kms:Decrypt",
    Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
)
KEY_POLICY = text(ROOT, VIA_S3)
DENY_OPS = {"Sid": "NotOps", "Effect": "Deny", "Principal": {"AWS": OPS}, "Action": "kms:Decrypt", "Resource": "*"}


def key(arn: str, alias: str, policy: str, **more: Any) -> Key:
    name = arn.rsplit("/", 1)[-1]
    return Key(
        arn=arn,
        key_id=name,
        account=HOME,
        region="eu-west-1",
        aliases=(Alias(alias, f"arn:aws:kms:eu-west-1:{HOME}:{alias}", name),),
        policies=(AttachedPolicy(Layer.KEY_POLICY, "default", arn, parse_policy(policy)),),
        **more,
    )


def role(arn: str, *statements: dict[str, Any]) -> Principal:
    name = arn.rsplit("/", 1)[-1]
    policies = (AttachedPolicy(Layer.IDENTITY, "inline", arn, parse_policy(text(*statements))),) if statements else ()
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=HOME,
        name=name,
        unique_id=f"AROA{name.upper():X<16}",
        identity_policies=policies,
    )


def estate(policy: str = KEY_POLICY, **more: Any) -> Snapshot:
    grant = Grant(
        grant_id="0a1b2c3d",
        key_arn=KEY,
        name="nightly",
        created="2026-06-01T00:00:00Z",
        grantee=BATCH,
        operations=("Decrypt",),
        context_subset=(("app", "batch"),),
    )
    decrypt = allow(Sid="Use", Action=["kms:Decrypt"])
    facts: dict[str, Any] = {
        "provenance": Provenance(started="2026-11-24T06:00:00Z", finished="2026-11-24T07:00:00Z"),
        "accounts": (AccountFacts(id=HOME, regions=("eu-west-1",)),),
        "keys": (key(KEY, "alias/app", policy, grants=(grant,)), key(OTHER, "alias/other", text(ROOT, DENY_OPS))),
        "principals": (role(APP, decrypt), role(BATCH), role(OPS, decrypt)),
    }
    return Snapshot(**(facts | more))


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Ask = Callable[..., Answer]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*words: str) -> Answer:
        code = run(words)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def snapshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Snapshot]:
    """Snapshot folders by name; what ``load`` finds in them is the estate in memory."""
    found = {"now": estate(), "then": estate(text(ROOT))}
    for name in found:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Auditor, "load", lambda self, folder, known=None: found[Path(folder).name])
    return found
