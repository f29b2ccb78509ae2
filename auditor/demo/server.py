"""The embedded AWS stand-in: moto's HTTP server in a thread of this process, on a free port of 127.0.0.1."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from auditor.errors import KmsAuditError

SEED = 42
"""Makes account, key, grant and role ids the same in every run, so that links and screenshots stay true."""


@contextmanager
def moto_server() -> Iterator[str]:
    """Runs an empty moto server for the length of the block and yields its URL. Raises KmsAuditError without moto."""
    server = _threaded_server()
    access_log = logging.getLogger("werkzeug")
    level = access_log.level
    access_log.setLevel(logging.ERROR)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        _control(url, "reset")
        _control(url, f"seed?a={SEED}")
        yield url
        _control(url, "reset")
    finally:
        server.stop()
        access_log.setLevel(level)


def _threaded_server() -> Any:
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        raise KmsAuditError(
            f"The demonstration needs the moto server, which is not installed ({error}).",
            'Install it with: pip install "kms-audit[demo]" (in a checkout: pip install ".[demo]").',
        ) from error
    return ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)


def _control(url: str, command: str) -> None:
    # Without a proxy handler: a proxy set in the environment must not be asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}/moto-api/{command}", method="POST")  # noqa: S310 - loopback
    opener.open(request, timeout=10).close()
