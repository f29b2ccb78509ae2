"""Rules about identity policies that reach every key of an account, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evaluator.glob import matches
from auditor.evaluator.strength import Strength
from auditor.model.access import Role
from auditor.model.actions import CREATE_GRANT, DESTROY, READ_PLAINTEXT, TAKEOVER, actions_in
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Layer, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.conditions import as_residual, block_strength, demands, holds
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.principals import has_usable_credentials, service_linked
from auditor.rules.reach import Openness
from auditor.rules.statements import Document, action_mask
from auditor.rules.view import View

PROBE_KEY = "00000000-0000-0000-0000-000000000000"
STALE_DAYS = 90


def covers_all_keys(statement: Statement, account: str, regions: tuple[str, ...], partition: str = "aws") -> bool:
    """Whether the Resource patterns reach every key of the account in at least one of its Regions."""
    probes = [f"arn:{partition}:kms:{region}:{account}:key/{PROBE_KEY}" for region in regions or ("us-east-1",)]
    if statement.not_resources is not None:
        return any(not any(matches(pattern, probe) for pattern in statement.not_resources) for probe in probes)
    return any(matches(pattern, probe) for pattern in statement.resources or () for probe in probes)


@dataclass(frozen=True, slots=True)
class Wide:
    """Statements of one document that reach every key, and what they do for its holders.

    ``reached`` are keys on which a holder really has one of the actions because of these statements; ``stopped`` those
    where it would have, if another layer did not take it away. ``weakest`` is the weakest condition on the way.
    """

    document: Document
    statements: tuple[Located, ...]
    mask: int
    holders: tuple[Principal, ...]
    reached: tuple[Key, ...]
    guarded_only: bool


def _regions(view: View, account: str) -> tuple[str, ...]:
    facts = view.snapshot.account(account)
    used = tuple(sorted({key.region for key in view.snapshot.keys if key.account == account}))
    return used or (facts.regions if facts else ())


def wide_documents(view: View, mask: int) -> Iterator[Wide]:
    """Documents with statements that allow an action of ``mask`` on every key of their account."""
    for document in view.identity_documents:
        holders = tuple(holder for holder in document.holders if not service_linked(holder))
        statements = tuple(
            located
            for located in document.statements()
            if located.statement.effect == "Allow"
            and action_mask(located.statement) & mask
            and covers_all_keys(located.statement, document.account, _regions(view, document.account))
        )
        if holders and statements:
            yield _wide(view, document, statements, holders, mask)


def _wide(
    view: View, document: Document, statements: tuple[Located, ...], holders: tuple[Principal, ...], mask: int
) -> Wide:
    wanted = 0
    for located in statements:
        wanted |= action_mask(located.statement) & mask
    indexes = {located.statement.index for located in statements}
    reached: dict[str, Key] = {}
    open_paths = guarded_paths = 0
    seen: dict[tuple[int, int], Openness] = {}
    for holder in holders:
        row = view.reach.principal_at.get(holder.arn)
        if row is None:
            continue
        for position, key in enumerate(view.reach.keys):
            if not key.customer_managed:
                continue
            profile = view.reach.profile(row, position)
            held = view.reach.held(profile, position, Openness.OPEN, Openness.GUARDED, Openness.MAYBE) & wanted
            if not held:
                continue
            identity = (profile, held)
            if identity not in seen:
                seen[identity] = _through(view, profile, held, document, indexes)
            level = seen[identity]
            if level is Openness.CLOSED:
                continue
            reached[key.arn] = key
            open_paths += level is not Openness.GUARDED
            guarded_paths += level is Openness.GUARDED
    return Wide(document, statements, wanted, holders, tuple(reached.values()), bool(guarded_paths) and not open_paths)


def _through(view: View, profile: int, held: int, document: Document, indexes: set[int]) -> Openness:
    """The strongest openness of the actions that the profile holds because of the document's statements."""
    best = Openness.CLOSED
    for action in actions_in(held):
        decision = view.reach.decision(profile, action.bit)
        cited = any(
            cause.role is Role.ALLOWS
            and cause.statement is not None
            and cause.statement.layer is Layer.IDENTITY
            and cause.statement.policy == document.name
            and cause.statement.index in indexes
            for cause in decision.causes
        )
        if cited:
            best = max(best, Openness(int(view.reach.classes[view.reach.table.profiles[profile][action.bit]])))
    return best


