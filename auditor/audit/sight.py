"""Where a run could look: whether it would have had a finding of another run, were it so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from auditor.model.arn import account_of, is_account_id, parse_arn, place_of
from auditor.model.coverage import OF_THE_ORGANIZATION, THE_ORGANIZATION
from auditor.model.inventory import Inventory
from auditor.model.key import OPTIONAL_FACTS, Fact

if TYPE_CHECKING:
    from auditor.model.finding import Finding, RuleStatus, SkippedScope
    from auditor.model.organization import Organization
    from auditor.model.snapshot import Snapshot
    from auditor.rules.catalogue import RuleFacts

ABOUT_ACCESS = frozenset({"access.matrix", "key.policy", "key.grants", "iam.policies"})
"""Inputs of rules about access. What such a rule says of a subject may rest on every fact that access rests on, whether
or not the rule looks at it: where one could not be read, a finding may be hidden, not gone."""

TOLD_OF_LEVELS = OF_THE_ORGANIZATION | {Fact.TAGS}


class Judged(Protocol):
    """Findings with what became of each rule, and where it looked: a Report, or the judgement of a part."""

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings."""

    @property
    def rules(self) -> Sequence[RuleStatus]:
        """One status per rule."""


class Sight:
    """Where a run could look: what it collected, and what its rules could not see there.

    ``other`` is what the run looked at whose findings it is asked about.
    """

    def __init__(self, run: Judged, snapshot: Snapshot, other: Snapshot) -> None:
        from auditor.rules.catalogue import catalogue
        from auditor.rules.inputs import Missing, optional_inputs

        self._catalogue = catalogue()
        self._unasked = optional_inputs(other) - optional_inputs(snapshot)
        self._missing = Missing(snapshot)
        self._snapshot = snapshot
        self._inventory = Inventory(snapshot)
        self._there_alone = _entities(other) - _entities(snapshot) - {gap.subject for gap in snapshot.gaps}
        self._rules = {status.rule: status for status in run.rules}
        self._skipped = {rule: _Scopes(status.skipped) for rule, status in self._rules.items()}
        self._optional: dict[str, _Scopes] = {}
        self._unread = _Scopes(_unread(snapshot))

    def reached(self, finding: Finding) -> bool:
        """Whether the run would have had a finding of another run, were it so.

        Either it knows that the subject does not exist, or the rule was evaluated for the subject, keys and principals,
        where they were collected. Only then is a finding that is not there resolved, or new.
        """
        if self._knows_none(finding.subject):
            return True
        status = self._rules.get(finding.rule)
        if status is None or not status.evaluated:
            return False
        names, everybody = _names_of(finding), _whole_accounts(finding)
        organization = self._snapshot.organization
        if self._skipped[finding.rule].hide(names, {finding.account}, organization, everybody):
            return False
        rule = self._catalogue.get(finding.rule)
        if rule is not None and not self._unasked.isdisjoint(rule.optional):
            return False
        if rule is not None and self._lacking(rule).hide(names, {finding.account}, organization, everybody):
            return False
        if rule is not None and _about_access(rule) and self._unread:
            accounts = _accounts_of(finding)
            if _wide(finding) or self._unread.hide(names, accounts, organization, everybody):
                return False
        places = {(finding.account, finding.region)} | {place_of(arn) for arn in finding.keys}
        return all(self._collected(*place) for place in places)

    def _lacking(self, rule: RuleFacts) -> _Scopes:
        """Where the rule was evaluated, and did not see everything that it looks at."""
        if rule.id not in self._optional:
            self._optional[rule.id] = _Scopes(self._missing.without_optional(rule))
        return self._optional[rule.id]

    def _knows_none(self, subject: str) -> bool:
        """Whether a key, user or role of the other run was looked for and does not exist."""
        arn = parse_arn(subject)
        if arn is None or subject not in self._there_alone:
            return False
        if arn.service == "kms":
            return self._inventory.keys_read(arn.account, arn.region)
        return self._inventory.identities_read(subject)

    def _collected(self, account: str, region: str) -> bool:
        if not account:
            return True
        facts = self._snapshot.account(account)
        if facts is None or not facts.entered:
            return False
        return not region or not facts.regions or region in facts.regions


