"""A whole collection over HTTP, with every list cut into pages of two."""

from __future__ import annotations

import pytest

from auditor.audit import Auditor
from auditor.errors import CollectionError, CredentialsError, UsageError
from auditor.model.key import Fact
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from tests.aws.estate import fill, fill_iam, fill_organization, management
from tests.aws.faults import Fault
from tests.aws.fixtures import collected
from tests.aws.proxy import Proxy


def test_every_page_of_keys_grants_tags_and_aliases_is_read(proxy: Proxy) -> None:
    ids = fill(management(proxy.url), keys=5)
    snapshot = collected(proxy, evidence=False)
    assert {key.key_id for key in snapshot.keys} == set(ids)
    for key in snapshot.keys:
        assert len(key.grants) == 3
        assert len(key.tags) == 3
        assert len(key.aliases) == 1
        assert key.policy_names == ("default",)
        assert key.rotation is not None
        assert not key.unread
    assert snapshot.gaps == ()
    coverage = next(item for item in snapshot.coverage if item.region == "eu-central-1")
    assert (coverage.listed, coverage.described) == (5, 5)


def test_grants_keep_their_constraints_and_issuer(proxy: Proxy) -> None:
    fill(management(proxy.url), keys=1)
    (key,) = collected(proxy, evidence=False).keys
    grant = key.grants[0]
    assert grant.key_arn == key.arn
    assert grant.context_subset == (("app", "web"),)
    assert grant.operations == ("Decrypt", "DescribeKey")
    assert grant.issuing_account == "123456789012"
    assert grant.created == "2023-11-14T22:13:20Z"


def test_iam_is_folded_into_principals(proxy: Proxy) -> None:
    fill_iam(management(proxy.url))
    snapshot = collected(proxy, evidence=False)
    people = {item.name: item for item in snapshot.principals}
    assert set(people) == {"ada", "app"}
    assert people["ada"].kind is PrincipalKind.USER
    (group_policy,) = people["ada"].identity_policies
    assert group_policy.owner.endswith(":group/team")
    assert {item.name for item in people["app"].identity_policies} == {
        "inline",
        "arn:aws:iam::123456789012:policy/use-keys",
    }
    assert all(item.policy.readable and item.policy.statements for item in people["app"].identity_policies)
    boundary = people["app"].boundary
    assert boundary is not None
    assert boundary.layer is Layer.BOUNDARY
    assert boundary.policy.statements
    assert people["app"].trust_policy is not None


def test_documents_that_the_overview_leaves_out_are_fetched(proxy: Proxy) -> None:
    account = management(proxy.url)
    fill_iam(account)
    proxy.page_size = 1000
    without_policies = _without_managed_policies(proxy)
    snapshot = collected(proxy, evidence=False)
    assert without_policies.called
    assert {"iam:GetPolicy", "iam:GetPolicyVersion"} <= proxy.actions
    app = next(item for item in snapshot.principals if item.name == "app")
    assert app.boundary is not None
    assert len(app.identity_policies) == 2
    assert not app.unread


class _without_managed_policies:  # noqa: N801 - reads as a phrase
    def __init__(self, proxy: Proxy) -> None:
        self.called = False
        self._forwarded = proxy._forwarded
        proxy._forwarded = self.forwarded  # type: ignore[method-assign]

    def forwarded(self, path, headers, call, method):
        status, kinds, body = self._forwarded(path, headers, call, method)
        if call.action == "iam:GetAccountAuthorizationDetails":
            self.called = True
            body = body.replace(b"<Policies>", b"<Ignored>").replace(b"</Policies>", b"</Ignored>")
        return status, kinds, body


def test_an_account_outside_any_organization_is_known_to_be(proxy: Proxy) -> None:
    snapshot = collected(proxy, evidence=False)
    assert snapshot.organization is None
    assert not snapshot.organization_unread


def test_the_organization_is_read_with_its_policies(proxy: Proxy) -> None:
    members = fill_organization(proxy.url, 2)
    organization = collected(proxy, evidence=False).organization
    assert organization is not None
    assert organization.tree_read
    levels = organization.levels(members[1])
    assert levels is not None
    assert [level.name for level in levels][1:3] == ["workloads", "production"]
    assert "guard" in {item.name for item in levels[2].scps or ()}
    assert levels[2].rcps is None


def test_nothing_is_called_that_changes_or_must_fail(proxy: Proxy) -> None:
    kms = management(proxy.url).client("kms")
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.create_key(Origin="EXTERNAL")
    before = len(proxy.calls)
    collected(proxy)
    actions = {call.action.split(":")[1] for call in proxy.calls[before:]}
    assert all(name.startswith(("Get", "List", "Describe")) for name in actions)
    assert not actions & {"GetKeyRotationStatus", "ListKeyRotations"}
    assert not any(b"alias/" in call.body for call in proxy.calls[before:] if call.operation == "DescribeKey")


