"""The embedded server on a machine that gives too little."""

from __future__ import annotations

import contextlib
import socket

import pytest

from auditor.demo import server as embedded


def test_a_request_that_fails_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def poor(*_: object) -> None:
        failed.append(True)
        raise OSError(24, "Too many open files")

    failed: list[bool] = []
    server, _ = embedded._make()
    monkeypatch.setattr(server, "process_request", poor)
    server.timeout = 5
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.server_port))):
        server.handle_request()
    server.server_close()
    assert failed
    assert capfd.readouterr().err == ""
