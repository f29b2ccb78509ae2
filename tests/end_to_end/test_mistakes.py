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
    assert "aws sso login" in line or "--profile" in line


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
    assert "--output-dir" in line


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
