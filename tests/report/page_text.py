"""A page as a reader without style and script has it: texts, places and links in their order."""

from __future__ import annotations

from html.parser import HTMLParser

SHOWN = frozenset({"section", "h1", "h2", "h3", "tr", "td", "th", "li", "p", "dt", "dd", "a", "details", "summary"})
HIDDEN = ("script", "style")


class PageText(HTMLParser):
    """``lines`` of the page, ``ids`` of its elements and ``links``, as often as they occur."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._hidden += tag in HIDDEN
        self.ids += filter(None, [given.get("id")])
        self.links += filter(None, [given.get("href")])
        if tag in SHOWN:
            kept = [(name, value) for name, value in attrs if name in ("id", "href") or name.startswith("data-")]
            self.lines.append(
                " ".join([f"<{tag}", *(f"{name}={' '.join((value or '').split())}" for name, value in kept)])
            )

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words and not self._hidden:
            self.lines.append(words)
