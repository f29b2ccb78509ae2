"""The proxy itself: an HTTP server on loopback in front of moto's."""

from __future__ import annotations

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

from tests.aws.faults import DENIED, Fault, Faults, Patch, Quotas
from tests.aws.memory import Memory, Upstream
from tests.aws.pages import paged, without_marker
from tests.aws.serial import XML, protocol, spelt
from tests.aws.wire import Accounts, Call, call_of, error_answer

HOP = frozenset({"connection", "transfer-encoding", "content-length", "host", "accept-encoding"})


class Proxy:
    """Start with ``with``; ``url`` is the endpoint. ``calls`` are the actions that were asked for, in order."""

    def __init__(self, upstream: str, page_size: int = 2) -> None:
        self.upstream = urlsplit(upstream)
        self.page_size = page_size
        self.faults = Faults()
        self.quotas = Quotas()
        self.patches: dict[str, Patch] = {}
        self.replaced: dict[str, Patch] = {}
        self.allowed: frozenset[str] | None = None
        self.strip_tokens: frozenset[str] = frozenset()
        self.calls: list[Call] = []
        self.accounts = Accounts()
        self._memory = Memory(lambda call: without_marker(call, self.strip_tokens))
        handler = type("Bound", (_Handler,), {"proxy": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def actions(self) -> set[str]:
        return {call.action for call in self.calls}

    def deny(self, action: str, **where: str) -> None:
        code, status = DENIED.get(action.split(":", maxsplit=1)[0], ("AccessDeniedException", 403))
        self.faults.add(Fault(action, code=code, status=status, **where))

    def answer(self, path: str, headers: dict[str, str], body: bytes, method: str):
        """Status, headers and body for a request; None: drop the connection."""
        call = call_of(path, headers, body, self.accounts)
        self.calls.append(call)
        if self.allowed is not None and call.action not in self.allowed:
            return error_answer(call, *_denial(call))
        fault = self.faults.of(call)
        if fault is not None and fault.what == "hang":
            time.sleep(fault.seconds)
            return None
        if fault is not None and fault.what in ("cut", "half"):
            status, kinds, content = self._forwarded(path, headers, call, method)
            length = len(content) if fault.what == "cut" else len(content) // 2
            return status, {**kinds, "Content-Length": str(length)}, content[: len(content) // 2]
        if fault is not None and fault.what == "empty":
            return 200, {"Content-Type": "application/x-amz-json-1.1"}, b"{}"
        if fault is not None and fault.what == "page":
            return 500, {"Content-Type": "text/html"}, b"<!doctype html>\n<title>500 Internal Server Error</title>"
        if fault is not None:
            return None if fault.what == "drop" else error_answer(call, fault.code, fault.message, fault.status)
        if self.quotas.exceeded(call):
            return error_answer(call, "ThrottlingException", "Rate exceeded", 400)
        if call.action in self.replaced:
            return _made_up(call, self.replaced[call.action](call, {}))
        return self._forwarded(path, headers, call, method)

    def _forwarded(self, path: str, headers: dict[str, str], call: Call, method: str):
        status, kind, body = self._memory.answer(call, (method, path), lambda: self._moto(path, headers, call, method))
        if status == 200 and call.action == "sts:AssumeRole":
            self.accounts.learn(call, body)
        if status == 200:
            body = paged(call, body, self.page_size)
            if call.action in self.patches:
                body = json.dumps(self.patches[call.action](call, json.loads(body))).encode()
        return status, {"Content-Type": kind}, body

    def _moto(self, path: str, headers: dict[str, str], call: Call, method: str) -> Upstream:
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in HOP}
            connection.request(method, path, without_marker(call, self.strip_tokens), kept)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        finally:
            connection.close()


def _made_up(call: Call, answer: dict):
    """An answer that moto does not have, in the protocol of its service."""
    if protocol(call.service) not in XML:
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
    kind, body = spelt(call.service, call.operation, answer)
    return 200, {"Content-Type": kind}, body


def _denial(call: Call) -> tuple[str, str, int]:
    code, status = DENIED.get(call.service, ("AccessDeniedException", 403))
    return code, f"not authorized to perform: {call.action}", status


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A client that was killed, or gave up waiting, is what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[Proxy]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        result = self.proxy.answer(self.path, dict(self.headers.items()), body, self.command)
        if result is None:
            self.close_connection = True
            return
        status, headers, content = result
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = len(content) < int(headers.get("Content-Length", 0))

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names that http.server asks for

    def log_message(self, *_: object) -> None:
        pass
