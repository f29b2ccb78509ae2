"""From a YAML file to a ``Config``: size limit, safe loader, binding, and the checks that types cannot express."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from auditor.config.binding import bind
from auditor.config.sections import Config
from auditor.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024
CHECK_HINT = "See config.example.yaml for every option, or run `kms-audit config schema`."


def load_config(path: Path) -> Config:
    """The configuration in ``path``. Raises ConfigError that names the file and the option."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024**2} MiB.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.", "Check --config.") from None
    return parse_config(text, str(path))


def parse_config(text: str, source: str = "configuration") -> Config:
    """The configuration in a YAML text; ``source`` begins every message. An empty text is the default configuration."""
    import yaml

    try:
        data = yaml.load(text, Loader=_loader())  # noqa: S506
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {_one_line(error)}.", CHECK_HINT) from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply.", CHECK_HINT) from None
    try:
        config: Config = bind(Config, {} if data is None else data, "")
        _check(config)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error.message}", error.remedy or CHECK_HINT) from None
    return config


def _loader() -> Any:
    """A SafeLoader that leaves dates as text and refuses names that occur twice in one map."""
    import yaml

    class TextDates(yaml.SafeLoader):
        """YAML's safe subset without timestamps."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            names = [key.value for key, _ in node.value if isinstance(key.value, str)]
            for name in names:
                if names.count(name) > 1:
                    raise yaml.constructor.ConstructorError(None, None, f"“{name}” occurs twice", node.start_mark)
            return super().construct_mapping(node, deep=deep)

    TextDates.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return TextDates


def _one_line(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else str(problem)


def _check(config: Config) -> None:
    _check_collection(config)
    rules = config.rules
    _check_pattern("rules.grant_name_pattern", rules.grant_name_pattern)
    for index, entry in enumerate(rules.trusted_accounts):
        place = f"rules.trusted_accounts[{index}]"
        if not re.fullmatch(r"\d{12}", entry.account):
            raise ConfigError(f"{place}.account: “{entry.account}” is not a 12-digit account id.")
        _check_date(f"{place}.expires", entry.expires)
    dated = [
        *((f"rules.trusted_shares[{n}].review", share.review) for n, share in enumerate(rules.trusted_shares)),
        *((f"rules.shared_keys[{n}].review", key.review) for n, key in enumerate(rules.shared_keys)),
        *((f"rules.standing_grants[{n}].review", grant.review) for n, grant in enumerate(rules.standing_grants)),
        *((f"rules.attestations[{n}].date", entry.date) for n, entry in enumerate(rules.attestations)),
    ]
    for place, text in dated:
        _check_date(place, text)


def _check_collection(config: Config) -> None:
    collection = config.collection
    if not 0 < collection.quota_share <= 1:
        raise ConfigError("collection.quota_share: must be above 0 and at most 1.")
    numbers = {"max_workers": collection.max_workers, "max_attempts": collection.max_attempts}
    for name, number in numbers.items():
        if number < 1:
            raise ConfigError(f"collection.{name}: must be at least 1.")
    if collection.org and not collection.role_name:
        raise ConfigError("collection.org: needs collection.role_name too.", "Name the role to assume in each account.")


def _check_date(place: str, text: str) -> None:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        raise ConfigError(f"{place}: “{text}” is not a date.", "Write it as YYYY-MM-DD.") from None


def _check_pattern(place: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{place}: not a regular expression: {error}.") from None