def test_unknown_region_wrong_profile_and_dead_endpoint_say_what_to_do(proxy: Proxy) -> None:
    with pytest.raises(UsageError, match="atlantis-1"):
        collected(proxy, regions=("atlantis-1",))
    with pytest.raises(CredentialsError, match="nobody"):
        collected(proxy, profiles=("nobody",))
    with pytest.raises(CollectionError, match="does not answer"):
        collected(proxy, endpoint_url="http://127.0.0.1:9", max_attempts=1)


def test_expired_credentials_are_named(proxy: Proxy) -> None:
    from tests.aws.faults import Fault

    proxy.faults.add(Fault("*", code="ExpiredToken", status=403, message="The token has expired"))
    with pytest.raises(CredentialsError, match="expired"):
        collected(proxy)


def test_no_permission_at_all_is_an_error(proxy: Proxy) -> None:
    proxy.allowed = frozenset({"sts:GetCallerIdentity"})
    with pytest.raises(CollectionError, match="Nothing could be read"):
        collected(proxy)


def test_regions_fall_back_and_take_globs(proxy: Proxy) -> None:
    fill(management(proxy.url), "eu-west-1", keys=1)
    snapshot = collected(proxy, regions=("eu-west-*",), evidence=False)
    assert snapshot.provenance.scope.regions == ("eu-west-1", "eu-west-2", "eu-west-3")
    proxy.deny("account:*")
    proxy.deny("ec2:DescribeRegions")
    probed = collected(proxy, regions=("eu-west-1",), evidence=False)
    assert len(probed.keys) == 1


def test_replicas_are_told_from_primaries_by_arn(proxy: Proxy) -> None:
    kms = management(proxy.url).client("kms")
    key_id = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    snapshot = collected(proxy, regions=("eu-central-1", "eu-west-1"), evidence=False)
    kinds = {key.region: key.multi_region_key_type for key in snapshot.keys}
    assert kinds == {"eu-central-1": "PRIMARY", "eu-west-1": "REPLICA"}


def test_an_unreadable_document_is_kept_and_named(proxy: Proxy) -> None:
    kms = management(proxy.url).client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy="{ not json")
    snapshot = collected(proxy, evidence=False)
    assert snapshot.keys[0].policies[0].policy.text == "{ not json"
    assert [(gap.fact, gap.code) for gap in snapshot.gaps] == [(Fact.KEY_POLICY, "Unreadable")]
    told = {(one.rule, one.subject) for one in Auditor().judge(Auditor().evaluate(snapshot, "2026-01-01")).findings}
    arn = snapshot.keys[0].arn
    assert {("malformed-statement", arn), ("evaluation-inconclusive", arn)} <= told
    assert not {("iam-delegation-mode", arn), ("key-policy-unreadable", arn)} & told, "nobody knows, and nobody refused"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            Fault("kms:*", code="ExpiredTokenException", status=400, message="It has expired"),
            "ExpiredToken.*aws sso login",
        ),
        (Fault("kms:*", what="half"), "IncompleteAnswer.*changes the answers"),
        (Fault("kms:*", what="drop"), "Unreachable.*network path"),
        (Fault("kms:*", code="AccessDeniedException", status=400), "every list of keys was refused.*permissions"),
    ],
    ids=lambda value: value.what + value.code if isinstance(value, Fault) else "",
)
def test_why_nothing_could_be_read_is_what_stopped_it(proxy: Proxy, fault: Fault, words: str) -> None:
    proxy.faults.add(fault)
    with pytest.raises(CollectionError, match=f"Nothing could be read.*{words}"):
        collected(proxy, evidence=False, max_attempts=1)


def test_a_role_that_can_be_assumed_nowhere_is_to_blame_and_no_permission(proxy: Proxy) -> None:
    (account,) = fill_organization(proxy.url, 1)
    proxy.deny("sts:AssumeRole")
    with pytest.raises(CollectionError, match=r"could not be assumed in any account\..*trust policy"):
        collected(proxy, org=True, role_name="audit", accounts=(account,), evidence=False)


def test_a_garbled_answer_is_no_refusal_of_the_credentials(proxy: Proxy) -> None:
    proxy.faults.add(Fault("sts:GetCallerIdentity", what="half"))
    with pytest.raises(CollectionError, match="does not answer as AWS does"):
        collected(proxy, max_attempts=1)
