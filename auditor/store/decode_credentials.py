"""Rows of the credential report → what rules ask about users and the root user."""

from __future__ import annotations

from auditor.model.evidence import RootCredentials
from auditor.model.principal import AccessKeyFact, CredentialFacts
from auditor.model.shard import Kind, Shard
from auditor.store.values import Data, text

ROOT = "<root_account>"
NOTHING = ("", "N/A", "no_information", "not_supported")


def credentials_by_arn(shard: Shard) -> dict[str, CredentialFacts]:
    """User ARN → facts."""
    return {text(row, "arn"): _facts(row) for row in _rows(shard) if text(row, "user") != ROOT}


def root_credentials(shard: Shard) -> tuple[RootCredentials, ...]:
    """The root user's row, if there is a report."""
    return tuple(
        RootCredentials(
            account=shard.account,
            mfa=_yes(row, "mfa_active"),
            access_keys_active=sum(_yes(row, f"access_key_{number}_active") for number in (1, 2)),
            password_last_used=_time(row, "password_last_used"),
        )
        for row in _rows(shard)
        if text(row, "user") == ROOT
    )


def _rows(shard: Shard) -> list[Data]:
    return [record.data for record in shard.records if record.kind is Kind.CREDENTIAL_ROW]


def _facts(row: Data) -> CredentialFacts:
    keys = []
    for number in (1, 2):
        created = _time(row, f"access_key_{number}_last_rotated")
        if created or _yes(row, f"access_key_{number}_active"):
            used = _time(row, f"access_key_{number}_last_used_date")
            keys.append(AccessKeyFact(_yes(row, f"access_key_{number}_active"), created, used))
    return CredentialFacts(
        password_enabled=_yes(row, "password_enabled"),
        mfa=_yes(row, "mfa_active"),
        password_last_used=_time(row, "password_last_used"),
        access_keys=tuple(keys),
    )


def _yes(row: Data, name: str) -> bool:
    return text(row, name).lower() == "true"


def _time(row: Data, name: str) -> str | None:
    value = text(row, name)
    return None if value in NOTHING else value.replace("+00:00", "Z")
