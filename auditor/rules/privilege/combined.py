"""Rules about identities that hold too much on one key: everything, or both administration and use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.model.access import Role
from auditor.model.actions import CONTROL, DESTROY, FORGE, NEW_DATA_KEYS, SENSITIVE, TAKEOVER, USE, actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import sensitive_use
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.cited import cited_as_written
from auditor.rules.conditions import residual_evidence
from auditor.rules.corrections import deny, one_or_many, without_actions
from auditor.rules.corrections import statements as corrected
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.principals import federated_person, reachable_from_outside
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import Power, power
from auditor.rules.reach import Openness
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_USE = [action.name for action in actions_in(USE | NEW_DATA_KEYS)]
"""What the administrators of a key do not need."""


def everything(own: Power) -> NDArray[np.int8]:
    """Per pair: the openness of holding use, takeover and destruction together; the weakest of the three counts.

    Where a condition guards some of the three and not the others, the weaker rules tell each as open as it is.
    """
    import numpy as np

    powers = (own.read(), own.takeover(), own.destroy())
    weakest, strongest = np.minimum.reduce(powers), np.maximum.reduce(powers)
    mixed = (weakest == int(Openness.GUARDED)) & (strongest == int(Openness.OPEN))
    return np.where(mixed, np.int8(0), weakest)


def full_pairs(view: View) -> NDArray[np.int8]:
    """Per pair: how open full-kms-to-non-admin tells it, so that rules about less than that stay quiet."""
    import numpy as np

    return np.where(administrators(view), np.int8(0), everything(power(view)))


def administrators(view: View) -> NDArray[np.bool_]:
    """Per pair: whether the settings name the principal as administrator of keys or account, or as break-glass."""
    return view.once("administrators", lambda: _administrators(view))


def _administrators(view: View) -> NDArray[np.bool_]:
    import numpy as np

    glass = view.settings.break_glass
    spared = np.array([view.trust.named(who, glass) for who in view.reach.principals], dtype=bool)
    named: NDArray[np.bool_] = (view.key_admins | spared)[power(view).pairs.principals]
    return named


def holding_hit(
    view: View,
    holding: Holding,
    summary: str,
    *,
    raised: tuple[str, ...] = (),
    lowered: tuple[str, ...] = (),
    more: tuple[Evidence, ...] = (),
    remedy: str = "",
    remedy_kind: str = "",
    fix: tuple[tuple[str, str], ...] = (),
) -> Hit:
    """A hit about one principal and the keys over which it holds a power."""
    who = holding.principal
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=summary,
        account=who.account or "",
        keys=holding.arns,
        principals=(who.arn,),
        evidence=(
            Evidence("principal", who.arn),
            *holding.evidence(),
            *residual_evidence(holding.sample, view.owner(holding.keys[0])),
            *more,
        ),
        raised=raised,
        lowered=lowered,
        latent=holding.latent,
        confidence=holding.confidence,
        identity=holding.identity(view),
        remedy=remedy,
        remedy_kind=remedy_kind,
        fix=fix,
    )


def _paths(view: View, holding: Holding, *masks: int) -> tuple[Evidence, ...]:
    """One statement or grant per kind of power by which the holder has it on one of the keys."""
    found: dict[int, Evidence] = {}
    row = view.reach.principal_at[holding.principal.arn]
    for profile, key in zip(holding.pairs.profiles.tolist(), holding.pairs.keys.tolist(), strict=True):
        held = power(view).held(row, profile, key, *holding.levels)
        for mask in masks:
            for action in actions_in(held & mask if mask not in found else 0):
                allows = [c for c in view.reach.decision(profile, action.bit).causes if c.role is Role.ALLOWS]
                if allows:
                    last = allows[-1]
                    words = (
                        f"{action.name} on {view.reach.keys[key].label}: {last.statement or last.grant or last.note}"
                    )
                    found.setdefault(mask, Evidence("path", words, last.statement, last.grant))
    return tuple(found[mask] for mask in masks if mask in found)


def full_kms_to_non_admin(view: View) -> Iterator[Hit]:
    """A principal that is no administrator can use, take over and destroy one and the same key.

    Counts what the evaluated access says, whatever the statements look like: at least one action each of reading (or
    signing), takeover and destruction. Administrators of keys and accounts come from the settings. Silent for
    service-linked roles, the root user and break-glass principals.

    Fix: replace the wildcard with the actions that the workload calls; administration goes to the key administrators.
    """
    own = power(view)
    for holding in own.holdings(full_pairs(view), SENSITIVE):
        who = holding.principal
        exposed = who.kind is PrincipalKind.USER or reachable_from_outside(who, view.trust)
        yield holding_hit(
            view,
            holding,
            f"{who.arn} can use, take over and destroy {holding.on_what}, and is not a key administrator.",
            raised=given((exposed and view.restricted(holding.arns), "T1 key and the principal")),
            lowered=given(
                (holding.level is Openness.GUARDED, "all paths carry an S2"), (holding.latent, "latent behind SCP")
            ),
            more=_paths(view, holding, USE, TAKEOVER, DESTROY),
            remedy=use_only(view, holding),
        )


def admin_and_user_combined(view: View) -> Iterator[Hit]:
    """One principal both administers a key and reads (or signs) with it.

    Whoever can change a key's policy, create grants or destroy it should not also read what it protects. Silent when
    the only administrative action is CreateGrant for AWS services, for the root user and for exempt accounts.
    Administrators of a whole account are told once per account.

    Fix: two roles per key; the binding Deny on cryptographic actions for administrators belongs in an SCP.
    """
    import numpy as np

    own = power(view)
    levels = np.minimum(np.maximum(own.takeover(), own.destroy()), own.read())
    levels = np.where(levels >= int(Openness.MAYBE), levels, np.int8(0))
    grouped: dict[str, list[Holding]] = {}
    for holding in own.holdings(levels, SENSITIVE):
        account = holding.principal.account or ""
        if view.trust.account_in(account, view.settings.sod_exempt_accounts):
            continue
        if view.trust.account_admin(holding.principal):
            grouped.setdefault(account, []).append(holding)
            continue
        who = holding.principal
        administers = listing((action.name for action in actions_in(holding.mask & CONTROL)), 3)
        uses = listing((action.name for action in actions_in(holding.mask & USE)), 3)
        yield holding_hit(
            view,
            holding,
            f"{who.arn} administers {holding.on_what} ({administers}) and also uses {holding.them} ({uses}).",
            raised=given((view.restricted(holding.arns), "T1 key"), (human(who), "principal is a human")),
            more=_paths(view, holding, CONTROL, USE),
            fix=(("arn:aws:iam::*:role/key-admin*", who.iam_arn),),
        )
    for account, holdings in sorted(grouped.items()):
        certain = [holding for holding in holdings if holding.level is not Openness.MAYBE]
        yield _grouped(view, account, certain or holdings)


def use_only(view: View, holding: Holding) -> str:
    """The statement that gives the power, with nothing but the use that a workload of this key type makes of it."""
    signs = sensitive_use(holding.keys[0]) == FORGE
    use = ("kms:Sign", "kms:GetPublicKey") if signs else ("kms:Decrypt", "kms:GenerateDataKey*")
    for cause in reversed(holding.sample.causes):
        if cause.role is not Role.ALLOWS or cause.statement is None:
            continue
        written = cited_as_written(view, cause.statement, holding.principal.arn, holding.keys[0])
        if written:
            return corrected(without_actions(written, (), (*use, "kms:DescribeKey")))
    return ""


def human(who: Principal) -> bool:
    """Whether people act as the principal: an IAM user, or a role that a directory lets people into."""
    return who.kind is PrincipalKind.USER or federated_person(who)


def _grouped(view: View, account: str, holdings: list[Holding]) -> Hit:
    names = tuple(holding.principal.arn for holding in holdings)
    keys = tuple(sorted({arn for holding in holdings for arn in holding.arns}))
    return Hit(
        subject=account,
        kind="account",
        summary=f"{count(len(names), 'administrator')} of account {account} can administer and use "
        f"{count(len(keys), 'key')}.",
        account=account,
        keys=keys,
        principals=names,
        evidence=(Evidence("administrators", listing(names)), Evidence("keys", listing(keys))),
        raised=given((view.restricted(keys), "T1 key")),
        lowered=("principal is account-wide administrator",),
        confidence=Confidence.POTENTIAL
        if all(holding.level is Openness.MAYBE for holding in holdings)
        else Confidence.CONFIRMED,
        identity=tuple(holding.principal.unique_id or holding.principal.arn for holding in holdings),
        remedy=deny(
            "AdministratorsDoNotRead",
            NO_USE,
            {"ArnEquals": {"aws:PrincipalArn": one_or_many(names)}},
            in_key_policy=False,
        ),
    )