def _entities(snapshot: Snapshot) -> set[str]:
    """The ARNs of keys, users and roles."""
    return {key.arn for key in snapshot.keys} | {who.arn for who in snapshot.principals}


def _about_access(rule: RuleFacts) -> bool:
    from auditor.rules.inputs import inputs_of

    return not ABOUT_ACCESS.isdisjoint(inputs_of(rule))


class _Scopes:
    """Scopes that could not be looked at, by place; those of the organization reach down to its accounts."""

    def __init__(self, scopes: Iterable[SkippedScope]) -> None:
        found = tuple(scopes)
        self._places = {scope.place for scope in found}
        self._above = [one for one in found if one.fact in TOLD_OF_LEVELS and not one.in_baseline]

    def __bool__(self) -> bool:
        return bool(self._places)

    def hide(
        self,
        names: Collection[str],
        accounts: Collection[str],
        organization: Organization | None,
        everybody: Collection[str] = (),
    ) -> bool:
        """Whether a finding may be in one of them: it is about it or speaks of it, or of ``everybody`` in its account,
        or one of its accounts is bound by a level of the organization, or by a policy, that could not be read."""
        if not self._places.isdisjoint(names):
            return True
        if everybody and any(":iam:" in place and account_of(place) in everybody for place in self._places):
            return True
        return any(_binds(scope, account, organization) for scope in self._above for account in accounts)


def _binds(scope: SkippedScope, account: str, organization: Organization | None) -> bool:
    """Whether a finding about the account may rest on what could not be read of a level; of a policy, or of the whole
    organization, it may rest wherever the account is."""
    level = organization.target(scope.place) if organization is not None else None
    if scope.fact is Fact.TAGS and level is None:
        return scope.place == THE_ORGANIZATION  # else they are those of a key
    if organization is None or scope.fact is Fact.ORGANIZATION or level is None:
        return True
    levels = organization.levels(account)
    return levels is None or any(level.id == scope.place for level in levels)


def _unread(snapshot: Snapshot) -> Iterator[SkippedScope]:
    """Everything that access rests on and that could not be read."""
    from auditor.model.finding import SkippedScope
    from auditor.rules.inputs import place_of

    unread = [(key.arn, key.unread) for key in snapshot.keys] + [(who.arn, who.unread) for who in snapshot.principals]
    for arn, facts in unread:
        yield from (SkippedScope(arn, fact) for fact in facts - OPTIONAL_FACTS)
    for gap in snapshot.gaps:
        if gap.essential:
            yield SkippedScope(place_of(gap), gap.fact)


def _wide(finding: Finding) -> bool:
    """Whether a finding is about no key, principal or account, as one about an SCP is: it may rest on anything."""
    return not finding.keys and finding.subject != finding.account and parse_arn(finding.subject) is None


def _names_of(finding: Finding) -> set[str]:
    """Everything that a finding is about or speaks of, and the accounts and Regions that these are in."""
    found = {finding.subject, *finding.keys, *finding.principals, finding.account}
    found.add(f"{finding.account}/{finding.region}")
    for account, region in map(place_of, finding.keys):
        found |= {account, f"{account}/{region}"}
    found |= {account_of(arn) or "" for arn in finding.principals}
    told = {name for item in finding.evidence for name in item.names}  # readers that are only counted, holders
    return found | told | {account_of(name) or "" for name in told}


def _whole_accounts(finding: Finding) -> set[str]:
    """The accounts of which evidence speaks as a whole: so many are meant that they are not named one by one."""
    return {name for item in finding.evidence for name in item.names if is_account_id(name)}


def _accounts_of(finding: Finding) -> set[str]:
    """The accounts whose guardrails bear on a finding."""
    found = {finding.account, *(account for account, _ in map(place_of, finding.keys))}
    return {*found, *(account_of(arn) or "" for arn in finding.principals)} - {""}
