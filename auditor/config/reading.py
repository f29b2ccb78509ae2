"""From a YAML file to a ``Config``: reading within limits, binding, and the checks that types cannot express."""

from __future__ import annotations

import re
from pathlib import Path

from auditor.config.aws_names import check_names
from auditor.config.binding import bind
from auditor.config.sections import Config
from auditor.errors import ConfigError
from auditor.model.moments import day
from auditor.model.settings import RuleSettings
from auditor.userfiles import as_path, as_yaml, read_text

MAX_BYTES = 4 * 1024 * 1024
CHECK_HINT = "See config.example.yaml for every option, or run `kms-audit config schema`."
LIMITS = {
    "max_workers": (1, 256),
    "max_attempts": (1, 100),
    "key_events": (0, 90),
    "key_event_pages": (1, 100_000),
    "connect_timeout": (0.1, 3600),
    "read_timeout": (0.1, 3600),
}
"""Lowest and highest value of the numbers of the section ``collection``."""
TIERS = ("T1", "T2", "T3", "T4")
ORIGIN = re.compile(r"([0-9]{12}:)?(AWS_KMS|EXTERNAL|AWS_CLOUDHSM|EXTERNAL_KEY_STORE)")
ARN_PATTERNS = (
    *("key_admins", "key_destroyers", "account_admins", "log_admins", "break_glass"),
    *("shared_service_principals", "regional_principals"),
)


def load_config(path: Path | str) -> Config:
    """The configuration in ``path``. Raises ConfigError that names the file and the option."""
    return parse_config(read_text(as_path(path, ConfigError), ConfigError, limit=MAX_BYTES), str(path))


def parse_config(text: str, source: str = "configuration") -> Config:
    """The configuration in a YAML text; ``source`` begins every message. An empty text is the default configuration."""
    data = as_yaml(text, source, ConfigError, typed=True, remedy=CHECK_HINT)
    try:
        config: Config = bind(Config, {} if data is None else data, "")
        _check(config)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error.message}", error.remedy or CHECK_HINT) from None
    return config


def _check(config: Config) -> None:
    _check_collection(config)
    if not config.output.dir:
        raise ConfigError("output.dir: is empty.", "Name a folder; “.” is the working directory.")
    rules = config.rules
    _check_pattern("rules.grant_name_pattern", rules.grant_name_pattern)
    _check_words(rules)
    trusted: set[str] = set()
    for index, entry in enumerate(rules.trusted_accounts):
        place = f"rules.trusted_accounts[{index}]"
        if not re.fullmatch("[0-9]{12}", entry.account):
            raise ConfigError(f"{place}.account: “{entry.account}” is not a 12-digit account id.")
        _check_date(f"{place}.expires", entry.expires)
        if entry.account in trusted:
            raise ConfigError(f"{place}.account: {entry.account} is trusted above already.", "Make one entry of both.")
        trusted.add(entry.account)
    dated = [
        *((f"rules.trusted_shares[{n}].review", share.review) for n, share in enumerate(rules.trusted_shares)),
        *((f"rules.shared_keys[{n}].review", key.review) for n, key in enumerate(rules.shared_keys)),
        *((f"rules.standing_grants[{n}].review", grant.review) for n, grant in enumerate(rules.standing_grants)),
        *((f"rules.attestations[{n}].date", entry.date) for n, entry in enumerate(rules.attestations)),
    ]
    for place, text in dated:
        _check_date(place, text)


def _check_words(rules: RuleSettings) -> None:
    """Values that are one of a few words: tiers, origins, and patterns that are to match ARNs."""
    for name, tier in rules.tiers:
        if tier not in TIERS:
            raise ConfigError(f"rules.tiers.{name}: “{tier}” is no tier.", f"Choose among {', '.join(TIERS)}.")
    for text in rules.approved_origins:
        if not ORIGIN.fullmatch(text):
            raise ConfigError(
                f"rules.approved_origins: “{text}” is no origin.",
                "Write AWS_KMS, EXTERNAL, AWS_CLOUDHSM or EXTERNAL_KEY_STORE, after “ACCOUNT:” for one account alone.",
            )
    for field in ARN_PATTERNS:
        for pattern in getattr(rules, field):
            if not pattern.startswith(("arn:", "*")):
                raise ConfigError(
                    f"rules.{field}: “{pattern}” matches no ARN.", "Write it as arn:aws:iam::*:role/NAME, with * and ?."
                )


def _check_collection(config: Config) -> None:
    collection = config.collection
    check_names(collection)
    if not 0 < collection.quota_share <= 1:
        raise ConfigError("collection.quota_share: must be above 0 and at most 1.")
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(collection, name) <= most:
            raise ConfigError(f"collection.{name}: must be at least {least} and at most {most}.")
    if collection.org and not collection.role_name:
        raise ConfigError("collection.org: needs collection.role_name too.", "Name the role to assume in each account.")


def _check_date(place: str, text: str) -> None:
    if day(text) is None:
        raise ConfigError(f"{place}: “{text}” is not a date.", "Write it as YYYY-MM-DD.")


def _check_pattern(place: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{place}: not a regular expression: {error}.") from None
