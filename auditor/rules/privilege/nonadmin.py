"""Rules about identities that are no administrators and can take over, destroy, hand out or open up a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.model.access import Decision, Role
from auditor.model.actions import CREATE_GRANT, DESTROY, STORE_BREAKERS, TAKEOVER, actions_in, mask_of
from auditor.model.key import Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.cited import cited_statement
from auditor.rules.conditions import as_residual, demands
from auditor.rules.corrections import but_by, deny
from auditor.rules.hit import Hit, given, listing
from auditor.rules.identity.users import mfa_bound
from auditor.rules.principals import admissions as ways_in
from auditor.rules.principals import reachable_from_outside, requires_mfa
from auditor.rules.privilege.combined import administrators, full_pairs, holding_hit
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import PUT_POLICY, Power, constrained_grants, power
from auditor.rules.reach import CERTAIN, Openness
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DISABLE = mask_of(["DisableKey"])
ENABLE = mask_of(["EnableKey"])
DELETE_MATERIAL = mask_of(["DeleteImportedKeyMaterial"])
INSTANT = DELETE_MATERIAL | STORE_BREAKERS
USAGE_GUARD_DAYS = 180


def _not_named(view: View, levels: NDArray[np.int8]) -> NDArray[np.int8]:
    import numpy as np

    found: NDArray[np.int8] = np.where(administrators(view), np.int8(0), levels)
    return found


def rewriting(own: Power) -> NDArray[np.int8]:
    """Per pair: PutKeyPolicy, or ReplicateKey with CreateKey; grants are another rule's business."""
    import numpy as np

    return np.maximum(own.level_of(PUT_POLICY), own.replicating())


def key_takeover_by_non_admin(view: View) -> Iterator[Hit]:
    """Somebody who is no administrator can rewrite who has access to a key.

    PutKeyPolicy, CreateGrant that nothing limits, or ReplicateKey together with CreateKey each give any use of the
    key in one step. Where only CreateGrant is open, creategrant-not-limited-to-services tells it.

    Fix: remove the action, or deny it in the key policy to everybody but the key administrators.
    """
    import numpy as np

    own = power(view)
    levels = _not_named(view, rewriting(own))
    levels = np.where(full_pairs(view) >= levels, np.int8(0), levels)
    for holding in own.holdings(levels, TAKEOVER):
        who = holding.principal
        exposed = reachable_from_outside(who, view.trust) or view.restricted(holding.arns)
        names = listing(action.name for action in actions_in(holding.mask))
        yield holding_hit(
            view,
            holding,
            f"{who.arn} can rewrite who has access to {holding.on_what} ({names}).",
            raised=given((exposed, "T1 key, or the principal")),
            lowered=given((holding.level is Openness.GUARDED, "residual S2"), (holding.latent, "latent")),
        )


def creategrant_not_limited_to_services(view: View) -> Iterator[Hit]:
    """CreateGrant is open to an identity without being limited to AWS services.

    Its holder can give any operation to anybody, also to itself. Silent when ``kms:GrantIsForAWSResource``, a
    service that calls, fixed grantees, constraints or harmless operations limit it, where PutKeyPolicy is open as well,
    and where a grant alone gives it: that hands on no more than itself.

    Fix: add the service condition to the statement, or deny the rest by SCP.
    """
    import numpy as np

    own = power(view)
    constrained = constrained_grants(view.reach)[own.pairs.profiles]
    grants = np.where(constrained, np.int8(0), own.unlimited_grant())
    told = np.maximum(full_pairs(view), rewriting(own)) >= grants
    levels = np.where(told & ~administrators(view), np.int8(0), _not_named(view, grants))
    levels = np.where(levels >= int(Openness.MAYBE), levels, np.int8(0))
    for holding in own.holdings(levels, CREATE_GRANT):
        yield holding_hit(
            view,
            holding,
            f"{holding.principal.arn} may create grants on {holding.on_what} for anybody.",
            raised=given((view.restricted(holding.arns), "T1 key")),
        )


def _others_enable(view: View, holding: Holding) -> bool:
    """Whether, for every key, somebody else (the root user included) may enable it again."""
    enables = view.once("enabling-profiles", lambda: _profiles_with(view, ENABLE))
    able = view.once("enablers", lambda: _counted(view, enables))
    alone = able[holding.pairs.keys] - enables[holding.pairs.profiles]
    return bool((alone > 0).all())


def _profiles_with(view: View, mask: int) -> NDArray[np.bool_]:
    import numpy as np

    found = np.zeros(len(view.reach.table.profiles), dtype=bool)
    for level in (Openness.OPEN, Openness.GUARDED):
        found |= (view.reach.masks[level] & np.uint64(mask)) != 0
    return found


