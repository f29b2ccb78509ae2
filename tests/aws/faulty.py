"""Answers that are no answers: every way in which a call can fail, whatever it asks for."""

from __future__ import annotations

from collections.abc import Callable

from tests.aws.faults import DENIED
from tests.aws.wire import Call, error_answer
from tests.aws.written_server import Wire

Failing = Callable[[Call, Wire], Wire]
HTML = b"<html><body>Sign in</body></html>"


def _error(code: str, status: int = 400) -> Failing:
    return lambda call, good: error_answer(call, code, "no", status)


def _denied(call: Call, good: Wire) -> Wire:
    code, status = DENIED.get(call.service, ("AccessDeniedException", 403))
    return error_answer(call, code, "User is not authorized", status)


def _body(make: Callable[[bytes], bytes], status: int = 200, **headers: str) -> Failing:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda call, good: (status, {**good[1], **more}, make(good[2]))


def _cut(call: Call, good: Wire) -> Wire:
    return good[0], {**good[1], "Content-Length": str(len(good[2]) + 10)}, good[2]


def _lost(call: Call, good: Wire) -> Wire:
    raise ConnectionError  # closes the connection without an answer


KINDS: dict[str, Failing] = {
    "denied": _denied,
    "throttled": _error("ThrottlingException"),
    "failing": _error("InternalFailure", 500),
    "unavailable": _error("ServiceUnavailable", 503),
    "expired": _error("ExpiredTokenException"),
    "unsigned": _error("InvalidSignatureException"),
    "skewed": _error("RequestTimeTooSkewed", 403),
    "invalid token": _error("UnrecognizedClientException"),
    "gone": _error("NotFoundException"),
    "no such entity": _error("NoSuchEntity", 404),
    "unknown operation": _error("UnknownOperationException"),
    "invalid": _error("ValidationException"),
    "unheard of": _error("SomethingNewException"),
    "state": _error("KMSInvalidStateException"),
    "unsupported": _error("UnsupportedOperationException"),
    "not built": _body(lambda body: HTML, 501, Content_Type="text/html"),
    "not found": _body(lambda body: b"{}", 404),
    "too large": _body(lambda body: b"", 413),
    "sent elsewhere": _body(lambda body: b"", 302, Location="http://127.0.0.1:9/"),
    "portal": _body(lambda body: HTML, Content_Type="text/html"),
    "error page": _body(lambda body: HTML, 502, Content_Type="text/html"),
    "nothing": _body(lambda body: b""),
    "members gone": _body(lambda body: b"{}"),
    "null": _body(lambda body: b"null"),
    "half": _body(lambda body: body[: len(body) // 2]),
    "not unpacked": _body(lambda body: body, Content_Encoding="gzip"),
    "cut": _cut,
    "lost": _lost,
}
"""Name → what a call gets in place of its good answer."""
