"""The result of a run: everything that a format may show. Re-rendering never evaluates or judges again."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.model.access import AccessTable
from auditor.model.finding import Finding, RuleStatus
from auditor.model.principal import Principal
from auditor.model.score import PrincipalPower
from auditor.model.snapshot import Snapshot

RESULT_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One result.

    ``snapshot`` gives keys, gaps, organization and provenance; ``principals`` are all rows of ``access`` in its order:
    collected ones and those that policies and grants mention. ``as_of`` is the ISO 8601 UTC time that ages and expiry
    are counted from. ``rules_version`` is the version of the rule catalogue that judged; empty: not
    recorded. ``findings`` are sorted worst first.
    """

    snapshot: Snapshot
    principals: tuple[Principal, ...]
    access: AccessTable
    findings: tuple[Finding, ...]
    rules: tuple[RuleStatus, ...] = ()
    powers: tuple[PrincipalPower, ...] = ()
    as_of: str = ""
    tool_version: str = ""
    config_hash: str = ""
    rules_version: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    def __repr__(self) -> str:
        counted = f"{len(self.findings)} findings, {len(self.snapshot.keys)} keys x {len(self.principals)} principals"
        return f"<Report of {counted} as of {self.as_of}>"
