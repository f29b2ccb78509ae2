"""The organization tree: SecureCart grew from one shop, and its first account became the management account."""

from __future__ import annotations

from dataclasses import dataclass

MANAGEMENT = "management"
ROOT = "Root"


@dataclass(frozen=True, slots=True)
class Unit:
    """An organizational unit below ``parent``."""

    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member account: the field of ``Accounts`` that holds its id, its display name, its unit and environment."""

    key: str
    name: str
    unit: str
    environment: str


UNITS = (
    Unit("Security", ROOT),
    Unit("Workloads", ROOT),
    Unit("Production", "Workloads"),
    Unit("Development", "Workloads"),
)

MEMBERS = (
    Member("log_archive", "securecart-log-archive", "Security", "prod"),
    Member("payments", "securecart-payments", "Production", "prod"),
    Member("shop", "securecart-shop", "Production", "prod"),
    Member("analytics", "securecart-analytics", "Workloads", "staging"),
    Member("development", "securecart-development", "Development", "dev"),
)
