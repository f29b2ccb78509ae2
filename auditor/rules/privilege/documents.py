"""Rules about identity policies that reach every key of an account, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.strength import Owner, Strength
from auditor.model.actions import (
    CONTROL,
    CREATE_GRANT,
    READ_PLAINTEXT,
    STORE_BREAKERS,
    actions_in,
    mask_of,
)
from auditor.model.finding import Confidence, Evidence
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import as_residual, asks_for_values, block_strength, demands, for_services
from auditor.rules.corrections import detaching, one_or_many, with_tests
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.principals import has_usable_credentials
from auditor.rules.privilege.power import REPLICATE, power
from auditor.rules.privilege.wide import Relevant, Wide, wide_documents
from auditor.rules.statements import Document, action_mask, as_written, render
from auditor.rules.view import View

STALE_DAYS = 90
LISTED_KEYS = 25
LEAVE_STORES = "Leave the key stores to key administrators: no key policy and no Resource limits who stops them."
NARROWING = ("aws:resourcetag/", "kms:resourcealiases", "kms:encryptioncontext:", "kms:requestalias")
CONSTANT = ("aws:principalorg", "aws:principalaccount", "aws:principalarn", "kms:calleraccount", "aws:resourceaccount")
"""Tests that an identity policy's holders and the keys of their account meet or fail as a whole."""
DELETE_MATERIAL = mask_of(["DeleteImportedKeyMaterial"])


def _document_hit(
    view: View, wide: Wide, summary: str, raised: tuple[str, ...], lowered: tuple[str, ...], latent: bool
) -> Hit:
    document = wide.document
    return Hit(
        subject=document.subject,
        kind="iam-policy",
        summary=summary,
        account=document.account,
        keys=tuple(key.arn for key in wide.reached),
        principals=tuple(holder.arn for holder in wide.holders),
        evidence=(
            *(Evidence("statement", str(located.ref), located.ref) for located in wide.statements),
            Evidence("actions", listing((action.name for action in actions_in(wide.mask)), 12)),
            Evidence("held by", listing(holder.arn for holder in wide.holders)),
            Evidence("keys reached", listing(key.arn for key in wide.reached) or _nothing(wide)),
            *((Evidence("keys perhaps reached", listing(key.arn for key in wide.perhaps)),) if wide.perhaps else ()),
            Evidence("keys not reached", listing(_beyond(view, wide)) or "none"),
        ),
        raised=raised,
        lowered=lowered,
        latent=latent,
        confidence=Confidence.POTENTIAL if wide.unsure else Confidence.CONFIRMED,
        identity=(
            *(meaning(located.statement) for located in wide.statements),
            *((document.account,) if document.shared else ()),
        ),
        fix=(("POLICY_ARN", document.name if document.name.startswith("arn:") else document.arn),),
    )


def _beyond(view: View, wide: Wide) -> list[str]:
    """The keys of the account on which the statements have no effect today."""
    keys = view.keys_by_account.get(wide.document.account, [])
    reached = {key.arn for key in (*wide.reached, *wide.perhaps)}
    return [key.arn for key in keys if key.arn not in reached]


def _so_many(wide: Wide) -> str:
    if wide.unsure and not wide.reached:
        return "keys whose policy could not be read may"
    return f"{count(len(wide.reached), 'key')} can"


def _nothing(wide: Wide) -> str:
    return "unknown: key policies could not be read" if wide.unsure else "none today"


def _bound(wide: Wide) -> bool:
    """Whether every wide statement carries a condition that leaves only certain keys or data, or at least says how.

    What every caller and key of the account meets anyway, such as the own organization, is none.
    """
    owner = Owner(wide.document.account)
    for located in wide.statements:
        tests = tuple(t for t in located.statement.conditions if not t.key.lower().startswith(CONSTANT))
        telling = replace(located.statement, conditions=tests)
        if block_strength(telling, owner) < Strength.S2 and not demands(as_residual(telling), _narrows):
            return False
    return True


