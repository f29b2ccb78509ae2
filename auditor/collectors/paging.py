"""The pages of one list call: gathered item by item, as far as they can be understood, and to an end.

What is wrong with one item, or with the end of the list, is no reason to drop the others: it is said at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.collectors.failures import EndlessError, MalformedError
from auditor.collectors.operation import Operation
from auditor.collectors.shapes import MARKERS, TOKENS, Answer, lacking, misshapen_item

SAME_NAME = (*TOKENS, "Marker")
MORE = ("Truncated", "IsTruncated")
EMPTY_PAGES = 200
"""So many pages in a row that bring nothing new are not followed by one that does."""
MOST_PAGES = 5_000


class Gathered:
    """The lists of all pages of ``operation``, by the name of the member that holds them."""

    def __init__(self, operation: Operation, model: Any = None) -> None:
        """``model`` is botocore's of the service; without it nothing can be taken."""
        self._operation = operation
        self._members = model.operation_model(operation.name).output_shape.members if model else {}
        self._known: dict[tuple[str, str], Any] = {}
        self._contradictory: set[tuple[str, str]] = set()
        self._wrong = ""
        self._lists: dict[str, list[Any]] = {}

    def items(self, name: str) -> tuple[Any, ...]:
        """What was understood of one list."""
        found = self._lists.get(name, ())
        if not self._contradictory:
            return tuple(found)
        return tuple(item for item in found if self._identity(name, item) not in self._contradictory)

    @property
    def empty(self) -> bool:
        """Whether nothing was understood."""
        return not any(map(self.items, self._lists))

    def take(self, page: Answer) -> bool:
        """Adds the sound items of a page; whether there was anything new."""
        new = False
        for name in self._operation.lists:
            for item in page.get(name) or ():
                new = self._take(name, item) or new
        return new

    def end(self) -> None:
        """Raises MalformedError if anything on the pages was not understood."""
        if self._wrong:
            raise MalformedError(f"{self._wrong}.")

    def _take(self, name: str, item: Any) -> bool:
        label = f"An item of {name}"
        wrong = misshapen_item(self._members[name], item, label)
        wrong = wrong or lacking(item, self._operation.needs_of(name), label)
        if not wrong:
            identity = self._identity(name, item)
            if identity not in self._known:
                self._known[identity] = item
                self._lists.setdefault(name, []).append(item)
                return True
            if self._known[identity] == item:
                return False
            self._contradictory.add(identity)
            wrong = f"{name} tells of {identity[1]} twice, and differently"
        self._wrong = self._wrong or wrong
        return False

    def _identity(self, name: str, item: Any) -> tuple[str, str]:
        """What tells an item from others: a member, or the whole where the operation names none."""
        member = self._operation.identity.get(name)
        return name, (item.get(member) if member else None) or repr(item)


def to_the_end(pages: Iterable[Answer], gathered: Gathered) -> None:
    """Takes every page. Raises MalformedError for a list that has no good end, or held what nobody understands."""
    seen: set[str] = set()
    page: Answer = {}
    barren = 0
    for number, page in enumerate(pages):
        barren = 0 if gathered.take(page) else barren + 1
        if barren > EMPTY_PAGES or number > MOST_PAGES:
            raise EndlessError("The list does not end: AWS always names one more page.")
        _turn(page, seen)
    if token_of(page) and not _said_last(page):
        raise MalformedError("AWS named a marker for more, and did not say that there is more.")
    gathered.end()


def _said_last(page: Answer) -> bool:
    """Whether AWS says in so many words that nothing follows: a marker beside that is none (KMS and IAM API
    references: the flag tells whether there is more)."""
    return any(page.get(name) is False for name in MORE)


def _turn(page: Answer, seen: set[str]) -> None:
    """Raises MalformedError unless the page is the last, or names one that was not there before."""
    token = token_of(page)
    if not token and any(page.get(name) for name in MORE):
        raise MalformedError("AWS said that there is more, without a marker to ask for it.")
    if token in seen:
        raise MalformedError("AWS sent the same marker twice: the pages go round in a circle.")
    if token:
        seen.add(token)


def token_of(page: Any) -> str:
    """What asks for the next page; empty on the last."""
    return next((str(page[name]) for name in MARKERS if page.get(name)), "") if isinstance(page, dict) else ""


def following(page: Any) -> Answer:
    """The parameter that asks for the next page of an operation that the SDK has no paginator for; empty at the end.

    It has the name of the member: of those that IAM answers with a Marker, too.
    """
    found = [name for name in SAME_NAME if page.get(name)] if isinstance(page, dict) and not _said_last(page) else []
    return {found[0]: page[found[0]]} if found else {}
