"""Planned changes of KMS resources → edits. A new key goes by the address of its resource: it has no id yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.model.grant import Grant, Pairs
from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.new_keys import KEYS, new_key, planned_id
from auditor.questions.terraform.plan import Change, OpenError, Plan, document, each, listed, text_of
from auditor.questions.terraform.principals import OWNERS, planned_arn
from auditor.questions.terraform.values import is_unknown, mapping

CONSTRAINTS = frozenset({"encryption_context_equals", "encryption_context_subset"})
PERIOD, DEFAULT_PERIOD = "rotation_period_in_days", 365


def key(plan: Plan, change: Change) -> Iterator[Edit]:
    """A key: policy, tags, state. One that is replaced goes, and another one comes."""
    if "delete" in change.actions:
        yield Edit(EditKind.KEY_STATE, _arn(change), text="PendingDeletion")
    if change.made:
        yield new_key(plan, change, _key_named(plan, change, "primary_key_arn") if "replica" in change.type else None)
        yield from tags(plan, change, _planned(plan, change), EditKind.TAG)
    if "delete" in change.actions or change.made:
        return
    arn = _arn(change)
    parts = (
        tags(plan, change, arn, EditKind.TAG),
        _state(change, arn),
        _rotation(plan, change, arn),
        _material(change),
    )
    yield from each(*parts, _policy(change, arn))


def _arn(change: Change) -> str:
    for name in ("arn", "key_id"):
        if isinstance(change.was(name), str) and change.was(name):
            return str(change.was(name))
    raise OpenError("the plan does not say which key it is")


def _key_named(plan: Plan, change: Change, attribute: str) -> str:
    """The key that a resource is about, after apply: one that is new goes by its address."""
    try:
        return text_of(change.now(attribute), attribute)
    except OpenError:
        referred = plan.referred(change, attribute, *KEYS)
        if referred is None or not referred.made:
            raise
        return _planned(plan, referred)


def _planned(plan: Plan, change: Change) -> str:
    """The id of a new key: a replica has that of its primary, in its own Region."""
    if "replica" in change.type:
        return _key_named(plan, change, "primary_key_arn").rpartition("/")[2]
    return planned_id(change)


def _state(change: Change, arn: str) -> Iterator[Edit]:
    for name in ("is_enabled", "enabled"):
        if name in (change.after or {}) and change.differs(name):
            yield Edit(EditKind.KEY_STATE, arn, text="Enabled" if change.now(name) else "Disabled")


def _rotation(plan: Plan, change: Change, arn: str) -> Iterator[Edit]:
    """Automatic rotation; where no period is configured, it has AWS's default."""
    if not change.differs("enable_key_rotation") and not change.differs(PERIOD):
        return
    if not change.now("enable_key_rotation"):
        yield Edit(EditKind.KEY_ROTATION, arn)
        return
    days = DEFAULT_PERIOD if plan.left_out(change, PERIOD) else change.now(PERIOD) or DEFAULT_PERIOD
    yield Edit(EditKind.KEY_ROTATION, arn, text=str(days))


def _material(change: Change) -> Iterator[Edit]:
    yield from ()
    if any(change.differs(name) for name in ("key_material_base64", "valid_to")):
        raise OpenError("its imported key material is not judged")


def _policy(change: Change, arn: str) -> Iterator[Edit]:
    if change.differs("policy"):
        yield Edit(EditKind.KEY_POLICY, arn, text=document(change.now("policy"), "policy"))


def key_policy(plan: Plan, change: Change) -> Iterator[Edit]:
    """A key policy of its own; destroying it, or handing it to another key, gives the key the default policy back."""
    if change.before is not None and (change.after is None or change.differs("key_id")):
        yield Edit(EditKind.KEY_POLICY, text_of(change.was("key_id"), "key_id"))
    if change.after is not None:
        target = _key_named(plan, change, "key_id")
        yield Edit(EditKind.KEY_POLICY, target, text=document(change.now("policy"), "policy"))


def alias(plan: Plan, change: Change) -> Iterator[Edit]:
    """An alias: made, pointed elsewhere, renamed or deleted."""
    renamed = change.before is not None and change.after is not None and change.differs("name")
    if change.before is not None and (change.after is None or renamed):
        yield Edit(EditKind.DELETE_ALIAS, change.name_of("arn", "name"))
    if change.after is not None:
        yield Edit(EditKind.ALIAS, _target(plan, change), name=text_of(change.now("name"), "name"))


