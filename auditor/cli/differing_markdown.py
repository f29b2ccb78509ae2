"""A difference as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.cli.differing import Comparison, active_words, coverage_words, doubt_words, first_of, headline, heavy
from auditor.cli.terminal import printable
from auditor.questions.folding import FoldedChange, fold_changes

HEAD = ("change", "principals", "capabilities", "keys", "before", "after", "cause")


def markdown(shown: Comparison) -> list[str]:
    """The lines of the document."""
    lines = ["### KMS access", "", headline(shown), ""]
    if shown.found.access:
        lines += [f"| {' | '.join(HEAD)} |", "|---|---|---|---|---|---|---|"]
        lines += [_row(shown, item) for item in fold_changes(shown.found.access)]
        lines.append("")
    if shown.open_ones:
        lines += ["**Not judged**, because the plan or the snapshot does not say enough:", ""]
        lines += [*(f"- {_code(text)}" for text in shown.open_ones), ""]
    lines += [f"- {_code(text)}" for text in active_words(shown)]
    lines += [f"- {f.change} {f.kind} {_code(f.subject)} {_code(f.detail)}".rstrip() for f in shown.found.facts]
    for heading, items in shown.findings or ():
        lines += [f"- **{heading}** finding ({heavy(shown, f)}) {f.rule}: {_code(f.summary)}" for f in items]
    return [*lines, *(f"- {_code(text)}" for text in (*coverage_words(shown), *doubt_words(shown)))]


def _row(shown: Comparison, item: FoldedChange) -> str:
    cells = (
        _code(str(item.first.change)),
        _lines(item.principals),
        _lines(item.capabilities),
        _lines(shown.called(key) for key in item.keys),
        _code(item.first.was),
        _code(item.first.now),
        _code(item.first.cause),
    )
    return f"| {' | '.join(cells)} |"


def _lines(names: Iterable[str]) -> str:
    return "<br>".join(_code(name) for name in first_of(tuple(names)))


def _code(text: str) -> str:
    """Hostile names as literal text: neither Markdown nor HTML nor a table border comes through."""
    clean = printable(" ".join(text.split())).replace("`", "'").replace("|", "¦")
    return f"`{clean}`" if clean else ""
