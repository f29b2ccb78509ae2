"""WSGI in front of moto: answers the read calls that moto lacks, and adds the facts about keys that moto cannot hold.

Without it every account and Region of the demonstration would report the same calls as unreadable. What it adds is
fictional like the rest and is set by ``filling.py``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Start = Callable[..., Any]
Environ = dict[str, Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

NOTHING_THERE: dict[tuple[str, str], dict[str, object]] = {
    ("kms", "DescribeCustomKeyStores"): {"CustomKeyStores": [], "Truncated": False},
    ("cloudtrail", "ListEventDataStores"): {"EventDataStores": []},
    ("access-analyzer", "/analyzer"): {"analyzers": []},
    ("ram", "/listresources"): {"resources": []},
}
"""(service, operation or path) → the answer of an account that has none."""


@dataclass(slots=True)
class Additions:
    """What to add to moto's answers: by key id, by grant name, and by alias ARN. Times are seconds since 1970.

    ``alias_times`` are of creation and last update.
    """

    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    rotation_days: dict[str, int] = field(default_factory=dict)
    grant_created: dict[str, float] = field(default_factory=dict)
    alias_targets: dict[str, str] = field(default_factory=dict)
    alias_times: dict[str, tuple[float, float]] = field(default_factory=dict)


class Gateway:
    """The application to serve; ``additions`` may be filled while it runs."""

    def __init__(self, moto: Application) -> None:
        self._moto = moto
        self.additions = Additions()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """One request."""
        operation = _operation(environ)
        if operation in NOTHING_THERE:
            return _send(start, "200 OK", [("Content-Type", "application/json")], NOTHING_THERE[operation])
        if operation == ("cloudtrail", "GetEventSelectors"):
            return self._at_home(environ, start)
        change = _CHANGES.get(operation)
        if change is None:
            return self._moto(environ, start)
        return self._changed(environ, start, change)

    def _at_home(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """A trail is known in every Region; moto has its selectors in its home Region alone."""
        body = _take_body(environ)
        home = str(json.loads(body).get("TrailName", "")).split(":")
        scope = environ["HTTP_AUTHORIZATION"].split("/")
        if len(home) > 3:
            environ["HTTP_AUTHORIZATION"] = "/".join([*scope[:2], home[3], *scope[3:]])
        return self._moto(environ, start)

    def _changed(self, environ: Environ, start: Start, change: Change) -> Iterable[bytes]:
        body = _take_body(environ)
        kept: list[Any] = []
        content = b"".join(self._moto(environ, lambda status, headers, *_: kept.extend((status, headers))))
        status, headers = kept
        if not status.startswith("200"):
            start(status, headers)
            return [content]
        answer = json.loads(content)
        change(self.additions, json.loads(body or b"{}"), answer)
        return _send(start, status, headers, answer)


def _take_body(environ: Environ) -> bytes:
    """The body of a request, which stays there for moto."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _send(start: Start, status: str, headers: list[tuple[str, str]], answer: dict[str, object]) -> Iterable[bytes]:
    content = json.dumps(answer).encode()
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start(status, [*kept, ("Content-Length", str(len(content)))])
    return [content]


def _operation(environ: Environ) -> tuple[str, str]:
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return (scope[3] if len(scope) > 3 else "", target or environ.get("PATH_INFO", ""))


Change = Callable[[Additions, dict[str, Any], dict[str, Any]], None]


def _describe_key(additions: Additions, _: dict[str, Any], answer: dict[str, Any]) -> None:
    metadata = answer["KeyMetadata"]
    metadata.update(additions.metadata.get(metadata["KeyId"], {}))


def _rotation(additions: Additions, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    key_id = str(asked.get("KeyId", "")).rsplit("/", maxsplit=1)[-1]
    if answer.get("KeyRotationEnabled"):
        answer["RotationPeriodInDays"] = additions.rotation_days.get(key_id, 365)


def _grants(additions: Additions, _: dict[str, Any], answer: dict[str, Any]) -> None:
    for grant in answer["Grants"]:
        created = additions.grant_created.get(grant.get("Name", ""))
        if created is not None:
            grant["CreationDate"] = created


def _aliases(additions: Additions, _: dict[str, Any], answer: dict[str, Any]) -> None:
    for alias in answer["Aliases"]:
        arn = alias["AliasArn"]
        alias["TargetKeyId"] = additions.alias_targets.get(arn, alias.get("TargetKeyId"))
        if arn in additions.alias_times:
            alias["CreationDate"], alias["LastUpdatedDate"] = additions.alias_times[arn]


_CHANGES: dict[tuple[str, str], Change] = {
    ("kms", "DescribeKey"): _describe_key,
    ("kms", "GetKeyRotationStatus"): _rotation,
    ("kms", "ListGrants"): _grants,
    ("kms", "ListAliases"): _aliases,
}
