"""What differs between two snapshots of an estate, as far as rules look at it: callers, keys, and the world around."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol, TypeVar

from auditor.evaluator.operators import parse_operator
from auditor.model.arn import account_of
from auditor.model.evidence import Evidence
from auditor.model.key import Fact, Key
from auditor.model.moments import time_of_run
from auditor.model.organization import Organization, TargetKind
from auditor.model.policy import ConditionTest
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.questions.affected import World, policies_of
from auditor.rules.clock import CLOCK, in_time


class _Named(Protocol):
    @property
    def arn(self) -> str: ...


T = TypeVar("T", bound=_Named)


def same_around(old: World, new: World, settings: RuleSettings) -> bool:
    """Whether rules that ask about access see the same world around keys and callers, and trust the same accounts.

    SCPs and RCPs aside: see ``differing_guardrails``.
    """
    return _around(old) == _around(new) and not _runs_out(settings, old, new) and not _clock_turns(old, new)


def _around(side: World) -> tuple[Hashable, ...]:
    facts = side.snapshot
    logs = (facts.evidence.trails, facts.evidence.event_data_stores)
    return (facts.accounts, _tree(facts.organization), facts.organization_unread, logs, facts.evidence.shares)


def _tree(organization: Organization | None) -> Organization | None:
    """An organization without its SCPs and RCPs."""
    if organization is None:
        return None
    guardrails = frozenset({Fact.SCP, Fact.RCP})
    bare = (replace(target, scps=(), rcps=(), unread=target.unread - guardrails) for target in organization.targets)
    return replace(organization, targets=tuple(bare))


def differing_guardrails(old: World, new: World) -> frozenset[str]:
    """The accounts above which SCPs or RCPs differ, in trees that are the same otherwise."""
    was, now = old.snapshot.organization, new.snapshot.organization
    if was is None or now is None or was == now:
        return frozenset()
    members = [target.id for target in now.targets if target.kind == TargetKind.ACCOUNT]
    return frozenset(account for account in members if was.levels(account) != now.levels(account))


def _runs_out(settings: RuleSettings, old: World, new: World) -> bool:
    """Whether an entry of the settings may run out between the days of the two sides."""
    first, last = sorted(side.surroundings.as_of[:10] for side in (old, new))
    dates = (
        *(entry.expires for entry in settings.trusted_accounts),
        *(entry.review for entry in settings.trusted_shares),
        *(entry.review for entry in settings.shared_keys),
        *(entry.review for entry in settings.standing_grants),
    )
    return old.surroundings.as_of != new.surroundings.as_of and any(first <= date[:10] <= last for date in dates)


def _clock_turns(old: World, new: World) -> bool:
    """Whether a policy begins or ends by the clock between the times of the two sides."""
    times = [time_of_run(side.surroundings.as_of).timestamp() for side in (old, new)]
    if times[0] == times[1]:
        return False
    policies = {id(one.policy): one.policy for side in (old, new) for one in policies_of(side.snapshot)}
    tests = (
        test
        for policy in policies.values()
        for statement in policy.statements
        for test in statement.conditions
        if test.key.lower() in CLOCK
    )
    return any(_turns(test, times) for test in tests)


def _turns(test: ConditionTest, times: list[float]) -> bool:
    operator = parse_operator(test.operator)
    if operator is None:
        return False
    return any(in_time(operator, value, times[0]) != in_time(operator, value, times[1]) for value in test.values)


def differing_callers(old: Iterable[Principal], new: Iterable[Principal]) -> frozenset[str]:
    """ARNs of callers that are on one side alone, or of which something differs beside when they were last active."""
    return _differing(old, new, _undated)


def _undated(who: Principal) -> Principal:
    facts = who.credentials
    if facts is not None:
        keys = tuple(replace(key, last_used=None) for key in facts.access_keys)
        facts = replace(facts, password_last_used=None, access_keys=keys)
    return replace(who, last_used=None, credentials=facts, last_accessed=None)


def same_use(old: Snapshot, new: Snapshot) -> bool:
    """Whether the same is known of what the callers did that both sides have."""
    was, now = ({who.arn: who.last_accessed for who in side.principals} for side in (old, new))
    same_calls = _calls(old.evidence) == _calls(new.evidence)
    return same_calls and all(was[arn] == now[arn] for arn in was.keys() & now.keys())


def _calls(evidence: Evidence) -> tuple[object, ...]:
    """What was read of CloudTrail's event histories, and where."""
    places = ({place for place in found if place[0] is Fact.KEY_EVENTS} for found in (evidence.asked, evidence.unread))
    return (evidence.event_windows, evidence.key_calls, *places)


def differing_keys(old: Iterable[Key], new: Iterable[Key]) -> frozenset[str]:
    """ARNs of keys that are on one side alone, or of which something differs beside when they were last used."""
    return _differing(old, new, lambda key: replace(key, last_usage=None))


def _differing(old: Iterable[T], new: Iterable[T], bare: Callable[[T], T]) -> frozenset[str]:
    was, now = {item.arn: item for item in old}, {item.arn: item for item in new}
    found = was.keys() ^ now.keys()
    found |= {arn for arn in was.keys() & now.keys() if was[arn] != now[arn] and bare(was[arn]) != bare(now[arn])}
    return frozenset(found)


def relatives(keys: frozenset[str] | set[str], old: World, new: World) -> frozenset[str]:
    """The keys (ARNs) and the multi-Region keys that share an id with one of them."""
    ids = {arn.rsplit("/", 1)[-1] for arn in keys}
    related = {key.arn for side in (old, new) for key in side.snapshot.keys if key.multi_region and key.key_id in ids}
    return frozenset(keys | related)


def names_in(key: Key) -> frozenset[str]:
    """Everybody whom the policies and grants of a key name: principals as written, values of conditions, accounts."""
    names = frozenset(_names_in(key))
    return names | {account for name in names if (account := account_of(name))}


def _names_in(key: Key) -> Iterator[str]:
    for attached in key.policies:
        for statement in attached.policy.statements:
            for entry in (*(statement.principals or ()), *(statement.not_principals or ())):
                yield entry.value
            for test in statement.conditions:
                yield from test.values
    for grant in key.grants:
        yield from (name for name in (grant.grantee, grant.retiring) if name)
