"""The score against its reference vectors, and the laws that keep it honest."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.finding import Severity
from auditor.model.score import TIER_WEIGHTS, key_score, power, principal_score
from tests.laws import examples

C, H, M, L, I = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)  # noqa: E741
KEY_VECTORS = [
    ([("external-account-access", H)], 70),
    ([("pending-deletion-in-use", C)], 90),
    (
        [
            ("external-can-delegate", C),
            ("external-account-access", C),
            ("admin-and-user-combined", H),
            ("grant-stale", H),
            ("rotation-disabled", M),
            ("key-without-ownership-metadata", L),
        ],
        97,
    ),
    (
        [
            ("admin-and-user-combined", H),
            ("grant-stale", H),
            ("rotation-disabled", M),
            ("key-without-ownership-metadata", L),
        ],
        77,
    ),
    ([("rotation-disabled", M), *([("grant-unconstrained-plaintext", M)] * 5)], 51),
    ([("unused-key-permission", L)] * 6, 13),
    ([("iam-delegation-mode", I)], 0),
    ([], 0),
]
PRINCIPAL_VECTORS = [
    ([("key-takeover-by-non-admin", H)], [("T1", 0.3)] * 3, 0.0, 73, 39),
    ([("key-takeover-by-non-admin", H), ("federated-role-loose-subject", C)], [("T1", 0.3)] * 3, 0.3, 93, 39),
    ([("iam-user-key-access", H)], [("T2", 0.3)], 0.5, 73, 8),
    ([], [("T2", 0.4)], 0.0, 0, 10),
    ([], [("T2", 0.5)] * 40, 0.0, 4, 100),
]
LISTS = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Severity))), max_size=9)


def reach_of(keys: Iterable[tuple[str, float]]) -> float:
    """The formula of the catalogue, with ``(tier, power on the key)`` for each key."""
    return 1 - math.prod(1 - TIER_WEIGHTS[tier] * power for tier, power in keys)


@pytest.mark.parametrize(("findings", "expected"), KEY_VECTORS)
def test_key_vectors(findings: list[tuple[str, Severity]], expected: int) -> None:
    assert key_score(findings) == expected


@pytest.mark.parametrize(("findings", "keys", "posture", "expected", "strength"), PRINCIPAL_VECTORS)
def test_principal_vectors(findings, keys, posture, expected, strength) -> None:  # type: ignore[no-untyped-def]
    assert principal_score(findings, reach_of(keys), posture) == expected
    assert power(reach_of(keys)) == strength


@settings(max_examples=examples(100), deadline=None)
@given(LISTS, st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Severity))))
def test_another_finding_never_lowers_the_score(findings, another) -> None:  # type: ignore[no-untyped-def]
    before, after = key_score(findings), key_score([*findings, another])
    assert 0 <= before <= after <= 100
    assert key_score(list(reversed(findings))) == before