def _narrows(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only keys or data of a certain tag, alias or context."""
    return leaf.key.lower().startswith(NARROWING) and asks_for_values(leaf, negated)


def iam_decrypt_all_keys(view: View) -> Iterator[Hit]:
    """An identity policy allows decryption with every key of the account.

    Looks at policies in effect (managed, inline, through a group) whose Resource reaches every key, and then at the
    keys that the holders can really read because of it: without delegation in the key policy the statement reaches
    nothing and the finding is latent. Permissions boundaries and service-linked roles are silent. What only
    administrators reach by it raises nothing.

    Fix: list key ARNs, or keep the wildcard and tie it to a tag, an alias or a service.
    """
    limit = view.settings.wide_decrypt_keys
    for wide in wide_documents(
        view, lambda located, _: action_mask(located.statement) & READ_PLAINTEXT, administrators=True
    ):
        bound = _bound(wide)
        latent = not wide.reached and not wide.unsure and not (bound and _delegated(view, wide))
        restricted = view.restricted(key.arn for key in wide.by_ordinary)
        foreign = any(key.account != wide.document.account for key in wide.by_ordinary)
        raised = given(
            (not bound and (len(wide.by_ordinary) >= limit or restricted), "effective READ_PLAINTEXT on at least"),
            (not bound and foreign, "matches keys of other accounts"),
        )
        lowered = given(
            (bound or wide.guarded_only, "every effective path has an S2+"), (latent, "reaches nothing today")
        )
        summary = (
            f"{wide.document.title} lets {count(len(wide.holders), 'identity')} decrypt with any key of account "
            f"{wide.document.account}; {_so_many(wide)} be read today."
        )
        hit = _document_hit(view, wide, summary, raised, lowered, latent)
        yield replace(hit, remedy=_on_reached_keys(wide), advice=_decrypt_advice(latent, bound), bare=not wide.reached)


def _delegated(view: View, wide: Wide) -> bool:
    """Whether a key of the account leaves one of the actions to identity policies: then only the condition is unmet."""
    keys = view.keys_by_account.get(wide.document.account, [])
    return any(delegated_mask(view, key) & wide.mask for key in keys)


def _decrypt_advice(latent: bool, bound: bool) -> str:
    if latent:
        return "Remove the statement: it reaches no key today, and reaches every key that delegates to IAM tomorrow."
    if bound:
        return "List the keys that are meant where they are known; what the condition asks for decides about the rest."
    return "List the keys that are meant, or keep the pattern and tie it to a tag, an alias or a service."


def _on_reached_keys(wide: Wide) -> str:
    """The statement on the keys that it reaches today; with none, or too many to list, by the tag that is meant."""
    written = as_written(wide.document.policy, wide.statements[0].statement.index)
    arns = [key.arn for key in wide.reached]
    if not written or not arns:
        return ""
    written.pop("NotResource", None)
    if len(arns) <= LISTED_KEYS:
        return render({**written, "Resource": one_or_many(arns)})
    return render(with_tests(written, "StringEquals", {"aws:ResourceTag/service": "NAME-OF-THE-SERVICE"}))


def _administers(view: View) -> Relevant:
    """TAKEOVER and DESTROY, as far as they mean anything: limited grants, replication without CreateKey, and material
    or key stores that the account does not have are left out."""

    def relevant(located: Located, document: Document) -> int:
        mask = action_mask(located.statement) & CONTROL
        if not mask:
            return 0
        limited = demands(as_residual(located.statement), for_services)
        if mask & CREATE_GRANT and (limited or _grants_for_services(view, document.holders)):
            mask &= ~CREATE_GRANT
        if mask & REPLICATE and not any(_creates_keys(view, holder) for holder in document.holders):
            mask &= ~REPLICATE
        keys = view.keys_by_account.get(document.account, [])
        if not any(key.origin == "EXTERNAL" for key in keys):
            mask &= ~DELETE_MATERIAL
        return mask if any(key.custom_key_store_id for key in keys) else mask & ~STORE_BREAKERS

    return relevant


def _grants_for_services(view: View, holders: tuple[Principal, ...]) -> bool:
    """Whether all that the holders may grant today is limited, by a Deny elsewhere: to services, say."""
    rows = {row for holder in holders if (row := view.reach.principal_at.get(holder.arn)) is not None}
    free, some = view.once("granters", lambda: _granters(view))
    return bool(rows & some) and not rows & free


def _granters(view: View) -> tuple[set[int], set[int]]:
    """Rows of those who may create grants of any sort on some key, and of those who may create grants at all."""
    own = power(view)
    free, some = own.unlimited_grant() > 0, own.level_of(CREATE_GRANT) > 0
    return set(own.pairs.principals[free].tolist()), set(own.pairs.principals[some].tolist())


def _creates_keys(view: View, holder: Principal) -> bool:
    row = view.reach.principal_at.get(holder.arn)
    return row is not None and bool(power(view).creators[row])


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
    AWS services alone is silent, and so are boundaries and service-linked roles. Key stores cannot be given one by one:
    with key administrators they are as they have to be.

    Fix: detach the broad policy; give administration in the key policies of the keys that the team owns.
    """
    for wide in wide_documents(view, _administers(view), administrators=False):
        stores = not wide.mask & ~STORE_BREAKERS
        if stores and wide.reached and not wide.by_ordinary:
            continue
        latent = not wide.reached and not wide.unsure
        raised = given((any(_risky_holder(view, holder) for holder in wide.holders), "human without MFA evidence"))
        lowered = given((latent, "reaches nothing today"), (_bound(wide) or wide.guarded_only, "S2+ residual"))
        what = "stop the key store of any key" if stores else "administer any key"
        summary = (
            f"{wide.document.title} lets {count(len(wide.holders), 'identity')} {what} of account "
            f"{wide.document.account}; {_so_many(wide)} be changed today."
        )
        hit = _document_hit(view, wide, summary, raised, lowered, latent)
        advice = LEAVE_STORES if stores else hit.advice
        yield replace(hit, remedy=detaching(wide.document), remedy_kind="cli", advice=advice)
