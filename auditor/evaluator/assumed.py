"""What is taken to hold while a part of a residual tree is looked at, by condition key.

Every part of a connective is looked at under all its siblings, and there may be hundreds of them: they are gathered
once, and what a part says itself is left out where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.consequences import said_by
from auditor.evaluator.consistency import Literal


class Assumed:
    """The literals of the siblings of one part at a time (``besides``), and those of the parts around them."""

    def __init__(self, around: Assumed | None = None) -> None:
        self._around = around
        self._said: dict[str, dict[Literal, set[int]]] = {}
        self._of_place: dict[int, list[Literal]] = {}
        self._besides: int | None = None

    def __bool__(self) -> bool:
        """Whether anything is assumed."""
        return any(place != self._besides for place in self._of_place) or bool(self._around)

    def state(self, place: int, literal: Literal | None) -> None:
        """The part at ``place`` is this literal, with all that it says of other keys; None: it is no literal."""
        for known in self._of_place.pop(place, ()):
            self._said[known[0].key.lower()][known].discard(place)
        if literal is None:
            return
        said = self._of_place[place] = [literal, *said_by(literal)]
        for known in said:
            self._said.setdefault(known[0].key.lower(), {}).setdefault(known, set()).add(place)

    def besides(self, place: int) -> Assumed:
        """The same, seen from the part at ``place``."""
        self._besides = place
        return self

    def of(self, key: str) -> tuple[Literal, ...]:
        """What is assumed of a condition key (lower case)."""
        around = self._around.of(key) if self._around is not None else ()
        own = self._said.get(key)
        return (*around, *self._of_others(own)) if own else around

    def beginning(self, prefix: str) -> Iterator[Literal]:
        """What is assumed of the condition keys that begin with ``prefix`` (lower case)."""
        if self._around is not None:
            yield from self._around.beginning(prefix)
        for key, own in self._said.items():
            if key.startswith(prefix):
                yield from self._of_others(own)

    def _of_others(self, said: dict[Literal, set[int]]) -> list[Literal]:
        """Each once, however many parts say it, unless the part that is looked at says it alone."""
        only = {self._besides}
        return [known for known, places in said.items() if places and places != only]
