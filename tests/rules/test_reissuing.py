"""A grant that is made anew by the commands of a finding is the old one, whatever its encryption context holds."""

from __future__ import annotations

import argparse
import json
import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.grant import Grant
from auditor.model.key import Key
from auditor.rules.grants.holders import Held
from auditor.rules.grants.reissuing import constraints_of, reissued
from tests.laws import examples

KEY = Key(arn="arn:aws:kms:eu-west-1:111122223333:key/a", key_id="a", account="111122223333", region="eu-west-1")
GRANTEE = "arn:aws:iam::111122223333:role/app"
PAIRS = st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=3).map(
    lambda pairs: tuple(sorted(pairs.items()))
)
OPTIONS = ("key-id", "grantee-principal", "constraints", "retiring-principal", "retiring-service-principal", "name")


@settings(max_examples=examples(50), deadline=None)
@given(
    equals=PAIRS,
    subset=PAIRS,
    source=st.sampled_from([None, "arn:aws:s3:::bucket/*"]),
    retiring=st.sampled_from([{}, {"retiring": f"{GRANTEE}s"}, {"retiring_service": "rds.amazonaws.com"}]),
    name=st.sampled_from([None, "nightly:job/1"]),
)
def test_the_commands_make_the_same_grant(
    equals: tuple[tuple[str, str], ...],
    subset: tuple[tuple[str, str], ...],
    source: str | None,
    retiring: dict[str, str],
    name: str | None,
) -> None:
    old = Grant(
        grant_id="b",
        key_arn=KEY.arn,
        name=name,
        grantee=GRANTEE,
        operations=("Decrypt", "CreateGrant"),
        context_equals=equals,
        context_subset=subset,
        source_arn=source,
        **retiring,
    )
    making, revoking = reissued(Held(KEY, old, GRANTEE, None, 1), ("Decrypt",), constraints_of(old)).split("\naws ")
    taken = _taken(making)
    wanted = {"EncryptionContextEquals": dict(equals), "EncryptionContextSubset": dict(subset), "SourceArn": source}
    assert json.loads(taken.constraints or "{}") == {field: value for field, value in wanted.items() if value}
    assert (taken.key_id, taken.grantee_principal, taken.name) == (KEY.arn, GRANTEE, name)
    assert (taken.retiring_principal, taken.retiring_service_principal) == (old.retiring, old.retiring_service)
    assert taken.operations == ["Decrypt"]
    assert shlex.split(revoking) == ["kms", "revoke-grant", "--key-id", KEY.arn, "--grant-id", "b"]


def test_where_nothing_is_left_it_is_only_revoked() -> None:
    old = Grant(grant_id="b", key_arn=KEY.arn, grantee=GRANTEE, operations=("CreateGrant",))
    assert constraints_of(old) == ""
    assert reissued(Held(KEY, old, GRANTEE, None, 1), (), "").startswith("aws kms revoke-grant")


def _taken(command: str) -> argparse.Namespace:
    """The options of a command, as a shell and a parser of options see them."""
    words = shlex.split(command)
    assert words[:3] == ["aws", "kms", "create-grant"]
    parser = argparse.ArgumentParser()
    for option in OPTIONS:
        parser.add_argument(f"--{option}")
    parser.add_argument("--operations", nargs="*")
    return parser.parse_args(words[3:])
