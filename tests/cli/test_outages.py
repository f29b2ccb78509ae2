"""``kms-audit collect`` where AWS, or the way there, fails all the time: an end in bounded time, gaps, and a resume."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff

from auditor.collectors import caller, identity, patience, run
from auditor.model.snapshot import Gap
from auditor.store import read_snapshot
from tests.aws.breaking import QUICK
from tests.aws.collecting import collected
from tests.aws.fixtures import credentials
from tests.aws.invented import FULL, Account, InventedAws, Level, Organization, key, role
from tests.aws.wire import Call, error_answer
from tests.aws.written import document
from tests.aws.written_server import Wire
from tests.cli.conftest import Ask

Whole = dict[str, bytes]
Broken = Callable[[Call], Wire | None]
MEMBERS = tuple(f"{200000000000 + number}" for number in range(3))
REGIONS = ("eu-central-1", "eu-west-1")
OWN = "123456789012"
DENY = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
SECONDS = 0.3
"""Instead of the minute that a run has patience for."""
LOOK_SECONDS = 0.02
"""What passes, on the clock of that patience, each time somebody looks at it."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(caller, "PAUSES", (0.05, 0.05))
    monkeypatch.setattr(caller, "PATIENCE_SECONDS", SECONDS)
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", SECONDS)
    looks = count()  # on a busy machine failures come so late that none would be of the same outage
    monkeypatch.setattr(run, "Patience", lambda say: patience.Patience(say, lambda: next(looks) * LOOK_SECONDS))
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.02)
    with credentials():
        yield


def organization() -> Organization:
    def account(number: str) -> Account:
        keys = {name: [key(number, f"{number}-{name}-{one}", FULL, region=name) for one in "ab"] for name in REGIONS}
        return Account(number, keys, roles=[role(number, "app", FULL)], regions=REGIONS)

    accounts = (OWN, *MEMBERS)
    return Organization([*map(account, accounts)], Level("r-root", [*map(Level, accounts)]))


@pytest.fixture
def aws() -> Iterator[InventedAws]:
    with InventedAws(organization()) as running:
        yield running


@pytest.fixture(scope="module")
def whole() -> Whole:
    """The shards of a collection that nothing happens to."""
    with credentials(), InventedAws(organization()) as running:
        return collected(running, **QUICK).shards


@pytest.fixture
def collect(ask: Ask, aws: InventedAws, tmp_path: Path) -> Ask:
    """Collects the organization, without what stands around its keys, and gently paced for a test."""
    settings = tmp_path / "config.yaml"
    settings.write_text("collection: {evidence: false, quota_share: 1.0}\n")
    scope = ("--endpoint-url", aws.url, "--org", "--role-name", "audit", "-c", str(settings))
    return lambda *words: ask("collect", *scope, *words)


def spoil(aws: InventedAws, broken: Broken) -> None:
    aws.garble = lambda call, asked, good: broken(call)


def gaps(folder: Path) -> list[Gap]:
    return list(read_snapshot(folder).gaps)


def heals(collect: Ask, aws: InventedAws, folder: Path, whole: Whole) -> None:
    """When all is well again, ``--resume`` comes to the bytes of a collection that nothing happened to."""
    spoil(aws, lambda call: None)
    assert collect("--resume", str(folder)).code == 0
    assert {path.name: path.read_bytes() for path in folder.rglob("*.gz")} == whole


def throttled(call: Call) -> Wire:
    return error_answer(call, "ThrottlingException", "Rate exceeded", 400)


