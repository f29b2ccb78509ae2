"""The YAML dialect of handed-in files: PyYAML's safe loader with merge keys, without dates, and no name twice.

In the plain form only true, false, null and the merge key are resolved and everything else stays the text that was
written, so that an account id such as 012345678901 keeps its zero; the typed form knows numbers as well. The module
imports PyYAML at its top, so it is itself imported where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Resolvers = dict[str, list[tuple[str, re.Pattern[str]]]]
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _TextLoader(_LOADER):  # type: ignore[misc]
    """The safe loader without the numbers, dates and yes/no words of YAML 1.1."""

    yaml_implicit_resolvers: Resolvers = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuses names that occur twice, and names that are no text; merged names may be overridden."""
        seen: set[str] = set()
        for name_node, _ in node.value:
            if name_node.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(name_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name must be text", name_node.start_mark)
            if name_node.value in seen:
                problem = f"the name {name_node.value!r} occurs twice in one object"
                raise yaml.constructor.ConstructorError(None, None, problem, name_node.start_mark)
            seen.add(name_node.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


class _TypedLoader(_TextLoader):
    """The same with the numbers and words of YAML 1.1."""

    yaml_implicit_resolvers: Resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in found if tag != TIMESTAMP]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_TextLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_TextLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


def load(text: str, max_depth: int, *, typed: bool = False) -> Any:
    """The data of one YAML document. Raises yaml.YAMLError, ValueError, or RecursionError past ``max_depth``."""
    loader = _TypedLoader if typed else _TextLoader
    _check_events(text, max_depth, loader)
    return yaml.load(text, loader)  # noqa: S506 - a subclass of the safe loader


def _check_events(text: str, max_depth: int, loader: Any) -> None:
    """Looks at depth and anchors before any node is built: the C composer overflows its stack on deep nesting."""
    depth = 0
    open_anchors: list[str | None] = []
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            open_anchors.append(event.anchor)
            if depth > max_depth:
                raise RecursionError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            open_anchors.pop()
        elif isinstance(event, yaml.AliasEvent) and event.anchor in open_anchors:
            problem = f"the anchor {event.anchor!r} contains itself"
            raise yaml.YAMLError(problem)
