"""Simplification keeps the meaning, and finds contradictions and tautologies."""

from __future__ import annotations

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.evaluator.expressions import all_of, any_of, negate, unsettled
from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.simplify import simplify
from auditor.evaluator.words import in_words
from auditor.model.residual import FALSE, TRUE, AllOf, AnyOf, Constant, Leaf, Not, Residual
from tests.laws import examples

S3, EC2 = "s3.eu-west-1.amazonaws.com", "ec2.eu-west-1.amazonaws.com"
VIA_S3 = Leaf("StringEquals", "kms:ViaService", (S3,))
NOT_VIA_EC2 = Leaf("StringNotEquals", "kms:ViaService", (EC2,))
MFA = Leaf("Bool", "aws:MultiFactorAuthPresent", ("true",))
ONLY_WEB = Leaf("GrantEncryptionContextEquals", "kms:EncryptionContext", ("App=web",))
LEAVES = [
    VIA_S3,
    NOT_VIA_EC2,
    Leaf("StringLike", "kms:ViaService", ("s3.*.amazonaws.com",)),
    Leaf("StringEqualsIfExists", "kms:ViaService", (EC2,)),
    Leaf("Null", "kms:ViaService", ("true",)),
    MFA,
    Leaf("BoolIfExists", "aws:MultiFactorAuthPresent", ("false",)),
    Leaf("NumericLessThan", "aws:MultiFactorAuthAge", ("3600",)),
    Leaf("NumericGreaterThan", "aws:MultiFactorAuthAge", ("60",)),
    Leaf("IpAddress", "aws:SourceIp", ("10.0.0.0/8",)),
    Leaf("NotIpAddress", "aws:SourceIp", ("10.1.0.0/16",)),
    Leaf("StringEquals", "aws:SourceVpce", ("vpce-1",)),
    Leaf("Null", "aws:SourceVpce", ("true",)),
    Leaf("Bool", "aws:ViaAWSService", ("true",)),
    Leaf("StringEquals", "kms:EncryptionContext:app", ("web",)),
    Leaf("Null", "kms:EncryptionContextKeys", ("false",)),
    Leaf("Null", "kms:EncryptionContext:stage", ("false",)),
    Leaf("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("stage",)),
    Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("App", "stage")),
    ONLY_WEB,
    Leaf("Bool", "aws:MultiFactorAuthPresent", ("false",)),
    Leaf("Bool", "aws:ViaAWSService", ("false",)),
    Leaf("Null", "kms:EncryptionContextKeys", ("true",)),
    Leaf("ForAnyValue:StringNotEquals", "kms:EncryptionContextKeys", ("app",)),
    Leaf("ForAllValues:StringNotEquals", "kms:EncryptionContextKeys", ("stage",)),
    Leaf("ForAnyValue:StringEquals", "kms:GrantOperations", ("Decrypt",)),
    Leaf("ForAllValues:StringEquals", "kms:GrantOperations", ("Decrypt",)),
    Leaf("ForAllValues:StringEquals", "kms:GrantOperations", ("Encrypt", "Sign")),
    Leaf("StringEquals", "kms:GrantConstraintType", ("EncryptionContextEquals",)),
    Leaf("StringEquals", "kms:GrantConstraintType", ("EncryptionContextSubset",)),
    Leaf("NotIpAddress", "aws:SourceIp", ("10.0.0.0/9", "10.128.0.0/9")),
]
VALUES: dict[str, list[str | tuple[str, ...] | None]] = {
    "kms:ViaService": [None, S3, EC2, "s3.us-east-1.amazonaws.com", "lambda.eu-west-1.amazonaws.com"],
    "aws:MultiFactorAuthPresent": [None, "true", "false"],
    "aws:MultiFactorAuthAge": [None, "30", "60", "100", "3600", "9999"],
    "aws:SourceIp": [None, "10.1.2.3", "10.2.0.1", "192.0.2.1"],
    "aws:SourceVpce": [None, "vpce-1", "vpce-2"],
    "aws:ViaAWSService": ["true", "false"],
    "kms:EncryptionContext:app": [None, "web", "batch"],
    "kms:EncryptionContext:stage": [None, "test"],
    "kms:EncryptionContextKeys": [None, "app", "App", "stage", ("app", "stage"), ("other", "stage")],
    "kms:GrantOperations": ["Decrypt", "Encrypt", ("Decrypt", "Encrypt"), ("Encrypt", "Sign"), "CreateGrant"],
    "kms:GrantConstraintType": [None, "EncryptionContextEquals", "EncryptionContextSubset"],
}
TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(negate),
        st.lists(inner, min_size=1, max_size=3).map(all_of),
        st.lists(inner, min_size=1, max_size=3).map(any_of),
    ),
    max_leaves=8,
)