def _counted(view: View, flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of a customer managed key → how many identities and root users have a flagged profile on it; the flags
    are of profiles that allow something."""
    import numpy as np

    cells, pairs = view.reach.table.cells, view.reach.all_pairs
    roots = np.flatnonzero([who.kind is PrincipalKind.ROOT for who in view.reach.principals])
    held = np.bincount(pairs.keys[flags[pairs.profiles]], minlength=cells.shape[1])
    return np.asarray(held + flags[cells[roots]].sum(axis=0), dtype=np.int64)


def _for_backups(keys: tuple[Key, ...]) -> bool:
    """Whether AWS Backup holds a grant on one of the keys, or a tag says that it is used for backups."""
    return any(
        (key.tag("purpose") or "").lower() == "backup"
        or any((grant.service or "").startswith("backup.") for grant in key.grants)
        for key in keys
    )


def _usage_guard(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only keys that nobody has used for more than USAGE_GUARD_DAYS days."""
    if leaf.key.lower() != "kms:trailingdayswithoutkeyusage" or "than" not in leaf.operator.lower():
        return False
    days = [float(value) for value in leaf.values if value.replace(".", "", 1).isdigit()]
    operator = leaf.operator.lower()
    more_than = ("lessthan" in operator) == ("equals" in operator)
    enough = bool(days) and (min(days) >= USAGE_GUARD_DAYS if more_than else min(days) > USAGE_GUARD_DAYS)
    return enough and ("lessthan" in operator) == negated


def _guarded_by_usage(view: View, holding: Holding) -> bool:
    found = [
        (view.reach.decision(profile, action.bit), view.reach.keys[key])
        for profile, key in zip(holding.pairs.profiles.tolist(), holding.pairs.keys.tolist(), strict=True)
        for action in actions_in(view.reach.held(profile, key, *CERTAIN) & DESTROY)
    ]
    return bool(found) and all(
        demands(decision.residual, _usage_guard) or _decided_by_usage(view, decision, holding.principal, key)
        for decision, key in found
    )


def _decided_by_usage(view: View, decision: Decision, who: Principal, key: Key) -> bool:
    """Whether the allow carries the usage condition, met today by what is known of the key's last use."""
    allows = [cause.statement for cause in decision.causes if cause.role is Role.ALLOWS and cause.statement]
    statements = [cited_statement(view, ref, who, key) for ref in allows]
    return any(statement is not None and demands(as_residual(statement), _usage_guard) for statement in statements)


def key_destruction_by_non_admin(view: View) -> Iterator[Hit]:
    """Somebody who is no administrator can disable or destroy a key, and with it everything it encrypts.

    Destruction is ScheduleKeyDeletion, DisableKey, DeleteImportedKeyMaterial, or cutting off a custom key store. A
    condition on the days without usage lowers the finding; exempt accounts are silent.

    Fix: deny destruction to everybody but the decommissioning role.
    """
    import numpy as np

    own = power(view)
    destroyers = np.array([view.trust.key_destroyer(who) for who in view.reach.principals], dtype=bool)
    levels = np.where(destroyers[own.pairs.principals], np.int8(0), _not_named(view, own.destroy()))
    for holding in own.holdings(levels, DESTROY):
        if view.trust.account_in(holding.principal.account or "", view.settings.destroy_exempt_accounts):
            continue
        names = listing(action.name for action in actions_in(holding.mask))
        yield holding_hit(
            view,
            holding,
            f"{holding.principal.arn} can disable or destroy {holding.on_what} ({names}).",
            raised=given(
                (view.restricted(holding.arns) or _for_backups(holding.keys), "T1 key or key used for backups")
            ),
            lowered=given(
                (holding.mask == DISABLE and _others_enable(view, holding), "only DisableKey"),
                (_guarded_by_usage(view, holding), "TrailingDaysWithoutKeyUsage"),
                (holding.latent, "latent"),
            ),
            remedy=_for_destroyers(view, holding) if holding.mask & INSTANT else "",
            remedy_kind="service-control-policy",
        )


def _for_destroyers(view: View, holding: Holding) -> str:
    """An SCP statement that leaves destruction to the roles meant for it: a condition on use does not save material or
    key stores."""
    named = view.settings.key_destroyers or view.settings.key_admins
    actions = sorted(action.name for action in actions_in(holding.mask))
    condition = but_by(named, "key-decommission", holding.keys[0].partition)
    return deny("KeysStay", actions, condition, in_key_policy=False)


def _instant(own: Power) -> NDArray[np.int8]:
    import numpy as np

    external = np.array([key.origin == "EXTERNAL" for key in own.reach.keys], dtype=bool)
    material = np.where(external[own.pairs.keys], own.level_of(DELETE_MATERIAL), np.int8(0))
    return np.maximum(material, own.store_breaking()).astype(np.int8)


def instant_destruction_capability(view: View) -> Iterator[Hit]:
    """Somebody can destroy or cut off a key at once, without the waiting period of a deletion.

    Imported material can be deleted immediately, and a custom key store can be disconnected; both stop every use.
    Principals that the settings list as destroyers are silent.

    Fix: deny the action except to the decommissioning role, and test that the material can be imported again.
    """
    import numpy as np

    own = power(view)
    named = np.array([view.trust.key_destroyer(who) for who in view.reach.principals], dtype=bool)
    levels = _instant(own)
    levels = np.where(named[own.pairs.principals] | (levels < int(Openness.MAYBE)), np.int8(0), levels)
    for holding in own.holdings(levels, DELETE_MATERIAL | STORE_BREAKERS):
        who = holding.principal
        at_the_door = bool(who.trust_policy) and all(requires_mfa(way.statement) for way in ways_in(who))
        trusted = view.trust.key_admin(who) and (at_the_door or mfa_bound(view, holding, holding.mask))
        yield holding_hit(
            view,
            holding,
            f"{who.arn} can destroy or cut off {holding.on_what} without any waiting period.",
            raised=given((view.restricted(holding.arns), "T1 key, or no re-import")),
            lowered=given((trusted, "listed administrator with MFA")),
        )
