"""Rules about power that is one step away: through another role, or through the name that a key goes by."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import matches
from auditor.model.actions import FORGE, READ_PLAINTEXT, TAKEOVER, mask_of
from auditor.model.arn import is_account_id, is_root
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.deputy.trusts import powerful_roles
from auditor.rules.hit import Hit, given, listing
from auditor.rules.iam_side import likeness, may, speaks_of
from auditor.rules.principals import Admission, admissions, condition_values, service_linked
from auditor.rules.privilege.power import Holding
from auditor.rules.reach import INSIDE, Openness
from auditor.rules.view import View

POWER = READ_PLAINTEXT | FORGE | TAKEOVER
LIVE = (Openness.OPEN, Openness.GUARDED)
EDITS = ("iam:UpdateAssumeRolePolicy",)
IMPORT = mask_of(["ImportKeyMaterial"])
UPDATE_ALIAS = mask_of(["UpdateAlias"])
MOVE_PRIMARY = mask_of(["UpdatePrimaryRegion"])
SUBSTITUTES = IMPORT | UPDATE_ALIAS | MOVE_PRIMARY


def _admits(way: Admission, who: Principal) -> bool:
    pins = condition_values(way.statement, "aws:principalarn")
    if pins and not any(matches(pin, who.iam_arn) for pin in pins):
        return False
    if way.kind == "everyone":
        return True
    if is_account_id(way.value) or is_root(way.value):
        return way.account == who.account
    return way.value in (who.arn, who.iam_arn)


def _movers(view: View, group: list[Principal], role: Principal, ways: list[Admission]) -> list[Principal]:
    """Those of a group of like identities worth asking about: all when its policies allow a step, else the named."""
    first = group[0]
    if any(may(view, first, action, role.arn) for action in ("sts:AssumeRole", *EDITS)):
        return group
    named = {way.value for way in ways}
    return [who for who in group if who.arn in named or who.iam_arn in named]


def _edge(view: View, who: Principal, role: Principal, all_ways: list[Admission]) -> str:
    """How ``who`` becomes ``role`` in one step, or an empty text."""
    ways = [way for way in all_ways if _admits(way, who)]
    named = any(way.value in (who.arn, who.iam_arn) for way in ways)
    if ways and (may(view, who, "sts:AssumeRole", role.arn) or (named and who.account == role.account)):
        return "sts:AssumeRole"
    return next((action for action in EDITS if who.account == role.account and may(view, who, action, role.arn)), "")


def indirect_key_access_path(view: View) -> Iterator[Hit]:
    """A principal without access to a key can become a role that has it, in one step.

    The steps looked at here are assuming the role (both sides must agree) and rewriting its trust policy. Longer paths
    and the ways through services are the business of ``kms-audit paths``. Account administrators are information.

    Fix: cut the cheapest edge: pin the role's trust, or bound the IAM permission to a path prefix.
    """
    candidates = [who for who in view.snapshot.principals if who.kind in INSIDE and not service_linked(who)]
    named = {way.value for holding in powerful_roles(view) for way in admissions(holding.principal)}
    steps = ("sts:AssumeRole", *EDITS)
    actors = [who for who in candidates if who.arn in named or any(speaks_of(who, action) for action in steps)]
    by_account: dict[str, dict[object, list[Principal]]] = {}
    for who in actors:
        by_account.setdefault(who.account or "", {}).setdefault(likeness(view, who), []).append(who)
    found: dict[str, dict[str, tuple[str, list[Key]]]] = {}
    for holding in powerful_roles(view):
        role = holding.principal
        ways = list(admissions(role))
        accounts = {role.account or ""} | {way.account for way in ways if way.account}
        groups = [group for account in sorted(accounts) for group in by_account.get(account, {}).values()]
        for who in (actor for group in groups for actor in _movers(view, group, role, ways)):
            row = view.reach.principal_at.get(who.arn)
            edge = _edge(view, who, role, ways) if row is not None and role.arn != who.arn else ""
            gained = _gained(view, row, holding) if edge and row is not None else []
            if gained:
                found.setdefault(who.arn, {})[role.arn] = (edge, gained)
    for who in actors:
        if who.arn in found:
            yield _path_hit(view, who, found[who.arn])


def _gained(view: View, row: int, holding: Holding) -> list[Key]:
    found = []
    for key in holding.keys:
        position = view.reach.key_at[key.arn]
        own = view.reach.held(view.reach.profile(row, position), position, *LIVE) & POWER
        role_row = view.reach.principal_at[holding.principal.arn]
        theirs = view.reach.held(view.reach.profile(role_row, position), position, *LIVE) & POWER
        if theirs and not own:
            found.append(key)
    return found


def _path_hit(view: View, who: Principal, steps: dict[str, tuple[str, list[Key]]]) -> Hit:
    keys = sorted({key.arn for _, gained in steps.values() for key in gained})
    admin = view.trust.account_admin(who)
    exposed = who.kind is PrincipalKind.USER and view.restricted(keys)
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} has no access to {len(keys)} keys of its own and gets it through {listing(steps, 3)}.",
        account=who.account or "",
        keys=tuple(keys),
        principals=(who.arn, *steps),
        evidence=(
            *(Evidence("path", f"{who.arn} → {edge} → {role}") for role, (edge, _) in sorted(steps.items())[:10]),
            Evidence("keys reached", listing(keys)),
        ),
        raised=given((exposed and not admin, "T1 key and P")),
        lowered=given((admin, "account administrator")),
        identity=(who.unique_id or who.arn, *steps),
    )


def key_substitution_by_non_admin(view: View) -> Iterator[Hit]:
    """Somebody who is no administrator can swap which key, or which key material, is used.

    Importing material into an EXTERNAL key, moving an alias (allowed on the alias, its current key and another key), or
    moving the primary of a multi-Region key. Whoever encrypts next uses what they chose.

    Fix: reserve these permissions for the key pipeline, and alarm on them.
    """
    pairs = view.reach.all_pairs
    pairs = pairs.select(view.reach.having(pairs, SUBSTITUTES, *LIVE)) if len(pairs) else pairs
    for row, own in pairs.by_principal():
        who = view.reach.principals[row]
        if view.trust.key_admin(who) or service_linked(who):
            continue
        held = {
            view.reach.keys[position].arn: view.reach.held(profile, position, *LIVE) & SUBSTITUTES
            for profile, position in zip(own.profiles.tolist(), own.keys.tolist(), strict=True)
        }
        ways = _substitutions(view, who, held)
        if ways:
            yield _substitution_hit(view, who, ways)


def _substitutions(view: View, who: Principal, held: dict[str, int]) -> dict[str, str]:
    """Key ARN → how it, or its material, can be swapped."""
    found = {}
    movable = [arn for arn, mask in held.items() if mask & UPDATE_ALIAS]
    for arn, mask in held.items():
        key = view.key_by_arn[arn]
        aliases = [alias for alias in key.aliases if not alias.name.startswith("alias/aws/")]
        others = [other for other in movable if other != arn and view.key_by_arn[other].region == key.region]
        if mask & IMPORT and key.origin == "EXTERNAL":
            found[arn] = "kms:ImportKeyMaterial"
        elif mask & UPDATE_ALIAS and others and any(may(view, who, "kms:UpdateAlias", alias.arn) for alias in aliases):
            found[arn] = "kms:UpdateAlias to another key"
        elif mask & MOVE_PRIMARY and key.multi_region_key_type == "PRIMARY":
            found[arn] = "kms:UpdatePrimaryRegion"
    return found


def _substitution_hit(view: View, who: Principal, ways: dict[str, str]) -> Hit:
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} can swap what is used in place of {len(ways)} keys ({listing(ways.values())}).",
        account=who.account or "",
        keys=tuple(ways),
        principals=(who.arn,),
        evidence=tuple(Evidence("substitution", f"{how}: {arn}") for arn, how in sorted(ways.items())[:10]),
        raised=given((view.restricted(ways), "encryption workloads of a T1 key")),
        identity=(who.unique_id or who.arn, *ways.values()),
    )
