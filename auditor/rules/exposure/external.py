"""Rules about accounts outside the organization that a key policy lets in, known to the trust register or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator import Context
from auditor.evaluator.glob import has_wildcard
from auditor.model.access import Decision
from auditor.model.actions import CROSS_ACCOUNT_EFFECTIVE, META, READ_PLAINTEXT, WRAP, actions_in, mask_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.model.residual import Leaf
from auditor.rules.conditions import asks_for_values, grant_limited, mentions, residual_evidence
from auditor.rules.corrections import statements as corrected
from auditor.rules.corrections import with_tests, without_actions, written_in
from auditor.rules.exposure.outside import Reached, exempted, outside_names, reached, refusals
from auditor.rules.exposure.strangers import allowing, for_everybody, stopped_by
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing
from auditor.rules.principals import condition_values
from auditor.rules.reach import Openness, openness
from auditor.rules.statements import action_mask
from auditor.rules.view import View

EXAMPLE_PARTNER = "222222222222"
GRANT_ACTIONS = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
ORGANIZATIONS = ("aws:principalorgid", "aws:principalorgpaths")
EVERYTHING = CROSS_ACCOUNT_EFFECTIVE & ~mask_of(["RetireGrant"])
"""What a key policy can give to another account; RetireGrant comes with a grant alone."""
GRANTING = mask_of(["CreateGrant", "ListGrants", "RevokeGrant", "RetireGrant"])
ADVICE = (
    "Confirm owner and contract. If there is one, register the account with an expiry and name its role in the "
    "statement; if not, add the Deny, remove the statement and re-encrypt what was shared."
)

ORGANIZATION_ADVICE = (
    "Confirm owner and contract. If there is one, name the roles that need the key; if not, add the Deny, remove the "
    "statement and re-encrypt what was shared."
)


def _hit(view: View, key: Key, access: Reached, summary: str, raised: tuple[str, ...], lowered: tuple[str, ...]) -> Hit:
    statements = {item.ref: item for decision in access.decisions.values() for item in allowing(view, key, decision)}
    first = next(iter(access.decisions.values()))
    entry = view.trust.entry(access.account)
    register = f"{entry.owner or 'no owner'}, expires {entry.expires}" if entry else "no entry"
    evidence = [Evidence("statement", str(item.ref), item.ref) for item in statements.values()]
    evidence += [
        Evidence("account", access.account),
        Evidence("principal", listing(access.names)),
        Evidence("actions", listing((f"kms:{name}" for name in access.decisions), 30)),
        Evidence("trust register", register),
        *residual_evidence(first, view.owner(key)),
    ]
    spared = exempted(view, key).get(access.account, ())
    evidence += [Evidence("spared by", str(ref), ref) for ref in spared]
    if access.level is Openness.LATENT:
        evidence.append(Evidence("stopped today by", stopped_by(first)))
    return Hit(
        subject=key.arn,
        kind="key",
        summary=summary,
        keys=(key.arn,),
        principals=access.names,
        evidence=tuple(evidence),
        raised=raised,
        lowered=lowered,
        latent=access.level is Openness.LATENT,
        confidence=Confidence.POTENTIAL if access.level is Openness.MAYBE else Confidence.CONFIRMED,
        identity=(access.account, *(meaning(item.statement) for item in statements.values())),
        fix=_names(access),
    )


def _names(access: Reached) -> tuple[tuple[str, str], ...]:
    named = next((name for name in access.names if ":role/" in name), None)
    pairs = [(EXAMPLE_PARTNER, access.account)]
    if named is not None:
        pairs.append((f"arn:aws:iam::{EXAMPLE_PARTNER}:role/partner-import", named))
    return tuple(pairs)


def external_account_access(view: View) -> Iterator[Hit]:
    """The key policy lets an account use the key that is neither in the organization nor in the trust register.

    That account is assumed to allow everything on its own side, because nobody here can read its IAM. A key that speaks
    of everybody lets in whom the Deny or the RCP that keeps strangers out spares. An expired or terminated register
    entry counts as none. Accounts that the register trusts are silent here; what they are given is looked at by
    external-account-root and external-can-delegate.

    Fix: confirm owner and contract and register the account with an expiry, or remove the statement.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        for account in sorted(outside_names(view, key)):
            standing = view.trust.standing(account, key.account)
            access = reached(view, key, account) if standing.outside else None
            if access is None:
                continue
            entry = view.trust.entry(account)
            reads = bool(access.mask & READ_PLAINTEXT) and view.tier(key) == "T1"
            stranger = entry is None and view.trust.membership_known and bool(access.mask & ~META)
            raised = given(
                (reads or stranger, "READ_PLAINTEXT on a T1 key"), (entry and entry.terminated, "marked terminated")
            )
            lowered = given(
                (not access.mask & ~(WRAP | META) and access.mask & ~META, "only WRAP actions"),
                (not access.mask & ~META, "only META actions"),
                (access.level is Openness.LATENT, "latent behind an RCP"),
            )
            actions = listing((f"kms:{name}" for name in access.decisions), 4)
            hit = _hit(view, key, access, f"Account {account} can call {actions} on {key.label}.", raised, lowered)
            yield replace(hit, remedy=_refusing(account), advice=ADVICE)
        yield from _foreign_organizations(view, key)


