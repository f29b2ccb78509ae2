"""How the SDK reads answers: what has not the form of its model is handed on as it came, and judged in ``shapes``.

By itself the SDK drops a whole answer for one bad item, or takes a bad one for something else: a text for the list of
its letters, an XML list that holds only text for an empty one, any word for ``false``.
"""

from __future__ import annotations

from functools import cache
from typing import Any


def faithful_parsers() -> Any:
    """The component of a botocore session that makes the parsers of its clients."""
    from botocore.parsers import ResponseParserFactory

    class Parsers(ResponseParserFactory):  # type: ignore[misc, unused-ignore]
        """Parsers of the SDK that do not guess."""

        def create_parser(self, protocol_name: str) -> Any:
            usual: Any = type(super().create_parser(protocol_name))
            return _faithful(usual)(**self._defaults)

    return Parsers()


@cache
def _faithful(usual: Any) -> Any:
    from botocore.parsers import BaseXMLResponseParser

    own = _XML if issubclass(usual, BaseXMLResponseParser) else _AsItCame
    return type(f"Faithful{usual.__name__}", (own, usual), {})


class _AsItCame:
    """Laid over a parser: a value that it cannot read stays as it is, and everything around it is read."""

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        if (shape.type_name == "list" and not self._listed(node)) or isinstance(node, bool):
            return node
        try:
            return super()._parse_shape(shape, node)  # type: ignore[misc]
        except Exception:  # whatever a parser makes of a value that no model foresees
            return node

    def _listed(self, node: Any) -> bool:
        return isinstance(node, list)

    def _handle_boolean(self, shape: Any, node: Any) -> Any:
        return node  # the SDK takes whatever a REST service sends here for false


class _XML(_AsItCame):
    """The same for XML, where an element with text alone is no list, and truth is one of two words, in any case."""

    def _listed(self, node: Any) -> bool:
        text = getattr(node, "text", None)
        return not (text and text.strip())

    def _handle_boolean(self, shape: Any, node: Any) -> Any:
        text = getattr(node, "text", node)
        return {"true": True, "false": False}.get(str(text).strip().lower(), text)
