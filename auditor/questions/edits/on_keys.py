"""Edits of keys: policy, state, aliases and tags; grants revoked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from auditor.errors import UnknownNameError, UsageError
from auditor.model.grant import Grant
from auditor.model.key import DEFAULT_POLICY, Alias, Fact, Key, Rotation
from auditor.model.policy import Layer
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.documents import default_key_policy, document
from auditor.questions.edits.kinds import Edit
from auditor.questions.keys import candidates, find_keys

STATES = ("Enabled", "Disabled", "PendingDeletion")
ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]+")
MAX_ALIAS = 256
ROTATION_DAYS = range(90, 2561)
"""What EnableKeyRotation takes as RotationPeriodInDays."""


def key_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Replaces the key policy. One that could not be read is known now; whether AWS RAM made another one for the key
    is not, where nobody could list them."""
    refused = [gap for gap in snapshot.gaps if gap.operation == "kms:ListKeyPolicies"]
    unlisted = {gap.subject or (gap.account, gap.region) for gap in refused}

    def change(key: Key) -> Key:
        text = default_key_policy(key) if edit.text is None else edit.text
        kept = tuple(item for item in key.policies if item.name != DEFAULT_POLICY)
        new = document(Layer.KEY_POLICY, DEFAULT_POLICY, key.arn, text)
        policies = tuple(sorted((new, *kept), key=lambda item: item.name))
        listed = unlisted.isdisjoint((key.arn, (key.account, key.region)))
        known = listed and DEFAULT_POLICY not in key.policy_names
        return replace(key, policies=policies, unread=key.unread - {Fact.KEY_POLICY} if known else key.unread)

    return _on_own_keys(snapshot, edit.target, change)


def key_state(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Enables, disables or schedules for deletion."""
    state = edit.text or ""
    if state not in STATES:
        raise UsageError(f"“{state}” is no state that a key can be put into.", f"Choose one of {', '.join(STATES)}.")
    kept = state == "PendingDeletion"
    return _on_own_keys(
        snapshot,
        edit.target,
        lambda key: replace(key, state=state, deletion_date=key.deletion_date if kept else None),
    )


def key_rotation(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Rotates automatically every so many days, or not any more; replicas of a multi-Region key follow their primary.

    Source: API reference, EnableKeyRotation.
    """
    days = _days(edit.text)
    wanted = _own_keys(snapshot, edit.target)
    for key in snapshot.keys:
        if key.arn in wanted:
            _check_rotates(key)

    def change(key: Key) -> Key:
        if key.arn not in wanted and key.primary_arn not in wanted:
            return key
        known = key.rotation or Rotation(enabled=False)
        made = replace(known, enabled=days is not None, period_days=days, next_date=None)
        return replace(key, rotation=made, unread=key.unread - {Fact.ROTATION})

    return _each(snapshot, change)


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) in ROTATION_DAYS):
        raise UsageError(f"“{text[:20]}” is no number of days between rotations.", "AWS takes 90 to 2560.")
    return int(text)


def _check_rotates(key: Key) -> None:
    """Raises UsageError for a key whose rotation nobody can set."""
    if key.primary_arn is not None and key.primary_arn != key.arn:
        raise UsageError(f"{key.arn} ({key.label}) is a replica.", f"It rotates as {key.primary_arn} does.")
    made_by_kms = key.spec == "SYMMETRIC_DEFAULT" and key.origin == "AWS_KMS"
    if not made_by_kms and Fact.KEY_METADATA not in key.unread:
        raise UsageError(f"{key.arn} ({key.label}) cannot rotate automatically.", "Symmetric keys made by AWS KMS do.")


