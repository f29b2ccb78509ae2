"""Rules about aliases that lead to another key than before."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from auditor.evaluator.glob import matches
from auditor.model.access import AccessTable, Outcome
from auditor.model.actions import POWER
from auditor.model.finding import Evidence
from auditor.model.key import Alias, Fact, Key
from auditor.model.policy import Statement
from auditor.rules.drift.changes import ALLOWED, held
from auditor.rules.hit import Hit, given
from auditor.rules.policy.supplied import ALIAS_KEYS
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View

MAY = (*ALLOWED, Outcome.UNKNOWN)


def alias_repointed(view: View) -> Iterator[Hit]:
    """An alias points to another key than in the baseline, or was moved recently.

    Whoever encrypts through the alias now uses the other key. Without a baseline, or where it does not know the alias,
    an alias that was updated within ``alias_watch_days``, and after its creation, is told. A decommission record of the
    old key explains a manual rotation.

    Fix: confirm the change with the key's owner, or point the alias back.
    """
    before = {alias.arn: key for key in (view.baseline.snapshot.keys if view.baseline else ()) for alias in key.aliases}
    for key in view.keys:
        for alias in key.aliases:
            if alias.name.startswith("alias/aws/"):
                continue
            old = before.get(alias.arn)
            moved = _moved_lately(view, alias) if old is None else old.key_id != key.key_id
            if moved and not _approved_move(view, old):
                yield _alias_hit(view, key, alias, old)


def _moved_lately(view: View, alias: Alias) -> bool:
    age = view.age(alias.updated)
    return alias.updated != alias.created and age is not None and 0 <= age <= view.settings.alias_watch_days


def _approved_move(view: View, old: Key | None) -> bool:
    return old is not None and view.trust.decommission(old) is not None


def _alias_hit(view: View, key: Key, alias: Alias, old: Key | None) -> Hit:
    changed = old is not None and (_other_origin(old, key) or _other_owner(old, key) or _wider(view, old, key))
    return Hit(
        subject=alias.arn,
        kind="alias",
        summary=f"{alias.name} points to {key.key_id}"
        + (f", before to {old.key_id}." if old else ", and was moved recently."),
        keys=(key.arn,),
        evidence=(
            Evidence("old target", old.key_id if old else "unknown"),
            Evidence("new target", key.key_id),
            Evidence("updated", alias.updated or "unknown"),
        ),
        raised=given(
            (changed, "another origin or another owner"), (_asked_for(view, key, alias.name), "ABAC condition")
        ),
        identity=(key.key_id,),
        remedy=_back(key, alias.name, old),
        remedy_kind="cli",
    )


def _other_origin(old: Key, new: Key) -> bool:
    return Fact.KEY_METADATA not in old.unread | new.unread and old.origin != new.origin


def _other_owner(old: Key, new: Key) -> bool:
    return Fact.TAGS not in old.unread | new.unread and old.tag("owner") != new.tag("owner")


def _asked_for(view: View, key: Key, name: str) -> bool:
    """Whether a policy of identities, of the organization or of the key has a condition that the alias meets."""
    elsewhere = view.once("aliases that policies ask for", lambda: _aliases_asked_for(view))
    here = _aliases_in(located.statement for located in view.statements(key))
    return any(matches(pattern, name) for pattern in elsewhere | here)


def _aliases_asked_for(view: View) -> frozenset[str]:
    """The patterns of alias conditions in policies of identities and of the organization."""
    documents = (*view.identity_documents, *view.boundaries, *view.scps, *view.rcps)
    return _aliases_in(statement for document in documents for statement in document.policy.statements)


def _aliases_in(statements: Iterable[Statement]) -> frozenset[str]:
    tests = (test for statement in statements for test in statement.conditions if test.key.lower() in ALIAS_KEYS)
    return frozenset(_any_variable(value) for test in tests for value in test.values)


def _any_variable(value: str) -> str:
    """The value with wildcards for its policy variables, which only a request fills in."""
    before, *parts = value.split("${")
    return before + "".join("*" + part.partition("}")[2] for part in parts)


def _back(key: Key, name: str, old: Key | None) -> str:
    """The commands that show who moved the alias and, when the old target is known, point it back."""
    lines = [
        f"aws cloudtrail lookup-events --region {key.region} "
        "--lookup-attributes AttributeKey=EventName,AttributeValue=UpdateAlias"
    ]
    if old is not None:
        quoted = shlex.quote(name)
        lines.append(f"aws kms update-alias --region {key.region} --alias-name {quoted} --target-key-id {old.key_id}")
    return "\n".join(lines)


def _wider(view: View, old: Key, new: Key) -> bool:
    """Whether somebody may read with, or take over, the new key who may not the old one: today, or in the baseline
    where the old key is no more."""
    today = view.key_by_arn.get(old.arn)
    if (today or old).unread & {Fact.KEY_POLICY, Fact.GRANTS}:
        return False
    return not _holders(view, new) <= (_holders(view, today) if today else _holders_then(view, old))


def _holders(view: View, key: Key) -> set[str]:
    position = view.reach.key_at[key.arn]
    pairs = view.once("pairs-of-alias-targets", lambda: view.reach.pairs(POWER, inside=False))
    here = pairs.select(pairs.keys == position)
    holding = here.select(view.reach.having(here, POWER, *CERTAIN))
    return {view.reach.principals[row].arn for row in holding.principals.tolist()}


def _holders_then(view: View, key: Key) -> set[str]:
    """Those that had, or may have had, power over a key of the baseline."""
    table = view.baseline.access if view.baseline else None
    if table is None or key.arn not in table.keys:
        return set()
    column, powerful = table.keys.index(key.arn), view.once("profiles of power then", lambda: _powerful(table))
    return {who for row, who in enumerate(table.principals) if powerful[int(table.cells[row, column])]}


def _powerful(table: AccessTable) -> list[bool]:
    """Profile → whether it has, or may have, power."""
    return [bool(held(table, profile, MAY) & POWER) for profile in range(len(table.profiles))]