def test_a_call_that_is_throttled_without_end_in_all_accounts(
    collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole
) -> None:
    spoil(aws, lambda call: throttled(call) if call.action == "kms:ListGrants" else None)
    folder = tmp_path / "found"
    answer = collect("-o", str(folder))
    assert answer.code == 0
    assert f"16 gaps may be of the moment: `kms-audit collect --resume {folder}`" in answer.err
    told = [line for line in answer.err.splitlines() if "no longer waited for" in line]
    assert 1 <= len(told) <= 2 * len(REGIONS), "more than the operation, and perhaps all of KMS, in each Region"
    assert len(set(told)) == len(told)
    assert {(gap.fact, gap.operation, gap.code) for gap in gaps(folder)} == {("grants", "kms:ListGrants", "Throttled")}
    assert len({gap.subject for gap in gaps(folder)}) == 16
    attempts = sum(call.action == "kms:ListGrants" for call in aws.calls)
    assert attempts < 16 * 18, "as many as without an end"
    heals(collect, aws, folder, whole)


def test_a_network_that_dies_on_the_way(collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole) -> None:
    def lost(call: Call) -> None:
        if len(aws.calls) > 90:
            raise ConnectionError  # which closes the connection without an answer

    spoil(aws, lost)
    folder = tmp_path / "found"
    answer = collect("-o", str(folder))
    assert answer.code == 0
    assert "the network: Unreachable" in answer.err
    assert f"kms-audit collect --resume {folder}" in answer.err
    found = gaps(folder)
    assert {gap.code for gap in found} == {"Unreachable"}
    assert len(aws.calls) < 1500
    heals(collect, aws, folder, whole)


@pytest.mark.parametrize("believed", [identity.ENDED_SECONDS, 0.0])
def test_credentials_that_end_and_cannot_be_renewed(
    collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole, monkeypatch: pytest.MonkeyPatch, believed: float
) -> None:
    """The role of one account is deleted while its keys are read. No two refusals to renew have the same text."""
    monkeypatch.setattr(identity, "ENDED_SECONDS", believed)
    victim, began, requests = MEMBERS[2], threading.Event(), count()

    def ended(call: Call) -> Wire | None:
        if call.account == victim and call.action == "kms:ListGrants":
            began.set()
        if call.account == victim and began.is_set():
            return error_answer(call, "ExpiredTokenException", "The security token is expired", 400)
        if call.action == "sts:AssumeRole" and began.is_set() and victim.encode() in call.body:
            return error_answer(call, "AccessDenied", f"not authorized (request {next(requests)})", 403)
        return None

    spoil(aws, ended)
    folder = tmp_path / "found"
    answer = collect("-o", str(folder))
    assert answer.code == 0
    told = [line for line in answer.err.splitlines() if "could not be renewed" in line]
    assert told == [f"{victim}: the credentials have ended and could not be renewed"]
    found = gaps(folder)
    assert {(gap.account, gap.code) for gap in found} == {(victim, "ExpiredToken")}
    assert len({(gap.region, gap.fact, gap.operation) for gap in found}) == len(found)
    assert all("could not be renewed" in gap.message and "--resume" in gap.remedy for gap in found)
    assert (
        not believed or sum(call.action == "sts:AssumeRole" and victim.encode() in call.body for call in aws.calls) < 12
    )
    heals(collect, aws, folder, whole)


def test_an_operation_that_one_region_lacks_is_asked_for_in_the_others(
    collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole
) -> None:
    """New operations come to Regions one after the other, and endpoints differ."""

    def lacking(call: Call) -> Wire | None:
        lacks = call.action == "kms:ListKeyRotations" and call.region == REGIONS[0]
        return error_answer(call, "UnknownOperationException", "", 400) if lacks else None

    spoil(aws, lacking)
    folder = tmp_path / "found"
    assert collect("-o", str(folder)).code == 0
    assert {(gap.region, gap.operation, gap.code) for gap in gaps(folder)} == {
        (REGIONS[0], "kms:ListKeyRotations", "NotSupported")
    }
    asked = [call.account for call in aws.calls if call.action == "kms:ListKeyRotations" and call.region == REGIONS[0]]
    assert len(asked) <= 2 * len({*asked}), "keys that are read at the same time may both ask"
    heals(collect, aws, folder, whole)


