"""Changes that somebody thinks about making, applied to the facts of a snapshot; nothing else is touched.

An edit that finds nothing to change is refused: a silent no-op would look like a safe change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from auditor.errors import UnknownNameError, UsageError
from auditor.evaluator import Evaluation
from auditor.model.grant import Grant
from auditor.model.key import DEFAULT_POLICY, Alias, Key
from auditor.model.organization import OrgTarget
from auditor.model.policy import AttachedPolicy, Layer, parse_policy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.keys import find_keys
from auditor.questions.principals import find_principals


class EditKind(StrEnum):
    """What is changed; ``Edit`` says what target, name and text mean for each."""

    KEY_POLICY = "key-policy"
    IDENTITY_POLICY = "identity-policy"
    MANAGED_POLICY = "managed-policy"
    BOUNDARY = "boundary"
    SCP = "scp"
    RCP = "rcp"
    GRANT = "grant"
    REVOKE_GRANT = "revoke-grant"
    ALIAS = "alias"
    DELETE_ALIAS = "delete-alias"
    TAG = "tag"
    PRINCIPAL_TAG = "principal-tag"
    REMOVE_PRINCIPAL = "remove-principal"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change. ``text`` None deletes.

    ``target``: key for KEY_POLICY, ALIAS, TAG and GRANT; principal for IDENTITY_POLICY, BOUNDARY, PRINCIPAL_TAG and
    REMOVE_PRINCIPAL; the policy's name or ARN for MANAGED_POLICY, SCP and RCP; the grant id; the alias name.
    ``name``: the inline policy, the tag, the alias, or the organizational target that a new SCP or RCP is attached to.
    ``text``: the policy document or the tag's value. ``grant``: the new grant.
    """

    kind: EditKind
    target: str
    name: str = ""
    text: str | None = None
    grant: Grant | None = None


def apply_edits(evaluation: Evaluation, edits: tuple[Edit, ...]) -> Snapshot:
    """The snapshot after the edits, in their order. Raises UsageError for one that cannot be applied."""
    snapshot = evaluation.snapshot
    for edit in edits:
        snapshot = _APPLY[edit.kind](replace_snapshot(evaluation, snapshot), edit)
    return snapshot


def replace_snapshot(evaluation: Evaluation, snapshot: Snapshot) -> Evaluation:
    """The same evaluation over edited facts, for looking up names; its table still shows the old access."""
    return replace(evaluation, snapshot=snapshot)


def document(layer: Layer, name: str, owner: str, text: str) -> AttachedPolicy:
    """A policy document in its place. Raises UsageError for a text that is no policy."""
    policy = parse_policy(text)
    if not policy.readable:
        problem = policy.problems[0].message if policy.problems else "it is not a policy document."
        raise UsageError(f"The new {layer} for {owner} cannot be read: {problem}")
    return AttachedPolicy(layer, name, owner, policy)


def _on_keys(evaluation: Evaluation, text: str, change: Callable[[Key], Key]) -> Snapshot:
    wanted = {key.arn for key in find_keys(evaluation.snapshot, text)}
    snapshot = evaluation.snapshot
    return replace(snapshot, keys=tuple(change(key) if key.arn in wanted else key for key in snapshot.keys))


def _on_principals(evaluation: Evaluation, text: str, change: Callable[[Principal], Principal]) -> Snapshot:
    wanted = {principal.arn for principal in find_principals(evaluation, text)}
    snapshot = evaluation.snapshot
    if not wanted & {principal.arn for principal in snapshot.principals}:
        raise UnknownNameError(f"“{text}” was not collected.", "Only collected users and roles can be changed.")
    changed = tuple(change(item) if item.arn in wanted else item for item in snapshot.principals)
    return replace(snapshot, principals=changed)


