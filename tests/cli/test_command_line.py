"""The command line as such: one default command, options anywhere, one line per mistake, quick help."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from auditor.cli import entry
from auditor.cli.root import COMMANDS, command_first, root
from auditor.errors import CollectionError, CredentialsError
from tests.cli.conftest import Ask

HEAVY = ("boto3", "botocore", "pandas", "jinja2", "numpy", "moto", "yaml")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ([], ["audit"]),
        (["--profile", "prod"], ["audit", "--profile", "prod"]),
        (["audit", "--profile", "prod"], ["audit", "--profile", "prod"]),
        (["--profile", "prod", "audit"], ["audit", "--profile", "prod"]),
        (["-v", "--profile=prod", "collect", "-o", "x"], ["collect", "-v", "--profile=prod", "-o", "x"]),
        (["--org", "--role-name", "audit", "collect"], ["collect", "--org", "--role-name", "audit"]),
        (["-f", "json", "-o", "-"], ["audit", "-f", "json", "-o", "-"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
        (["--profile", "prod", "--help"], ["audit", "--profile", "prod", "--help"]),
        (["-q", "rules", "list"], ["rules", "-q", "list"]),
    ],
)
def test_the_command_is_found_among_its_options(typed: list[str], meant: list[str]) -> None:
    assert command_first(typed) == meant


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(ask: Ask, name: str) -> None:
    answer = ask(name, "--help")
    assert answer.code == 0
    assert "--log-format" in answer.out
    assert answer.err == ""


def test_help_lists_commands_without_loading_them() -> None:
    code = "import sys; from auditor.cli import entry; entry.run(['--help']);"
    code += "print([m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code, *HEAVY, "auditor.cli.audit"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_a_command_loads_nothing_heavy() -> None:
    names = ", ".join(f"auditor.cli.{module}" for module, _ in COMMANDS.values())
    code = f"import sys, {names}; print([m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("audti",), "Did you mean audit?"),
        (("whocan", "decrypt", "alias/app"), "Did you mean who-can or what-can?"),
        (("--porfile", "x"), "--profile"),
        (("--org",), "--role-name"),
        (("--as-of", "soon", "--profile", "x"), "“soon” is not a date"),
        (("evaluate", "nowhere"), "nowhere"),
        (("--max-workers", "0"), "max-workers"),
        (("config", "check"), "Name it"),
        (("config",), "Missing command. Try `kms-audit config --help`"),
        (("rules",), "Missing command. Try `kms-audit rules --help`"),
    ],
)
def test_mistakes_exit_2_in_one_line(ask: Ask, words: tuple[str, ...], message: str) -> None:
    answer = ask(*words)
    assert answer.code == 2
    assert message in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.err.startswith("kms-audit: ")


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            CredentialsError("The session has expired.", "Run aws sso login."),
            1,
            "The session has expired. Run aws sso login.",
        ),
        (CollectionError("AWS: not yet current", "Check the clock."), 1, "AWS: not yet current. Check the clock."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("odd\nsecond line"), 1, "unexpected RuntimeError: odd. This is a defect; run again with -vv"),
        (RuntimeError(), 1, "unexpected RuntimeError. This is a defect"),
        (OSError(28, "No space left on device", "/x"), 1, "/x: No space left on device."),
        (CredentialsError("evil \x1b[31m\u202e name"), 1, "evil �[31m� name"),
    ],
)
def test_errors_become_one_line(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    monkeypatch.setattr(root, "get_command", lambda ctx, name: failing(error))
    answer = ask("demo")
    assert answer.code == code
    assert message in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_vv_shows_the_traceback(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr("auditor.config.config_schema", broken)
    answer = ask("config", "schema", "-vv")
    assert answer.code == 1
    assert "Traceback" in answer.err


def test_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m auditor config schema | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == '{\n  "$sche'
    assert done.stderr == ""


def test_completion_knows_commands_and_options() -> None:
    complete = ShellComplete(root, {}, "kms-audit", "_KMS_AUDIT_COMPLETE")
    assert "who-can" in [item.value for item in complete.get_completions([], "who")]
    assert "--profile" in [item.value for item in complete.get_completions(["audit"], "--pro")]


def test_config_commands(ask: Ask) -> None:
    assert ask("config", "check", "config.example.yaml").code == 0
    assert '"title": "kms-audit configuration"' in ask("config", "schema").out


def test_colour_only_when_wanted(ask: Ask) -> None:
    assert "\x1b[" not in ask("rules", "show", "public-key-policy").out
    assert "\x1b[" in ask("rules", "show", "public-key-policy", "--color", "always").out


@pytest.mark.parametrize("words", [("rules", "list", "--category", ""), ("report", __file__, "--framework", "")])
def test_an_option_without_a_text_is_no_option_left_away(ask: Ask, words: tuple[str, ...]) -> None:
    answer = ask(*words)
    assert (answer.code, answer.out) == (2, "")
    assert f"'{words[-2]}': the text is empty." in answer.err


def test_the_page_of_a_rule_has_no_empty_section(ask: Ask) -> None:
    assert "\nWhy\n" in ask("rules", "show", "deny-has-gap").out
    assert "\nWhy\n" not in ask("rules", "show", "inert-statement").out


def test_exit_codes_are_the_documented_ones() -> None:
    assert (entry.COULD_NOT, entry.USAGE, entry.GATE, entry.INCOMPLETE, entry.INTERRUPTED) == (1, 2, 3, 4, 130)
