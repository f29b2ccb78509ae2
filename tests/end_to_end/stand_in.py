"""A moto server in a process of its own that refuses what it is told to: ``python -m tests.end_to_end.stand_in``.

Prints its URL, then serves until its standard input closes, so it cannot outlive the test run. ``POST /refuse`` with a
JSON list of refusals replaces those in force; each is ``{"operation": …, "holding": …, "code": …}``, where
``operation`` begins the name ``service.Operation`` and ``holding`` is a text that the request must contain. ``POST
/events`` with a Region and entries fills the event history of that Region.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.aws.quick_moto import quicken
from tests.end_to_end.history import EventHistory

Start = Callable[..., Any]


class Refusing:
    """WSGI in front of moto: passes on, or answers with an AWS error in the wire format of the service."""

    def __init__(self) -> None:
        quicken()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._refusals: list[dict[str, str]] = []
        self._history = EventHistory()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ["PATH_INFO"] == "/refuse":
            self._refusals = json.loads(body)
            return _answer(start, "200 OK", "application/json", b"{}")
        if environ["PATH_INFO"] == "/events":
            self._history.fill(**json.loads(body))
            return _answer(start, "200 OK", "application/json", b"{}")
        operation = _operation(environ, body)
        for refusal in self._refusals:
            if operation.startswith(refusal["operation"]) and refusal.get("holding", "") in body.decode():
                return _refuse(start, operation, refusal.get("code", "AccessDenied"), environ)
        if operation == "cloudtrail.LookupEvents":
            found = self._history.answer(_scope(environ)[2], json.loads(body))
            return _answer(start, "200 OK", "application/x-amz-json-1.1", json.dumps(found).encode())
        environ["wsgi.input"] = io.BytesIO(body)
        answer: Iterable[bytes] = self._moto(environ, start)
        return answer


def _operation(environ: dict[str, Any], body: bytes) -> str:
    """``service.Operation`` of a request; the path stands in for REST services."""
    service = _scope(environ)[3]
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    name = target.rpartition(".")[2] or parse_qs(body.decode(errors="replace")).get("Action", [environ["PATH_INFO"]])[0]
    return f"{service}.{name}"


def _scope(environ: dict[str, Any]) -> list[str]:
    """Access key, day, Region and service that a request is signed for; empty where it is not."""
    found = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")
    return found if len(found) > 3 else [""] * 4


def _refuse(start: Start, operation: str, code: str, environ: dict[str, Any]) -> Iterable[bytes]:
    message = f"User: arn:aws:iam::123456789012:user/tester is not authorized to perform: {operation}"
    if environ.get("HTTP_X_AMZ_TARGET"):
        name = code if code.endswith("Exception") else f"{code}Exception"
        body = json.dumps({"__type": name, "message": message}).encode()
        return _answer(start, "400 Bad Request", "application/x-amz-json-1.1", body)
    xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return _answer(start, "403 Forbidden", "text/xml", xml.encode())


def _answer(start: Start, status: str, kind: str, body: bytes) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


class Silent(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL + 1)  # moto fails loudly at what it lacks
    server = make_server("127.0.0.1", 0, Refusing(), threaded=True, request_handler=Silent)  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
