"""Rules about rotation: automatic where AWS can rotate, by hand where it cannot."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor.model.actions import FORGE, WRAP, key_type, mask_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.rules.hit import Hit, given
from auditor.rules.statements import action_mask
from auditor.rules.view import View

OLD_DAYS = 365
PINNED_TAG = "pinned"
VERIFY_ONLY = mask_of(["GetPublicKey", "Verify", "VerifyMac"])


def auto_rotatable(key: Key) -> bool:
    """Whether AWS can rotate the key by itself: symmetric encryption, AWS-made material, no custom store."""
    return key.spec == "SYMMETRIC_DEFAULT" and key.origin == "AWS_KMS" and key.usage == "ENCRYPT_DECRYPT"


def _rotates_here(key: Key) -> bool:
    return auto_rotatable(key) and key.state == "Enabled" and key.multi_region_key_type != "REPLICA"


def rotation_disabled(view: View) -> Iterator[Hit]:
    """Automatic rotation is off although AWS could rotate the key.

    Looks at enabled symmetric keys with AWS-made material. Silent for keys that cannot rotate by themselves (imported,
    asymmetric, HMAC, custom key store: manual-rotation-overdue), for replicas (their primary decides) and for keys
    that are disabled or pending deletion, where AWS reports rotation as off anyway.

    Fix: turn rotation on. Key id, ARN and alias stay the same, and old ciphertext stays readable.
    """
    limit = view.settings.max_rotation_days
    for key in view.keys_with(Fact.ROTATION, Fact.KEY_METADATA):
        if not _rotates_here(key) or key.rotation is None or key.rotation.enabled:
            continue
        ages = [age for moment in key.rotation.history if (age := view.age(moment)) is not None]
        age = view.age(key.created)
        known = Fact.ROTATIONS not in key.unread
        past = ", ".join(key.rotation.history) or ("none" if known else "could not be read")
        never = known and not ages and age is not None and age > OLD_DAYS
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} is not rotated automatically.",
            keys=(key.arn,),
            evidence=(
                Evidence("rotation", "off"),
                Evidence("created", key.created or "unknown"),
                Evidence("past rotations", past),
            ),
            raised=given((never and view.tier(key) == "T1", "T1 key older than 365 days")),
            lowered=given((any(age <= limit for age in ages), "on-demand rotation within")),
        )


def rotation_period_too_long(view: View) -> Iterator[Hit]:
    """The key rotates, but less often than the settings allow (``max_rotation_days``).

    A missing period counts as the 365 days that AWS uses by default. Same exclusions as rotation-disabled.

    Fix: set a shorter period.
    """
    limit = view.settings.max_rotation_days
    for key in view.keys_with(Fact.ROTATION, Fact.KEY_METADATA):
        if not _rotates_here(key) or key.rotation is None or not key.rotation.enabled:
            continue
        period = key.rotation.period_days or OLD_DAYS
        if period <= limit:
            continue
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} rotates every {period} days; the limit is {limit}.",
            keys=(key.arn,),
            evidence=(Evidence("period", f"{period} days"), Evidence("limit", f"{limit} days")),
            raised=given((view.tier(key) == "T1" or period > 2 * limit, "T1 key, or period above")),
        )


def _period(view: View, key: Key) -> int:
    periods = view.settings.cryptoperiod_days
    kind = key_type(key.spec, key.usage)
    if kind == "hmac":
        return periods.hmac
    if kind == "asymmetric_sign_verify":
        return periods.sign
    return periods.symmetric if kind.endswith(("encryption", "decrypt")) else periods.key_agreement


def _pinned(key: Key) -> bool:
    return (key.tag(PINNED_TAG) or "").lower() in ("certificate", "code-signing")


def _verify_only(view: View, key: Key) -> bool:
    """Whether nobody may protect or sign anything new with the key any more."""
    return not any(
        located.statement.effect == "Allow" and action_mask(located.statement) & (FORGE | WRAP) & ~VERIFY_ONLY
        for located in view.statements(key)
    )


def manual_rotation_overdue(view: View) -> Iterator[Hit]:
    """A key that AWS cannot rotate by itself has used its material longer than its cryptoperiod.

    Imported, asymmetric, HMAC and custom key store keys are rotated by hand; the age of the current material counts,
    from the last rotation or import, else from creation. Silent for keys that something outside pins (tag ``pinned``)
    and for keys that are only used to verify any more. Imported material whose rotations could not be read may be
    younger than the key.

    Fix: import new material and rotate on demand, or make a new key and move the alias.
    """
    for key in view.keys_with(Fact.ROTATION, Fact.KEY_METADATA, Fact.KEY_POLICY):
        if auto_rotatable(key) or key.state != "Enabled" or _pinned(key) or key.multi_region_key_type == "REPLICA":
            continue
        history = key.rotation.history if key.rotation else ()
        age = view.age(max(history) if history else key.created)
        period = _period(view, key)
        if age is None or age <= period or _verify_only(view, key):
            continue
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"The material of {key.label} is {age} days old; its cryptoperiod is {period} days.",
            keys=(key.arn,),
            evidence=(
                Evidence("origin", key.origin),
                Evidence("key spec", key.spec),
                Evidence("material age", f"{age} days"),
                Evidence("cryptoperiod", f"{period} days"),
            ),
            raised=given((view.tier(key) == "T1" and age > 2 * period, "T1 key above twice")),
            confidence=Confidence.POTENTIAL if Fact.ROTATIONS in key.unread and not history else Confidence.CONFIRMED,
            remedy="" if _renewable(key) else _successor(key),
            remedy_kind="" if _renewable(key) else "cli",
        )


def _renewable(key: Key) -> bool:
    """Whether new material can be imported into the key itself."""
    return key.origin == "EXTERNAL" and key.spec == "SYMMETRIC_DEFAULT"


def _successor(key: Key) -> str:
    """The commands that make a key of the same type and move the aliases to it."""
    store = f" --origin {key.origin} --custom-key-store-id {key.custom_key_store_id}" if key.custom_key_store_id else ""
    origin = f" --origin {key.origin}" if key.origin == "EXTERNAL" else store
    xks = " --xks-key-id EXTERNAL_KEY_ID" if key.origin == "EXTERNAL_KEY_STORE" else ""
    multi = " --multi-region" if key.multi_region else ""
    make = f"aws kms create-key --region {key.region} --key-spec {key.spec} --key-usage {key.usage}"
    moves = [
        f"aws kms update-alias --region {key.region} --alias-name {shlex.quote(alias.name)} --target-key-id NEW_KEY_ID"
        for alias in key.aliases
    ]
    return "\n".join([f"{make}{origin}{xks}{multi}", *moves])
