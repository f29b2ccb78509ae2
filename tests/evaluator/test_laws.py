"""Laws of the evaluator on random organizations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.evaluator import decide, evaluate, glob
from auditor.evaluator.evaluation import Evaluation
from auditor.evaluator.glob import LITERAL_STAR
from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.resources import RESOURCE
from auditor.model.access import Decision, Outcome
from auditor.model.actions import ACTIONS, find_action
from auditor.model.key import Fact, Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.model.residual import AllOf, AnyOf, Constant, Leaf, Not, Residual
from auditor.model.snapshot import Snapshot
from tests.evaluator.organizations import HOME, attached, document, snapshots, statements
from tests.laws import examples

AS_OF = "2026-11-24T00:00:00Z"
LAWS = settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
PROBES = [
    "Decrypt",
    "GenerateDataKey",
    "CreateGrant",
    "PutKeyPolicy",
    "GetKeyPolicy",
    "UpdateAlias",
    "RetireGrant",
    "ListKeys",
]
LEVEL = {
    Outcome.ALLOWED: 0,
    Outcome.CONDITIONAL: 1,
    Outcome.UNKNOWN: 2,
    Outcome.IMPLICITLY_DENIED: 3,
    Outcome.EXPLICITLY_DENIED: 3,
}
Ask = tuple[Principal, Key, str]
Told = Callable[[Principal, int, str], Decision]


def told(evaluation: Evaluation) -> Told:
    """What the table says about a caller, the number of a key and a probe; who is no row is asked about alone.

    That the table says the same as asking is the first law.
    """
    rows = {principal.arn: row for row, principal in enumerate(evaluation.principals)}
    probes = {action: find_action(action) for action in PROBES}

    def decision(principal: Principal, column: int, action: str) -> Decision:
        row, probe = rows.get(principal.arn), probes[action]
        if row is None or probe is None:
            return evaluation.decide(principal, evaluation.snapshot.keys[column], action)
        return evaluation.table.decision(row, column, probe)

    return decision


@settings(LAWS, max_examples=examples(30))
@given(snapshots())
def test_the_table_equals_asking_one_by_one(snapshot: Snapshot) -> None:
    equal_one_by_one(snapshot)


@settings(LAWS, max_examples=examples(10))
@given(snapshots(), st.data())
def test_the_same_where_not_every_key_could_be_read(snapshot: Snapshot, data: st.DataObject) -> None:
    lost = st.sampled_from([frozenset(), *map(frozenset, ({Fact.KEY_METADATA}, {Fact.ALIASES}, {Fact.TAGS}))])
    keys = (replace(key, unread=data.draw(lost)) for key in snapshot.keys)
    equal_one_by_one(replace(snapshot, keys=tuple(keys)))


def equal_one_by_one(snapshot: Snapshot) -> None:
    """Asserts that the whole table says what asking about each principal, key and action says."""
    evaluation = evaluate(snapshot, as_of=AS_OF)
    for row, principal in enumerate(evaluation.principals):
        for column, key in enumerate(snapshot.keys):
            for action in ACTIONS:
                found = evaluation.table.decision(row, column, action)
                single = evaluation.decide(principal, key, action.name)
                if action.on_key:
                    assert found == single, (principal.arn, key.arn, action.name)
                else:
                    assert (found.outcome, found.residual) == (single.outcome, single.residual), (
                        principal.arn,
                        action.name,
                    )


def with_statement(snapshot: Snapshot, statement: dict, place: Layer) -> Snapshot:
    """The snapshot with one more policy that holds the statement, on every key or every principal."""
    if place is Layer.KEY_POLICY:
        extra = attached(Layer.KEY_POLICY, "extra", "x", [statement])
        return replace(snapshot, keys=tuple(replace(key, policies=(*key.policies, extra)) for key in snapshot.keys))
    extra = attached(Layer.IDENTITY, "extra", "x", [statement])
    changed = (replace(p, identity_policies=(*p.identity_policies, extra)) for p in snapshot.principals)
    return replace(snapshot, principals=tuple(changed))


def compare_levels(before: Snapshot, after: Snapshot) -> list[tuple[int, int, Ask]]:
    evaluation = evaluate(before, as_of=AS_OF)
    old, new = told(evaluation), told(evaluate(after, as_of=AS_OF))
    found = []
    for principal in evaluation.principals:
        for column, key in enumerate(before.keys):
            for action in PROBES:
                was, now = old(principal, column, action).outcome, new(principal, column, action).outcome
                found.append((LEVEL[was], LEVEL[now], (principal, key, action)))
    return found


@LAWS
@given(snapshots(), st.data())
def test_adding_a_deny_never_widens(snapshot: Snapshot, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([Layer.KEY_POLICY, Layer.IDENTITY]))
    statement = data.draw(statements(layer=place, effect="Deny"))
    for was, now, ask in compare_levels(snapshot, with_statement(snapshot, statement, place)):
        assert now >= was, (ask[0].arn, ask[1].arn, ask[2], statement)


@LAWS
@given(snapshots(), st.data())
def test_adding_an_allow_never_narrows(snapshot: Snapshot, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([Layer.KEY_POLICY, Layer.IDENTITY]))
    statement = data.draw(statements(layer=place, effect="Allow"))
    for was, now, ask in compare_levels(snapshot, with_statement(snapshot, statement, place)):
        # An Allow whose effect nobody documents makes "conditional" uncertain: it may be more now, never less.
        uncertain = was == LEVEL[Outcome.CONDITIONAL] and now == LEVEL[Outcome.UNKNOWN]
        assert now <= was or uncertain, (ask[0].arn, ask[1].arn, ask[2], statement)


def shuffled(policy: AttachedPolicy) -> AttachedPolicy:
    import json

    loaded = json.loads(policy.policy.text)
    return replace(policy, policy=parse_policy(document(list(reversed(loaded["Statement"])))))


@LAWS
@given(snapshots())
def test_order_of_statements_and_policies_is_irrelevant(snapshot: Snapshot) -> None:
    turned = replace(
        snapshot,
        keys=tuple(replace(k, policies=tuple(shuffled(p) for p in reversed(k.policies))) for k in snapshot.keys),
        principals=tuple(
            replace(p, identity_policies=tuple(shuffled(q) for q in reversed(p.identity_policies)))
            for p in snapshot.principals
        ),
    )
    first, second = evaluate(snapshot, as_of=AS_OF), evaluate(turned, as_of=AS_OF)
    before, after = told(first), told(second)
    assert [who.arn for who in first.principals] == [who.arn for who in second.principals]
    for principal in first.principals:
        for column in range(len(snapshot.keys)):
            for action in PROBES:
                one, two = before(principal, column, action), after(principal, column, action)
                assert (one.outcome, one.reason, one.residual) == (two.outcome, two.reason, two.residual)


def forget(snapshot: Snapshot, fact: Fact) -> Snapshot:
    """The snapshot with one kind of fact taken away."""
    if fact is Fact.ORGANIZATION:
        return replace(snapshot, organization=None, organization_unread=True)
    if fact in (Fact.SCP, Fact.RCP):
        if snapshot.organization is None:
            return snapshot
        gone = {"scps": ()} if fact is Fact.SCP else {"rcps": ()}
        targets = tuple(replace(t, unread=frozenset({fact}), **gone) for t in snapshot.organization.targets)
        return replace(snapshot, organization=replace(snapshot.organization, targets=targets))
    if fact in (Fact.IDENTITY_POLICY, Fact.BOUNDARY):
        gone = {"identity_policies": ()} if fact is Fact.IDENTITY_POLICY else {"boundary": None}
        people = tuple(
            replace(p, unread=frozenset({fact}), **gone) if fact is Fact.IDENTITY_POLICY or p.boundary else p
            for p in snapshot.principals
        )
        return replace(snapshot, principals=people)
    gone = {Fact.KEY_POLICY: "policies", Fact.GRANTS: "grants", Fact.TAGS: "tags", Fact.ALIASES: "aliases"}[fact]
    return replace(snapshot, keys=tuple(replace(k, unread=frozenset({fact}), **{gone: ()}) for k in snapshot.keys))


FORGETTABLE = [Fact.KEY_POLICY, Fact.GRANTS, Fact.TAGS, Fact.ALIASES, Fact.IDENTITY_POLICY, Fact.BOUNDARY]
FORGETTABLE += [Fact.SCP, Fact.RCP, Fact.ORGANIZATION]


@settings(LAWS, max_examples=examples(40))
@given(snapshots(), st.sampled_from(FORGETTABLE))
def test_missing_facts_only_move_outcomes_towards_unknown(snapshot: Snapshot, fact: Fact) -> None:
    less = forget(snapshot, fact)
    first, second = evaluate(snapshot, as_of=AS_OF), evaluate(less, as_of=AS_OF)
    before, after = told(first), told(second)
    for principal in first.principals:
        for column, key in enumerate(snapshot.keys):
            for action in PROBES:
                was, now = before(principal, column, action).outcome, after(principal, column, action).outcome
                same = now is was or (was.denied and now.denied)
                assert same or now is Outcome.UNKNOWN, (fact, principal.arn, key.arn, action, was, now)


CONTEXTS = st.fixed_dictionaries(
    {
        "kms:ViaService": st.sampled_from([None, ("s3.eu-west-1.amazonaws.com",), ("ec2.eu-west-1.amazonaws.com",)]),
        "kms:GrantIsForAWSResource": st.sampled_from([None, ("true",), ("false",)]),
        "kms:GrantOperations": st.sampled_from([("DescribeKey",), ("CreateGrant", "DescribeKey"), ("RetireGrant",)]),
        "aws:MultiFactorAuthPresent": st.sampled_from([None, ("true",), ("false",)]),
        "aws:MultiFactorAuthAge": st.sampled_from([None, ("60",), ("7200",)]),
        "aws:Ec2InstanceSourceVpc": st.sampled_from([None, ("vpc-1",), ("vpc-2",)]),
        "aws:TokenIssueTime": st.sampled_from([("2026-11-01T00:00:00Z",)]),
        "kms:EncryptionContext:App": st.sampled_from([None, ("Shop",), ("Other",)]),
        "kms:EncryptionContextKeys": st.sampled_from([None, ("App",), ("App", "Tenant"), ("Odd",)]),
        "kms:RequestAlias": st.sampled_from([None]),
        "aws:PrincipalTag/team": st.sampled_from([None, ("blue",), ("red",)]),
        "aws:SourceIp": st.sampled_from([None, ("10.1.2.3",), ("192.0.2.1",)]),
        "aws:SourceAccount": st.sampled_from([None, (HOME,)]),
        "sts:RoleSessionName": st.sampled_from([("nightly",), ("other",)]),
        "aws:userid": st.sampled_from([("AROAOTHER:x",)]),
        "aws:RequestedRegion": st.sampled_from([("eu-west-1",), ("us-east-1",)]),
    }
)
Given = dict[str, tuple[str, ...] | None]


def fill(value: str, tag: tuple[str, ...] | None) -> str | None:
    """A value with the variables of the generator filled in, or None where one has no value."""
    for default in ("blue", "1"):
        value = value.replace(f"${{aws:PrincipalTag/team, '{default}'}}", tag[0] if tag else default)
    value = value.replace("${*}", LITERAL_STAR)
    if "${aws:PrincipalTag/team}" in value and not tag:
        return None
    return value.replace("${aws:PrincipalTag/team}", tag[0] if tag else "")


def holds(residual: Residual, context: Given) -> bool:
    match residual:
        case Constant(value):
            return value
        case Not(item):
            return not holds(item, context)
        case AllOf(items):
            return all(holds(item, context) for item in items)
        case AnyOf(items):
            return any(holds(item, context) for item in items)
        case Leaf("GrantEncryptionContextSubset", _, values):
            given = context["kms:EncryptionContext:App"]
            return values == ("App=Shop",) and given == ("Shop",)
        case Leaf(name, key, values):
            operator = parse_operator(name)
            assert operator is not None
            tag = context["aws:PrincipalTag/team"]
            filled = tuple(text for value in values if (text := fill(value, tag)) is not None)
            lowered = {name.lower(): value for name, value in context.items()}
            return satisfied(operator, filled, lowered[key.lower()] or ())
    raise AssertionError(residual)


def applicable(context: Given, key: Key, principal: Principal, decision: Decision, action: str) -> Given:
    """The drawn context without what this key, caller and action can never carry, and without what is settled."""
    from auditor.evaluator.asking import Pair
    from auditor.evaluator.surroundings import Surroundings
    from auditor.evaluator.values import Known, RunTime
    from auditor.model.actions import find_action

    found = find_action(action)
    assert found is not None
    question = Pair(Surroundings(), principal, key, 1 << found.bit).question(found.bit, Layer.IDENTITY)
    kept: Given = {}
    for name, value in context.items():
        settled = question.value(name)
        kept[name] = (settled.values or None) if isinstance(settled, Known) else value
        if isinstance(settled, RunTime) and settled.forms and (value or not settled.may_be_absent):
            fitting = [text for text in value or () if any(glob.matches(form, text) for form in settled.forms)]
            kept[name] = tuple(fitting) or (settled.forms[0].replace("*", "x"),)
    kept["aws:ViaAWSService"] = ("true",) if kept["kms:ViaService"] else ("false",)
    tag = key.tag("team")
    kept["aws:ResourceTag/team"] = None if tag is None else (tag,)
    kept[RESOURCE] = (key.arn,)
    return kept


@settings(LAWS, max_examples=examples(50))
@given(snapshots(), CONTEXTS)
def test_a_residual_under_a_context_equals_deciding_with_it(snapshot: Snapshot, context: Given) -> None:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    open_ones = told(evaluation)
    for principal in snapshot.principals:
        for column, key in enumerate(snapshot.keys):
            for action in PROBES:
                decision = open_ones(principal, column, action)
                if decision.outcome is Outcome.UNKNOWN:
                    continue
                given_context = applicable(context, key, principal, decision, action)
                residual = decision.residual or Constant(decision.outcome is Outcome.ALLOWED)
                unasked = ("sts:Role", "aws:Reso", RESOURCE[:8])
                asked = {name: value for name, value in given_context.items() if name[:8] not in unasked}
                concrete = decide(evaluation.surroundings, principal, key, action, asked)
                if concrete.outcome is Outcome.CONDITIONAL:  # only the session's name is still open
                    assert concrete.residual is not None
                    now = holds(concrete.residual, given_context)
                else:
                    now = concrete.outcome is Outcome.ALLOWED
                assert concrete.outcome is not Outcome.UNKNOWN
                assert now == holds(residual, given_context), (principal.arn, key.arn, action, residual, given_context)
