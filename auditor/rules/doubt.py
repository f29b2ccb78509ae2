"""What a rule finds for certain, and what it finds besides if nothing that could not be read stands against it.

A layer that may deny and was not read makes every verdict below it unknown. A rule that asked for what is allowed alone
would then fall silent, as if all were well: in an account whose SCPs nobody may read, about everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps

from auditor.model.finding import Confidence
from auditor.rules.hit import Hit
from auditor.rules.view import View

Check = Callable[[View], Iterator[Hit]]
OF_KEYS = ("key", "key-set")


def also_in_doubt(check: Check) -> Check:
    """The check of a rule over what is certain, and of the rest over what may be: those hits are potential.

    A key that the rule has told is not told again, nor is what it said of the same keys.
    """

    @wraps(check)
    def told(view: View) -> Iterator[Hit]:
        certain = tuple(check(view))
        yield from certain
        if view.in_doubt is None:
            return
        known = {_what(hit) for hit in certain}
        beside = {(hit.subject, hit.identity) for hit in certain}
        for hit in check(view.in_doubt):
            if _what(hit) not in known:
                mark = ("not certain",) if (hit.subject, hit.identity) in beside else ()
                yield replace(hit, confidence=Confidence.POTENTIAL, identity=(*hit.identity, *mark))

    return told


def _what(hit: Hit) -> tuple[object, ...]:
    """What a hit is about: a key, or something else and the keys that it concerns."""
    return (hit.subject,) if hit.kind in OF_KEYS else (hit.subject, hit.identity, tuple(sorted(set(hit.keys))))
