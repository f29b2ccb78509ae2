"""AWS options that cannot be right are refused before AWS, or any credentials, are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.config import CollectionSettings, check_names, parse_config
from auditor.errors import ConfigError
from tests.cli.conftest import Ask

SECRET = "sesame-open"


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["audit", "collect"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--endpoint-url", "localhost:5000"), "(--endpoint-url): “localhost:5000” is no address of an endpoint"),
        (("--endpoint-url", "http://"), "is no address of an endpoint. Write it as http://HOST:PORT"),
        (("--endpoint-url", "ftp://x"), "is no address of an endpoint"),
        (("--endpoint-url", "http://127.0.0.1:99999"), "it is no address"),
        (("--endpoint-url", "http://a b"), "is no address of an endpoint"),
        (("--endpoint-url", f"http://user:{SECRET}@127.0.0.1:9"), "holds a user name or password"),
        (("--account", "abc"), "(--account): “abc” is no account id. It has 12 digits"),
        (("--account", "12345678901"), "is no account id"),
        (("--account", ""), "is no account id"),
        (("--region", ""), "(--region): “” is no Region"),
        (("--region", "eu-west-1.evil.example/"), "is no Region"),
        (("--profile", ""), "(--profile): a profile without a name"),
        (("--org", "--role-name", "arn:aws:iam::111122223333:role/x"), "(--role-name): "),
        (("--org", "--role-name", "a b"), "is no role name"),
        (("--org", "--role-name", "x" * 65), "is no role name"),
        (("--org", "--role-name", ""), "'--role-name': the text is empty"),
        (("--external-id", ""), "'--external-id': the text is empty"),
        (("--endpoint-url", ""), "'--endpoint-url': the text is empty"),
        (("--org", "--role-name", "x", "--external-id", f"{SECRET}!"), "(--external-id): it cannot be one"),
        (("--max-workers", "257"), "max-workers"),
    ],
)
def test_refused_in_one_line(ask: Ask, command: str, words: tuple[str, ...], message: str) -> None:
    answer = ask(command, *words)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert message in answer.err
    assert SECRET not in answer.err
    assert list(Path.cwd().iterdir()) == []


def test_a_profile_that_does_not_exist_is_a_mistake_of_usage(ask: Ask) -> None:
    answer = ask("audit", "-q", "--profile", "nope")
    assert answer.code == 2
    assert answer.err == (
        "kms-audit: The config profile (nope) could not be found. Configure one with: aws configure sso.\n"
    )


def test_no_credentials_is_exit_1_and_leaves_nothing(ask: Ask) -> None:
    answer = ask("audit", "-q")
    assert answer.code == 1
    assert answer.err.startswith("kms-audit: No AWS credentials were found")
    assert list(Path.cwd().rglob("*")) == []


@pytest.mark.parametrize("command", ["audit", "collect"])
def test_no_credentials_takes_new_folders_away_and_spares_those_that_were_there(ask: Ask, command: str) -> None:
    Path("mine").mkdir()
    assert ask(command, "-q", "--output-dir", "mine/a/b").code == 1
    assert list(Path.cwd().rglob("*")) == [Path.cwd() / "mine"]
    assert ask(command, "-q", "--output-dir", "mine").code == 1
    assert Path("mine").is_dir()


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "localhost:1"), ("AWS_DEFAULT_REGION", "x y")])
def test_settings_of_the_environment_that_no_client_takes(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv(name, value)
    answer = ask("audit", "-q")
    assert answer.code == 2
    assert "The AWS settings are not usable" in answer.err
    assert SECRET not in answer.err


@pytest.mark.parametrize(
    "settings",
    [
        CollectionSettings(accounts=("111122223333", "1*", "11112222333[0-9]")),
        CollectionSettings(regions=("eu-west-1", "eu-*", "us-gov-????-1")),
        CollectionSettings(role_name="/audit/kms/Auditor", external_id="a:b/c=d"),
        CollectionSettings(endpoint_url="https://[::1]:5000/path"),
    ],
)
def test_names_that_are_fine(settings: CollectionSettings) -> None:
    check_names(settings)


def test_the_configuration_is_held_to_the_same() -> None:
    with pytest.raises(ConfigError, match=r"c.yaml: collection.exclude_accounts: “x” is no account id"):
        parse_config("collection: {exclude_accounts: [x]}", "c.yaml")
