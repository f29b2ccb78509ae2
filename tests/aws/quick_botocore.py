"""botocore without working out again for every client what depends on its data alone.

A run of the tool makes each client once; the tests make thousands of runs.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def quicken() -> None:
    """Keeps the classes of clients, by service model, and the aliases of event names, in this process."""
    from botocore.client import ClientCreator
    from botocore.hooks import EventAliaser

    make: Any = ClientCreator._create_client_class
    classes: dict[int, tuple[Any, type]] = {}

    def known_class(self: Any, service_name: str, service_model: Any) -> type:
        description = service_model._service_description
        if id(description) not in classes:
            classes[id(description)] = description, make(self, service_name, service_model)
        return classes[id(description)][1]

    alias: Any = EventAliaser._alias_event_name
    names: dict[str, str] = {}

    def known_name(self: Any, event_name: str) -> str:
        if event_name not in names:
            names[event_name] = alias(self, event_name)
        return names[event_name]

    ClientCreator._create_client_class = known_class
    EventAliaser._alias_event_name = known_name
