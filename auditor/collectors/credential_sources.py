"""Where a profile's credentials come from must answer: a scheduled run has nobody who would notice that it waits.

botocore waits without end for a program of the profile (``credential_process``) and, where standard input is a pipe
that somebody holds open, for the code of an MFA device. It has no setting for either, so its providers are changed in
place; where a later botocore has other attributes, they stay as they are.
"""

from __future__ import annotations

import getpass
import os
import select
import subprocess
import sys
from typing import Any

PROCESS_SECONDS = 120.0
"""For a ``credential_process``: some open a browser, where somebody signs in."""
CODE_SECONDS = 10.0
"""For an MFA code on a standard input that is no terminal: what pipes one in has it at hand."""


def made_to_end(session: Any) -> None:
    """Bounds what the credential providers of a botocore session wait for."""
    for provider in session.get_component("credential_provider").providers:
        if hasattr(provider, "_popen"):
            provider._popen = Program
        if hasattr(provider, "_prompter"):
            provider._prompter = mfa_code
        if hasattr(provider, "_profile_provider_builder"):
            _bound_source_profiles(provider._profile_provider_builder)


def _bound_source_profiles(builder: Any) -> None:
    """A profile that assumes a role has its program in another profile, whose providers are made when they are used."""
    make = builder._create_process_provider

    def bounded(profile_name: str) -> Any:
        provider = make(profile_name)
        provider._popen = Program
        return provider

    builder._create_process_provider = bounded


class Program(subprocess.Popen[bytes]):
    """A ``credential_process`` that is ended after ``PROCESS_SECONDS``."""

    def communicate(self, *_: Any, **__: Any) -> tuple[bytes, bytes]:
        """Standard output and error, whole. Raises CredentialRetrievalError when the program does not end in time."""
        from botocore.exceptions import CredentialRetrievalError

        try:
            return super().communicate(timeout=PROCESS_SECONDS)
        except subprocess.TimeoutExpired as error:
            with self:
                self.kill()
            message = f"{error.cmd[0]} did not end within {PROCESS_SECONDS:g} s"
            raise CredentialRetrievalError(provider="credential_process", error_msg=message) from error


def mfa_code(prompt: str) -> str:
    """Asks at the terminal, or reads what is piped in. Raises EOFError where there is neither."""
    if _has_terminal() or (sys.stdin and select.select([sys.stdin], [], [], CODE_SECONDS)[0]):
        return getpass.getpass(prompt)
    raise EOFError


def _has_terminal() -> bool:
    if os.name == "nt":
        return True  # getpass reads the console there, never standard input
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True
