"""Rule about keys of one environment that identities of a lower one can reach."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import CONTROL, SENSITIVE, actions_in
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.organization import OrgTarget, TargetKind
from auditor.model.policy import StatementRef
from auditor.model.principal import Principal
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.doubt import also_in_doubt
from auditor.rules.exposure.strangers import allowing
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.privilege.power import power
from auditor.rules.reach import CERTAIN, INSIDE
from auditor.rules.statements import action_mask
from auditor.rules.view import View


def _environment(view: View, account: str) -> str | None:
    """The environment of an account: its tag, or the name of an organizational unit above it."""
    organization = view.snapshot.organization
    known = {name.lower() for name, _ in view.settings.environments}
    for level in reversed((organization.levels(account) if organization else None) or ()):
        found = _named(level, view.settings.environment_tag, known)
        if found:
            return found
    return None


def _named(level: OrgTarget, tag: str, known: set[str]) -> str | None:
    tagged = next((value.lower() for name, value in level.tags if name.lower() == tag.lower()), None)
    if tagged in known:
        return tagged
    return level.name.lower() if level.kind == TargetKind.UNIT and level.name.lower() in known else None


@also_in_doubt
def cross_environment_access(view: View) -> Iterator[Hit]:
    """An identity of a lower environment can reach a key of a higher one: test reads production.

    Environments come from account tags, names of organizational units and the key's own tag; their ranks from the
    settings. Where one of the two is unknown nothing is concluded. Roles that cross on purpose are listed in
    ``shared_service_principals``. Of member accounts that were not collected the worst is assumed.

    Fix: give each environment its own key.
    """
    import numpy as np

    ranks = {name.lower(): rank for name, rank in view.settings.environments}
    own_power = power(view)
    pairs = view.reach.pairs(SENSITIVE, inside=False)
    known = np.array([_of_the_estate(view, who) for who in view.reach.principals], dtype=bool)
    pairs = pairs.select(known[pairs.principals]) if len(pairs) else pairs
    pairs = pairs.select(view.reach.having(pairs, SENSITIVE, *CERTAIN)) if len(pairs) else pairs
    environments = {
        account: _environment(view, account) for account in view.trust.organization_accounts | view.trust.collected
    }
    for position, own in pairs.by_key():
        key = view.reach.keys[position]
        tagged = (key.tag(view.settings.environment_tag) or "").lower()
        home = tagged if tagged in ranks else environments.get(key.account)
        if home is None:
            continue
        lower: dict[str, int] = {}
        for row, profile in zip(own.principals.tolist(), own.profiles.tolist(), strict=True):
            who = view.reach.principals[row]
            other = environments.get(who.account or "")
            if (
                other
                and ranks[other] < ranks[home]
                and not view.trust.named(who, view.settings.shared_service_principals)
            ):
                held = own_power.held(row, profile, position, *CERTAIN) & SENSITIVE
                if held:
                    lower[who.arn] = held
        if lower:
            found = {environments.get(account_of(arn) or "") or "" for arn in lower}
            yield _environment_hit(view, key, home, lower, found)


def _of_the_estate(view: View, who: Principal) -> bool:
    """Whether the caller is an identity that was collected, or one of a member account that was not."""
    if who.kind in INSIDE:
        return True
    return who.assume_allowed and who.account in view.trust.organization_accounts


def _environment_hit(view: View, key: Key, home: str, lower: dict[str, int], environments: set[str]) -> Hit:
    mask = 0
    for held in lower.values():
        mask |= held
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"{count(len(lower), 'identity')} of lower environments can reach {key.label}, a key of {home}.",
        keys=(key.arn,),
        principals=tuple(lower),
        evidence=(
            *(Evidence("statement", str(item.ref), item.ref) for item in _opening(view, key, lower)),
            Evidence("environment of the key", home),
            Evidence("environments of the principals", listing(environments)),
            Evidence("principals", listing(lower)),
            Evidence("actions", listing((action.name for action in actions_in(mask)), 10)),
        ),
        raised=given((view.tier(key) == "T1" or mask & CONTROL, "T1 key or DESTROY")),
        identity=tuple(lower),
        remedy=deny(
            "KeepLowerEnvironmentsOut",
            (action.name for action in actions_in(mask)),
            {"StringEquals": {"aws:PrincipalAccount": one_or_many(account_of(arn) or "" for arn in lower)}},
            in_key_policy=True,
        ),
        advice="Give each environment its own key, move the lower one there, and add the Deny to this key's policy.",
    )


def _opening(view: View, key: Key, lower: dict[str, int]) -> list[Located]:
    """The statements of the key's policies through which the lower environments come in."""
    found: dict[StatementRef, Located] = {}
    position = view.reach.key_at[key.arn]
    for profile in sorted({view.reach.profile(view.reach.principal_at[arn], position) for arn in lower}):
        for action in actions_in(view.reach.held(profile, position, *CERTAIN)):
            for item in allowing(view, key, view.reach.decision(profile, action.bit)):
                if action_mask(item.statement) & SENSITIVE:
                    found.setdefault(item.ref, item)
    return list(found.values())