def _document_hit(
    view: View, wide: Wide, summary: str, raised: tuple[str, ...], lowered: tuple[str, ...], latent: bool
) -> Hit:
    document = wide.document
    return Hit(
        subject=document.arn,
        kind="iam-policy",
        summary=summary,
        account=document.account,
        keys=tuple(key.arn for key in wide.reached),
        principals=tuple(holder.arn for holder in wide.holders),
        evidence=(
            *(Evidence("statement", str(located.ref), located.ref) for located in wide.statements),
            Evidence("actions", listing((action.name for action in actions_in(wide.mask)), 12)),
            Evidence("held by", listing(holder.arn for holder in wide.holders)),
            Evidence("keys reached", listing(key.arn for key in wide.reached) or "none today"),
        ),
        raised=raised,
        lowered=lowered,
        latent=latent,
        identity=tuple(meaning(located.statement) for located in wide.statements),
        fix=(("POLICY_ARN", document.name if document.name.startswith("arn:") else document.arn),),
    )


def _bound(view: View, wide: Wide) -> bool:
    """Whether every wide statement carries a condition that at least says how or for what."""
    from auditor.evaluator.strength import Owner

    owner = Owner(wide.document.account)
    narrowing = ("aws:resourcetag/", "kms:resourcealiases", "kms:encryptioncontext:", "kms:requestalias")
    return all(
        block_strength(located.statement, owner) >= Strength.S2
        or any(test.key.lower().startswith(narrowing) for test in located.statement.conditions)
        for located in wide.statements
    )


def iam_decrypt_all_keys(view: View) -> Iterator[Hit]:
    """An identity policy allows decryption with every key of the account.

    Looks at policies in effect (managed, inline, through a group) whose Resource reaches every key, and then at the
    keys that the holders can really read because of it: without delegation in the key policy the statement reaches
    nothing and the finding is latent. Permissions boundaries and service-linked roles are silent. Administrators of
    accounts are expected to hold such a policy and are told by admin-and-user-combined.

    Fix: list key ARNs, or keep the wildcard and tie it to a tag, an alias or a service.
    """
    limit = view.settings.wide_decrypt_keys
    for wide in wide_documents(view, READ_PLAINTEXT):
        ordinary = [holder for holder in wide.holders if not view.trust.key_admin(holder)]
        if not ordinary:
            continue
        latent = not wide.reached
        restricted = view.restricted(key.arn for key in wide.reached)
        bound = _bound(view, wide)
        raised = given(
            (not bound and (len(wide.reached) >= limit or restricted), "effective READ_PLAINTEXT on at least")
        )
        lowered = given(
            (bound or wide.guarded_only, "every effective path has an S2+"), (latent, "reaches nothing today")
        )
        summary = (
            f"{wide.document.name} lets {count(len(wide.holders), 'identity')} decrypt with any key of account "
            f"{wide.document.account}; {count(len(wide.reached), 'key')} can be read today."
        )
        yield _document_hit(view, wide, summary, raised, lowered, latent)


def _service_grants_only(located: Located) -> bool:
    mask = action_mask(located.statement) & (TAKEOVER | DESTROY)
    bound = demands(
        as_residual(located.statement),
        lambda leaf, negated: leaf.key.lower() == "kms:grantisforawsresource" and holds(leaf, negated, "true"),
    )
    return mask == CREATE_GRANT and bound


def _risky_holder(view: View, holder: Principal) -> bool:
    """Whether the holder is a user with a stale key, or a person without multi-factor authentication."""
    facts = holder.credentials
    if holder.kind is not PrincipalKind.USER or facts is None or not has_usable_credentials(holder):
        return False
    ages = [view.age(key.created) for key in facts.access_keys if key.active]
    return any(age is not None and age > STALE_DAYS for age in ages) or (facts.password_enabled and not facts.mfa)


def iam_kms_admin_all_keys(view: View) -> Iterator[Hit]:
    """An identity policy allows administration of every key of the account to somebody who is no account administrator.

    Administration means rewriting access (PutKeyPolicy, CreateGrant, ReplicateKey) or destroying keys. CreateGrant for
    AWS services alone is silent, and so are boundaries and service-linked roles.

    Fix: detach the broad policy; give administration in the key policies of the keys that the team owns.
    """
    for wide in wide_documents(view, TAKEOVER | DESTROY):
        ordinary = tuple(holder for holder in wide.holders if not view.trust.account_admin(holder))
        statements = tuple(located for located in wide.statements if not _service_grants_only(located))
        if not ordinary or not statements:
            continue
        own = Wide(wide.document, statements, wide.mask, ordinary, wide.reached, wide.guarded_only)
        latent = not own.reached
        raised = given((any(_risky_holder(view, holder) for holder in ordinary), "human without MFA evidence"))
        lowered = given((latent, "no key delegates to IAM"), (_bound(view, own) or own.guarded_only, "S2+ residual"))
        summary = (
            f"{own.document.name} lets {count(len(ordinary), 'identity')} administer any key of account "
            f"{own.document.account}; {count(len(own.reached), 'key')} can be changed today."
        )
        yield _document_hit(view, own, summary, raised, lowered, latent)
