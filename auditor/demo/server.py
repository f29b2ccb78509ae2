"""The embedded AWS stand-in: moto's HTTP application in a thread of this process, on a free port of 127.0.0.1."""

from __future__ import annotations

import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from auditor.demo.gateway import Additions, Gateway
from auditor.errors import KmsAuditError

SEED = 42
"""Makes account, key, grant and role ids the same in every run, so that links and screenshots stay true."""
SILENT = logging.CRITICAL + 1


@dataclass(frozen=True, slots=True)
class Server:
    """The running server: where it is, and what it adds to moto's answers."""

    url: str
    additions: Additions


@contextmanager
def moto_server() -> Iterator[Server]:
    """Runs an empty moto server for the length of the block. Raises KmsAuditError when moto is not installed."""
    server, gateway = _make()
    access_log = logging.getLogger("werkzeug")
    level = access_log.level
    access_log.setLevel(SILENT)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        _control(url, "reset")
        _control(url, f"seed?a={SEED}")
        yield Server(url, gateway.additions)
        _control(url, "reset")
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        access_log.setLevel(level)


def _make() -> tuple[Any, Gateway]:
    try:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server
    except ImportError as error:
        raise KmsAuditError(
            f"The demonstration needs the moto server, which is not installed ({error}).",
            'Install it with: pip install "kms-audit[demo]" (in a checkout: pip install ".[demo]").',
        ) from error
    gateway = Gateway(DomainDispatcherApplication(create_backend_app))
    server: Any = make_server("127.0.0.1", 0, gateway, threaded=True)
    server.handle_error = lambda *_: None  # a request that fails is told by who made it, not by a traceback of ours
    return server, gateway


def _control(url: str, command: str) -> None:
    # Without a proxy handler: a proxy set in the environment must not be asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}/moto-api/{command}", method="POST")  # noqa: S310 - loopback
    opener.open(request, timeout=10).close()
