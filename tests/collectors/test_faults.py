"""Broken answers, injected over HTTP: retried where that helps, else the right gap, with every other fact intact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from auditor.model.coverage import key_counts
from auditor.model.key import Fact
from auditor.model.snapshot import Snapshot
from tests.aws.estate import fill, fill_iam, management
from tests.aws.faults import Fault
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy

QUICK = {"evidence": False, "max_attempts": 2}
KEYS = 5
FIELDS = {Fact.GRANTS: "grants", Fact.TAGS: "tags", Fact.KEY_POLICY: "policies"}


@dataclass
class Estate:
    """An account filled once, its key ids, and what a run without any fault finds there."""

    proxy: Proxy
    ids: list[str]
    clean: Snapshot


@pytest.fixture(scope="module")
def filled(shared_proxy: Proxy) -> Estate:
    ids = fill(management(shared_proxy.url), keys=KEYS)
    fill_iam(management(shared_proxy.url))
    clean = collected(shared_proxy, **QUICK)
    assert not clean.gaps
    return Estate(shared_proxy, ids, clean)


@pytest.fixture
def estate(filled: Estate) -> Iterator[Estate]:
    yield filled
    proxy = filled.proxy
    proxy.faults.clear()
    proxy.patches.clear()
    proxy.quotas.limits = {}
    proxy.page_size = 2


def _gaps(snapshot: Snapshot) -> set[tuple[Fact, str, str]]:
    return {(gap.fact, gap.operation, gap.code) for gap in snapshot.gaps}


def _intact(found: Snapshot, clean: Snapshot, fact: Fact) -> None:
    """Both are the same but for ``fact`` of keys; every key is there and adds up."""
    assert [key.arn for key in found.keys] == [key.arn for key in clean.keys]
    for key, other in zip(found.keys, clean.keys, strict=True):
        same = {FIELDS[fact]: getattr(other, FIELDS[fact])} if fact in key.unread else {}
        assert replace(key, unread=key.unread - {fact}, **same) == other
    assert (found.principals, found.organization) == (clean.principals, clean.organization)
    assert all(count.reconciled for count in key_counts(found))


def _error(code: str, status: int) -> Fault:
    return Fault("kms:ListGrants", code=code, status=status)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (_error("ThrottlingException", 400), "Throttled"),
        (_error("InternalFailure", 500), "ServerError"),
        (_error("ExpiredTokenException", 400), "ExpiredToken"),
        (_error("AccessDeniedException", 400), "AccessDenied"),
        (_error("SomethingNew", 400), "SomethingNew"),
        (Fault("kms:ListGrants", what="drop"), "Unreachable"),
        (Fault("kms:ListGrants", what="cut"), "IncompleteAnswer"),
        (Fault("kms:ListGrants", what="half"), "IncompleteAnswer"),
        (Fault("kms:ListGrants", what="empty"), "IncompleteAnswer"),
        (Fault("kms:ListGrants", what="page"), "ServerError"),
        (Fault("kms:ListGrants", what="hang", seconds=3.0), "Timeout"),
        *(
            pytest.param(_error(code, status), cause, marks=pytest.mark.slow)
            for code, status, cause in (
                ("TooManyRequestsException", 429, "Throttled"),
                ("KMSInternalException", 500, "ServerError"),
                ("ServiceUnavailable", 503, "ServerError"),
                ("NobodyKnowsThis", 502, "ServerError"),
                ("DependencyTimeoutException", 503, "ServerError"),
            )
        ),
    ],
    ids=lambda value: f"{value.what}-{value.code}" if isinstance(value, Fault) else value,
)
def test_what_lasts_is_a_gap(estate: Estate, fault: Fault, code: str) -> None:
    ids = estate.ids
    estate.proxy.faults.add(replace(fault, containing=ids[0]))
    found = collected(estate.proxy, **QUICK, read_timeout=1.0 if fault.what == "hang" else 20.0)
    assert _gaps(found) == {(Fact.GRANTS, "kms:ListGrants", code)}
    assert all(gap.remedy and gap.effect and gap.subject.endswith(ids[0]) for gap in found.gaps)
    _intact(found, estate.clean, Fact.GRANTS)


@pytest.mark.parametrize(
    ("operation", "fact"),
    [
        ("DescribeKey", Fact.KEY_METADATA),
        ("GetKeyPolicy", Fact.KEY_POLICY),
        ("ListKeyPolicies", Fact.KEY_POLICY),
        ("ListGrants", Fact.GRANTS),
        ("ListResourceTags", Fact.TAGS),
        ("GetKeyRotationStatus", Fact.ROTATION),
        ("ListKeyRotations", Fact.ROTATIONS),
    ],
)
def test_one_refused_call_about_one_key_is_one_gap(estate: Estate, operation: str, fact: Fact) -> None:
    ids = estate.ids
    estate.proxy.deny(f"kms:{operation}", containing=ids[1])
    snapshot = collected(estate.proxy, evidence=False)
    assert [(gap.fact, gap.operation, gap.code) for gap in snapshot.gaps] == [
        (fact, f"kms:{operation}", "AccessDenied")
    ]
    assert snapshot.gaps[0].subject.endswith(ids[1])
    assert snapshot.gaps[0].remedy
    assert snapshot.gaps[0].effect
    for key in snapshot.keys:
        assert (fact in key.unread) == (key.key_id == ids[1])


@pytest.mark.parametrize("what", ["drop", "cut", "half", "empty", "page", "ThrottlingException", "InternalFailure"])
def test_what_passes_is_retried(estate: Estate, what: str) -> None:
    broken = Fault(what=what) if what.islower() else Fault(code=what, status=400 if what.startswith("T") else 500)
    for operation in ("kms:ListKeys", "kms:ListGrants", "kms:GetKeyPolicy", "iam:GetAccountAuthorizationDetails"):
        estate.proxy.faults.add(replace(broken, action=operation, times=1))
    found = collected(estate.proxy, evidence=False, max_attempts=3)
    assert not found.gaps
    _intact(found, estate.clean, Fact.GRANTS)


@pytest.mark.parametrize("operation", ["DescribeKey", "GetKeyPolicy", "ListKeyPolicies", "ListResourceTags"])
@pytest.mark.parametrize("what", ["half", "empty"])
def test_no_call_takes_a_broken_answer_for_nothing_there(estate: Estate, operation: str, what: str) -> None:
    estate.proxy.faults.add(Fault(f"kms:{operation}", containing=estate.ids[0], what=what))
    found = collected(estate.proxy, **QUICK)
    assert {(gap.operation, gap.code) for gap in found.gaps} == {(f"kms:{operation}", "IncompleteAnswer")}
    assert len(found.keys) == KEYS
    assert all(count.reconciled for count in key_counts(found))


def test_cut_xml_is_a_gap(estate: Estate) -> None:
    estate.proxy.faults.add(Fault("iam:GetAccountAuthorizationDetails", what="half"))
    found = collected(estate.proxy, **QUICK)
    assert _gaps(found) == {(Fact.IDENTITIES, "iam:GetAccountAuthorizationDetails", "IncompleteAnswer")}
    assert found.accounts[0].unread == {Fact.IDENTITIES}
    assert found.keys == estate.clean.keys


@pytest.mark.parametrize("kind", ["no marker", "same marker", "circle", "refused page", "broken page"])
def test_pages_before_a_broken_one_are_kept(estate: Estate, kind: str) -> None:
    proxy = estate.proxy
    turns = {"m2": "m4", "m4": "m2"}

    def patch(call, data):
        data["Truncated"] = True
        if kind == "no marker":
            data.pop("NextMarker", None)
        elif kind == "same marker":
            data["NextMarker"] = "m2"
        else:
            data["NextMarker"] = turns.get(call.json().get("Marker"), "m2")
        return data

    if kind == "refused page":
        proxy.faults.add(Fault("kms:ListKeys", containing='"Marker"', code="AccessDeniedException", status=400))
    elif kind == "broken page":
        proxy.faults.add(Fault("kms:ListKeys", containing='"Marker"', what="half"))
    else:
        proxy.patches["kms:ListKeys"] = patch
    found = collected(proxy, **QUICK)
    code = "AccessDenied" if kind == "refused page" else "IncompleteAnswer"
    assert _gaps(found) == {(Fact.KEY_LIST, "kms:ListKeys", code)}
    assert len(found.keys) >= 2
    assert all(len(key.grants) == 3 for key in found.keys)


def test_half_a_list_of_grants_is_kept_and_marked(estate: Estate) -> None:
    proxy = estate.proxy
    proxy.faults.add(Fault("kms:ListGrants", containing='"Marker"', code="InternalFailure", status=500))
    found = collected(proxy, **QUICK)
    assert _gaps(found) == {(Fact.GRANTS, "kms:ListGrants", "ServerError")}
    assert {key.key_id: (len(key.grants), key.unread) for key in found.keys} == {
        key_id: (2, frozenset({Fact.GRANTS})) for key_id in estate.ids
    }


def test_half_of_iam_is_kept_and_marked(estate: Estate) -> None:
    proxy = estate.proxy
    proxy.page_size = 1
    proxy.faults.add(Fault("iam:GetAccountAuthorizationDetails", containing="Marker=m3", code="AccessDenied"))
    found = collected(proxy, **QUICK)
    assert (Fact.IDENTITIES, "iam:GetAccountAuthorizationDetails", "AccessDenied") in _gaps(found)
    assert {item.name for item in found.principals} == {"ada", "app"}
    assert found.accounts[0].unread == {Fact.IDENTITIES}


@pytest.mark.parametrize("absent", ["KeyState", "KeyManager", "Origin", "Arn"])
def test_a_description_without_an_essential_member_is_not_guessed(estate: Estate, absent: str) -> None:
    proxy = estate.proxy

    def patch(_, data):
        del data["KeyMetadata"][absent]
        return data

    proxy.patches["kms:DescribeKey"] = patch
    found = collected(proxy, **QUICK)
    assert _gaps(found) == {(Fact.KEY_METADATA, "kms:DescribeKey", "IncompleteAnswer")}
    assert absent in found.gaps[0].message
    assert all(Fact.KEY_METADATA in key.unread for key in found.keys)
    assert all(count.reconciled for count in key_counts(found))


def test_a_listed_key_without_an_id_is_a_gap(estate: Estate) -> None:
    proxy = estate.proxy
    proxy.page_size = 100

    def patch(_, data):
        data["Keys"].append({})
        return data

    proxy.patches["kms:ListKeys"] = patch
    found = collected(proxy, **QUICK)
    assert _gaps(found) == {(Fact.KEY_METADATA, "kms:ListKeys", "IncompleteAnswer")}
    assert len(found.keys) == KEYS
    assert all(count.reconciled for count in key_counts(found))


def test_one_key_that_cannot_rotate_takes_nothing_from_the_others(estate: Estate) -> None:
    proxy, ids = estate.proxy, estate.ids
    for operation in ("GetKeyRotationStatus", "ListKeyRotations"):
        code = "UnsupportedOperationException"
        proxy.faults.add(Fault(f"kms:{operation}", containing=ids[0], code=code, status=400))
    found = collected(proxy, max_workers=1, **QUICK)
    assert not found.gaps
    assert {key.key_id for key in found.keys if key.rotation is None} == {ids[0]}


@pytest.mark.slow
def test_throttling_by_a_real_quota_is_absorbed_without_a_gap(estate: Estate) -> None:
    proxy = estate.proxy
    proxy.quotas.limits = {"kms:ListGrants": 4}
    before = len(proxy.calls)
    found = collected(proxy, evidence=False, max_attempts=6)
    assert not found.gaps
    assert all(len(key.grants) == 3 for key in found.keys)
    assert sum(call.operation == "ListGrants" for call in proxy.calls[before:]) < 40
