"""KMS grants as ListGrants shows them (kms-authorization.md section 10)."""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant on one key. ``operations`` are names without ``kms:``; absent fields are None.

    ``grantee`` may hold a service name: grants that AWS services made before 2026 show one there.
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
    def service(self) -> str | None:
        """The AWS service that holds the grant, whichever field names it, or None."""
        if self.grantee_service:
            return self.grantee_service
        if self.grantee and ":" not in self.grantee and self.grantee.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return self.grantee
        return None