Request = dict[str, str | tuple[str, ...] | None]


def occurs(request: Request) -> bool:
    """Whether a request can be so: a service's call says that it is one, an age is one of multi-factor authentication,
    the pairs of an encryption context are those that its keys name, and on a grant they are its constraint."""
    carried = request["kms:EncryptionContextKeys"] or ()
    names = [name.lower() for name in (carried if isinstance(carried, tuple) else (carried,))]
    return (
        (request["kms:ViaService"] is None or request["aws:ViaAWSService"] == "true")
        and (request["aws:SourceIp"] is None or request["aws:SourceVpce"] is None)
        and (request["aws:MultiFactorAuthAge"] is None or request["aws:MultiFactorAuthPresent"] == "true")
        and (request["kms:EncryptionContext:app"] is not None) == ("app" in names)
        and (request["kms:EncryptionContext:stage"] is not None) == ("stage" in names)
        and (request["kms:GrantConstraintType"] is None) == (request["kms:EncryptionContextKeys"] is None)
    )


ALONE: Request = {**dict.fromkeys(VALUES), "aws:ViaAWSService": "false", "kms:GrantOperations": "Decrypt"}
GROUPS = (
    ("kms:ViaService", "aws:ViaAWSService"),
    ("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"),
    ("aws:SourceIp", "aws:SourceVpce"),
    (
        "kms:EncryptionContext:app",
        "kms:EncryptionContext:stage",
        "kms:EncryptionContextKeys",
        "kms:GrantConstraintType",
    ),
    ("kms:GrantOperations",),
)
"""Condition keys that depend on each other."""


def possible(group: tuple[str, ...]) -> list[Request]:
    """The values that a group can have together."""
    found = (dict(zip(group, values, strict=True)) for values in product(*(VALUES[key] for key in group)))
    return [values for values in found if occurs({**ALONE, **values})]


REQUESTS = st.tuples(*(st.sampled_from(possible(group)) for group in GROUPS)).map(
    lambda parts: {key: value for part in parts for key, value in part.items()}
)


def test_requests_that_occur_are_those_of_the_groups() -> None:
    random, together, seen = Random(5), {group: possible(group) for group in GROUPS}, 0
    for _ in range(3000):
        request = {key: random.choice(values) for key, values in VALUES.items()}
        parts = all({key: request[key] for key in group} in found for group, found in together.items())
        assert parts == occurs(request), request
        seen += parts
    assert seen > 10


def holds(tree: Residual, request: Request) -> bool:
    match tree:
        case Constant(value):
            return value
        case Leaf("GrantEncryptionContextEquals"):
            return request["kms:EncryptionContextKeys"] in ("app", "App") and (
                request["kms:EncryptionContext:app"] == "web" and request["kms:EncryptionContext:stage"] is None
            )
        case Leaf(name, key, values):
            operator = parse_operator(name)
            assert operator is not None
            given = request[key]
            carried = given if isinstance(given, tuple) else (given,) if given else ()
            return satisfied(operator, values, carried)
        case Not(item):
            return not holds(item, request)
        case AllOf(items):
            return all(holds(item, request) for item in items)
        case AnyOf(items):
            return any(holds(item, request) for item in items)


