"""Runs the fictional organization: server up, filled, handed out, and gone again.

``DemoOrganization`` is all that a caller needs to audit it the ordinary way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from auditor.demo.filling import ACCESS_KEY_ID, SECRET_ACCESS_KEY, fill
from auditor.demo.identities import AUDIT_ROLE
from auditor.demo.parts import FRANKFURT, REGIONS, Accounts
from auditor.demo.register import register
from auditor.demo.server import moto_server
from auditor.model.settings import RuleSettings

_LOOPBACK = "127.0.0.1,localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrganization:
    """How to reach the organization.

    ``role_name`` can be assumed in every member account; ``regions`` are those with something in them; ``settings``
    is the trust register of the fictional company. ``environment`` are the variables of an AWS client that must see
    this organization and nothing else.
    """

    endpoint_url: str
    accounts: Accounts
    role_name: str
    regions: tuple[str, ...]
    environment: Mapping[str, str]
    settings: RuleSettings

    @property
    def management_account(self) -> str:
        """The id of the management account, whose credentials ``environment`` holds."""
        return self.accounts.management

    @contextmanager
    def as_caller(self) -> Iterator[None]:
        """Replaces this process's AWS settings by the organization's for the length of the block."""
        with _only(self.environment):
            yield


@contextmanager
def demo_organization() -> Iterator[DemoOrganization]:
    """The filled organization for the length of the block; takes a few seconds to build.

    Raises KmsAuditError, with the command that installs it, when moto is missing.
    """
    environment = _environment()
    with _account_by_credentials(), moto_server() as server:
        with _only(environment):
            accounts = fill(server)
        yield DemoOrganization(
            endpoint_url=server.url,
            accounts=accounts,
            role_name=AUDIT_ROLE,
            regions=REGIONS,
            environment=environment,
            settings=register(accounts),
        )


def _environment() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": FRANKFURT,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
    }


@contextmanager
def _only(environment: Mapping[str, str]) -> Iterator[None]:
    """Takes every AWS setting (profile, keys, files, endpoints) out of this process, puts these in, then undoes it."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _account_by_credentials() -> Iterator[None]:
    """Hides the variable that would make moto answer every call as one account."""
    pinned = os.environ.pop("MOTO_ACCOUNT_ID", None)
    try:
        yield
    finally:
        if pinned is not None:
            os.environ["MOTO_ACCOUNT_ID"] = pinned
