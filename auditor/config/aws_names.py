"""The names of AWS things in the section ``collection``: what can be one, before anything is asked of AWS."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from auditor.config.sections import CollectionSettings
from auditor.errors import ConfigError

ACCOUNT = re.compile(r"[0-9]{12}|(?=.*[*?\[])[0-9*?!\[\]-]{1,40}")
REGION = re.compile(r"[a-z0-9*?!\[\]-]{1,60}")
ROLE = re.compile(r"/?([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}")
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
OPTIONS = {
    "accounts": "--account",
    "regions": "--region",
    "profiles": "--profile",
    "role_name": "--role-name",
    "external_id": "--external-id",
    "endpoint_url": "--endpoint-url",
}
"""The options that win over a setting; messages name both."""


def check_names(settings: CollectionSettings) -> None:
    """Raises ConfigError that names the setting, its option and the remedy."""
    for field in ("accounts", "exclude_accounts"):
        for name in getattr(settings, field):
            if not ACCOUNT.fullmatch(name):
                raise _wrong(field, f"“{name}” is no account id.", "It has 12 digits; * and ? are wildcards.")
    for field in ("regions", "exclude_regions"):
        for name in getattr(settings, field):
            if not REGION.fullmatch(name):
                raise _wrong(field, f"“{name}” is no Region.", "Write eu-west-1, or a pattern such as eu-*.")
    if "" in settings.profiles:
        raise _wrong("profiles", "a profile without a name.", "Leave it away for the default credentials.")
    if settings.role_name and not ROLE.fullmatch(settings.role_name):
        hint = "Give the role's name, with its path where it has one, and not its ARN."
        raise _wrong("role_name", f"“{settings.role_name}” is no role name.", hint)
    if settings.external_id and not EXTERNAL_ID.fullmatch(settings.external_id):
        raise _wrong("external_id", "it cannot be one.", "It has 2 to 1,224 characters: letters, digits and _+=,.@:/-.")
    if settings.endpoint_url:
        _check_endpoint(settings.endpoint_url)


def _check_endpoint(url: str) -> None:
    hint = "Write it as http://HOST:PORT or https://HOST."
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        raise _wrong("endpoint_url", "it is no address.", hint) from None
    if "@" in parts.netloc:
        raise _wrong("endpoint_url", "it holds a user name or password, which AWS does not take.", hint)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_one or re.search(r"\s", url):
        raise _wrong("endpoint_url", f"“{url}” is no address of an endpoint.", hint)


def _wrong(field: str, message: str, remedy: str) -> ConfigError:
    option = OPTIONS.get(field)
    return ConfigError(f"collection.{field}{f' ({option})' if option else ''}: {message}", remedy)
