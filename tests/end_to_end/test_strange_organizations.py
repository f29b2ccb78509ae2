"""Organizations that are unusual and valid, from the wire to the verdict.

Each is written down, served over HTTP, collected and evaluated; the expected outcomes are worked out from the
authorization reference by hand, not from what the tool says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import UnknownNameError
from auditor.evaluator.evaluation import Evaluation, evaluate
from auditor.model.actions import ACTIONS
from auditor.model.key import Fact
from auditor.questions import find_keys, find_principals, principal_named
from tests.aws.breaking import QUICK
from tests.aws.collecting import AS_OF, collected
from tests.aws.fixtures import credentials
from tests.aws.invented import (
    FULL,
    MANAGEMENT,
    RCP,
    REGION,
    SCP,
    Account,
    InventedAws,
    Level,
    Organization,
    grant,
    key,
    refuse,
    role,
)
from tests.aws.written import allow, document

A, B, OUT = "200000000001", "200000000002", "999999999999"
KEY = "aaaaaaaa-0000-0000-0000-000000000000"
LINKED_PATH = "/aws-service-role/autoscaling.amazonaws.com/"
LINKED = f"{LINKED_PATH[1:]}AWSServiceRoleForAutoScaling"
SSO = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
DENY_ALL = document({"Effect": "Deny", "Action": "kms:*", "Resource": "*"}, allow("*"))
PERIMETER = document(
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }
)


@pytest.fixture(autouse=True)
def local_credentials() -> Iterator[None]:
    with credentials():
        yield


def arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def linked(account: str) -> dict[str, object]:
    return role(account, "AWSServiceRoleForAutoScaling", FULL, path=LINKED_PATH)


def session(account: str, name: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{name}"


def delegating(account: str, *more: dict[str, object]) -> str:
    return document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:root"}), *more)


def evaluated(organization: Organization, keys: dict[str, str] | None = None, **options: object) -> Evaluation:
    """Collected over HTTP, and evaluated; the whole table says what single questions say. ``keys``: whose they are."""
    with InventedAws(organization) as aws:
        for name, account in (keys or {}).items():
            aws.known.assign(name, account)
        found = collected(aws, **{**QUICK, **options})
    evaluation = evaluate(found.snapshot, as_of=AS_OF)
    for row, principal in enumerate(evaluation.principals):
        for column, one in enumerate(evaluation.snapshot.keys):
            for action in ACTIONS:
                told = evaluation.table.decision(row, column, action)
                assert told == evaluation.decide(principal, one, action.name), (principal.arn, one.arn, action.name)
    return evaluation


def outcomes(evaluation: Evaluation, action: str, *callers: str, key_id: str = KEY) -> list[str]:
    """What each caller, a row or not, may do with the key."""
    (one,) = find_keys(evaluation.snapshot, key_id)
    return [str(evaluation.decide(principal_named(evaluation, caller), one, action).outcome) for caller in callers]


def rows(evaluation: Evaluation) -> set[str]:
    return {principal.arn for principal in evaluation.principals}


def test_service_linked_roles_are_exempt_from_guardrails_by_whatever_name() -> None:
    held = [grant(1, ["Decrypt"], GranteePrincipal=arn(OUT, LINKED))]
    owner = Account(
        A,
        keys={REGION: [key(A, KEY, delegating(A), grants=held)]},
        roles=[
            linked(A),
            role(A, "app", FULL),
        ],
    )
    root = Level("r-root", rcps={"perimeter": PERIMETER}, below=[Level(MANAGEMENT), Level(A, scps={"none": DENY_ALL})])
    evaluation = evaluated(Organization([Account(MANAGEMENT), owner], root))
    a_session = session(A, "AWSServiceRoleForAutoScaling/i-1")
    callers = (arn(A, LINKED), a_session, arn(OUT, LINKED), arn(A, "app"), session(A, "app/s"))
    assert outcomes(evaluation, "kms:Decrypt", *callers) == ["allowed"] * 3 + ["explicitly-denied"] * 2


def test_sessions_named_in_an_account_that_nobody_could_look_into_are_rows() -> None:
    named = allow("kms:Decrypt", Principal={"AWS": session(B, "ops/alice")})
    volume = session(B, "aws:ec2-infrastructure/i-0123456789abcdef0")
    held = [grant(n, ["Encrypt"], GranteePrincipal=who) for n, who in enumerate((session(B, "ops/bob"), volume))]
    owner = Account(A, keys={REGION: [key(A, KEY, delegating(A, named), grants=held)]})
    root = Level("r-root", below=[Level(MANAGEMENT), Level(A), Level(B)])
    closed = Organization([Account(MANAGEMENT), owner, Account(B)], root, refused=[refuse("sts:AssumeRole", holding=B)])
    evaluation = evaluated(closed)
    alice, bob = session(B, "ops/alice"), session(B, "ops/bob")
    assert {alice, bob} <= rows(evaluation)
    assert volume not in rows(evaluation)  # there may be thousands of them
    assert outcomes(evaluation, "kms:Decrypt", alice, bob) == ["unknown", "implicitly-denied"]
    assert outcomes(evaluation, "kms:Encrypt", alice, bob) == ["implicitly-denied", "unknown"]
    with pytest.raises(UnknownNameError) as unknown:
        find_principals(evaluation, "role/ops")
    assert unknown.value.remedy.endswith("It may exist all the same: some accounts could not be read.")
    with pytest.raises(UnknownNameError) as unknown:
        find_keys(evaluation.snapshot, "alias/ops")
    assert unknown.value.remedy.endswith("It may exist all the same: some accounts could not be read.")
    assert {item.arn for item in find_principals(evaluation, B)} == {B, f"arn:aws:iam::{B}:root", alice, bob}


@pytest.mark.parametrize("refused", [[], [refuse("sts:AssumeRole", holding=OUT)]])
def test_the_path_of_an_unseen_role_is_not_known_from_its_session(refused: list[object]) -> None:
    def of(pattern: str) -> dict[str, object]:
        return {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OUT}:role/{pattern}"}}

    policy = delegating(
        A,
        allow("kms:Decrypt", Principal="*", Condition=of("aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin_*")),
        allow("kms:Encrypt", Principal="*", Condition=of("*/AWSReservedSSO_Reader_0123456789abcdef")),
        allow("kms:Sign", Principal={"AWS": arn(OUT, SSO)}),
        allow("kms:Verify", Principal={"AWS": arn(OUT, "other")}),
    )
    owner = Account(A, keys={REGION: [key(A, KEY, policy)]})
    members = [Level(MANAGEMENT), Level(A), *([Level(OUT)] if refused else [])]
    evaluation = evaluated(Organization([Account(MANAGEMENT), owner], Level("r-root", below=members), refused=refused))
    caller = session(OUT, SSO.rsplit("/", maxsplit=1)[-1] + "/al@example.org")
    may = "unknown" if refused else "conditional"
    assert outcomes(evaluation, "kms:Decrypt", caller) == [may]
    assert outcomes(evaluation, "kms:Encrypt", caller) == ["implicitly-denied"]
    assert outcomes(evaluation, "kms:Sign", caller) == ["unknown" if refused else "allowed"]
    assert outcomes(evaluation, "kms:Verify", caller) == ["implicitly-denied"]


def test_where_a_hidden_account_is_in_the_tree_is_not_known() -> None:
    below = {"StringLike": {"aws:PrincipalOrgPaths": "o-exampleorgid/r-root/ou-root-1/*"}}
    member = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    policy = delegating(
        MANAGEMENT,
        allow("kms:Decrypt", Principal="*", Condition={"ForAnyValue:StringLike": below["StringLike"]}),
        allow("kms:Encrypt", Principal="*", Condition=member),
    )
    owner = Account(MANAGEMENT, keys={REGION: [key(MANAGEMENT, KEY, policy)]})
    other = Account(A, roles=[linked(A)])
    root = Level("r-root", below=[Level(MANAGEMENT), Level("ou-root-1", below=[Level(A)])])
    hidden = [refuse("organizations:ListAccountsForParent", MANAGEMENT, "ou-root-1")]
    known, unknown = (evaluated(Organization([owner, other], root, refused=found)) for found in ([], hidden))
    assert outcomes(known, "kms:Decrypt", arn(A, LINKED)) == ["allowed"]
    assert outcomes(unknown, "kms:Decrypt", arn(A, LINKED)) == ["unknown"]
    assert outcomes(unknown, "kms:Encrypt", arn(A, LINKED)) == ["allowed"]


def test_one_hidden_branch_leaves_the_others_known() -> None:
    """Only the account whose place is not known has unknown guardrails, unless the tree contradicts itself."""
    below = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorgid/r-root/ou-root-1/*"}}
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "kms:Verify", "Resource": "*", "Condition": below}
    ids = {A: KEY, B: KEY.replace("a", "b")}
    accounts = [
        Account(
            one,
            keys={REGION: [key(one, ids[one], delegating(one, refusal))]},
            roles=[role(one, "app", FULL)],
        )
        for one in (A, B)
    ]
    units = [Level("ou-root-1", below=[Level(A)]), Level("ou-root-2", below=[Level(B)], scps={"none": DENY_ALL})]
    root = Level("r-root", below=[Level(MANAGEMENT), *units])
    hidden = [refuse("organizations:ListAccountsForParent", MANAGEMENT, "ou-root-1")]
    evaluation = evaluated(Organization([Account(MANAGEMENT), *accounts], root, refused=hidden))
    assert outcomes(evaluation, "kms:Decrypt", arn(A, "app")) == ["unknown"]
    assert outcomes(evaluation, "kms:Decrypt", arn(B, "app"), key_id=ids[B]) == ["explicitly-denied"]  # by its unit
    units[1].scps = None
    evaluation = evaluated(Organization([Account(MANAGEMENT), *accounts], root, refused=hidden))
    assert outcomes(evaluation, "kms:Decrypt", arn(B, "app"), key_id=ids[B]) == ["allowed"]
    assert outcomes(evaluation, "kms:Verify", arn(B, "app"), key_id=ids[B]) == ["allowed"]
    assert outcomes(evaluation, "kms:Verify", arn(A, "app")) == ["unknown"]
    (gap,) = evaluation.snapshot.gaps
    assert gap.subject == "ou-root-1"
    assert "accounts that were not found elsewhere" in gap.effect
    units[1].below.append(Level(A))
    evaluation = evaluated(Organization([Account(MANAGEMENT), *accounts], root))
    assert outcomes(evaluation, "kms:Decrypt", arn(B, "app"), key_id=ids[B]) == ["unknown"]


def test_types_of_policy_that_are_being_switched_leave_verdicts_unknown() -> None:
    owner = Account(A, keys={REGION: [key(A, KEY, delegating(A))]}, roles=[role(A, "app", FULL), linked(A)])
    root = Level("r-root", scps={"none": DENY_ALL}, rcps={"perimeter": PERIMETER}, below=[Level(MANAGEMENT), Level(A)])
    types = {SCP: "PENDING_ENABLE", RCP: "PENDING_DISABLE"}
    evaluation = evaluated(Organization([Account(MANAGEMENT), owner], root, types=types))
    assert outcomes(evaluation, "kms:Decrypt", arn(A, "app"), arn(A, LINKED)) == ["unknown", "allowed"]
    assert {(gap.fact, gap.subject, gap.code) for gap in evaluation.snapshot.gaps} == {
        (Fact.SCP, "r-root", "PENDING_ENABLE"),
        (Fact.RCP, "r-root", "PENDING_DISABLE"),
    }


def test_an_account_beside_the_organization_that_could_not_ask_for_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def of(account: str, key_id: str) -> Account:
        known = allow(
            "kms:Decrypt", Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
        )
        return Account(
            account,
            keys={REGION: [key(account, key_id, delegating(account, known))]},
            roles=[role(account, "app", FULL)],
        )

    ids = {account: f"{account[-8:]}-0000-0000-0000-000000000000" for account in (A, B)}
    root = Level("r-root", below=[Level(MANAGEMENT), Level(A)])
    organization = Organization([Account(MANAGEMENT), *(of(*pair) for pair in ids.items())], root)
    organization.refused = [refuse("organizations:DescribeOrganization", B)]
    files = "".join(f"[{name}]\naws_access_key_id={name}\naws_secret_access_key=x\n" for name in ("main", "other"))
    (tmp_path / "credentials").write_text(files)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    keys = {"main": A, "other": B}
    evaluation = evaluated(organization, keys=keys, profiles=tuple(keys), org=False, role_name=None)
    assert outcomes(evaluation, "kms:Encrypt", arn(A, "app"), key_id=ids[A]) == ["allowed"]
    assert outcomes(evaluation, "kms:Encrypt", arn(B, "app"), key_id=ids[B]) == ["unknown"]
    assert outcomes(evaluation, "kms:Decrypt", arn(B, "app"), key_id=ids[A]) == ["implicitly-denied"]


def test_accounts_that_were_asked_for_by_number_and_cannot_be_read_are_gaps() -> None:
    owner = Account(A, keys={REGION: [key(A, KEY, delegating(A))]})
    root = Level("r-root", below=[Level(MANAGEMENT), Level(A), Level(B)])
    organization = Organization([Account(MANAGEMENT), owner, Account(B, status="SUSPENDED")], root)
    asked = (A, B, "299999999999", "2999*")
    snapshot = evaluated(organization, accounts=asked).snapshot
    assert [account.id for account in snapshot.accounts] == [A]
    assert {(gap.fact, gap.account, gap.code) for gap in snapshot.gaps} == {
        (Fact.ACCOUNT, B, "SUSPENDED"),
        (Fact.ACCOUNT, "299999999999", "NotFound"),
    }
