"""Every gap says what remains unknown and what can be done about it, whatever failed and however."""

from __future__ import annotations

from itertools import product

import pytest

from auditor.collectors.failures import Cause, Failure
from auditor.collectors.gaps import gap_of
from auditor.model.key import Fact

OF_KEYS = (Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA, Fact.TAGS, Fact.ROTATION, Fact.ROTATIONS)
"""Read with actions that a key policy gives (KMS developer guide, Key policies: nobody has access by IAM alone)."""


@pytest.mark.parametrize("fact", Fact)
def test_every_gap_has_an_effect_and_a_remedy(fact: Fact) -> None:
    for cause, code in product(Cause, ("", "ToldInNewWords")):
        gap = gap_of(Failure(cause, code, "no"), fact, "kms:X", account="1", region="r", subject="s")
        assert gap.effect and gap.remedy
        assert gap.code == (code if cause is Cause.OTHER and code else cause.value)
        assert (gap.fact, gap.operation, gap.account, gap.region, gap.subject) == (fact, "kms:X", "1", "r", "s")


def denied(fact: Fact, action: str = "kms:X", message: str = "no") -> str:
    return gap_of(Failure(Cause.DENIED, "", message), fact, action, account="1", region="").remedy


@pytest.mark.parametrize("fact", Fact)
def test_a_refusal_names_the_action_and_where_to_allow_it(fact: Fact) -> None:
    assert "kms:X" in denied(fact)
    assert ("key policy" in denied(fact)) == (fact in OF_KEYS)
    assert ("management account" in denied(fact)) == (fact is Fact.ORGANIZATION)
    assert "management account" in denied(fact, "organizations:ListRoots") or fact is Fact.RESOURCES
    assert ("permissions --resources" in denied(fact)) == (fact is Fact.RESOURCES)
    assert ("trusts the auditor" in denied(fact)) == (fact is Fact.ACCOUNT)
    for kind in ("service control policy", "resource control policy", "permissions boundary", "session policy"):
        guarded = denied(fact, message=f"not authorized with an explicit deny in a {kind.title()}")
        assert guarded.startswith(f"A {kind} denies kms:X")
