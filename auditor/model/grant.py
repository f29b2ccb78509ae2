"""KMS grants as ListGrants shows them (API reference, GrantListEntry)."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.arn import is_service

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant on one key. ``operations`` are names without ``kms:``; absent fields are None.

    ``grantee`` and ``retiring`` may hold a service name: grants that AWS services made before 2026 show one there.
    ``created`` is an ISO 8601 UTC time. ``issuing_account`` is an account id.
    """

    grant_id: str
    key_arn: str
    name: str | None = None
    created: str | None = None
    grantee: str | None = None
    grantee_service: str | None = None
    retiring: str | None = None
    retiring_service: str | None = None
    issuing_account: str | None = None
    operations: tuple[str, ...] = ()
    context_equals: Pairs | None = None
    context_subset: Pairs | None = None
    source_arn: str | None = None

    @property
    def retiring_by(self) -> str | None:
        """The AWS service that may retire the grant, whichever field names it, or None."""
        return self.retiring_service or _service_of(self.retiring)

    @property
    def service(self) -> str | None:
        """The AWS service that holds the grant, whichever field names it, or None."""
        return self.grantee_service or _service_of(self.grantee)


def _service_of(principal: str | None) -> str | None:
    return principal if principal and is_service(principal) else None