def _target(plan: Plan, change: Change) -> str:
    """The key of an alias, by its ARN where the plan tells it.

    What is configured is the id. The ARN beside it is computed: the plan of a move still shows the old one.
    """
    target = _key_named(plan, change, "target_key_id")
    place, alias_, _ = str(change.was("arn") or "").partition(":alias/")
    known = target.startswith("arn:") or is_unknown(change.unknown.get("target_key_id"))
    return f"{place}:key/{target}" if alias_ and not known else target


def grant(plan: Plan, change: Change) -> Iterator[Edit]:
    """A grant: made, or revoked; a changed one is both."""
    if change.before is not None:
        yield Edit(EditKind.REVOKE_GRANT, change.name_of("grant_id"))
    if change.after is None:
        return
    target, grantee = _key_named(plan, change, "key_id"), _grantee(plan, change)
    constraints = _grant_constraints(change.now("constraints"))
    made = Grant(
        grant_id=f"planned:{change.address}",
        key_arn=target,
        name=_maybe(change.after.get("name")),
        grantee=grantee,
        retiring=_maybe(change.now("retiring_principal")),
        operations=tuple(sorted(map(str, listed(change.now("operations"), "operations")))),
        context_equals=_pairs(constraints.get("encryption_context_equals")),
        context_subset=_pairs(constraints.get("encryption_context_subset")),
    )
    yield Edit(EditKind.GRANT, target, grant=made)


def _grantee(plan: Plan, change: Change) -> str:
    """Who gets a grant, by ARN."""
    try:
        return text_of(change.now("grantee_principal"), "grantee")
    except OpenError:
        referred = plan.referred(change, "grantee_principal", *OWNERS)
        arn = planned_arn(plan, referred) if referred and referred.made else ""
        if not arn:
            raise
        return arn


def _grant_constraints(blocks: Any) -> dict[str, Any]:
    """The constraints of all blocks. Raises OpenError for one of another kind: without it the grant would be wider."""
    found = {
        name: value for block in map(mapping, listed(blocks, "constraints")) for name, value in block.items() if value
    }
    other = sorted(found.keys() - CONSTRAINTS)
    if other:
        raise OpenError(f"the constraint `{other[0]}` is not judged")
    return found


def _maybe(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _pairs(value: Any) -> Pairs | None:
    return tuple(sorted((str(k), str(v)) for k, v in value.items())) if isinstance(value, Mapping) and value else None


def _untagged(plan: Plan, change: Change) -> bool:
    """Whether it will have no tags: none of its own, and no provider of the plan has any to add."""
    own = is_unknown(change.unknown.get("tags")) or bool((change.after or {}).get("tags"))
    return change.unknown.get("tags_all") is True and not own and plan.default_tags is False


def tags(plan: Plan, change: Change, target: str, kind: EditKind) -> Iterator[Edit]:
    """Tags that are set, changed or removed; those of the provider's defaults count (``tags_all``).

    Of a resource without any tag the provider leaves ``tags_all`` open until apply.
    """
    name = "tags_all" if "tags_all" in {**(change.after or {}), **change.unknown} else "tags"
    if not change.differs(name):
        return
    now, was = {} if _untagged(plan, change) else mapping(change.now(name)), mapping(change.was(name))
    for label in sorted(was.keys() - now.keys()):
        yield Edit(kind, target, label)
    if not all(isinstance(value, str) for value in now.values()):
        raise OpenError("values of tags are not in the plan")
    for label in sorted(now):
        if was.get(label) != now[label]:
            yield Edit(kind, target, label, str(now[label]))


def sharing(plan: Plan, change: Change) -> Iterator[Edit]:
    """A resource in a share of AWS RAM, which writes the policy ``AWS_RAM`` of a key."""
    yield from ()
    was, now = change.was("resource_arn"), change.now("resource_arn") if change.after is not None else ""
    if any(":kms:" in str(arn) for arn in (was, now)):
        raise OpenError("what a share gives with a key is not judged")


KMS = {
    **dict.fromkeys(KEYS, key),
    "aws_kms_key_policy": key_policy,
    "aws_kms_alias": alias,
    "aws_kms_grant": grant,
    "aws_ram_resource_association": sharing,
}
"""Resource type → what its change means."""
