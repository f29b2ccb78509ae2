"""What is known of a condition key's value before a request is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """The value is settled; no values means that the key is absent."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunTime:
    """Only a request can tell.

    ``domain``: all values the key can take, when that is a known list. ``may_be_absent``: a request without the key is
    possible. ``account`` / ``forms`` / ``not_value`` narrow the value: an ARN of that account, a text that matches one
    of these patterns, a text that is not (and does not begin with) this id of an organization or account.
    ``includes``: the values of a multi-valued key that are certainly among those of the request.
    """

    domain: tuple[str, ...] | None = None
    may_be_absent: bool = True
    account: str | None = None
    forms: tuple[str, ...] = ()
    not_value: str | None = None
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A fact that could not be read, or an effect that AWS does not document. ``what`` names it.

    ``could``: what holds of the value all the same (a key always has a spec); None where nothing is known of it.
    """

    what: str
    could: RunTime | None = None

    @property
    def undocumented(self) -> bool:
        """Whether it is an effect that AWS does not document, rather than a fact."""
        return self.what.startswith("effect of ")


KeyValue = Known | RunTime | Unsettled
ABSENT = Known(())
ANY = RunTime()
ALWAYS_PRESENT = RunTime(may_be_absent=False)
BOOLEAN = RunTime(domain=("false", "true"), may_be_absent=False)
SOME_ORGANIZATION = RunTime(forms=("o-*",))
"""An organization's id or path, of an account that may be in none."""
OPTIONAL_BOOLEAN = RunTime(domain=("false", "true"))


def known(value: str | None) -> Known:
    """A settled single value, or absent for None."""
    return ABSENT if value is None else Known((value,))
