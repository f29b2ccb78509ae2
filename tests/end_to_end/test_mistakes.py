"""What goes wrong on the first day: each gives one line with what to do, the right exit code, and no traceback."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import Cli, StandIn
from tests.end_to_end.estate import REGIONS

HERE = ("--profile", "shop", "--region", REGIONS[0])


def test_wrong_profile(cli: Cli) -> None:
    answer = cli("--profile", "shopp")
    assert answer.code == 2
    line = answer.one_line()
    assert "shopp" in line
    assert "shop" in line.replace("shopp", "")


def test_no_credentials(cli: Cli) -> None:
    answer = cli("--profile", "bare", "--region", REGIONS[0])
    assert answer.code == 1
    assert "bare" in answer.one_line()


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_refused_credentials(cli: Cli, server: StandIn, code: str) -> None:
    server.refuse({"operation": "", "code": code})
    answer = cli(*HERE)
    assert answer.code == 1
    line = answer.one_line()
    assert "xpired" in line if code == "ExpiredToken" else "redential" in line
    assert "aws sso login" in line if code == "ExpiredToken" else f"{REGIONS[0]} is a Region of their partition" in line


def test_no_permission_at_all(cli: Cli, server: StandIn) -> None:
    everything = ("kms", "iam", "organizations", "ec2", "account", "cloudtrail", "logs", "monitoring", "events", "ram")
    server.refuse(*({"operation": f"{service}."} for service in (*everything, "access-analyzer")))
    answer = cli(*HERE)
    assert answer.code == 1
    assert "permission" in answer.one_line().lower()


def test_unknown_region(cli: Cli) -> None:
    answer = cli("--profile", "shop", "--region", "eu-middle-7")
    assert answer.code in (1, 2)
    assert "eu-middle-7" in answer.one_line()


def test_unwritable_output(cli: Cli) -> None:
    blocked = cli.home / "file"
    blocked.write_text("in the way")
    answer = cli(*HERE, output_dir=blocked / "reports")
    assert answer.code in (1, 2)
    line = answer.one_line()
    assert str(blocked) in line
    assert "Choose another folder." in line


def test_broken_configuration_key(cli: Cli) -> None:
    config = cli.home / "kms-audit.yaml"
    config.write_text("rules:\n  key_adminz: []\n")
    answer = cli("-c", str(config), *HERE)
    assert answer.code == 2
    line = answer.one_line()
    assert "key_adminz" in line
    assert "key_admins" in line


def test_unknown_option_and_format(cli: Cli) -> None:
    assert cli("--porfile", "shop").code == 2
    answer = cli(*HERE, "-f", "pdff")
    assert answer.code == 2
    assert "html" in answer.one_line()


def test_unreachable_endpoint(cli: Cli) -> None:
    answer = cli(*HERE, "--endpoint-url", "http://127.0.0.1:9")
    assert answer.code == 1
    assert "127.0.0.1:9" in answer.one_line()


def test_org_needs_a_role(cli: Cli) -> None:
    answer = cli(*HERE, "--org")
    assert answer.code == 2
    assert "--role-name" in answer.one_line()


def test_an_access_key_with_a_line_break_is_named_and_not_shown(cli: Cli) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST\n", "AWS_SECRET_ACCESS_KEY": "x"}
    answer = cli("--endpoint-url", cli.url, "--region", REGIONS[0], **keys)
    assert answer.code == 1
    assert "line break" in answer.one_line()
    assert "AKIATEST" not in answer.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("credential_process = echo nothing", "could not be loaded"),
        ("credential_process = /no/such/program", "could not be loaded"),
        ("role_arn = arn:aws:iam::111122223333:role/r\nweb_identity_token_file = /no/token", "/no/token: No such file"),
        (
            "role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = shop\nmfa_serial = m",
            "MFA code",
        ),
    ],
)
def test_a_profile_that_gives_no_credentials_is_to_blame(cli: Cli, settings: str, words: str) -> None:
    with (cli.home / "config").open("a") as config:
        config.write(f"[profile odd]\nregion = {REGIONS[0]}\n{settings}\n")
    answer = cli("--profile", "odd")
    assert answer.code == 1
    line = answer.one_line() if "MFA" not in words else answer.err
    assert "odd" in line
    assert words in line
    assert "defect" not in answer.err


def test_tls_that_fails_is_named(cli: Cli) -> None:
    answer = cli(*HERE, "--endpoint-url", cli.url.replace("http:", "https:"))
    assert answer.code == 1
    assert "AWS_CA_BUNDLE" in answer.one_line()


@pytest.mark.parametrize("bundle", ["/no/bundle.pem", "/", __file__])
def test_a_bundle_of_certificates_that_is_none_is_named(cli: Cli, bundle: str) -> None:
    answer = cli(*HERE, "--endpoint-url", cli.url.replace("http:", "https:"), AWS_CA_BUNDLE=bundle)
    assert answer.code == 1
    assert "AWS_CA_BUNDLE (or ca_bundle) names is missing, or holds no certificates" in answer.one_line()


def test_a_dead_proxy_is_named_without_its_password(cli: Cli) -> None:
    proxy = "http://me:secret@127.0.0.1:9"
    answer = cli(*HERE, "--endpoint-url", "https://sts.invalid", HTTPS_PROXY=proxy, NO_PROXY="")
    assert answer.code == 1
    assert "HTTPS_PROXY" in answer.one_line()
    assert "secret" not in answer.err