def _key_policy(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(key: Key) -> Key:
        kept = tuple(item for item in key.policies if item.name != DEFAULT_POLICY)
        if edit.text is None:
            return replace(key, policies=kept)
        return replace(key, policies=(document(Layer.KEY_POLICY, DEFAULT_POLICY, key.arn, edit.text), *kept))

    return _on_keys(evaluation, edit.target, change)


def _identity_policy(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(principal: Principal) -> Principal:
        kept = tuple(item for item in principal.identity_policies if item.name != edit.name)
        if edit.text is None:
            if len(kept) == len(principal.identity_policies):
                raise UnknownNameError(f"{principal.arn} has no policy “{edit.name}”.")
            return replace(principal, identity_policies=kept)
        added = document(Layer.IDENTITY, edit.name, principal.arn, edit.text)
        return replace(principal, identity_policies=(*kept, added))

    return _on_principals(evaluation, edit.target, change)


def _managed_policy(evaluation: Evaluation, edit: Edit) -> Snapshot:
    """Replaces or detaches a managed policy wherever it is attached, as a boundary too."""
    snapshot, hits = evaluation.snapshot, 0

    def one(item: AttachedPolicy) -> AttachedPolicy | None:
        nonlocal hits
        if edit.target not in (item.name, item.name.rsplit("/", 1)[-1]):
            return item
        hits += 1
        return None if edit.text is None else document(item.layer, item.name, item.owner, edit.text)

    def change(principal: Principal) -> Principal:
        kept = tuple(found for item in principal.identity_policies if (found := one(item)) is not None)
        boundary = one(principal.boundary) if principal.boundary else None
        return replace(principal, identity_policies=kept, boundary=boundary)

    edited = replace(snapshot, principals=tuple(change(item) for item in snapshot.principals))
    return _hit(edited, hits, edit)


def _boundary(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(principal: Principal) -> Principal:
        boundary = None if edit.text is None else document(Layer.BOUNDARY, "boundary", principal.arn, edit.text)
        return replace(principal, boundary=boundary)

    return _on_principals(evaluation, edit.target, change)


def _organization_policy(evaluation: Evaluation, edit: Edit) -> Snapshot:
    """Replaces or removes an SCP or RCP wherever it is attached; with ``name`` attaches a new one there."""
    snapshot = evaluation.snapshot
    if snapshot.organization is None:
        raise UsageError("The snapshot has no organization.", "Collect with --org to try SCPs and RCPs.")
    field, layer = ("scps", Layer.SCP) if edit.kind is EditKind.SCP else ("rcps", Layer.RCP)
    hits = 0

    def change(target: OrgTarget) -> OrgTarget:
        nonlocal hits
        items: list[AttachedPolicy] = []
        for item in getattr(target, field) or ():
            if item.name != edit.target or edit.name:
                items.append(item)
                continue
            hits += 1
            if edit.text is not None:
                items.append(document(layer, item.name, item.owner, edit.text))
        if edit.name and edit.name in (target.id, target.name) and edit.text is not None:
            hits += 1
            items.append(document(layer, edit.target, target.name or target.id, edit.text))
        if getattr(target, field) is None:
            return target
        return replace(target, scps=tuple(items)) if layer is Layer.SCP else replace(target, rcps=tuple(items))

    targets = tuple(change(target) for target in snapshot.organization.targets)
    return _hit(replace(snapshot, organization=replace(snapshot.organization, targets=targets)), hits, edit)


def _grant(evaluation: Evaluation, edit: Edit) -> Snapshot:
    grant = edit.grant
    if grant is None:
        raise UsageError("A new grant needs its grantee and operations.")
    return _on_keys(evaluation, edit.target, lambda key: replace(key, grants=(*key.grants, grant)))


def _revoke(evaluation: Evaluation, edit: Edit) -> Snapshot:
    snapshot = evaluation.snapshot
    hits = sum(_is(grant, edit.target) for key in snapshot.keys for grant in key.grants)
    keys = tuple(
        replace(key, grants=tuple(grant for grant in key.grants if not _is(grant, edit.target)))
        for key in snapshot.keys
    )
    return _hit(replace(snapshot, keys=keys), hits, edit)


def _is(grant: Grant, name: str) -> bool:
    return name in (grant.grant_id, grant.name)


def _alias(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(key: Key) -> Key:
        arn = f"{key.arn.split(':key/')[0]}:{edit.name}"
        aliases = (*key.aliases, Alias(edit.name, arn, key.key_id))
        return replace(key, aliases=tuple(sorted(aliases, key=lambda alias: alias.name)))

    return _on_keys(evaluation, edit.target, change)


def _delete_alias(evaluation: Evaluation, edit: Edit) -> Snapshot:
    name = edit.target if edit.target.startswith(("alias/", "arn:")) else f"alias/{edit.target}"
    hits = 0

    def change(key: Key) -> Key:
        nonlocal hits
        kept = tuple(alias for alias in key.aliases if name not in (alias.name, alias.arn))
        hits += len(key.aliases) - len(kept)
        return replace(key, aliases=kept)

    snapshot = evaluation.snapshot
    return _hit(replace(snapshot, keys=tuple(change(key) for key in snapshot.keys)), hits, edit)


def _tag(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(key: Key) -> Key:
        kept = tuple(pair for pair in key.tags if pair[0] != edit.name)
        return replace(key, tags=kept if edit.text is None else tuple(sorted((*kept, (edit.name, edit.text)))))

    return _on_keys(evaluation, edit.target, change)


def _principal_tag(evaluation: Evaluation, edit: Edit) -> Snapshot:
    def change(principal: Principal) -> Principal:
        kept = tuple(pair for pair in principal.tags if pair[0] != edit.name)
        return replace(principal, tags=kept if edit.text is None else tuple(sorted((*kept, (edit.name, edit.text)))))

    return _on_principals(evaluation, edit.target, change)


def _remove_principal(evaluation: Evaluation, edit: Edit) -> Snapshot:
    wanted = {principal.arn for principal in find_principals(evaluation, edit.target)}
    snapshot = evaluation.snapshot
    kept = tuple(item for item in snapshot.principals if item.arn not in wanted)
    return _hit(replace(snapshot, principals=kept), len(snapshot.principals) - len(kept), edit)


def _hit(snapshot: Snapshot, hits: int, edit: Edit) -> Snapshot:
    if not hits:
        raise UnknownNameError(f"{edit.kind} “{edit.target}” is nowhere in the snapshot.", "Check the name.")
    return snapshot


_APPLY: dict[EditKind, Callable[[Evaluation, Edit], Snapshot]] = {
    EditKind.KEY_POLICY: _key_policy,
    EditKind.IDENTITY_POLICY: _identity_policy,
    EditKind.MANAGED_POLICY: _managed_policy,
    EditKind.BOUNDARY: _boundary,
    EditKind.SCP: _organization_policy,
    EditKind.RCP: _organization_policy,
    EditKind.GRANT: _grant,
    EditKind.REVOKE_GRANT: _revoke,
    EditKind.ALIAS: _alias,
    EditKind.DELETE_ALIAS: _delete_alias,
    EditKind.TAG: _tag,
    EditKind.PRINCIPAL_TAG: _principal_tag,
    EditKind.REMOVE_PRINCIPAL: _remove_principal,
}
