"""Rule about keys that are shared through AWS RAM, in a second key policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evaluator.strength import Strength
from auditor.model.actions import CREATE_GRANT, META, READ_PLAINTEXT, WRAP, actions_in
from auditor.model.arn import account_of
from auditor.model.evidence import KeyShare
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import RAM_POLICY, Fact, Key
from auditor.rules.conditions import block_strength
from auditor.rules.exposure.strangers import for_everybody
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, given, listing
from auditor.rules.statements import action_mask
from auditor.rules.trust import on_day
from auditor.rules.view import View


def ram_shared_key(view: View) -> Iterator[Hit]:
    """The key is shared with other accounts through AWS RAM, in a second key policy that most reviews never read.

    Told when the key has a policy named AWS_RAM or a resource share holds it. A registered share whose consumers are
    all inside the organization is silent. Until AWS documents how that policy is evaluated, the finding is potential.

    Fix: compare the share with what the owner approved, and disassociate what is not needed.
    """
    approved = {
        entry.share for entry in view.settings.trusted_shares if (on_day(entry.review) or view.today) >= view.today
    }
    for key in view.keys:
        shared = _shared(view, key)
        if shared is None:
            continue
        if shared.shares and shared.inside and all(share.arn in approved for share in shared.shares):
            continue
        yield _ram_hit(view, key, shared)


@dataclass(frozen=True, slots=True)
class _Shared:
    """A key in AWS RAM: its shares, the statements of the policy that RAM writes, and whom both name.

    ``strangers`` are outside the organization and the trust register; ``inside``: nobody is of another organization.
    """

    shares: tuple[KeyShare, ...]
    statements: tuple[Located, ...]
    consumers: tuple[str, ...]
    accounts: frozenset[str]
    strangers: tuple[str, ...]
    inside: bool


def _shared(view: View, key: Key) -> _Shared | None:
    shares = tuple(one for one in view.snapshot.evidence.shares if key.arn in one.keys and one.live and not one.inbound)
    if RAM_POLICY not in key.policy_names and not shares:
        return None
    statements = tuple(located for located in view.statements(key) if located.ref.policy == RAM_POLICY)
    named = (entry.value for item in statements for entry in item.statement.principals or ())
    consumers = (*named, *(principal for share in shares for principal in share.principals))
    accounts = frozenset(account for value in consumers if (account := account_of(value))) - {key.account}
    strangers = sorted(account for account in accounts if view.trust.standing(account, key.account).outside)
    strangers += ["everybody"] if any(_for_strangers(view, key, item) for item in statements) else []
    inside = not strangers and not any(view.trust.standing(one, key.account).foreign for one in accounts)
    return _Shared(shares, statements, consumers, accounts, tuple(strangers), inside)


def _ram_hit(view: View, key: Key, shared: _Shared) -> Hit:
    mask = 0
    for item in shared.statements:
        mask |= action_mask(item.statement)
    shares, strangers, accounts = shared.shares, shared.strangers, sorted(shared.accounts)
    others = listing((*accounts, *strangers)) or "unknown principals"
    harmless = mask and not mask & ~(WRAP | META)
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{key.label} is shared through AWS RAM with {others}.",
        keys=(key.arn,),
        evidence=(
            Evidence("policies", listing(key.policy_names)),
            Evidence("shares", listing(share.arn for share in shares) or "not collected"),
            Evidence("consumers", listing(shared.consumers) or "unknown"),
            Evidence("actions", listing((a.name for a in actions_in(mask)), 20) or "unknown"),
            *(Evidence("statement", str(item.ref), item.ref) for item in shared.statements),
        ),
        raised=given(
            (strangers, "outside the organization and not in"),
            (view.tier(key) == "T1", "T1 key"),
            (strangers and mask & (READ_PLAINTEXT | CREATE_GRANT), "unknown consumer and"),
            (Fact.KEY_POLICY in key.unread, "could not be read"),
        ),
        lowered=given((shared.inside and accounts and harmless, "all inside the organization")),
        confidence=Confidence.POTENTIAL,
        identity=(*accounts, *(meaning(item.statement) for item in shared.statements)),
        fix=(("SHARE_ARN", shares[0].arn), ("ACCOUNT_ID", next(iter(accounts), "ACCOUNT_ID"))) if shares else (),
    )


def _for_strangers(view: View, key: Key, located: Located) -> bool:
    """Whether a statement speaks of everybody, and no condition fixes whose call it is."""
    statement = located.statement
    return (
        statement.effect == "Allow"
        and for_everybody(statement)
        and block_strength(statement, view.owner(key)) < Strength.S3
    )
