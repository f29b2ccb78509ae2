"""A collection from ``WrittenAws``, by way of the disk, and what it found told account by account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from auditor.collectors import CollectRequest, NoProgress, collect
from auditor.evaluator.evaluation import Evaluation, evaluate
from auditor.model.access import Decision
from auditor.model.snapshot import Gap, Snapshot
from auditor.store import SnapshotWriter, read_snapshot
from tests.aws.written import OTHER
from tests.aws.written_server import WrittenAws

AS_OF = "2025-06-01T00:00:00Z"
CLOCK = datetime.fromisoformat(AS_OF)
"""When every collection begins: the window of its events is in the bytes of a shard."""
ACTIONS = ("kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:DescribeKey")
Verdicts = dict[str, str]


@dataclass(frozen=True)
class Found:
    """A snapshot and the bytes of its shards, by account and Region."""

    snapshot: Snapshot
    shards: dict[str, bytes]

    def gaps(self, account: str) -> list[Gap]:
        return [gap for gap in self.snapshot.gaps if gap.account == account]

    def facts(self, account: str) -> list[str]:
        """Everything decoded that names one account, with ACCOUNT for its id."""
        snapshot, evidence = self.snapshot, self.snapshot.evidence
        own = [*snapshot.accounts, *snapshot.keys, *snapshot.principals]
        own += [item for field in fields(evidence) if field.name != "unread" for item in getattr(evidence, field.name)]
        return sorted(text.replace(account, "ACCOUNT") for text in map(repr, own) if account in text)

    def verdicts(self, accounts: Iterable[str]) -> dict[str, Verdicts]:
        """Account → what the callers of the account may do with its keys."""
        evaluation = evaluate(self.snapshot, as_of=AS_OF)
        return {account: _verdicts(evaluation, account) for account in accounts}


def _verdicts(evaluation: Evaluation, account: str) -> Verdicts:
    own = [caller for caller in evaluation.principals if caller.account in (account, OTHER)]
    return {
        f"{caller.arn} {action} {key.arn}".replace(account, "ACCOUNT"): _told(evaluation.decide(caller, key, action))
        for key in evaluation.snapshot.keys
        if key.account == account
        for caller in own
        for action in ACTIONS
    }


def _told(decision: Decision) -> str:
    return f"{decision.outcome} {decision.residual}"


def collected(aws: WrittenAws, **options: object) -> Found:
    """What a collection of the whole organization finds, written to disk and read again."""
    settings = {
        "endpoint_url": aws.url,
        "org": True,
        "role_name": "audit",
        "max_attempts": 1,
        "quota_share": 1.0,
        "last_usage": True,
        "last_accessed": True,
        "key_events": 90,
        "retirable_grants": True,
        **options,
    }
    with TemporaryDirectory() as folder:
        writer = SnapshotWriter(folder)
        writer.finish(collect(CollectRequest(**settings), writer, NoProgress(), clock=lambda: CLOCK))
        shards = {path.name: path.read_bytes() for path in Path(folder).rglob("*.gz")}
        return Found(read_snapshot(folder), shards)
