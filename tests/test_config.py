"""The configuration: the example file holds every option, mistakes are named with their place."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml

from auditor.config import Config, config_schema, load_config, parse_config
from auditor.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"


def missing_options(kind: Any, data: Any, place: str) -> list[str]:
    """The fields of ``kind`` that the plain data of the example does not show, nested ones included."""
    found: list[str] = []
    hints = get_type_hints(kind)
    for item in fields(kind):
        here = f"{place}.{item.name}"
        if item.name not in data:
            found.append(here)
            continue
        inner = hints[item.name]
        value = data[item.name]
        if get_origin(inner) is tuple and is_dataclass(get_args(inner)[0]):
            inner, value = get_args(inner)[0], value[0]
        if is_dataclass(inner):
            found += missing_options(inner, value, here)
    return found


def test_example_shows_every_option() -> None:
    data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert missing_options(Config, data, "") == []


def test_example_loads_and_has_the_defaults_it_claims() -> None:
    loaded, default = load_config(EXAMPLE), Config()
    assert loaded.collection == default.collection
    assert loaded.gate == default.gate
    assert loaded.rules.tiers == default.rules.tiers
    assert loaded.rules.max_plaintext_principals == default.rules.max_plaintext_principals
    assert loaded.rules.account_admins == default.rules.account_admins
    assert loaded.rules.trusted_accounts[0].expires == "2027-06-30"


def test_empty_file_is_the_default_configuration() -> None:
    assert parse_config("") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colection: {}", "colection: unknown option. Did you mean “collection”?"),
        ("rules: {trusted_account: []}", "rules.trusted_account: unknown option. Did you mean “trusted_accounts”?"),
        ("rules: {max_plaintext_principals: {T1: 1, T2: 1, T3: 1}}", "rules.max_plaintext_principals: “T4” is missing"),
        ("rules: {trusted_accounts: [{account: '12', expires: 2027-01-01}]}", "trusted_accounts[0].account"),
        ("rules: {trusted_accounts: [{account: 123456789012, expires: 2027-01-01}]}", "Put it in quotes"),
        ("rules: {trusted_accounts: [{account: '123456789012', expires: soon}]}", "“soon” is not a date"),
        ("collection: {max_workers: many}", "collection.max_workers: expected a whole number, found the text “many”"),
        ("collection: {max_workers: 0}", "collection.max_workers: must be at least 1"),
        ("collection: {quota_share: 2}", "collection.quota_share"),
        ("collection: {org: true}", "needs collection.role_name"),
        ("collection: {regions: eu-west-1}", "collection.regions: expected a list"),
        ("gate: {fail_on: severe}", "gate.fail_on: “severe” is not possible. Choose one of none"),
        ("gate: {strict: yes please}", "gate.strict: expected true or false"),
        ("rules: {grant_name_pattern: '('}", "rules.grant_name_pattern: not a regular expression"),
        ("a: 1\na: 2", "“a” occurs twice"),
        ("- 1", "expected a map, found a list"),
        ("a: [", "not YAML"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml")
    assert str(caught.value).startswith("c.yaml: ")
    assert message in str(caught.value)


def test_schema_knows_every_section_and_refuses_others() -> None:
    schema = config_schema()
    assert set(schema["properties"]) == {"collection", "output", "gate", "rules"}
    assert schema["additionalProperties"] is False
    account = schema["properties"]["rules"]["properties"]["trusted_accounts"]["items"]
    assert account["required"] == ["account", "expires"]


def test_external_id_stays_out_of_repr() -> None:
    assert "sesame" not in repr(parse_config("collection: {external_id: sesame}"))


def test_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "absent.yaml")
