"""Rules about AWS services that act for somebody: whether a statement says for whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.callers import SOURCE_KEYS
from auditor.evaluator.operators import parse_operator, passes_when_absent
from auditor.evaluator.statements import action_mask
from auditor.evaluator.strength import unique_without_account
from auditor.model.access import Role
from auditor.model.actions import CREATE_GRANT, CRYPTO, DESTROY, READ_PLAINTEXT, TAKEOVER, WRAP, actions_in
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Layer
from auditor.rules.closing import demanding
from auditor.rules.conditions import as_residual, demands, fixes_holder
from auditor.rules.corrections import with_tests
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.policy.service_calls import EVERY_SERVICE, missed_by, named_services, service_principal
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

STRANGERS = "o-somebodyelse"
CUSTOMER_RESOURCES = ("sns.", "sqs.", "s3.", "events.", "cloudtrail.", "config.", "delivery.logs.", "ses.")


OWN_ACCOUNT, OWN_ORGANIZATION = "${aws:resourceaccount}", "${aws:resourceorgid}"


def _settled(view: View, placed: Placed, key: Key) -> list[ConditionTest]:
    """The statement's tests with the policy variables that name the key's own account and organization replaced."""
    tests = list(demanding(placed.located.statement.conditions))
    if not placed.located.variables:
        return tests
    organization = view.snapshot.organization
    own = {OWN_ACCOUNT: key.account} | ({OWN_ORGANIZATION: organization.id} if organization else {})
    pattern = re.compile("|".join(map(re.escape, own)), re.IGNORECASE)
    return [
        replace(test, values=tuple(pattern.sub(lambda found: own[found.group().lower()], v) for v in test.values))
        for test in tests
    ]


def _binding(view: View, test: ConditionTest, owner: str) -> str:
    """``account``, ``organization`` or nothing: how far a test ties the call to the own estate."""
    operator = parse_operator(test.operator)
    if operator is None or operator.negated or passes_when_absent(operator):
        return ""
    name = test.key.lower()
    if name in ("aws:sourceorgid", "aws:sourceorgpaths"):
        organization = view.snapshot.organization
        own = organization.id if organization else ""
        fits = bool(own) and all(value.split("/")[0] == own for value in test.values)
        return "organization" if fits or (not own and not any("*" in v.split("/")[0] for v in test.values)) else ""
    if name in SOURCE_KEYS or name.startswith("kms:encryptioncontext:"):
        return "account" if test.values and all(_ours(view, value, owner) for value in test.values) else ""
    return ""


def _ours(view: View, value: str, owner: str) -> bool:
    account = account_of(value)
    if account is not None:
        return not view.trust.standing(account, owner).foreign
    return unique_without_account(value)


def service_principal_without_source(view: View) -> Iterator[Hit]:
    """An AWS service may use the key, and the statement does not say for whom it must act.

    The service acts for every customer, also where the statement names everybody and asks for what services alone have.
    Without ``aws:SourceArn``, ``aws:SourceAccount`` or an encryption context of the own account, somebody else's
    resource may be behind the call. Values that match anything count as absent.

    Fix: bind the statement to the resource, or at least to the account.
    """
    exempt = {entry.service for entry in view.settings.source_exempt_services}
    for placed in key_statements(view):
        bindings = loose_bindings(view, placed)
        if bindings is not None:
            yield _hit(placed, admitted(view, placed), bindings, exempt, action_mask(placed.located.statement))


def loose_bindings(view: View, placed: Placed) -> set[str] | None:
    """How far a statement that lets services use a key ties them to the own estate; None for one that ties them to
    known accounts, or lets no service use the key."""
    statement, key = placed.located.statement, placed.key
    services = admitted(view, placed) if statement.effect == "Allow" else []
    if not services or key is None:
        return None
    asked = action_mask(statement) & (CRYPTO | CREATE_GRANT | WRAP) & view.reach.usable[view.reach.key_at[key.arn]]
    if not asked:
        return None
    bindings = {_binding(view, test, key.account) for test in _settled(view, placed, key)}
    if "account" in bindings:
        return None
    if _kept_out(view, key, services, asked, _own_organization(view), Layer.KEY_POLICY):
        return None
    if "organization" not in bindings and _kept_out(view, key, services, asked, STRANGERS):
        bindings.add("organization")
    return bindings


def admitted(view: View, placed: Placed) -> list[str]:
    """The services that the statement names and whose own calls may meet what it asks of the caller."""
    return [service for service in named_services(placed) if not missed_by(view, placed, service)]


def _own_organization(view: View) -> str:
    return view.snapshot.organization.id if view.snapshot.organization else STRANGERS


def _kept_out(view: View, key: Key, services: list[str], mask: int, organization: str, *layers: Layer) -> bool:
    """Whether a Deny refuses each service when it acts for an unknown account of an organization."""
    stranger = {
        "aws:SourceAccount": (view.outsider.account or "",),
        "aws:SourceOrgID": (organization,),
        "aws:PrincipalIsAWSService": ("true",),
    }
    for name in services:
        service = service_principal(view, name)
        if not mask:
            return False
        for action in actions_in(mask):
            decision = view.evaluation.decide(service, key, action.name, stranger)
            stopped = any(
                cause.role is Role.DENIES and (not layers or cause.layer in layers) for cause in decision.causes
            )
            if not decision.outcome.denied or not stopped:
                return False
    return True


def _hit(placed: Placed, services: list[str], bindings: set[str], exempt: set[str], mask: int) -> Hit:
    statement = placed.located.statement
    limited = demands(as_residual(statement), fixes_holder)
    everything = bool(mask & (TAKEOVER & ~CREATE_GRANT | DESTROY)) or bool(mask & CREATE_GRANT and not limited)
    customers = any(one.startswith(CUSTOMER_RESOURCES) or one == EVERY_SERVICE for one in services)
    open_service = customers and bool(mask & READ_PLAINTEXT)
    organization = "organization" in bindings
    excepted = all(service in exempt for service in services)
    seen = [f"{test.operator} {test.key} {listing(test.values)}" for test in statement.conditions]
    whose = "resources of any account of the organization" if organization else "anybody's resources"
    return placed.hit(
        f"{listing(services)} may use {placed.key.label if placed.key else 'the key'} for {whose} "
        f"({titled(statement)}).",
        more=(
            Evidence("service", listing(services)),
            Evidence("actions", listing((action.name for action in actions_in(mask & (CRYPTO | CREATE_GRANT))), 8)),
            Evidence("conditions seen", listing(seen) or "none"),
        ),
        raised=given(
            (open_service and not organization and not excepted, "service accepts customer-supplied"),
            (everything, "action is kms:*"),
        ),
        lowered=given((organization, "aws:SourceOrgID"), (excepted, "exception list")),
        identity=(meaning(statement),),
        remedy=for_own_account(placed),
        advice="Bind the statement to the account, better still to the resource by aws:SourceArn.",
    )


def for_own_account(placed: Placed) -> str:
    """The statement for resources of the key's own account."""
    written = as_written(placed.policy, placed.located.statement.index)
    account = placed.key.account if placed.key is not None else ""
    bound = ("aws:sourceaccount", "aws:sourcearn")
    condition = {
        operator: {name: value for name, value in block.items() if name.lower() not in bound}
        for operator, block in (written.get("Condition") or {}).items()
    }
    kept = {operator: block for operator, block in condition.items() if block}
    return render(with_tests({**written, "Condition": kept}, "StringEquals", {"aws:SourceAccount": account}))
