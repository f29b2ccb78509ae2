"""What accounts outside the organization can do with a key through its policy, whatever the trust register says.

Such an account is taken to allow everything on its own side, because nobody here can read its IAM.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from auditor.model.access import Decision
from auditor.model.actions import CREATE_GRANT, CROSS_ACCOUNT_EFFECTIVE, NEW_DATA_KEYS, USE, mask_of
from auditor.model.arn import account_of
from auditor.model.key import DEFAULT_POLICY, Key
from auditor.model.policy import Layer, Statement, StatementRef
from auditor.rules.conditions import accounts_in_conditions
from auditor.rules.exposure.strangers import for_everybody
from auditor.rules.reach import Openness, openness
from auditor.rules.statements import action_mask
from auditor.rules.view import View

OUTSIDE_USE = USE | NEW_DATA_KEYS | CREATE_GRANT
"""What somebody outside is given a key for: reading, signing, new data keys, and handing that on."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one outside account can do with one key through its policy, at the strongest openness found."""

    account: str
    names: tuple[str, ...]
    level: Openness
    decisions: dict[str, Decision]

    @property
    def mask(self) -> int:
        """The actions as a mask."""
        return mask_of(self.decisions)


def refusals(view: View, key: Key) -> list[tuple[StatementRef, Statement]]:
    """The Deny statements about the key, of its own policies and of the RCPs above it, if it speaks of everybody."""
    own = [(located.ref, located.statement) for located in view.statements(key)]
    if not any(for_everybody(statement) for _, statement in own):
        return []
    organization = view.snapshot.organization
    levels = organization.levels(key.account) if organization is not None else None
    above = (
        (StatementRef(Layer.RCP, rcp.name, level.id, one.index, one.sid), one)
        for level in levels or ()
        for rcp in level.rcps or ()
        for one in rcp.policy.statements
    )
    denying = ((ref, one) for ref, one in (*own, *above) if one.effect == "Deny")
    return [(ref, one) for ref, one in denying if action_mask(one) & CROSS_ACCOUNT_EFFECTIVE]


def exempted(view: View, key: Key) -> dict[str, list[StatementRef]]:
    """Outside accounts that get what the key gives to everybody where strangers do not, and what spares them."""
    return view.once(f"exempted {key.arn}", partial(_find_exempted, view, key))


def _find_exempted(view: View, key: Key) -> dict[str, list[StatementRef]]:
    named: dict[str, list[StatementRef]] = {}
    for ref, statement in refusals(view, key):
        for account in accounts_in_conditions(statement):
            if view.trust.standing(account, key.account).foreign:
                named.setdefault(account, []).append(ref)
    strangers = view.decisions(view.outsider, key, CROSS_ACCOUNT_EFFECTIVE) if named else {}
    view.decide_together(map(view.external, sorted(named)), key, CROSS_ACCOUNT_EFFECTIVE)
    return {
        account: refs
        for account, refs in sorted(named.items())
        if any(
            strangers[name].outcome.denied and not decision.outcome.denied
            for name, decision in view.decisions(view.external(account), key, CROSS_ACCOUNT_EFFECTIVE).items()
        )
    }


def outside_names(view: View, key: Key) -> dict[str, set[str]]:
    """Account → the principal values by which Allow statements of the key's own policy let it in, or its id where a
    Deny of everybody else spares it."""
    return view.once(f"outside-names {key.arn}", partial(_find_outside_names, view, key))


def _find_outside_names(view: View, key: Key) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for located in view.statements(key):
        statement = located.statement
        if statement.effect != "Allow" or located.ref.policy != DEFAULT_POLICY:
            continue
        for entry in statement.principals or ():
            account = account_of(entry.value) if entry.kind == "AWS" else None
            if account is not None and view.trust.standing(account, key.account).foreign:
                found.setdefault(account, set()).add(entry.value)
        if for_everybody(statement):
            for account in accounts_in_conditions(statement):
                if view.trust.standing(account, key.account).foreign:
                    found.setdefault(account, set()).add(account)
    spared = exempted(view, key)
    view.decide_together(map(view.external, sorted(found.keys() - spared.keys())), key, CROSS_ACCOUNT_EFFECTIVE)
    for account in spared:
        found.setdefault(account, set()).add(account)
    return found


def reached(view: View, key: Key, account: str) -> Reached | None:
    """What one of the ``outside_names`` can do if it allows everything on its own side; None where that is nothing."""
    names = outside_names(view, key)[account]
    return view.once(f"reached {account} {key.arn}", partial(_find_reached, view, key, account, names))


def _find_reached(view: View, key: Key, account: str, names: set[str]) -> Reached | None:
    graded: dict[Openness, dict[str, Decision]] = {}
    for name in sorted(names):
        caller = view.principal_by_arn.get(name) or view.external(account)
        for action, decision in view.decisions(caller, key, CROSS_ACCOUNT_EFFECTIVE).items():
            level = openness(decision, view.owner(key))
            if level not in (Openness.CLOSED, Openness.BLIND) and decision.path != "grant":
                graded.setdefault(level, {}).setdefault(action, decision)
    if not graded:
        return None
    live = {level: found for level, found in graded.items() if level is not Openness.LATENT}
    if not live:
        return Reached(account, tuple(sorted(names)), Openness.LATENT, graded[Openness.LATENT])
    merged: dict[str, Decision] = {}
    for level in sorted(live, reverse=True):
        for action, decision in live[level].items():
            merged.setdefault(action, decision)
    return Reached(account, tuple(sorted(names)), max(live), merged)
