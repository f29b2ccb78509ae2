"""Amazon Resource Names: parsing, and the few questions the rest of the code asks of them.

Never builds an ARN with a hard-coded partition: the partition always comes from another ARN or from the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

ACCOUNT_ID = re.compile(r"[0-9]{12}")
UNIQUE_ID = re.compile(r"(AIDA|AROA|AGPA|ANPA|ANVA|AIPA|ASIA|AKIA)[A-Z0-9]{8,}")
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
SERVICE_LINKED_PATH = "/aws-service-role/"
SERVICE_LINKED_NAME = "AWSServiceRoleFor"


@dataclass(frozen=True, slots=True)
class Arn:
    """The six parts of an ARN; ``resource`` keeps everything after the fifth colon."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def name(self) -> str:
        """The last path segment of the resource: role name, user name, key id."""
        return self.resource.rsplit("/", 1)[-1]


@lru_cache(maxsize=65536)
def parse_arn(text: str) -> Arn | None:
    """The parts of ``text``, or None when it is not an ARN."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


def is_account_id(text: str) -> bool:
    """Whether ``text`` is a bare 12-digit account id."""
    return bool(ACCOUNT_ID.fullmatch(text))


def is_unique_id(text: str) -> bool:
    """Whether ``text`` is an IAM unique id such as ``AROA…``: what AWS shows for a deleted principal."""
    return bool(UNIQUE_ID.fullmatch(text))


def is_service(text: str) -> bool:
    """Whether ``text`` is a service principal such as ``s3.amazonaws.com``."""
    return bool(SERVICE.fullmatch(text))


@lru_cache(maxsize=65536)
def account_of(principal: str) -> str | None:
    """The account that a principal ARN or bare account id belongs to, or None for services, ``*`` and unique ids."""
    if is_account_id(principal):
        return principal
    arn = parse_arn(principal)
    return arn.account if arn and is_account_id(arn.account) else None


def place_of(arn: str) -> tuple[str, str]:
    """Account and Region of an ARN; both empty for what is none."""
    parsed = parse_arn(arn)
    return (parsed.account, parsed.region) if parsed else ("", "")


def is_root(principal: str) -> bool:
    """Whether the ARN is an account principal, ``arn:…:iam::ACCOUNT:root``."""
    arn = parse_arn(principal)
    return arn is not None and arn.service == "iam" and arn.resource == "root"


CALLER = re.compile(
    r"arn:aws[a-z-]*:(iam::[0-9]{12}:(root|(user|role)/([^/*?]+/)*[^/*?]+)"
    r"|sts::[0-9]{12}:(assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+))"
)


def is_caller(text: str) -> bool:
    """Whether ``text`` is the ARN of what can call AWS: an account, a user, a role, a session, a federated user."""
    return bool(CALLER.fullmatch(text))


def session_role_name(principal: str) -> tuple[str, str] | None:
    """``(role name, session name)`` of an assumed-role ARN, else None. Such ARNs carry no role path."""
    arn = parse_arn(principal)
    if arn is None or arn.service != "sts" or not arn.resource.startswith("assumed-role/"):
        return None
    parts = arn.resource.split("/")
    return (parts[1], "/".join(parts[2:])) if len(parts) >= 3 else None


def is_infrastructure(principal: str) -> bool:
    """Whether the ARN is a session of AWS itself inside an account: ``assumed-role/aws:ec2-infrastructure/i-1`` holds
    the grants for the volumes of an instance, and its role is none of IAM's."""
    named = session_role_name(principal)
    return named is not None and named[0].startswith("aws:")
