"""Strict reading of one value at a time: every complaint names the file, the case and the field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from auditor.errors import CaseFileError
from auditor.model.policy import Policy
from auditor.model.policy_document import parse_policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """A value and where it stands: ``path`` is the dotted name of the field inside the case, or inside the file."""

    file: str
    case: str
    path: str
    value: Any

    def fail(self, message: str, remedy: str = "") -> NoReturn:
        """Raises CaseFileError with the place in front of ``message``."""
        case = f"case {self.case}: " if self.case else ""
        where = f"field {self.path}: " if self.path else ""
        raise CaseFileError(f"{self.file}: {case}{where}{message}", remedy)

    def with_value(self, value: Any) -> Field:
        """Another value at the same place."""
        return Field(self.file, self.case, self.path, value)

    @property
    def absent(self) -> bool:
        """Whether the field is missing or null, which mean the same everywhere."""
        return self.value is None

    def __getitem__(self, name: str) -> Field:
        path = f"{self.path}.{name}" if self.path else name
        return Field(self.file, self.case, path, self.value.get(name) if isinstance(self.value, dict) else None)

    def _expected(self, kind: str) -> NoReturn:
        if self.value is None:
            self.fail(f"is required: {kind}.")
        self.fail(f"must be {kind}, not {_kind_of(self.value)}.")

    def mapping(self, known: tuple[str, ...] | None = None) -> dict[str, Any]:
        """The value as an object; with ``known``, other names are refused."""
        if not isinstance(self.value, dict):
            self._expected("an object")
        for name in self.value:
            if not isinstance(name, str):
                self.fail(f"has a name that is no text: {name!r}.")
            if known is not None and name not in known:
                self.refuse(name, known)
        return self.value

    def refuse(self, name: str, known: tuple[str, ...]) -> NoReturn:
        """Raises CaseFileError for a name of this object that is not among ``known``."""
        close = get_close_matches(name, known, 1, 0.6)
        meant = f"Did you mean {close[0]}? " if close else ""
        self[name].fail("unknown field.", f"{meant}Known here: {', '.join(known)}.")

    def items(self) -> Iterator[tuple[str, Field]]:
        """The entries of an object with free names."""
        for name in self.mapping():
            yield name, self[name]

    def elements(self) -> list[Field]:
        """The elements of a list, each with its own place."""
        if not isinstance(self.value, list):
            self._expected("a list")
        return [Field(self.file, self.case, f"{self.path}[{i}]", item) for i, item in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str):
            self._expected("text")
        if not self.value.strip():
            self.fail("is empty.")
        return self.value

    def remark(self) -> str:
        """A text for people, which may be empty."""
        return self.value if isinstance(self.value, str) else self.text()

    def choice(self, known: tuple[str, ...] | frozenset[str]) -> str:
        """One of a closed set of words."""
        text = self.text()
        if text not in known:
            self.fail(f"unknown value {text!r}.", f"Known: {', '.join(sorted(known))}.")
        return text

    def boolean(self) -> bool:
        """True or false, as a boolean or in quotes."""
        if self.value in ("true", "false"):
            return bool(self.value == "true")
        if not isinstance(self.value, bool):
            self._expected("true or false")
        return self.value

    def scalar(self) -> str:
        """Text, a number or a boolean, as the text that a policy would compare."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if not isinstance(self.value, str | int | float):
            self._expected("text, a number or a boolean")
        return str(self.value)

    def scalars(self) -> tuple[str, ...]:
        """One scalar or a list of them."""
        if isinstance(self.value, list):
            return tuple(element.scalar() for element in self.elements())
        return (self.scalar(),)

    def texts(self) -> tuple[str, ...]:
        """A list of texts; nothing counts as the empty list."""
        return () if self.absent else tuple(element.text() for element in self.elements())

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """An object from text to text, sorted; nothing counts as the empty object."""
        return () if self.absent else tuple(sorted((name, entry.scalar()) for name, entry in self.items()))

    def moment(self) -> str:
        """An ISO 8601 time."""
        text = self.text()
        try:
            datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            self.fail(f"{text!r} is no time.", "Write it as 2026-11-25T00:00:00Z.")
        return text

    def account_id(self) -> str:
        """A 12-digit account id, which must be text because a number loses its leading zeros."""
        text = self.text()
        if len(text) != 12 or not text.isdigit():
            self.fail(f"{text!r} is no 12-digit account id.")
        return text

    def policy(self) -> Policy:
        """A policy document, either as an object or verbatim as text; a broken document is a case, not an error."""
        if not isinstance(self.value, dict | str):
            self._expected("a policy document (an object, or its verbatim text)")
        return parse_policy(self.value)

    def default(self, reader: Callable[[Field], T], fallback: T) -> T:
        """``reader`` applied to the field, or ``fallback`` where it is absent."""
        return fallback if self.absent else reader(self)


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
