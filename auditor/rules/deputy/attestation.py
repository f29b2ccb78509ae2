"""Rule about keys that only an enclave should use: whether another path gives plaintext without attestation."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.access import Decision, Role
from auditor.model.actions import NEW_DATA_KEYS, READ_PLAINTEXT, actions_in
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import asks_for_key, demands
from auditor.rules.corrections import deny
from auditor.rules.deputy.trusts import assumed_by_many
from auditor.rules.doubt import also_in_doubt
from auditor.rules.exposure.strangers import held_by_strangers
from auditor.rules.hit import Hit, Located, given, listing, naming
from auditor.rules.principals import reachable_from_outside
from auditor.rules.reach import CERTAIN, INSIDE, Openness
from auditor.rules.view import View

ATTESTATION = "kms:recipientattestation:"
PLAINTEXT = READ_PLAINTEXT | NEW_DATA_KEYS
LISTED_PATHS = 10
BYPASSERS = (*INSIDE, PrincipalKind.EXTERNAL_ACCOUNT, PrincipalKind.EXTERNAL_PRINCIPAL, PrincipalKind.EVERYONE)


def _attests(leaf: Leaf, negated: bool) -> bool:
    """Whether a request without an attestation document fails the test, as it stands or denied."""
    return leaf.key.lower().startswith(ATTESTATION) and asks_for_key(leaf, negated)


@also_in_doubt
def attestation_bypass_path(view: View) -> Iterator[Hit]:
    """A key demands enclave attestation on one path, and another path gives plaintext without it.

    Looks for key policies with a ``kms:RecipientAttestation`` condition, then for every identity that reads or makes
    data keys with no such condition left. Break-glass principals are silent.

    Fix: close the key with a Deny for requests that carry no attestation document.
    """
    for key in view.keys:
        attested = [
            located
            for located in view.statements(key)
            if any(test.key.lower().startswith(ATTESTATION) for test in located.statement.conditions)
        ]
        bypassing = _bypassing(view, key) if attested else {}
        if bypassing:
            yield _hit(view, key, attested, bypassing)


def _bypassing(view: View, key: Key) -> dict[str, Decision]:
    """Who reads or makes data keys without an attestation document → one of the decisions that let it."""
    position = view.reach.key_at[key.arn]
    found: dict[str, Decision] = {}
    for row, who in enumerate(view.reach.principals):
        if who.kind not in BYPASSERS or view.trust.named(who, view.settings.break_glass):
            continue
        profile = view.reach.profile(row, position)
        held = view.reach.held(profile, position, *CERTAIN) & PLAINTEXT
        decisions = (view.reach.decision(profile, action.bit) for action in actions_in(held))
        loose = next((one for one in decisions if not demands(one.residual, _attests)), None)
        if loose is not None:
            found[who.arn] = loose
    return found


def _hit(view: View, key: Key, attested: list[Located], bypassing: dict[str, Decision]) -> Hit:
    outside = any(_easily_become(view, view.principal_by_arn[arn], key) for arn in bypassing)
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{key.label} demands attestation, but {listing(bypassing)} can read without it.",
        keys=(key.arn,),
        principals=tuple(bypassing),
        evidence=(
            *(Evidence("attested statement", str(item.ref), item.ref) for item in attested),
            naming("bypassing", bypassing),
            *_paths(bypassing)[:LISTED_PATHS],
        ),
        raised=given((outside, "external or widely assumable")),
        identity=tuple(bypassing),
        remedy=_closed(attested),
    )


def _paths(bypassing: dict[str, Decision]) -> list[Evidence]:
    """What lets each of them in, told once."""
    found: dict[str, Evidence] = {}
    for arn, decision in bypassing.items():
        for cause in decision.causes:
            if cause.role is Role.ALLOWS:
                words = f"{arn}: {cause.statement or cause.grant or cause.note}"
                found.setdefault(words, Evidence("bypassing path", words, cause.statement, cause.grant))
    return list(found.values())


def _easily_become(view: View, who: Principal, key: Key) -> bool:
    """Whether it is outside the organization, or such that outsiders or many others can become it."""
    outside = who.assume_allowed and view.trust.standing(who.account, key.account).foreign
    strangers = held_by_strangers(view, who, key, PLAINTEXT) is not Openness.CLOSED
    return outside or strangers or reachable_from_outside(who, view.trust) or assumed_by_many(view, who)


def _closed(attested: list[Located]) -> str:
    """A Deny of whatever gives plaintext to requests without the document that the key's policy asks for. ReEncrypt
    never has one."""
    asked = next(
        test.key
        for located in attested
        for test in located.statement.conditions
        if test.key.lower().startswith(ATTESTATION)
    )
    actions = [action.name for action in actions_in(PLAINTEXT)]
    return deny("NoPlaintextOutsideEnclave", actions, {"Null": {asked: "true"}}, in_key_policy=True)