@settings(max_examples=examples(300), deadline=None)
@given(TREES, REQUESTS)
def test_the_meaning_stays(tree: Residual, request: Request) -> None:
    assert holds(simplify(tree), request) == holds(tree, request)


@settings(max_examples=examples(150), deadline=None)
@given(TREES)
def test_a_simplified_tree_stays_as_it_is(tree: Residual) -> None:
    once = simplify(tree)
    assert simplify(once) == once


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(TREES, min_size=2, max_size=4))
def test_order_does_not_matter(trees: list[Residual]) -> None:
    assert simplify(all_of(trees)) == simplify(all_of(reversed(trees)))
    assert simplify(any_of(trees)) == simplify(any_of(reversed(trees)))


def test_an_allow_through_one_service_under_a_deny_of_all_but_another_is_a_contradiction() -> None:
    assert simplify(all_of([VIA_S3, negate(NOT_VIA_EC2)])) == FALSE


def test_patterns_without_overlap_contradict() -> None:
    lambda_only = Leaf("StringLike", "kms:ViaService", ("lambda.*",))
    assert simplify(all_of([Leaf("StringLike", "kms:ViaService", ("s3.*",)), lambda_only])) == FALSE


def test_an_exact_context_has_no_other_pairs() -> None:
    other = "kms:EncryptionContext:stage"
    assert simplify(all_of([ONLY_WEB, Leaf("StringEquals", other, ("test",))])) == FALSE
    assert simplify(all_of([ONLY_WEB, Leaf("StringNotEquals", other, ("test",))])) == ONLY_WEB
    assert simplify(all_of([ONLY_WEB, Leaf("Null", "kms:EncryptionContextKeys", ("true",))])) == FALSE
    stage_only = Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("stage",))
    assert simplify(all_of([ONLY_WEB, stage_only])) == FALSE
    in_any_case = Leaf("ForAllValues:StringEqualsIgnoreCase", "kms:EncryptionContextKeys", ("app",))
    assert simplify(all_of([ONLY_WEB, in_any_case])) == ONLY_WEB


def test_the_names_of_an_exact_context_may_have_another_case() -> None:
    named = Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("App",))
    simplified = simplify(all_of([ONLY_WEB, named]))
    assert isinstance(simplified, AllOf)
    assert set(simplified.items) == {ONLY_WEB, named}


def test_one_value_of_several_that_all_others_rule_out() -> None:
    keys = "kms:EncryptionContextKeys"
    some, only = Leaf("ForAnyValue:StringEquals", keys, ("app",)), Leaf("ForAllValues:StringEquals", keys, ("stage",))
    assert simplify(all_of([some, only])) == FALSE
    assert simplify(all_of([some, Leaf("Null", keys, ("true",))])) == FALSE
    assert simplify(all_of([only, Leaf("Null", keys, ("true",))])) == Leaf("Null", keys, ("true",))
    # Two of several values may both be there; of one value they may not.
    assert simplify(all_of([some, Leaf("ForAnyValue:StringEquals", keys, ("stage",))])) != FALSE
    of_provider = [Leaf("ForAnyValue:StringEquals", "saml:eduPersonAffiliation", (value,)) for value in ("a", "b")]
    assert simplify(all_of(of_provider)) != FALSE


def test_every_value_that_there_is_being_denied_leaves_nothing() -> None:
    types = [Leaf("StringEquals", "kms:MessageType", (value,)) for value in ("RAW", "DIGEST", "EXTERNAL_MU")]
    assert simplify(all_of(negate(one) for one in types)) == FALSE
    assert simplify(any_of(types)) == TRUE
    both = [Leaf("Bool", "aws:ViaAWSService", (value,)) for value in ("true", "false")]
    assert simplify(all_of(negate(one) for one in both)) == FALSE
    with_or_without = [Leaf("Bool", "aws:MultiFactorAuthPresent", (value,)) for value in ("true", "false")]
    assert simplify(all_of(negate(one) for one in with_or_without)) != FALSE  # the key may be missing


