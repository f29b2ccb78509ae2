"""Texts from AWS made harmless for formats of plain text: no control characters, no reordering marks, one line."""

from __future__ import annotations

import re

INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Controls, marks that hide or reorder text, non-characters, lone surrogates and tags; ``island.js`` has the same."""


def spelled_out(text: str) -> str:
    """The text with characters that hide or reorder others written as their code points."""
    return INVISIBLE.sub(lambda found: f"⟦U+{ord(found.group()):04X}⟧", text)


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most ``limit`` characters, the last an ellipsis where something was left out."""
    flat = " ".join(spelled_out(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