def revoke(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Revokes a grant by id, or by a name that only one grant has."""
    named = [(key, item) for key in snapshot.keys for item in key.grants if edit.target in (item.grant_id, item.name)]
    ids = {(key.arn, item.grant_id) for key, item in named}
    if not ids:
        raise UnknownNameError(f"No grant is called “{edit.target}”.", "`kms-audit grants` lists them.")
    if len(ids) > 1:
        listed = ", ".join(f"{item.grant_id} on {key.label}" for key, item in named[:10])
        raise UnknownNameError(f"“{edit.target}” means {len(ids)} grants.", f"Choose one by its id: {listed}.")

    def kept(key: Key) -> tuple[Grant, ...]:
        return tuple(item for item in key.grants if (key.arn, item.grant_id) not in ids)

    arn = next(iter(ids))[0]
    return _each(snapshot, lambda key: replace(key, grants=kept(key)) if key.arn == arn else key)


def alias(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Makes an alias, or points it to another key of the same account and Region."""
    (target,) = find_keys(snapshot, edit.target, several=False)
    name = edit.name if edit.name.startswith("alias/") else f"alias/{edit.name}"
    if not ALIAS.fullmatch(name) or len(name) > MAX_ALIAS or name.startswith("alias/aws/"):
        raise UsageError(
            f"“{edit.name}” cannot be an alias of a customer managed key.", "It has letters, digits and _/-."
        )
    _check_own(target)
    arn = f"{target.arn.split(':key/')[0]}:{name}"

    def change(key: Key) -> Key:
        if (key.account, key.region) != (target.account, target.region):
            return key
        kept = tuple(item for item in key.aliases if item.name != name)
        if key.arn != target.arn:
            return replace(key, aliases=kept)
        made = (*kept, Alias(name, arn, key.key_id))
        return replace(key, aliases=tuple(sorted(made, key=lambda item: item.name)))

    return _each(snapshot, change)


def delete_alias(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Deletes an alias, by name or ARN."""
    name = edit.target if edit.target.startswith(("alias/", "arn:")) else f"alias/{edit.target}"
    found = [key for key in snapshot.keys if any(_is(item, key, name) for item in key.aliases)]
    if not found:
        raise UnknownNameError(f"No alias is called “{edit.target}”.", "Name it as alias/NAME or by its ARN.")
    if len(found) > 1:
        raise UnknownNameError(
            f"“{edit.target}” means {len(found)} aliases.", f"Choose one by its ARN; they name {candidates(found)}."
        )
    _check_own(found[0])
    aliases = tuple(item for item in found[0].aliases if not _is(item, found[0], name))
    return _each(snapshot, lambda key: replace(key, aliases=aliases) if key.arn == found[0].arn else key)


def _is(item: Alias, key: Key, name: str) -> bool:
    return name in (item.name, item.arn, f"{key.arn.split(':key/')[0]}:{item.name}")


def tag(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Sets or removes a tag."""

    def change(key: Key) -> Key:
        kept = tuple(pair for pair in key.tags if pair[0] != edit.name)
        if edit.text is None and len(kept) == len(key.tags) and Fact.TAGS not in key.unread:
            raise UnknownNameError(f"{key.arn} has no tag “{edit.name}”.")
        return replace(key, tags=kept if edit.text is None else tuple(sorted((*kept, (edit.name, edit.text)))))

    return _on_own_keys(snapshot, edit.target, change)


def _on_own_keys(snapshot: Snapshot, text: str, change: Callable[[Key], Key]) -> Snapshot:
    """Changes the keys called ``text``; of a pattern those that customers manage. Raises UsageError for keys of AWS."""
    wanted = _own_keys(snapshot, text)
    return _each(snapshot, lambda key: change(key) if key.arn in wanted else key)


def _own_keys(snapshot: Snapshot, text: str) -> frozenset[str]:
    """The ARNs of the keys called ``text``, as ``_on_own_keys`` means them."""
    found = find_keys(snapshot, text)
    wanted = frozenset(key.arn for key in found if key.customer_managed)
    if not wanted:
        _check_own(found[0])
    return wanted


def _check_own(key: Key) -> None:
    if not key.customer_managed:
        raise UsageError(f"{key.arn} ({key.label}) is an AWS managed key.", "Only AWS can change it.")


def _each(snapshot: Snapshot, change: Callable[[Key], Key]) -> Snapshot:
    return replace(snapshot, keys=tuple(change(key) for key in snapshot.keys))
