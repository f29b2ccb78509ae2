"""Rules about where key material comes from, whether it stays, and what protects it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.evidence import KeyStore
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import LEAVING, Fact, Key
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.lifecycle.usage import dependencies, named_by, unseen_needs
from auditor.rules.view import View

SOON_DAYS = 7
YOUNG_DAYS = 30
DOWN = ("DISCONNECTED", "FAILED", "DISCONNECTING")


def imported_material_expiring(view: View) -> Iterator[Hit]:
    """Imported key material expires soon, or is gone from a key that was used.

    A key stops working when any of its materials expires, not only the current one. A key that still waits for its
    first import is silent.

    Fix: import the same material again with a later date, or without expiry.
    """
    for key in view.keys_with(Fact.KEY_METADATA):
        if key.origin != "EXTERNAL":
            continue
        used = key.last_usage is not None and key.last_usage.last_used is not None
        if key.state == "PendingImport":
            proofs = dependencies(view, key)
            if used or proofs:
                yield _material_hit(key, "has lost its imported material", key.valid_to, bool(proofs), proofs)
            continue
        ends = [(left, moment) for moment in _ends(key) if (left := _days_left(view, moment)) is not None]
        if ends and min(ends)[0] <= view.settings.expiry_warning_days:
            left, moment = min(ends)
            what = f"loses imported material in {count(left, 'day')}"
            what = what if left >= 0 else f"should have lost imported material {count(-left, 'day')} ago"
            yield _material_hit(key, what, moment, left <= SOON_DAYS, [])


def unseen_without_material(view: View) -> Iterator[SkippedScope]:
    """Keys without material that something unread may show to be needed."""
    return unseen_needs(view, ("PendingImport",))


def _ends(key: Key) -> list[str]:
    """When materials of the key expire: the current one by the metadata, and every other that was ever rotated in."""
    current = key.valid_to if key.expiration_model != "KEY_MATERIAL_DOES_NOT_EXPIRE" else None
    others = key.rotation.expiries if key.rotation else ()
    return [moment for moment in (current, *others) if moment is not None]


def _days_left(view: View, moment: str) -> int | None:
    age = view.age(moment)
    return None if age is None else -age


def _material_hit(key: Key, what: str, valid_to: str | None, soon: bool, proofs: list[Evidence]) -> Hit:
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{key.label} {what}.",
        keys=(key.arn,),
        evidence=(Evidence("valid to", valid_to or "unknown"), Evidence("state", key.state), *proofs),
        raised=given((soon, "seven days or less")),
    )


def custom_key_store_disconnected(view: View) -> Iterator[Hit]:
    """A custom key store with living keys is not connected, so those keys cannot encrypt or decrypt.

    Silent for stores without living keys.

    Fix: remove the cause that the connection error names, and reconnect the store.
    """
    for store in view.snapshot.evidence.key_stores:
        if store.connection_state not in DOWN:
            continue
        living = [key for key in view.keys if key.custom_key_store_id == store.id and key.state not in LEAVING]
        if not living:
            continue
        recent = [key for key in living if key.last_usage and view.age(key.last_usage.last_used) == 0]
        yield Hit(
            subject=store.id,
            kind="key-store",
            summary=f"Store {store.name} is {store.connection_state.lower()} with {count(len(living), 'living key')}.",
            account=store.account,
            region=store.region,
            keys=tuple(key.arn for key in living),
            evidence=(
                Evidence("state", store.connection_state),
                Evidence("error", store.error_code or "none reported"),
                Evidence("keys", listing(key.arn for key in living)),
            ),
            raised=given((recent, "used within 24 hours")),
            fix=(("STORE_ID", store.id),),
        )


def _store(view: View, key: Key) -> KeyStore | None:
    return next((store for store in view.snapshot.evidence.key_stores if store.id == key.custom_key_store_id), None)


def unapproved_key_origin(view: View) -> Iterator[Hit]:
    """Key material comes from an origin, or an external proxy, that was not approved.

    Material of somebody else's making can be taken back, copied or never have been secret; encrypting data under such
    a key is one form of ransom: critical where resources (``--resources``) name a key that is younger than 30 days.
    Keys that are pending deletion are silent.

    Fix: confirm the owner and approve the origin; if unknown, block the key and re-encrypt what uses it.
    """
    approved = view.settings.approved_origins
    for key in view.keys_with(Fact.KEY_METADATA):
        if key.state in LEAVING or key.origin not in (
            "EXTERNAL",
            "AWS_CLOUDHSM",
            "EXTERNAL_KEY_STORE",
        ):
            continue
        store = _store(view, key)
        proxy = (store.proxy_endpoint or "") if store else ""
        strange_proxy = key.origin == "EXTERNAL_KEY_STORE" and proxy and proxy not in view.settings.approved_proxies
        if not {key.origin, f"{key.account}:{key.origin}"}.isdisjoint(approved) and not strange_proxy:
            continue
        named = named_by(view, key)
        ages = [view.age(key.created), view.age(store.created) if store else None]
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} has material of origin {key.origin}, which is not approved.",
            keys=(key.arn,),
            evidence=(
                Evidence("origin", key.origin),
                Evidence("key store", f"{store.name} {proxy}".strip() if store else key.custom_key_store_id or "none"),
                *named,
            ),
            raised=given(
                (any(age is not None and age < YOUNG_DAYS for age in ages), "younger than 30 days"),
                (named and ages[0] is not None and ages[0] < YOUNG_DAYS, "re-encrypted to it within 30 days"),
            ),
        )
