"""What a configuration file may say, as frozen dataclasses with their defaults.

The types of the fields are the grammar: ``binding.py`` reads YAML by them and ``schema.py`` prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.settings import RuleSettings


class FailOn(StrEnum):
    """From which severity on a finding makes the run exit with 3."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSettings:
    """What to collect and how gently; the command line's AWS options win over it.

    Names may be globs. ``quota_share`` is the part of each KMS request quota that a run may use (0 to 1), times are
    seconds. ``key_events`` are days. ``external_id`` never appears in ``repr``, log, snapshot or report.
    """

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    exclude_regions: tuple[str, ...] = ()
    org: bool = False
    accounts: tuple[str, ...] = ()
    exclude_accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    exclude_organizational_units: tuple[str, ...] = ()
    role_name: str = ""
    external_id: str = field(default="", repr=False)
    endpoint_url: str = ""
    max_workers: int = 64
    quota_share: float = 0.5
    evidence: bool = True
    last_usage: bool = False
    last_accessed: bool = False
    key_events: int = 0
    key_event_pages: int = 200
    retirable_grants: bool = False
    resources: bool = False
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    max_attempts: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """Where results go and in which formats; empty ``formats`` means the standard set."""

    dir: str = "reports"
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """When a run counts as failed. ``suppressions`` and ``baseline`` are paths; empty means none."""

    fail_on: FailOn = FailOn.NONE
    strict: bool = False
    suppressions: str = ""
    baseline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration: one section per concern."""

    collection: CollectionSettings = field(default_factory=CollectionSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