def _foreign_organizations(view: View, key: Key) -> Iterator[Hit]:
    """Other organizations that a wildcard statement lets in, or a Deny beside it spares, as a whole."""
    own = view.owner(key).organization
    if own is None:
        return
    allowed = (one.statement for one in view.statements(key) if for_everybody(one.statement))
    values = [value for one in allowed for value in condition_values(one, *ORGANIZATIONS)]
    spared = (test for _, one in refusals(view, key) for test in one.conditions if test.key.lower() in ORGANIZATIONS)
    values += [value for test in spared for value in test.values]
    named = {value.split("/")[0] for value in values}
    for name in sorted(one for one in named if not has_wildcard(one) and "${" not in one and one.lower() != own):
        access = _admitted(view, key, name)
        if access is not None:
            reads = bool(access.mask & READ_PLAINTEXT) and view.tier(key) == "T1"
            actions = listing((f"kms:{action}" for action in access.decisions), 4)
            hit = _hit(
                view,
                key,
                access,
                f"Every account of the foreign organization {name} can call {actions} on {key.label}.",
                given((reads or access.mask & ~META, "READ_PLAINTEXT on a T1 key")),
                given((not access.mask & ~META, "only META actions")),
            )
            yield replace(hit, remedy=_refusing_organization(name), advice=ORGANIZATION_ADVICE)


def _admitted(view: View, key: Key, organization: str) -> Reached | None:
    """What a caller of ``organization`` may do: the decisions on a stranger that hang on its organization, and do not
    deny one of that."""
    known: Context = {"aws:PrincipalOrgID": (organization,)}

    def asks(leaf: Leaf, negated: bool) -> bool:
        fits = any(value.split("/")[0] == organization for value in leaf.values)
        return leaf.key.lower().startswith("aws:principalorg") and fits and asks_for_values(leaf, negated)

    found = {
        name: decision
        for name, decision in view.decisions(view.outsider, key, CROSS_ACCOUNT_EFFECTIVE).items()
        if decision.residual is not None
        and mentions(decision.residual, asks)
        and not view.evaluation.decide(view.outsider, key, f"kms:{name}", known).outcome.denied
    }
    return Reached(organization, (organization,), Openness.OPEN, found) if found else None


def external_can_delegate(view: View) -> Iterator[Hit]:
    """A principal outside the organization can create grants on the key, and so hand access to anybody it likes.

    CreateGrant lets its holder give any operation to any grantee, even operations it does not have itself. Silent when
    the request must come from an AWS service, or may only name fixed grantees or operations that reveal nothing.

    Fix: split the statement: use without CreateGrant, and CreateGrant only with ``kms:GrantIsForAWSResource``.
    """
    for key in view.keys_with(Fact.KEY_POLICY, Fact.GRANTS):
        for account in sorted(outside_names(view, key)):
            access = reached(view, key, account)
            decision = access.decisions.get("CreateGrant") if access else None
            if access is None or decision is None or grant_limited(decision):
                continue
            level = openness(decision, view.owner(key))
            unregistered = view.trust.standing(account, key.account).outside
            everything = (
                view.tier(key) == "T1" and not EVERYTHING & ~access.mask & view.reach.usable[view.reach.key_at[key.arn]]
            )
            raised = given((unregistered, "not in the trust register"), (everything, "kms:* given"))
            only = Reached(account, access.names, level, {"CreateGrant": decision})
            summary = f"Account {account} can hand out access to {key.label} through grants."
            yield replace(_hit(view, key, only, summary, raised, ()), remedy=_split(view, key, decision))


def _refusing(account: str) -> str:
    """A Deny for the account, to stand until its owner is found."""
    refused = {"Sid": f"RefuseAccount{account}", "Effect": "Deny", "Principal": {"AWS": account}}
    return corrected({**refused, "Action": "kms:*", "Resource": "*"})


def _refusing_organization(name: str) -> str:
    """A Deny for every account of an organization, to stand until its owner is found."""
    refused = {"Sid": "RefuseForeignOrganization", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:*"}
    return corrected(with_tests({**refused, "Resource": "*"}, "StringEquals", {"aws:PrincipalOrgID": name}))


def _split(view: View, key: Key, decision: Decision) -> str:
    """The statements that give CreateGrant, each without it and followed by grants for AWS services alone."""
    parts = []
    usable = view.reach.usable[view.reach.key_at[key.arn]]
    for located in allowing(view, key, decision):
        written = written_in(key, located)
        mask = action_mask(located.statement) & CROSS_ACCOUNT_EFFECTIVE & usable & ~GRANTING
        if mask:
            parts.append(without_actions(written, (), (action.name for action in actions_in(mask))))
        sid = {"Sid": f"{written['Sid']}GrantsForServices"} if written.get("Sid") else {}
        granting = {**without_actions(written, (), GRANT_ACTIONS), **sid}
        parts.append(with_tests(granting, "Bool", {"kms:GrantIsForAWSResource": "true"}))
    return corrected(*parts)