def test_networks_that_fill_another_one_together() -> None:
    def inside(*networks: str) -> Leaf:
        return Leaf("IpAddress", "aws:SourceIp", networks)

    halves = inside("10.0.0.0/9", "10.128.0.0/9")
    assert simplify(all_of([inside("10.0.0.0/8"), negate(halves)])) == FALSE
    assert simplify(all_of([inside("10.1.0.0/16"), halves])) == inside("10.1.0.0/16")
    assert simplify(all_of([inside("::/0"), negate(inside("2001:db8::/32"))])) != FALSE


def test_a_condition_or_its_opposite_is_a_tautology() -> None:
    assert simplify(any_of([MFA, negate(MFA)])) == TRUE
    assert simplify(any_of([VIA_S3, Leaf("StringNotEquals", "kms:ViaService", (S3,))])) == TRUE


def test_what_a_sibling_says_is_not_repeated() -> None:
    assert simplify(any_of([VIA_S3, all_of([VIA_S3, MFA])])) == VIA_S3
    assert simplify(all_of([VIA_S3, any_of([VIA_S3, MFA])])) == VIA_S3


def test_a_part_that_says_more_than_another_is_dropped_beside_a_third() -> None:
    """Neither is a single test that the other could assume, and nothing is common to all three."""
    address, endpoint = LEAVES[9], LEAVES[11]
    pair, more = [MFA, VIA_S3], [MFA, VIA_S3, Leaf("StringEquals", "kms:EncryptionContext:app", ("web",))]
    assert simplify(any_of([all_of(pair), all_of(more), address])) == simplify(any_of([all_of(pair), address]))
    assert simplify(all_of([any_of(pair), any_of(more), endpoint])) == simplify(all_of([any_of(pair), endpoint]))


def test_shared_parts_are_factored_out() -> None:
    alternatives = any_of([all_of([MFA, VIA_S3]), all_of([MFA, Leaf("IpAddress", "aws:SourceIp", ("10.0.0.0/8",))])])
    simplified = simplify(alternatives)
    assert isinstance(simplified, AllOf)
    assert MFA in simplified.items


def test_a_missing_fact_that_may_allow_and_one_that_may_deny_are_not_opposites() -> None:
    tree = all_of([unsettled("key policy"), negate(unsettled("key policy", "deny"))])
    assert simplify(tree) != FALSE


def test_values_that_a_sibling_rules_out_are_not_named() -> None:
    either = Leaf("StringEquals", "kms:ViaService", (S3, EC2))
    assert simplify(all_of([either, NOT_VIA_EC2])) == VIA_S3
    assert simplify(all_of([either, negate(Leaf("StringLike", "kms:ViaService", ("ec2.*",)))])) == VIA_S3


def test_words_for_keys_that_may_have_any_value_or_are_always_there() -> None:
    both = Leaf("Bool", "aws:MultiFactorAuthPresent", ("true", "false"))
    assert in_words(both) == "only with aws:MultiFactorAuthPresent in the request"
    types = Leaf("StringEquals", "kms:GrantConstraintType", ("EncryptionContextEquals", "EncryptionContextSubset"))
    assert in_words(negate(types)) == "only without kms:GrantConstraintType in the request"
    assert in_words(Leaf("StringLike", "aws:SourceVpce", ("*",))) == "only with aws:SourceVpce in the request"
    decrypt = Leaf("ForAllValues:StringEquals", "kms:GrantOperations", ("Decrypt",))
    assert in_words(decrypt) == "only if every one of the grant's operations is Decrypt"
    names = Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("App",))
    assert in_words(names).endswith("is App (or where the request does not say)")