def test_a_service_that_lists_no_key_in_any_account(
    collect: Ask, ask: Ask, aws: InventedAws, tmp_path: Path, whole: Whole
) -> None:
    """IAM and the organization were read: that is a snapshot with gaps."""
    spoil(aws, lambda call: throttled(call) if call.service == "kms" else None)
    folder = tmp_path / "found"
    answer = collect("-o", str(folder), "--strict")
    assert answer.code == 4
    assert f"kms-audit collect --resume {folder}" in answer.err
    lists = [gap for gap in gaps(folder) if gap.fact == "key-list"]
    assert {(gap.account, gap.region) for gap in lists} == {(one, name) for one in (OWN, *MEMBERS) for name in REGIONS}
    assert ask("evaluate", str(folder), "--output-dir", str(tmp_path), "--fail-on", "medium").code == 3
    heals(collect, aws, folder, whole)


def test_a_service_that_lists_no_key_where_iam_cannot_be_read_either(
    collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole
) -> None:
    spoil(aws, lambda call: throttled(call) if call.service in ("kms", "iam") else None)
    folder = tmp_path / "found"
    answer = collect("-o", str(folder))
    assert answer.code == 1
    assert "Nothing could be read: kms:ListKeys Throttled" in answer.err
    heals(collect, aws, folder, whole)


@pytest.mark.parametrize("refusal", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_regions_that_were_only_tried_are_forgotten_when_the_list_is_there(
    collect: Ask, aws: InventedAws, tmp_path: Path, whole: Whole, refusal: str
) -> None:
    """Nobody says for a while which Regions an account has, and those that it does not have refuse all calls."""

    def unlisted(call: Call) -> Wire | None:
        if call.account == MEMBERS[1] and call.service in ("account", "ec2"):
            return error_answer(call, "ServiceUnavailable", "Try later", 503)
        if call.account == MEMBERS[1] and call.service == "kms" and call.region not in REGIONS:
            return error_answer(call, refusal, "The security token included in the request is not valid", 400)
        return None

    spoil(aws, unlisted)
    folder = tmp_path / "found"
    assert collect("-o", str(folder)).code == 0
    assert {gap.operation for gap in gaps(folder)} > {"ec2:DescribeRegions"}
    heals(collect, aws, folder, whole)
    assert gaps(folder) == []


def test_regions_that_cannot_be_listed_when_going_on_are_a_gap(collect: Ask, aws: InventedAws, tmp_path: Path) -> None:
    """The facts of the whole account, among which such gaps stand, were read before."""
    spoil(aws, lambda call: throttled(call) if call.action == "kms:ListGrants" else None)
    folder = tmp_path / "found"
    assert collect("-o", str(folder)).code == 0
    spoil(
        aws, lambda call: error_answer(call, "AccessDenied", "no", 403) if call.service in ("account", "ec2") else None
    )
    assert collect("--resume", str(folder)).code == 0
    found = gaps(folder)
    assert {(gap.account, gap.operation) for gap in found} == {
        (account, "ec2:DescribeRegions") for account in (OWN, *MEMBERS)
    }


def test_an_account_that_joins_before_going_on_has_its_place_in_the_tree(
    collect: Ask, aws: InventedAws, tmp_path: Path
) -> None:
    """Without it, it would be taken for one that no SCP limits."""
    spoil(aws, lambda call: throttled(call) if call.action == "kms:ListGrants" else None)
    folder, joined = tmp_path / "found", "200000000009"
    assert collect("-o", str(folder)).code == 0
    spoil(aws, lambda call: None)
    root = aws.organization.root
    assert root is not None
    root.below.append(Level("ou-root-12345678", [Level(joined)], scps={"Nothing": DENY}))
    aws.organization.accounts.append(Account(joined, regions=REGIONS))
    assert collect("--resume", str(folder)).code == 0
    snapshot = read_snapshot(folder)
    assert (snapshot.gaps, joined in {account.id for account in snapshot.accounts}) == ((), True)
    tree = snapshot.organization
    assert tree is not None
    found = tree.target(joined)
    assert found is not None
    assert found.parent == "ou-root-12345678"
