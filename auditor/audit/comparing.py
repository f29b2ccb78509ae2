"""Two sets of facts side by side: access, facts, and findings: new, perhaps new, changed, resolved, unverified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.audit.sight import Sight

if TYPE_CHECKING:
    from auditor.audit.sight import Judged
    from auditor.model.finding import Finding
    from auditor.model.snapshot import Snapshot
    from auditor.questions.differences import Differences

    Headed = tuple[tuple[str, tuple[Finding, ...]], ...]
    """Findings under the headings new, perhaps new, changed, resolved and unverified."""

PERHAPS_NEW = "perhaps new"
CHANGED = "changed"
UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two snapshots: access and facts, and the findings by heading (None: not judged).

    ``was`` has, by fingerprint, what weighs otherwise now as it was: another severity, certainty, or stopped or not.
    """

    differences: Differences
    findings: Headed | None
    was: Mapping[str, Finding] = field(default_factory=dict)


def compare_findings(old: Judged, new: Judged, before: Snapshot, after: Snapshot) -> Headed:
    """Findings by heading, worst first; ``before`` and ``after`` are what the runs looked at.

    One that was not there is ``perhaps new`` where the old run could not look for it, and one that is gone
    ``unverified`` where the new run could not. One that a rule had about the same subject, for other reasons or about
    other keys and holders, is ``changed``: nothing of it is resolved. So is one that weighs otherwise now, unless one
    run alone could look for it, or its rule is of those whose weight a comparison does not decide.
    """
    from auditor.model.finding import in_order

    was, now = ({finding.fingerprint: finding for finding in side.findings} for side in (old, new))
    sights = Sight(old, before, after), Sight(new, after, before)
    fresh = _by_sight(sights[0], (one for one in new.findings if one.fingerprint not in was))
    gone = _by_sight(sights[1], (one for one in old.findings if one.fingerprint not in now))
    changed = _changed(fresh[True], gone[True])
    common = ((was[fingerprint], one) for fingerprint, one in now.items() if fingerprint in was)
    changed += [one for one in _weighed_otherwise(common) if sights[0].reached(one) == sights[1].reached(one)]
    headings = (
        ("new", fresh[True]),
        (PERHAPS_NEW, fresh[False]),
        (CHANGED, changed),
        ("resolved", gone[True]),
        (UNVERIFIED, gone[False]),
    )
    return tuple((heading, in_order(found)) for heading, found in headings)


def _changed(fresh: list[Finding], gone: list[Finding]) -> list[Finding]:
    """Takes out of both lists what is the same rule about the same subject, and returns it as it is now."""
    before: dict[tuple[str, str], list[Finding]] = {}
    for one in sorted(gone, key=lambda finding: finding.fingerprint, reverse=True):
        before.setdefault((one.rule, one.subject), []).append(one)
    changed, replaced = [], set()
    for one in sorted(fresh, key=lambda finding: finding.fingerprint):
        if was := before.get((one.rule, one.subject)):
            replaced.add(was.pop().fingerprint)
            changed.append(one)
    here = {one.fingerprint for one in changed}
    fresh[:] = (one for one in fresh if one.fingerprint not in here)
    gone[:] = (one for one in gone if one.fingerprint not in replaced)
    return changed


def _weighed_otherwise(common: Iterable[tuple[Finding, Finding]]) -> Iterator[Finding]:
    """Of the findings of both sides, as they were and as they are: those that weigh otherwise, as they are."""
    from auditor.model.finding import weight

    for before, after in common:
        if weight(before) != weight(after) and _weight_decided(after):
            yield after


def _weight_decided(finding: Finding) -> bool:
    """Whether a comparison decides more of such a finding than that it is there: see ``Scope``."""
    from auditor.rules.scopes import Scope, scope_of

    scope = scope_of(finding.rule)
    return scope is not Scope.OUTLINE and (scope is not Scope.PAIRS or finding.subject_kind == "key")


def as_they_were(old: Judged, headed: Headed) -> dict[str, Finding]:
    """Fingerprint → the finding of the old run, for those under the heading changed that it had as well."""
    changed = {one.fingerprint for heading, found in headed if heading == CHANGED for one in found}
    return {one.fingerprint: one for one in old.findings if one.fingerprint in changed}


def _by_sight(sight: Sight, findings: Iterable[Finding]) -> dict[bool, list[Finding]]:
    """The findings of the other side that this one could have had (True), and those that it could not look for."""
    found: dict[bool, list[Finding]] = {True: [], False: []}
    for finding in findings:
        found[sight.reached(finding)].append(finding)
    return found
