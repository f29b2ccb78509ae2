"""Rules about keys that strangers can use: a wildcard principal, bare or behind a weak condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.strength import Strength, parts
from auditor.evaluator.vocabulary import misspelt
from auditor.model.access import Decision, Role
from auditor.model.actions import CROSS_ACCOUNT_EFFECTIVE, actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import LEAVING, RAM_POLICY, Fact, Key
from auditor.model.policy import Layer
from auditor.model.residual import Leaf
from auditor.rules.conditions import asks_for_key, asks_for_values, block_strength, demands, residual_evidence
from auditor.rules.corrections import bound_to_account, one_or_many, with_tests, written_in
from auditor.rules.corrections import statements as corrected
from auditor.rules.exposure.strangers import allowing, outsider_access, patterned_access, proof, stopped_by
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, given, listing, titled
from auditor.rules.reach import Openness, openness
from auditor.rules.statements import action_mask
from auditor.rules.view import View

STOPPED_STATES = ("Disabled", *LEAVING)
NETWORK_KEYS = ("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")


def _statement_evidence(located: list[Located]) -> list[Evidence]:
    return [Evidence("statement", str(item.ref), item.ref) for item in located]


def _weakly_open(
    view: View, key: Key, lowest: Strength, highest: Strength
) -> tuple[Openness, dict[str, Decision]] | None:
    """OUTSIDER's decisions whose condition is between two levels, grouped at the strongest openness found."""
    graded: dict[Openness, dict[str, Decision]] = {}
    asked = [(name, one, proof(view, key, one)) for name, one in outsider_access(view, key).items()]
    if lowest is Strength.S1:
        fitting = patterned_access(view, key).items()
        asked += [(name, one, max(Strength.S1, proof(view, key, one))) for name, one in fitting]
    for name, decision, proved in asked:
        level = openness(decision, view.owner(key))
        if level in (Openness.CLOSED, Openness.BLIND) or not lowest <= proved <= highest:
            continue
        if demands(decision.residual, _of_no_request):
            continue  # a misspelt key lets nobody in: condition-key-not-applicable tells it
        level = Openness.OPEN if level is Openness.GUARDED else level
        graded.setdefault(level, {})[name] = decision
    return max(graded.items()) if graded else None


def _of_no_request(leaf: Leaf, negated: bool) -> bool:
    """Whether a test asks for a condition key that does not exist."""
    return misspelt(leaf.key) and asks_for_key(leaf, negated)


def _outsider_hit(
    view: View, key: Key, level: Openness, found: dict[str, Decision], summary: str, **clauses: tuple[str, ...]
) -> Hit:
    statements = {item.ref: item for decision in found.values() for item in allowing(view, key, decision)}
    first = next(iter(found.values()))
    evidence = [
        *_statement_evidence(list(statements.values())),
        Evidence("open to any account", listing((f"kms:{name}" for name in found), 30)),
        *residual_evidence(first, view.owner(key)),
    ]
    if level is Openness.LATENT:
        evidence.append(Evidence("stopped today by", stopped_by(first)))
    return Hit(
        subject=key.arn,
        kind="key",
        summary=summary,
        keys=(key.arn,),
        evidence=tuple(evidence),
        latent=level is Openness.LATENT,
        confidence=Confidence.POTENTIAL if level is Openness.MAYBE else Confidence.CONFIRMED,
        identity=tuple(meaning(item.statement) for item in statements.values()),
        remedy=_closed(key, list(statements.values())),
        raised=clauses.get("raised", ()),
        lowered=clauses.get("lowered", ()),
    )


