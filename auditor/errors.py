"""One tree of errors; a message says what happened, where, and what to do next.

KmsAuditError            exit code 1: could not be done
├── UsageError           exit code 2: an option, a file or a name that the user gave is wrong
│   ├── ConfigError      the configuration file, naming the key
│   ├── CaseFileError    an authorization case file, naming file, case and field
│   ├── SnapshotError    a snapshot that is missing, tampered with, or of another schema
│   └── UnknownNameError a key or principal that matches nothing, or too much; lists candidates
├── CredentialsError     AWS credentials that are missing, expired or refused
│   └── UnknownProfileError  exit code 2: a profile that the AWS configuration does not have
├── CollectionError      nothing could be collected at all
└── OutputError          a report or snapshot that could not be written
"""

from __future__ import annotations


class KmsAuditError(Exception):
    """The root: every error that the command line reports in one line, without a traceback.

    ``remedy`` is the next step for the reader; it is printed after the message.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return sentences(self.message, self.remedy)


def sentences(message: str, remedy: str) -> str:
    """Both in one line; a message in somebody else's words may lack its full stop."""
    if message and remedy and message[-1].isalnum():
        message += "."
    return f"{message} {remedy}".strip()


class UsageError(KmsAuditError):
    """What the user gave is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration file is wrong."""


class CaseFileError(UsageError):
    """An authorization case file is wrong."""


class SnapshotError(UsageError):
    """A snapshot cannot be used."""


class UnknownNameError(UsageError):
    """A key or principal name matches nothing, or more than one."""


class CredentialsError(KmsAuditError):
    """AWS credentials are missing, expired or refused."""


class UnknownProfileError(CredentialsError):
    """The AWS configuration has no profile of this name: a mistake of whoever named it."""

    exit_code = 2


class CollectionError(KmsAuditError):
    """Nothing could be collected."""


class OutputError(KmsAuditError):
    """A report or snapshot could not be written."""


def reading_trouble(error: Exception) -> str:
    """What is wrong with a text that could not be read, in one line: the limits of Python's reader in plain words."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 text (byte {error.start})"
    if "integer string conversion" in str(error):
        return "a number in it has too many digits"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def no_kind(given: object, noun: str) -> str:
    """A message about an argument of the wrong kind: “An int is no path.”, with the module of a class called alike."""
    kind = type(given)
    name = kind.__name__ if kind.__name__.lower() != noun else f"{kind.__module__}.{kind.__name__}"
    article = "An" if name[0].lower() in "aeiou" else "A"
    return f"{'None' if given is None else f'{article} {name}'} is no {noun}."
