"""moto without what costs more than its answers: it lists the folders of its services for every request."""

from __future__ import annotations

from moto import backends


def quicken() -> None:
    """Lists the services once in this process."""
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