def _closed(key: Key, open_to_all: list[Located]) -> str:
    """The statements bound to the own account; what AWS RAM wrote cannot be edited, so a Deny stands against it."""
    own = [item for item in open_to_all if item.ref.policy != RAM_POLICY]
    bound = [bound_to_account(written_in(key, item), key.account) for item in own]
    if len(own) == len(open_to_all):
        return corrected(*bound)
    refused = {"Sid": "RefuseForeignAccounts", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:*"}
    tests = {"aws:PrincipalAccount": key.account}
    services = {"aws:PrincipalIsAWSService": "false"}
    deny = with_tests({**refused, "Resource": "*"}, "StringNotEquals", tests)
    return corrected(*bound, with_tests(deny, "Bool", services))


def _stopping(decisions: Iterable[Decision]) -> str:
    """What takes the access of strangers away: a Deny beside the statement that gives it, or a layer above."""
    layers = {cause.layer for one in decisions for cause in one.causes if cause.role is Role.DENIES}
    return "a Deny of the same policy" if layers == {Layer.KEY_POLICY} else "a guardrail"


def public_key_policy(view: View) -> Iterator[Hit]:
    """The key policy lets callers of any AWS account use the key.

    Asks what a stranger could do who has every permission in an account of their own. Whatever the policy gives to
    everybody, without a condition that proves anything about the caller, counts, even ``kms:DescribeKey`` alone.
    Silent for the policies that AWS services write (a wildcard tied to ``kms:CallerAccount``) and for actions that
    never work across accounts.

    Fix: name the principals, or keep the wildcard only with an identity-binding condition that has fixed values.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        found = _weakly_open(view, key, Strength.S0, Strength.S0)
        if found is None:
            continue
        level, decisions = found
        lowered = given(
            (key.state in STOPPED_STATES, "state is PendingDeletion"),
            (level is Openness.LATENT, "blocked today only by"),
        )
        actions = listing((f"kms:{name}" for name in decisions), 4)
        summary = f"Any AWS account can call {actions} on {key.label}."
        if level is Openness.LATENT:
            what = _stopping(decisions.values())
            summary = f"The key policy of {key.label} gives {actions} to any AWS account; only {what} stops it."
        yield _outsider_hit(view, key, level, decisions, summary, lowered=lowered)


def _tested(view: View, key: Key, decisions: dict[str, Decision]) -> set[str]:
    """The condition keys that OUTSIDER has to meet."""
    found = {
        leaf.key
        for decision in decisions.values()
        if decision.residual is not None
        for leaf, _ in parts(decision.residual, view.owner(key))
    }
    located = [item for decision in decisions.values() for item in allowing(view, key, decision)]
    return found or {test.key for item in located for test in item.statement.conditions}


def _private_network(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only requests through endpoints or networks with fixed ids."""
    named = leaf.key.lower() in NETWORK_KEYS and asks_for_values(leaf, negated)
    return named and not any(map(has_wildcard, leaf.values))


def public_key_policy_soft_condition(view: View) -> Iterator[Hit]:
    """A wildcard principal is narrowed only by a condition that does not say who the caller is.

    ``kms:ViaService``, an IP range, a user agent, an encryption context or an identity key with a wildcard in its
    identifying part (``o-*``) say how a call came, not whose it is: another customer's call through the same service
    fits as well. A value that the caller chooses freely is worse than one that names a network.

    Fix: add ``kms:CallerAccount`` or ``aws:PrincipalOrgID`` with fixed values to the same condition block.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        found = _weakly_open(view, key, Strength.S1, Strength.S2)
        if found is None:
            continue
        level, decisions = found
        weakest = min(proof(view, key, decision) for decision in decisions.values())
        network = all(demands(decision.residual, _private_network) for decision in decisions.values())
        summary = (
            f"Any AWS account can call {listing((f'kms:{name}' for name in decisions), 4)} on {key.label} that meets a "
            f"test of {listing(_tested(view, key, decisions), 3)}; nothing says whose call it is."
        )
        yield _outsider_hit(
            view,
            key,
            level,
            decisions,
            summary,
            raised=given((weakest <= Strength.S1, "the only residual is S1")),
            lowered=given((network, "private network binding"), (level is Openness.LATENT, "latent behind an RCP")),
        )


def notprincipal_allow(view: View) -> Iterator[Hit]:
    """An Allow statement uses NotPrincipal, so it speaks of everybody who is not listed.

    IAM supports NotPrincipal with Deny only. As an Allow it is read here as “everybody else”, strangers included, and
    reported as potential because AWS does not document what happens.

    Fix: list the principals; express exceptions as a Deny with ``aws:PrincipalArn``.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        for located in view.statements(key):
            statement = located.statement
            if statement.effect != "Allow" or statement.not_principals is None:
                continue
            hit = _notprincipal_hit(view, key, located)
            if hit is not None:
                yield hit


def _notprincipal_hit(view: View, key: Key, located: Located) -> Hit | None:
    mask = action_mask(located.statement) & CROSS_ACCOUNT_EFFECTIVE
    strong = block_strength(located.statement, view.owner(key))
    decisions = view.decisions(view.outsider, key, mask)
    levels = {openness(decision, view.owner(key)) for decision in decisions.values()} - {
        Openness.CLOSED,
        Openness.BLIND,
    }
    if not levels or strong >= Strength.S3:
        return None
    latent = levels == {Openness.LATENT}
    exempt = listing(entry.value for entry in located.statement.not_principals or ())
    return Hit(
        subject=key.arn,
        kind="statement",
        summary=f"{titled(located.statement)} of {key.label} allows everybody except {exempt}.",
        keys=(key.arn,),
        evidence=(
            Evidence("statement", str(located.ref), located.ref),
            Evidence("actions", listing((action.name for action in actions_in(mask)), 30)),
        ),
        lowered=given((strong is Strength.S2, "residual conditions are S2"), (latent, "latent behind an RCP")),
        latent=latent,
        confidence=Confidence.POTENTIAL,
        identity=(meaning(located.statement),),
        remedy=_for_the_account(key, located),
    )


def _for_the_account(key: Key, located: Located) -> str:
    """The statement for the own account, with the exemptions as a condition."""
    written = written_in(key, located)
    written.pop("NotPrincipal", None)
    exempt = one_or_many(entry.value for entry in located.statement.not_principals or ())
    root = f"arn:{key.arn.split(':')[1]}:iam::{key.account}:root"
    return corrected(with_tests({**written, "Principal": {"AWS": root}}, "ArnNotEquals", {"aws:PrincipalArn": exempt}))
