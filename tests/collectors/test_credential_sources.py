"""What a profile's credentials come from cannot hold a run up: a program that does not end, a code nobody types."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import CredentialRetrievalError

from auditor.collectors import credential_sources
from auditor.collectors.session import _boto_session

PROGRAM = "[profile slow]\ncredential_process = sleep 60\n"
SWITCHING = "[profile switching]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = slow\n"
CODE = "[profile coded]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = keys\nmfa_serial = m\n"
KEYS = "[profile keys]\naws_access_key_id = AKIATESTTESTTESTTEST\naws_secret_access_key = x\n"


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(PROGRAM + SWITCHING + CODE + KEYS)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(credential_sources, "PROCESS_SECONDS", 0.1)
    monkeypatch.setattr(credential_sources, "CODE_SECONDS", 0.1)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """No terminal, and a standard input that is held open: its writing end."""
    reading, writing = os.pipe()
    monkeypatch.setattr(credential_sources, "_has_terminal", lambda: False)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield writing
    os.close(writing)


@pytest.mark.parametrize("profile", ["slow", "switching"])
def test_a_program_that_does_not_end_is_ended_and_named(profile: str) -> None:
    with pytest.raises(CredentialRetrievalError, match=r"sleep did not end within 0\.1 s"):
        _boto_session(profile).get_credentials().get_frozen_credentials()


def test_a_code_that_nobody_types_is_not_waited_for(nobody: int) -> None:
    with pytest.raises(EOFError):
        _boto_session("coded").get_credentials().get_frozen_credentials()


def test_a_closed_standard_input_has_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_sources, "_has_terminal", lambda: False)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(EOFError):
        credential_sources.mfa_code("")


def test_a_code_that_is_piped_in_is_read(nobody: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.write(nobody, b"123456\n")
    monkeypatch.setattr("getpass.getpass", lambda _: input())
    assert credential_sources.mfa_code("") == "123456"


def test_a_program_that_answers_is_heard() -> None:
    with credential_sources.Program(["echo", "x"], stdout=-1) as program:
        assert program.communicate()[0] == b"x\n"
