"""Identities of the log archive."""

from __future__ import annotations

from auditor.demo.parts import Accounts, DemoRole, Identities
from auditor.demo.wording import service


def identities(_: Accounts) -> Identities:
    """The pipeline that ships logs, and the role that AWS Config made for itself."""
    return Identities(
        roles=(DemoRole(name="LogPipeline", account="log_archive", trust=service("lambda")),),
        service_linked=(("log_archive", "config.amazonaws.com"),),
    )
