"""Changed facts: each kind is named with what changed, and nothing is said of what one side could not read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.model.inventory import Inventory
from auditor.model.key import Fact, Rotation
from auditor.model.policy import Layer
from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Snapshot
from auditor.questions.affected import world_of
from auditor.questions.changed_facts import FactChange, changed_facts
from auditor.questions.differences import differences
from auditor.questions.edits import Edit, EditKind, apply_edits
from tests.cli.conftest import APP, KEY, OTHER, ROOT, allow, text
from tests.questions.estate import FOREIGN, NEW, NO_DECRYPT, USE, attached, organization_estate

AS_OF = "2026-11-24T12:00:00Z"
DIRECT = allow(Sid="Direct", Principal={"AWS": APP}, Action="kms:Decrypt")


def changes(old: Snapshot, new: Snapshot) -> list[tuple[str, str, str]]:
    found = differences(world_of(old, as_of=AS_OF), world_of(new, as_of=AS_OF)).facts
    return [(item.kind, item.change, item.detail) for item in found]


@pytest.mark.parametrize(
    ("edit", "kind", "change", "detail"),
    [
        (Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT, DIRECT)), "key policy", "changed", "added Direct"),
        (Edit(EditKind.KEY_STATE, KEY, text="Disabled"), "key state", "changed", "Enabled → Disabled"),
        (Edit(EditKind.IDENTITY_POLICY, APP, "New", USE), "identity policy", "added", "New"),
        (Edit(EditKind.IDENTITY_POLICY, "group/readers", "New", USE), "identity policy", "added", "New of arn"),
        (Edit(EditKind.IDENTITY_POLICY, APP, "inline"), "identity policy", "removed", "inline"),
        (Edit(EditKind.MANAGED_POLICY, "KeyUse", text=NO_DECRYPT), "identity policy", "changed", "added statement 1"),
        (Edit(EditKind.BOUNDARY, APP, text=USE), "permissions boundary", "added", "boundary"),
        (Edit(EditKind.SCP, "Stop", "ou-a", NO_DECRYPT), "SCP", "added", "Stop"),
        (Edit(EditKind.RCP, "Stop", "r-1", FOREIGN), "RCP", "added", "Stop"),
        (Edit(EditKind.REVOKE_GRANT, "nightly"), "grant", "removed", "0a1b2c3d for"),
        (Edit(EditKind.DELETE_ALIAS, "alias/app"), "alias", "removed", "alias/app"),
        (Edit(EditKind.TAG, KEY, "team", "blue"), "tag", "added", "team=blue"),
        (Edit(EditKind.PRINCIPAL_TAG, APP, "team", "blue"), "principal tag", "added", "team=blue"),
        (Edit(EditKind.ADD_PRINCIPAL, NEW), "principal", "added", ""),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Edit) else "",
)
def test_each_kind_of_fact(edit: Edit, kind: str, change: str, detail: str) -> None:
    snapshot = organization_estate()
    (found,) = changes(snapshot, apply_edits(snapshot, [edit]))
    assert found[:2] == (kind, change)
    assert detail in found[2]


def test_facts_that_no_edit_makes() -> None:
    snapshot = organization_estate()
    app, *others = snapshot.principals
    trusting = replace(app, trust_policy=parse_policy(USE))
    later = replace(trusting, trust_policy=parse_policy(NO_DECRYPT), groups=("x",), unique_id="AROAOTHER0000000000")
    key = replace(snapshot.keys[0], rotation=Rotation(True, 90), deletion_date="2026-12-01T00:00:00Z")
    old = replace(snapshot, principals=(trusting, *others))
    found = changes(old, replace(snapshot, principals=(later, *others), keys=(key, *snapshot.keys[1:])))
    assert found == [
        ("group membership", "added", "x"),
        ("key deletion", "changed", "none → 2026-12-01T00:00:00Z"),
        ("key rotation", "changed", "none → on every 90 days"),
        ("principal", "changed", "deleted and made again under the same name"),
        ("trust policy", "changed", "added statement 1, removed Use"),
    ]


def test_an_account_that_moves_and_a_target_that_is_new() -> None:
    snapshot = organization_estate()
    organization = snapshot.organization
    assert organization is not None
    root, unit, account = organization.targets
    moved = replace(organization, targets=(root, replace(unit, id="ou-b"), replace(account, parent="ou-b")))
    assert changes(snapshot, replace(snapshot, organization=moved)) == [
        ("organization", "removed", "organizational-unit"),
        ("organization", "added", "organizational-unit"),
        ("organization", "changed", "moved from ou-a to ou-b"),
    ]


def test_the_version_of_a_document_counts_and_its_layout_does_not() -> None:
    snapshot = organization_estate()
    old = text(ROOT).replace("2012-10-17", "2008-10-17")
    first = apply_edits(snapshot, [Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT))])
    second = apply_edits(snapshot, [Edit(EditKind.KEY_POLICY, KEY, text=old)])
    assert changes(first, second) == [("key policy", "changed", "default: Version 2012-10-17 → 2008-10-17")]
    spaced = apply_edits(snapshot, [Edit(EditKind.KEY_POLICY, KEY, text=text(ROOT).replace("{", "{ "))])
    assert changes(first, spaced) == []


OTHERWISE: dict[Fact, dict[str, Any]] = {
    Fact.KEY_POLICY: {"policies": ()},
    Fact.GRANTS: {"grants": ()},
    Fact.ALIASES: {"aliases": ()},
    Fact.TAGS: {"tags": (("other", "tag"),)},
    Fact.ROTATION: {"rotation": Rotation(True, 90)},
    Fact.KEY_METADATA: {"state": "Disabled", "deletion_date": "2026-12-01T00:00:00Z"},
    Fact.IDENTITY_POLICY: {"identity_policies": ()},
    Fact.IDENTITIES: {"identity_policies": ()},
    Fact.BOUNDARY: {"boundary": attached(Layer.BOUNDARY, "Limit", APP, USE)},
    Fact.SCP: {"scps": ()},
    Fact.RCP: {"rcps": (attached(Layer.RCP, "Stop", "r-1", FOREIGN),)},
}
"""What a side that could not read a fact of a key, a principal or a level of the organization may hold instead."""


def with_first(snapshot: Snapshot, fact: Fact, **changed: Any) -> Snapshot:
    """The first key, principal or level, whichever ``fact`` is of, changed."""
    if fact in (Fact.SCP, Fact.RCP):
        assert snapshot.organization is not None
        first, *rest = snapshot.organization.targets
        targets = (replace(first, **changed), *rest)
        return replace(snapshot, organization=replace(snapshot.organization, targets=targets))
    if fact in (Fact.IDENTITY_POLICY, Fact.IDENTITIES, Fact.BOUNDARY):
        return replace(snapshot, principals=(replace(snapshot.principals[0], **changed), *snapshot.principals[1:]))
    return replace(snapshot, keys=(replace(snapshot.keys[0], **changed), *snapshot.keys[1:]))


@pytest.mark.parametrize("fact", OTHERWISE)
def test_what_one_side_could_not_read_is_no_change(fact: Fact) -> None:
    snapshot = organization_estate()
    blind = with_first(snapshot, fact, unread=frozenset({fact}), **OTHERWISE[fact])
    assert facts_between(snapshot, blind) == facts_between(blind, snapshot) == []
    told = facts_between(snapshot, with_first(snapshot, fact, **OTHERWISE[fact]))
    assert told, "where both sides read it, it is one"
    other = next(one for one in OTHERWISE if one is not fact and OTHERWISE[one] != OTHERWISE[fact])
    assert facts_between(snapshot, with_first(snapshot, fact, unread=frozenset({other}), **OTHERWISE[fact])) == told


def facts_between(old: Snapshot, new: Snapshot) -> list[FactChange]:
    return list(changed_facts(old, new, Inventory(old), Inventory(new)))


def test_every_change_turned_around_is_the_opposite_change() -> None:
    """Over everything at once: keys, principals and levels that come, go and differ."""
    old = organization_estate()
    assert old.organization is not None
    new = old
    for fact, changed in OTHERWISE.items():
        new = with_first(new, fact, **changed)
    app, batch, *others = new.principals
    root, unit, account = (new.organization or old.organization).targets
    targets = (root, replace(unit, id="ou-b"), replace(account, parent="ou-b"))
    new = replace(
        new,
        keys=(new.keys[0], replace(new.keys[1], arn=f"{OTHER}2")),
        principals=(app, replace(batch, arn=f"{batch.arn}2"), *others),
        organization=replace(old.organization, targets=targets),
    )
    there, back = facts_between(old, new), facts_between(new, old)
    assert {item.kind for item in there} == {
        *("key", "key state", "key deletion", "key rotation", "key policy", "alias", "tag", "grant"),
        *("principal", "identity policy", "permissions boundary", "SCP", "RCP", "organization"),
    } - {"grant"} | ({"grant"} if old.keys[0].grants else set())
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((item.kind, item.subject, opposite[item.change]) for item in there) == sorted(
        (item.kind, item.subject, item.change) for item in back
    )
    assert there == sorted(there)
    assert facts_between(old, old) == facts_between(new, replace(new, keys=new.keys[::-1])) == []


def test_an_organization_that_one_side_could_not_read_has_not_gone() -> None:
    old = organization_estate()
    assert old.organization is not None
    alone = replace(old, organization=None)
    gone = FactChange("organization", "accounts", "changed", "o-1 → none")
    assert facts_between(old, alone) == [gone]
    assert facts_between(alone, old) == [replace(gone, detail="none → o-1")]
    another = replace(old, organization=replace(old.organization, id="o-2"))
    assert facts_between(old, another) == [replace(gone, detail="o-1 → o-2")]
    hidden = replace(alone, organization_unread=True)
    assert facts_between(old, hidden) == facts_between(hidden, old) == []


def test_a_document_that_nobody_can_read_is_a_change_either_way() -> None:
    old = organization_estate()
    broken = replace(old.keys[0].policies[0], policy=parse_policy("{"))
    new = with_first(old, Fact.KEY_POLICY, policies=(broken,))
    for sides in ((old, new), (new, old)):
        (found,) = facts_between(*sides)
        assert (found.kind, found.change) == ("key policy", "changed")
        assert found.detail.endswith("a document that nobody can read")


@pytest.mark.parametrize("swap", [False, True])
def test_an_account_whose_place_could_not_be_read_has_not_moved(swap: bool) -> None:
    snapshot = organization_estate()
    organization = snapshot.organization
    assert organization is not None
    root, unit, account = organization.targets
    lost = replace(organization, targets=(root, unit, replace(account, parent=None)), tree_read=False)
    sides = (snapshot, replace(snapshot, organization=lost))
    assert changes(*(reversed(sides) if swap else sides)) == []


def test_policies_of_levels_whose_tree_was_not_read_are_not_removed() -> None:
    old = organization_estate()
    tree = old.organization
    assert tree is not None
    assert any(target.scps for target in tree.targets)
    bare = tuple(replace(target, scps=None, rcps=None) for target in tree.targets)
    hidden = replace(old, organization=replace(tree, targets=bare, tree_read=False))
    assert changes(old, hidden) == changes(hidden, old) == []
    off = replace(old, organization=replace(tree, targets=bare))
    assert {kind for kind, _, _ in changes(old, off)} >= {"SCP"}
