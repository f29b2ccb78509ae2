"""Fills an empty moto server with the organization, through boto3 and in a fixed order, so that ids repeat."""

from __future__ import annotations

from typing import Any

from auditor.demo import detection, extras, grants, guardrails, identities, keys
from auditor.demo.accounts import MANAGEMENT
from auditor.demo.gateway import Additions
from auditor.demo.identity_calls import create_identities
from auditor.demo.key_calls import create_grants, create_keys, set_states
from auditor.demo.organization_calls import attach_guardrails, create_organization
from auditor.demo.parts import FRANKFURT, VIRGINIA, Accounts
from auditor.demo.server import Server

ACCESS_KEY_ID = "AKIADEMOSECURECART00"
SECRET_ACCESS_KEY = "not-a-secret-the-demonstration-runs-on-this-machine"  # noqa: S105 - opens nothing
FILLING_ROLE = "OrganizationAccountAccessRole"


class Doors:
    """Clients for every account: the management account by its static key, members by assuming a role."""

    def __init__(self, endpoint_url: str) -> None:
        import boto3

        self._endpoint = endpoint_url
        self._own = boto3.Session(
            aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=FRANKFURT
        )
        self._sessions: dict[str, Any] = {MANAGEMENT: self._own}
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, account: str = MANAGEMENT, region: str = FRANKFURT) -> Any:
        """The client of a service in an account and Region, made once."""
        place = (service, account, region)
        if place not in self._clients:
            self._clients[place] = self._sessions[account].client(
                service, region_name=region, endpoint_url=self._endpoint, config=_direct()
            )
        return self._clients[place]

    def enter(self, name: str, account_id: str) -> None:
        """Opens a member account."""
        import boto3

        keys = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account_id}:role/{FILLING_ROLE}", RoleSessionName="demo"
        )["Credentials"]
        self._sessions[name] = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def close(self) -> None:
        """Closes every connection."""
        for client in self._clients.values():
            client.close()


def _direct() -> Any:
    from botocore.config import Config

    # Loopback must not go through a proxy that the environment names.
    return Config(proxies={}, retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)


def fill(server: Server) -> Accounts:
    """Creates the whole organization and returns its account ids."""
    doors = Doors(server.url)
    try:
        return _fill(doors, server.additions)
    finally:
        doors.close()


def _fill(doors: Doors, additions: Additions) -> Accounts:
    management = doors.client("sts").get_caller_identity()["Account"]
    organizations = doors.client("organizations", region=VIRGINIA)
    accounts, targets = create_organization(organizations, management)
    for name in Accounts.__dataclass_fields__:
        if name not in ("organization", MANAGEMENT):
            doors.enter(name, accounts.named(name))

    def kms_of(account: str, region: str) -> Any:
        return doors.client("kms", account, region)

    made = create_keys(kms_of, keys.all_keys(accounts))
    arns = {name: key.arn for name, key in made.items()}
    create_identities(lambda account: doors.client("iam", account), identities.all_identities(accounts, arns))
    create_grants(kms_of, grants.all_grants(accounts), made)
    set_states(kms_of, made.values())
    attach_guardrails(organizations, guardrails.all_guardrails(accounts), targets)
    extras.add(additions, made.values())
    detection.switch_on(doors.client, made["audit-log"].arn)
    detection.report_credentials(
        doors.client, [name for name in Accounts.__dataclass_fields__ if name != "organization"]
    )
    return accounts
