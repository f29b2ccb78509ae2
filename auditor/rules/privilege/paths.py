"""Who could reach a key in one or two steps without access of its own: by becoming another, or by editing IAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.model.access import Outcome
from auditor.model.actions import POWER, actions_in, mask_of
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.conditions import grant_limited
from auditor.rules.iam_side import Likeness, likeness, may, not_stopped
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.privilege.central import LIFTS
from auditor.rules.privilege.editing import by_editing, edited, written_over
from auditor.rules.privilege.groups import policies_of_groups
from auditor.rules.privilege.making import Made, made_by
from auditor.rules.privilege.opened import EVERYTHING, Opened, opened_by_any_policy, powers_with_roots
from auditor.rules.privilege.path import NEW, WITHOUT, Path
from auditor.rules.privilege.sharing import SHARING, by_sharing
from auditor.rules.privilege.step_graph import step_graph
from auditor.rules.privilege.steps import EDITS, JOIN, LEAVE, Step, denying, edits_itself, sheds, unbinds_itself
from auditor.rules.privilege.unbinding import by_unbinding
from auditor.rules.reach import Openness, Pairs
from auditor.rules.view import View


class Finder:
    """The paths of one view, between the identities that have a row in its table."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.graph = step_graph(view)
        self.own = powers_with_roots(view, self.graph.roots)
        self._free: dict[tuple[Likeness, str], int] = {}
        self._blind: dict[str, frozenset[str]] = {}
        self.candidates = [who for who in self.graph.candidates if who.arn in view.reach.principal_at]

    def paths(self) -> dict[str, list[Path]]:
        """Principal ARN → its paths to keys that it has no power over, shortest first."""
        found: dict[str, list[Path]] = {}
        for who in self.candidates:
            for path in self._by_itself(who):
                self._add(found, who, path)
        for who, path in list(self._by_making(found)):
            self._add(found, who, path)
        targets = self._ends()
        for hop in range(1, self.view.settings.max_hops + 1):
            self._extend(found, targets)
            more = {1: self._by_unbinding, 2: self._by_editing}.get(hop)
            for who, path in list(more(found)) if more else ():
                self._add(found, who, path)
            if hop < self.view.settings.max_hops:
                targets = {arn: [path for path in paths if path.hops == hop] for arn, paths in found.items()}
        for who, path in list(self._by_sharing(found)):
            self._add(found, who, path)
        return found

    def _ends(self) -> dict[str, list[Path]]:
        """Principal ARN → what it has without a step: the keys that are certain, and those that are not."""
        sure = powers_with_roots(self.view, self.graph.roots, Openness.GUARDED)
        return {
            arn: [
                Path("", 0, (), keys, certain=certain)
                for keys, certain in ((sure.get(arn, frozenset()), True), (own - sure.get(arn, frozenset()), False))
                if keys
            ]
            for arn, own in self.own.items()
        }

    def _add(self, found: dict[str, list[Path]], who: Principal, path: Path) -> None:
        told = (one.keys for one in found.get(who.arn, ()) if one.certain or not path.certain)
        known = self.own.get(who.arn, frozenset()).union(*told)
        gained = path.keys - known
        unseen = self._unseen(who) if gained else gained
        for keys, certain in ((gained - unseen, path.certain), (gained & unseen, False)):
            if keys:
                found.setdefault(who.arn, []).append(replace(path, keys=keys, certain=certain))

    def _unseen(self, who: Principal) -> frozenset[str]:
        """The keys of which nobody could look whether the identity has power over them itself."""
        import numpy as np

        reach, row = self.view.reach, self.view.reach.principal_at.get(who.arn)
        if row is None:  # this view is about others
            return frozenset()
        if who.arn not in self._blind:
            every = np.arange(len(reach.keys), dtype=np.int64)
            pairs = Pairs(np.full(len(every), row), every, reach.table.cells[row].astype(np.int64))
            places = pairs.keys[reach.having(pairs, POWER, Openness.BLIND)]
            self._blind[who.arn] = frozenset(reach.keys[place].arn for place in places.tolist())
        return self._blind[who.arn]

    def _extend(self, found: dict[str, list[Path]], targets: dict[str, list[Path]]) -> None:
        """Paths that begin with a step to one of ``targets``."""
        new: list[tuple[Principal, Path]] = []
        for arn, paths in sorted(targets.items()):
            target = self.graph.by_arn.get(arn)
            if target is not None and paths:
                for who, step in self.graph.into(target):
                    new += [(who, self._longer(who, step, target, path)) for path in paths]
        for who, path in new:
            self._add(found, who, path)

    @staticmethod
    def _longer(who: Principal, step: Step, target: Principal, path: Path) -> Path:
        words = f"{who.arn} → {step.action} → {path.words or target.arn}"
        needs, via = dict.fromkeys((*step.needs, *path.needs)), (target.arn, *path.via)
        return Path(words, path.hops + 1, tuple(needs), path.keys, via, path.certain)

    def _by_itself(self, who: Principal) -> Iterator[Path]:
        """Editing its own policies, joining a group, taking its boundary or a Deny of its own away."""
        verbs = self.graph.verbs[who.arn]
        action = unbinds_itself(self.view, who)
        if verbs:
            for words, policies in self._by_writing(who, verbs):
                bigger = replace(who, identity_policies=policies)
                yield from self._gaining(who, bigger, f"{words} → any policy it likes")
                if action:
                    longer = f"{words} + {action} → any policy it likes"
                    yield from self._gaining(who, replace(bigger, boundary=None), longer)
            if JOIN in verbs and who.kind is PrincipalKind.USER:
                yield from self._by_joining(who)
        stopped = self._stopped(who) if action or denying(who) else frozenset()
        if stopped and action:
            words = f"{who.arn} → {action} → {WITHOUT} the boundary"
            yield from self._gaining(who, replace(who, boundary=None), words, stopped)
        if stopped:
            yield from self._by_shedding(who, stopped)

    def _by_writing(self, who: Principal, verbs: frozenset[str]) -> Iterator[tuple[str, tuple[AttachedPolicy, ...]]]:
        """Giving itself any policy, in words, and its policies then: beside all that it has, and in place of what
        denies."""
        if edit := next(edits_itself(self.view, who, verbs), ""):
            yield f"{who.arn} → {edit}", (*who.identity_policies, EVERYTHING)
            actions, kept = written_over(self.view, who, who, verbs)
            if actions:
                yield f"{who.arn} → {' + '.join(dict.fromkeys((edit, *actions)))}", (*kept, EVERYTHING)

    def _by_shedding(self, who: Principal, stopped: frozenset[str]) -> Iterator[Path]:
        """Ridding itself of policies with a Deny: of one, or of all that one action takes away."""
        by_action: dict[str, list[AttachedPolicy]] = {}
        for attached in denying(who):
            by_action.setdefault(sheds(self.view, who, attached), []).append(attached)
        for action, found in by_action.items():
            for shed in [*([one] for one in found), found] if action else ():
                gone = {one.owner for one in shed} if action == LEAVE else set()
                kept = tuple(one for one in who.identity_policies if one not in shed and one.owner not in gone)
                names = ", ".join(one.name.rsplit("/", 1)[-1] for one in shed)
                words = f"{who.arn} → {action} → {WITHOUT} {names}"
                yield from self._gaining(who, replace(who, identity_policies=kept), words, stopped)

    def _by_making(self, found: dict[str, list[Path]]) -> Iterator[tuple[Principal, Path]]:
        """Making a role or user with any policy, and becoming it."""
        able: list[tuple[Principal, Made, frozenset[str]]] = []
        for who in self.candidates:
            verbs = self.graph.verbs[who.arn]
            missing = self._missing(found, who) if verbs & EDITS else frozenset()
            if missing and (made := made_by(self.view, who, verbs)):
                able.append((who, made, missing))
        asked = frozenset[str]().union(*(missing for _, _, missing in able))
        made_up = {made.identity.arn: made.identity for _, made, _ in able}
        opened: dict[str, list[Opened]] = {}
        for one in opened_by_any_policy(self.view, tuple(made_up.values()), asked, {}) if asked else ():
            for target in one.targets:
                opened.setdefault(target.arn, []).append(one)
        for who, made, missing in able:
            for one in opened.get(made.identity.arn, ()):
                if one.keys & missing:
                    yield who, Path(f"{who.arn} → {made.actions} → {NEW}", 1, (), one.keys, certain=one.certain)

    def _missing(self, found: dict[str, list[Path]], who: Principal) -> frozenset[str]:
        """The keys of its account that leave power to IAM and to which the identity has no certain path yet."""
        told = (path.keys for path in found.get(who.arn, ()) if path.certain)
        delegating = self._delegating().get(who.account or "", frozenset())
        return delegating.difference(self.own.get(who.arn, ()), *told)

    def _by_editing(self, found: dict[str, list[Path]]) -> Iterator[tuple[Principal, Path]]:
        """Giving somebody any policy whom one may become in one step, and becoming it."""
        editors: dict[str, list[tuple[Principal, frozenset[str]]]] = {}
        for who in self.candidates:
            missing = self._missing(found, who) if self.graph.verbs[who.arn] & EDITS else frozenset()
            if missing:
                editors.setdefault(who.account or "", []).append((who, missing))
        for account, members in editors.items():
            asked = frozenset[str]().union(*(missing for _, missing in members))
            targets, ways = edited(self.view, self.graph, account, {who.arn for who, _ in members})
            given = opened_by_any_policy(self.view, targets, asked, self.own)
            for who, missing in members:
                yield from ((who, path) for path in by_editing(who, missing, given, ways.get(who.arn, {})))

    def _by_unbinding(self, found: dict[str, list[Path]]) -> Iterator[tuple[Principal, Path]]:
        """Taking away the SCPs and RCPs that stop it."""
        able = [(who, self.graph.verbs[who.arn]) for who in self.candidates if self.graph.verbs[who.arn] & LIFTS]
        told = {who.arn: [path.keys for path in found.get(who.arn, ()) if path.certain] for who, _ in able}
        return by_unbinding(
            self.view, ((who, verbs, self._stopped(who).difference(*told[who.arn])) for who, verbs in able)
        )

    def _by_sharing(self, found: dict[str, list[Path]]) -> Iterator[tuple[Principal, Path]]:
        """Giving other accounts the keys of its own to which nothing else leads."""
        keys = self.view.keys_by_account
        for who in self.candidates:
            verbs = self.graph.verbs[who.arn] & SHARING
            if verbs:
                told = frozenset().union(self.own.get(who.arn, ()), *(path.keys for path in found.get(who.arn, ())))
                missing = (key for key in keys.get(who.account or "", ()) if key.arn not in told)
                yield from ((who, path) for path in by_sharing(self.view, who, verbs, missing))

    def _delegating(self) -> dict[str, frozenset[str]]:
        """Account → the keys that leave some power to identity policies."""

        def make() -> dict[str, frozenset[str]]:
            keys = self.view.keys_by_account
            return {
                account: frozenset(key.arn for key in own if delegated_mask(self.view, key) & POWER)
                for account, own in keys.items()
            }

        return self.view.once("keys-that-delegate-power", make)

    def _stopped(self, who: Principal) -> frozenset[str]:
        """The keys over which something allows power and another layer takes it away."""
        reach = self.view.reach
        pairs = reach.pairs_of([reach.principal_at[who.arn]])
        stopped = pairs.select(reach.having(pairs, POWER, Openness.LATENT))
        return frozenset(reach.keys[position].arn for position in stopped.keys.tolist())

    def _by_joining(self, who: Principal) -> Iterator[Path]:
        for group, policies in sorted(
            policies_of_groups(self.view, self.graph.candidates).get(who.account or "", {}).items()
        ):
            if group.rsplit("/", 1)[-1] not in who.groups and may(self.view, who, JOIN, group):
                bigger = replace(who, identity_policies=(*who.identity_policies, *policies))
                yield from self._gaining(who, bigger, f"{who.arn} → {JOIN} → {group}")

    def _not_stopped(self, who: Principal, place: str) -> int:
        """The actions that neither a boundary nor an SCP nor a Deny of its own keeps from the identity in a Region."""
        asked = (likeness(self.view, who), place)
        if asked not in self._free:
            somewhere = f"{place}:key/any"
            free = [one.short for one in actions_in(POWER) if not_stopped(self.view, who, one.name, somewhere)]
            self._free[asked] = mask_of(free)
        return self._free[asked]

    def _gaining(
        self, who: Principal, bigger: Principal, words: str, among: frozenset[str] | None = None
    ) -> Iterator[Path]:
        """The paths of one step to the keys over which the identity would have power with other policies."""
        gained = self._gained(who, bigger)
        for certain in (True, False):
            keys = frozenset(arn for arn, sure in gained.items() if sure is certain and (among is None or arn in among))
            yield Path(words, 1, (), keys, certain=certain)

    def _gained(self, who: Principal, bigger: Principal) -> dict[str, bool]:
        """The keys over which the identity would have power with other policies, and has none today; whether that is
        certain."""
        keys = self.view.keys_by_account.get(who.account or "", [])
        known = self.own.get(who.arn, frozenset())
        own = who.identity_policies
        bound = bigger.boundary is who.boundary and bigger.identity_policies[: len(own)] == own
        found = {}
        for key in keys:
            if key.arn in known:
                continue
            free = POWER
            if bound:  # more policies give what the key leaves to them; without what bound it, anything may be gained
                free = self._not_stopped(who, key.arn.rsplit(":", 1)[0]) & delegated_mask(self.view, key)
            outcomes = self._outcomes(bigger, key, free)
            if outcomes:
                found[key.arn] = bool(outcomes - {Outcome.UNKNOWN})
        return found

    def _outcomes(self, bigger: Principal, key: Key, mask: int) -> set[Outcome]:
        """How the actions of ``mask`` would come out, denials and grants that are limited aside."""
        usable = mask & self.view.reach.usable[self.view.reach.key_at[key.arn]]
        found = [(action, self.view.evaluation.decide(bigger, key, action.name)) for action in actions_in(usable)]
        return {
            decision.outcome
            for action, decision in found
            if not decision.outcome.denied and not (action.short == "CreateGrant" and grant_limited(decision))
        }
