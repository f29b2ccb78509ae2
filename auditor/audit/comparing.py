"""Two sets of facts side by side: access, facts, and findings: new, resolved, unverified."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from auditor.model.arn import is_account_id
from auditor.model.coverage import OF_THE_ORGANIZATION
from auditor.model.key import Fact

if TYPE_CHECKING:
    from auditor.model.finding import Finding, RuleStatus, SkippedScope
    from auditor.model.organization import Organization
    from auditor.model.snapshot import Snapshot
    from auditor.questions.differences import Differences

    Headed = tuple[tuple[str, tuple[Finding, ...]], ...]
    """Findings under the headings new, resolved and unverified."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two snapshots: access and facts, and the findings by heading (None: not judged)."""

    differences: Differences
    findings: Headed | None


class Judged(Protocol):
    """Findings with what became of each rule, and where it looked: a Report, or the judgement of a part."""

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings."""

    @property
    def rules(self) -> Sequence[RuleStatus]:
        """One status per rule."""


def compare_findings(old: Judged, new: Judged, snapshot: Snapshot) -> Headed:
    """Findings by heading, worst first; ``snapshot`` is what the new run looked at.

    One that is gone is ``unverified`` where the new run could not look for it.
    """
    from auditor.model.finding import in_order

    before = {finding.fingerprint: finding for finding in old.findings}
    after = {finding.fingerprint: finding for finding in new.findings}
    fresh = [finding for finding in new.findings if finding.fingerprint not in before]
    gone = [finding for finding in old.findings if finding.fingerprint not in after]
    seen = {finding.fingerprint for finding in gone if looked_at(new, snapshot, finding)}
    return (
        ("new", in_order(fresh)),
        ("resolved", in_order(finding for finding in gone if finding.fingerprint in seen)),
        ("unverified", in_order(finding for finding in gone if finding.fingerprint not in seen)),
    )


def looked_at(run: Judged, snapshot: Snapshot, finding: Finding) -> bool:
    """Whether a run evaluated the rule of a finding, for its subject and keys, in an account that it collected."""
    status = next((item for item in run.rules if item.rule == finding.rule), None)
    if status is None or not status.evaluated:
        return False
    names = {
        finding.subject,
        *finding.keys,
        *finding.principals,
        finding.account,
        f"{finding.account}/{finding.region}",
    }
    said = _said(finding)
    if any(_hides(scope, names, said, finding.account, snapshot.organization) for scope in status.skipped):
        return False
    if not finding.account:
        return True
    facts = snapshot.account(finding.account)
    if facts is None or not facts.entered:
        return False
    return not finding.region or not facts.regions or finding.region in facts.regions


def _said(finding: Finding) -> str:
    """Whom and what a finding speaks of, for places that are no subject of it: readers, and the accounts of holders."""
    return "\n".join((*finding.principals, *(item.value for item in finding.evidence)))


def _hides(
    scope: SkippedScope, names: Collection[str], said: str, account: str, organization: Organization | None
) -> bool:
    """Whether a finding may be in a scope that a rule could not look at: it is about it or speaks of it, or its account
    is bound by a level of the organization, or by a policy, that could not be read."""
    holder = scope.place.startswith("arn:") or is_account_id(scope.place)
    if scope.place in names or (holder and scope.place in said):
        return True
    if scope.in_baseline or scope.fact not in OF_THE_ORGANIZATION:
        return False
    if organization is None or scope.fact is Fact.ORGANIZATION or organization.target(scope.place) is None:
        return True
    levels = organization.levels(account)
    return levels is None or any(level.id == scope.place for level in levels)
