"""An HTTP server that answers every call of a collection from ``written``, and garbles what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qs

from tests.aws.proxy import Server
from tests.aws.serial import spelt
from tests.aws.wire import Accounts, Call, call_of
from tests.aws.written import answer

Wire = tuple[int, dict[str, str], bytes]
Garble = Callable[[Call, dict[str, Any], Wire], Wire | None]
"""What a call gets in place of a good answer; None: that one."""


class WrittenAws:
    """Start with ``with``; ``url`` is the endpoint, ``accounts`` are the members of the organization."""

    def __init__(self, accounts: tuple[str, ...] = ()) -> None:
        self.accounts = accounts
        self.calls: list[Call] = []
        self.garble: Garble = lambda call, asked, good: None
        self.known = Accounts()
        handler = type("Bound", (_Handler,), {"aws": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> WrittenAws:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Wire | None:
        call = call_of(path, headers, body, self.known)
        self.calls.append(call)
        asked = _asked(call)
        good = self.good(call, asked)
        if call.action == "sts:AssumeRole":
            self.known.learn(call, good[2])
        return self.garble(call, asked, good) or good

    def good(self, call: Call, asked: dict[str, Any]) -> Wire:
        """What a call gets where nothing is garbled."""
        kind, content = spelt(call.service, call.operation, answer(call, asked, self.accounts))
        return 200, {"Content-Type": kind}, content


def _asked(call: Call) -> dict[str, Any]:
    if b"Action=" in call.body:
        return {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
    return json.loads(call.body) if call.body else {}


class WithoutKeys(WrittenAws):
    """The account without its keys: for tests that are about something else in it."""

    def good(self, call: Call, asked: dict[str, Any]) -> Wire:
        """As of an account that lists no key."""
        if call.action == "kms:ListKeys":
            return 200, {"Content-Type": "application/json"}, b'{"Keys": [], "Truncated": false}'
        return super().good(call, asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    aws: ClassVar[WrittenAws]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.aws.answer(self.path, dict(self.headers.items()), body)
        head = {"Content-Length": str(len(content)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.wfile.write(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + content)
        self.close_connection = len(content) < int(head["Content-Length"])

    do_GET = do_POST = _serve  # noqa: N815 - the names that http.server asks for

    def log_message(self, *_: object) -> None:
        pass