def test_words_for_the_negation_of_a_test_of_several_values() -> None:
    some = Leaf("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", ("App",))
    every = Leaf("ForAllValues:StringLike", "kms:GrantOperations", ("De*",))
    unlike = Leaf("ForAnyValue:StringNotEquals", "kms:EncryptionContextKeys", ("App",))
    subject = "the encryption context's keys"
    assert in_words(negate(some)) == f"only if every one of {subject} is not App (or where the request does not say)"
    assert in_words(negate(every)) == "only if at least one of the grant's operations does not match De*"
    assert in_words(unlike) == f"only if at least one of {subject} is not App"
    assert in_words(negate(unlike)) == f"only if every one of {subject} is App (or where the request does not say)"
    below = Leaf("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ("o-example/*",))
    assert in_words(negate(below)) == "not callers below the organization path o-example/*"
    unread = Leaf("StringEquals", "aws:ResourceTag/team", ("blue",), unread="tags")
    assert in_words(unread) == "only if the key's tag team is blue (tags could not be read)"
    none = Leaf("ForAnyValue:StringEqualsIfExists", "kms:EncryptionContextKeys", ("App",))
    assert in_words(negate(none)) == f"only if every one of {subject} is not App"


def test_words_for_conditions_of_perimeters() -> None:
    via = Leaf("Bool", "aws:ViaAWSService", ("true",))
    address = Leaf("IpAddress", "aws:SourceIp", ("10.0.0.0/8",))
    endpoint = Leaf("StringEquals", "aws:VpceOrgID", ("o-example",))
    assert in_words(AnyOf((via, address, endpoint))) == (
        "only when an AWS service calls for the caller or if the source address is in 10.0.0.0/8 "
        "or if the organization of the VPC endpoint is o-example"
    )
    unit = Leaf("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ("o-example/r-root/ou-prod/*",))
    assert in_words(unit) == "only callers below the organization path o-example/r-root/ou-prod/*"
    tag = Leaf("StringNotEquals", "aws:PrincipalTag/dp:exclude", ("true",))
    assert in_words(tag) == "only if the caller's tag dp:exclude is not true"
    assert in_words(Leaf("Null", "kms:EncryptionContextKeys", ("true",))) == "without an encryption context"
    volumes = Leaf("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ("aws:ebs:id",))
    some = Leaf("Null", "kms:EncryptionContextKeys", ("false",))
    assert in_words(AllOf((volumes, some))) == (
        "only if every one of the encryption context's keys is aws:ebs:id and with an encryption context"
    )
    attested = Leaf("StringEquals", "kms:RecipientAttestation:PCR3", ("abc",))
    assert in_words(attested) == "only if the attested PCR3 is abc"


def test_words() -> None:
    context = Leaf("StringEquals", "kms:EncryptionContext:AppName", ("ExampleApp",))
    through = Leaf("StringEquals", "kms:ViaService", ("secretsmanager.us-east-1.amazonaws.com",))
    assert in_words(AllOf((through, context))) == (
        "only through Secrets Manager in us-east-1 and with encryption context AppName = ExampleApp"
    )
    assert in_words(Not(Leaf("BoolIfExists", "aws:MultiFactorAuthPresent", ("false",)))) == "only with MFA"
    assert in_words(TRUE) == ""
    assert in_words(unsettled("grants")) == "depends on grants, which could not be read"
    assert in_words(unsettled("condition operator StringIs")).endswith("which does not exist")
    rest = (through, negate(unsettled("key policy")), unsettled("grants"), unsettled("key policy"))
    assert in_words(AllOf(rest)) == (
        "only through Secrets Manager in us-east-1 and depends on key policy and grants, which could not be read"
    )
    undocumented = unsettled("effect of a tag condition in an RCP")
    assert in_words(undocumented) == "depends on effect of a tag condition in an RCP, which AWS does not document"
