"""Rule about swapping which key, or which key material, is used under a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.actions import actions_in, mask_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.corrections import but_by, deny
from auditor.rules.doubt import also_in_doubt
from auditor.rules.hit import Hit, count, first_of, given, listing
from auditor.rules.iam_side import may
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import given_by
from auditor.rules.privilege.naming import open_on_key
from auditor.rules.privilege.power import power
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View

IMPORT = mask_of(["ImportKeyMaterial"])
MOVE_PRIMARY = mask_of(["UpdatePrimaryRegion"])
UPDATE_STORE = mask_of(["UpdateCustomKeyStore"])
SUBSTITUTES = IMPORT | MOVE_PRIMARY | mask_of(["UpdateAlias", "DeleteAlias", "CreateAlias"])
Sort = tuple[str, str, str, bool]
ALIAS_MOVES = {
    "kms:UpdateAlias of": ("UpdateAlias",),
    "kms:DeleteAlias and kms:CreateAlias of": ("DeleteAlias", "CreateAlias"),
}
"""How an alias is moved: the first action on its current key, the last on the other key, all of them on the alias."""


@dataclass(frozen=True, slots=True)
class Swap:
    """How a key, or its material, can be swapped; ``other`` is the key that can take its place, if it is one."""

    how: str
    other: str = ""

    def evidence(self, arn: str) -> Evidence:
        """The swap of the key with this ARN."""
        words = f"{self.how}: {arn}" + (f", for which {self.other} can stand in" if self.other else "")
        return Evidence("substitution", words, names=(self.other,) if self.other else ())


@also_in_doubt
def key_substitution_by_non_admin(view: View) -> Iterator[Hit]:
    """Somebody who is no administrator can swap which key, or which key material, is used.

    Importing material into an EXTERNAL key, moving an alias (allowed on the alias, its current key and another key), or
    changing the key store or moving the primary of a multi-Region key. Whoever encrypts next uses what they chose.

    Fix: reserve these permissions for the key pipeline, and alarm on them.
    """
    stores = any(key.custom_key_store_id is not None for key in view.keys)
    pairs = power(view).pairs
    pairs = pairs if stores else pairs.select(view.reach.having(pairs, SUBSTITUTES, *CERTAIN))
    for row, own in pairs.by_principal():
        who = view.reach.principals[row]
        if view.trust.key_admin(who) or service_linked(who):
            continue
        held = {
            view.reach.keys[position].arn: view.reach.held(profile, position, *CERTAIN) & SUBSTITUTES
            for profile, position in zip(own.profiles.tolist(), own.keys.tolist(), strict=True)
        }
        ways = _substitutions(view, who, held) | _stores(view, row, who)
        if ways:
            yield _substitution_hit(view, who, ways)


def _substitutions(view: View, who: Principal, held: dict[str, int]) -> dict[str, Swap]:
    """Key ARN → how it, or its material, can be swapped."""
    found = {}
    for arn, mask in held.items():
        key = view.key_by_arn[arn]
        if mask & IMPORT and key.origin == "EXTERNAL":
            found[arn] = Swap("kms:ImportKeyMaterial")
        elif alias := _movable_alias(view, who, key, held):
            found[arn] = alias
        elif mask & MOVE_PRIMARY and key.multi_region_key_type == "PRIMARY":
            found[arn] = Swap("kms:UpdatePrimaryRegion")
    return found


def _movable_alias(view: View, who: Principal, key: Key, held: dict[str, int]) -> Swap | None:
    """How an alias of the key can be pointed at another key: moved, or deleted and made again; None when it cannot."""
    for alias in key.aliases:
        if alias.name.startswith("alias/aws/"):
            continue
        for way, actions in ALIAS_MOVES.items():
            here, there = mask_of([actions[0]]), mask_of([actions[-1]])
            if not held[key.arn] & here or not all(may(view, who, f"kms:{name}", alias.arn) for name in actions):
                continue
            for other in _replacements(view, key):
                if open_on_key(view, who, other, there):
                    return Swap(f"{way} {alias.name}", other.arn)
    return None


def _replacements(view: View, key: Key) -> list[Key]:
    """The keys at which an alias of the key may point instead."""

    def make() -> dict[Sort, list[Key]]:
        found: dict[Sort, list[Key]] = {}
        for other in view.keys:
            found.setdefault(_sort(other), []).append(other)
        return found

    return [other for other in view.once("keys-of-a-sort", make).get(_sort(key), ()) if other.arn != key.arn]


def _sort(key: Key) -> Sort:
    """What two keys share when an alias may move from one to the other: place, usage and symmetry."""
    return key.account, key.region, key.usage, key.spec == "SYMMETRIC_DEFAULT"


def _stores(view: View, row: int, who: Principal) -> dict[str, Swap]:
    """Keys of the account's custom key stores, when the principal may change the store."""
    if not view.reach.account_level(row, UPDATE_STORE, *CERTAIN):
        return {}
    return {
        key.arn: Swap("kms:UpdateCustomKeyStore")
        for key in view.keys
        if key.custom_key_store_id is not None and key.account == who.account
    }


def _substitution_hit(view: View, who: Principal, ways: dict[str, Swap]) -> Hit:
    how = [way.how for way in ways.values()]
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} can swap what is used in place of {_named(view, ways)} ({listing(how, 3)}).",
        account=who.account or "",
        keys=tuple(ways),
        principals=(who.arn,),
        evidence=(
            Evidence("principal", who.arn),
            *first_of([ways[arn].evidence(arn) for arn in sorted(ways)]),
            *given_by(view, [who.arn], view.key_by_arn[min(ways)], SUBSTITUTES),
        ),
        raised=given((view.restricted(ways), "encryption workloads of a T1 key")),
        identity=(who.unique_id or who.arn, *how),
        remedy=_reserved(view, view.key_by_arn[min(ways)].partition),
    )


def _reserved(view: View, partition: str) -> str:
    """An SCP statement that leaves all ways to swap keys and material to the pipeline of the keys."""
    actions = [action.name for action in actions_in(SUBSTITUTES | UPDATE_STORE)]
    condition = but_by(view.settings.key_admins, "key-pipeline", partition)
    return deny("SubstitutionByPipelineOnly", actions, condition, in_key_policy=False)


def _named(view: View, ways: dict[str, Swap]) -> str:
    return view.key_by_arn[next(iter(ways))].label if len(ways) == 1 else count(len(ways), "key")
