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


TRUSTED = "{account: '123456789012', expires: 2027-01-01}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colection: {}", "colection: unknown option. Did you mean “collection”?"),
        ("rules: {trusted_account: []}", "rules.trusted_account: unknown option. Did you mean “trusted_accounts”?"),
        ("rules: {max_plaintext_principals: {T1: 1, T2: 1, T3: 1}}", "rules.max_plaintext_principals: “T4” is missing"),
        ("rules: {trusted_accounts: [{account: '12', expires: 2027-01-01}]}", "trusted_accounts[0].account"),
        ("rules: {trusted_accounts: [{account: 123456789012, expires: 2027-01-01}]}", "Put it in quotes"),
        ("rules: {trusted_accounts: [{account: '123456789012', expires: soon}]}", "“soon” is not a date"),
        ("rules: {trusted_accounts: [{account: '123456789012', expires: 2027-W01-1}]}", "is not a date"),
        (
            f"rules: {{trusted_accounts: [{TRUSTED}, {TRUSTED}]}}",
            "rules.trusted_accounts[1].account: 123456789012 is trusted above already. Make one entry of both.",
        ),
        ("gate:\n\tstrict: true", "a tab, where YAML takes only spaces (line 2, column 1)"),
        ("collection: {max_workers: many}", "collection.max_workers: expected a whole number, found the text “many”"),
        ("collection: {max_workers: 0}", "collection.max_workers: must be at least 1"),
        ("collection: {quota_share: 2}", "collection.quota_share"),
        ("collection: {org: true}", "needs collection.role_name"),
        ("collection: {regions: eu-west-1}", "collection.regions: expected a list"),
        ("gate: {fail_on: severe}", "gate.fail_on: “severe” is not possible. Choose one of none"),
        ("gate: {strict: yes please}", "gate.strict: expected true or false"),
        ("rules: {grant_name_pattern: '('}", "rules.grant_name_pattern: not a regular expression"),
        ("rules: {tiers: {restricted: T9}}", "rules.tiers.restricted: “T9” is no tier"),
        ("rules: {approved_origins: [HSM]}", "rules.approved_origins: “HSM” is no origin"),
        ("rules: {key_admins: [role/x]}", "rules.key_admins: “role/x” matches no ARN"),
        ("a: 1\na: 2", "the name 'a' occurs twice in one object (line 2, column 1)"),
        ("- 1", "expected a map, found a list"),
        ("a: [", "not readable as YAML: "),
        ("!!python/object/apply:os.system ['true']", "not readable as YAML"),
        ("[" * 5000, "nested too deeply"),
        ("gate: &a {x: *a}", "the anchor 'a' contains itself"),
        ("gate: {}\n---\nrules: {}", "(line 2, column 1)"),
        ("? [a]\n: 1", "a name must be text (line 1, column 3)"),
        ("~: 1", "a name is no text: None"),
        ("gate: !!set {a}", "a value of type set has no place here"),
        ("collection: {max_workers: 1" + "0" * 5000 + "}", "not readable as YAML: a number in it has too many digits"),
        ("collection: {max_workers: 0x" + "f" * 5000 + "}", "a number in it has too many digits"),
        ("collection: {max_workers: " + "1:" * 5000 + "1}", "a number in it has too many digits"),
        ("collection: {max_workers: 1000000000}", "is not between 0 and 1,000,000"),
        ("collection: {max_workers: 257}", "collection.max_workers: must be at least 1 and at most 256"),
        ("collection: {read_timeout: .nan}", "collection.read_timeout: nan is not between"),
        ("collection: {read_timeout: .inf}", "collection.read_timeout: inf is not between"),
        ("collection: {connect_timeout: -1}", "collection.connect_timeout: -1 is not between"),
        ("collection: {connect_timeout: 0}", "collection.connect_timeout: must be at least 0.1"),
        ('gate: {baseline: "a\\0b"}', "gate.baseline: holds the character NUL"),
        ('gate: {baseline: "\\ud800"}', "found invalid Unicode character escape code"),
        ("rules: {trusted_accounts: [{account: '١١١١١١١١١١١١', expires: 2027-01-01}]}", "12-digit account id"),
        ("rules: {trusted_accounts: [{account: '123456789012', expires: 2027-01-01x}]}", "is not a date"),
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"# caf\xe9", "not UTF-8 text (byte 5). Save it as UTF-8."),
        ("gate: {}".encode("utf-16"), "not UTF-8 text"),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4 MiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_byte_order_mark_and_a_pipe_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"\xef\xbb\xbfgate: {strict: true}")
    assert load_config(file).gate.strict
    assert load_config(Path("/dev/null")) == Config()


def test_many_names_take_no_time(tmp_path: Path) -> None:
    text = "rules: {" + ", ".join(f"name-{number}: 1" for number in range(50_000)) + "}"
    with pytest.raises(ConfigError, match=r"rules\.name-0: unknown option"):
        parse_config(text)
