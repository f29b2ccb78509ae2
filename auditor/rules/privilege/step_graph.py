"""Who can become whom in one step, as policies and trust say; keys and access to them play no part.

Identities that no policy tells apart are asked about once. The steps themselves are read in ``steps``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.iam_side import Likeness, likeness
from auditor.rules.principals import Admission, service_linked
from auditor.rules.privilege.central import roots, steward
from auditor.rules.privilege.steps import ENTERING, Step, about_identity, step_to, verbs_of, ways_into
from auditor.rules.view import View

ANYWHERE = "*"
Steps = tuple[tuple[Principal, Step], ...]


class StepGraph:
    """The steps between the users and roles of one estate, service-linked roles aside, and to root users."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.candidates = [
            who
            for who in view.snapshot.principals
            if who.kind in (PrincipalKind.USER, PrincipalKind.ROLE) and not service_linked(who)
        ]
        self.verbs = {who.arn: verbs_of(view, who) for who in self.candidates}
        self.roots = roots(view, self.verbs)
        self.by_arn = {who.arn: who for who in (*self.candidates, *self.roots)}
        self._groups = self._alike()
        self._known: dict[str, Steps] = {}
        self._from_account: dict[str, dict[str, list[str]]] = {}

    def _alike(self) -> dict[str, list[list[Principal]]]:
        """Account → groups of identities that no policy tells apart and that may become somebody by themselves."""
        found: dict[str, dict[Likeness, list[Principal]]] = {}
        for who in self.candidates:
            if self.verbs[who.arn] & ENTERING:
                found.setdefault(who.account or "", {}).setdefault(likeness(self._view, who), []).append(who)
        return {account: list(groups.values()) for account, groups in found.items()}

    def into(self, target: Principal) -> Steps:
        """Everybody who becomes the target in one step, and how."""
        if target.arn not in self._known:
            self._known[target.arn] = tuple(self._into(target))
        return self._known[target.arn]

    def _into(self, target: Principal) -> Iterator[tuple[Principal, Step]]:
        ways = ways_into(target)
        named = {way.value for way in ways}
        accounts = {target.account or ""} | {way.account for way in ways if way.account}
        accounts |= {steward(self._view, target)} - {""}
        if any(way.kind in ("everyone", "organization") for way in ways):
            accounts |= set(self._groups)
        trust = target.trust_policy.statements if target.trust_policy else ()
        listed = {entry.value for statement in trust for entry in statement.principals or ()}
        alike = not (named | listed) & self.verbs.keys() and not any(map(about_identity, trust))
        for account in sorted(accounts):
            for group in self._groups.get(account, ()):
                # Where neither policies nor the trust tell the members apart, one answer holds for all of them.
                asked = group[:1] if alike and target not in group else group
                steps = {who.arn: self._step(who, target, ways) for who in asked}
                for who in group:
                    step = steps.get(who.arn) if len(asked) > 1 else steps[asked[0].arn]
                    if step is not None and who.arn != target.arn:
                        yield who, step
        for arn in sorted(named & self.verbs.keys()):
            if not self.verbs[arn] & ENTERING and (step := self._step(self.by_arn[arn], target, ways)) is not None:
                yield self.by_arn[arn], step

    def _step(self, who: Principal, target: Principal, ways: tuple[Admission, ...]) -> Step | None:
        return None if who.arn == target.arn else step_to(self._view, who, target, ways, self.verbs[who.arn])

    def reaching(self, arns: Iterable[str], hops: int) -> frozenset[str]:
        """The ARNs of all who come to one of ``arns`` in at most ``hops`` steps; ``arns`` themselves with them."""
        return self._within(arns, hops, lambda arn: [who.arn for who, _ in self.into(self.by_arn[arn])])

    def reached(self, arns: Iterable[str], hops: int) -> frozenset[str]:
        """The ARNs of all to whom one of ``arns`` comes in at most ``hops`` steps; ``arns`` themselves with them."""
        return self._within(arns, hops, self._onward)

    def _onward(self, arn: str) -> Iterable[str]:
        """The ARNs of those whom an identity becomes in one step."""
        account = self.by_arn[arn].account or ""
        if account not in self._from_account:
            found: dict[str, list[str]] = {}
            for target in (*self._gates.get(account, ()), *self._gates.get(ANYWHERE, ())):
                for who, _ in self.into(target):
                    found.setdefault(who.arn, []).append(target.arn)
            self._from_account[account] = found
        return self._from_account[account].get(arn, ())

    @cached_property
    def _gates(self) -> dict[str, list[Principal]]:
        """Account → the identities that somebody of it may become at all; ANYWHERE: those that anybody may."""
        found: dict[str, list[Principal]] = {}
        for target in (*self.candidates, *self.roots):
            ways = ways_into(target)
            accounts = {target.account or "", *(way.account for way in ways if way.account)}
            accounts |= {steward(self._view, target)} - {""}
            if any(way.kind in ("everyone", "organization") for way in ways):
                accounts = {ANYWHERE}
            for account in accounts:
                found.setdefault(account, []).append(target)
        return found

    def _within(self, arns: Iterable[str], hops: int, beyond: Callable[[str], Iterable[str]]) -> frozenset[str]:
        found = {arn for arn in arns if arn in self.by_arn}
        edge = found
        for _ in range(hops):
            edge = {other for arn in edge for other in beyond(arn)} - found
            found = found | edge
        return frozenset(found)


def step_graph(view: View) -> StepGraph:
    """The steps of an estate, found once for all views of it."""
    return view.commons.once("step-graph", lambda: StepGraph(view))
