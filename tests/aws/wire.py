"""AWS requests and answers on the wire: which call a request is, and errors in the spelling of its protocol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

DEFAULT_ACCOUNT = "123456789012"
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_PATHS = {
    "/listregions": "ListRegions",
    "/analyzer": "ListAnalyzers",
    "/listresources": "ListResources",
    "/listprincipals": "ListPrincipals",
    "/getresourceshares": "GetResourceShares",
    "/2015-02-01/file-systems": "DescribeFileSystems",
}
_OF_BUCKETS = {"encryption": "GetBucketEncryption", "tagging": "GetBucketTagging", "policy": "GetBucketPolicy"}
"""Query → what is asked of a bucket."""
_TARGET_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/")


@dataclass(frozen=True)
class Call:
    """One request. ``action`` is ``service:Operation``."""

    service: str
    operation: str
    account: str
    region: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"

    def json(self) -> dict:
        return json.loads(self.body) if self.headers.get("X-Amz-Target") and self.body else {}


class Accounts:
    """Which account an access key belongs to, learned from the AssumeRole answers that pass by."""

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}
        self.default = DEFAULT_ACCOUNT

    def of(self, key: str) -> str:
        return self._by_key.get(key, self.default)

    def assign(self, key: str, account: str) -> None:
        """An access key of an account."""
        self._by_key[key] = account

    def learn(self, call: Call, answer: bytes) -> None:
        role = _TARGET_ACCOUNT.search(parse_qs(call.body.decode()).get("RoleArn", [""])[0])
        key = re.search(rb"<AccessKeyId>([^<]+)<", answer)
        if role and key:
            self._by_key[key[1].decode()] = role[1]


def call_of(path: str, headers: dict[str, str], body: bytes, accounts: Accounts) -> Call:
    """The call that a request makes."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    target = headers.get("X-Amz-Target", "")
    if target:
        operation = target.rsplit(".", 1)[-1]
    elif body and b"Action=" in body:
        operation = parse_qs(body.decode()).get("Action", [""])[0]
    elif service == "s3":
        operation = _of_s3(path)
    else:
        operation = next((name for start, name in _PATHS.items() if path.lower().startswith(start)), path)
        operation = path.rsplit("/", 1)[-1] if "/operation/" in path else operation
    return Call(service, operation, accounts.of(key), region, body, headers, path)


def _of_s3(path: str) -> str:
    bucket, _, query = path.partition("?")
    if bucket == "/":
        return "ListBuckets"
    return _OF_BUCKETS.get(query.partition("=")[0], path)


def error_answer(call: Call, code: str, message: str, status: int) -> tuple[int, dict[str, str], bytes]:
    """An error in the protocol of the call."""
    if call.headers.get("X-Amz-Target"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return status, {"Content-Type": "application/x-amz-json-1.1"}, body
    if b"Action=" in call.body and call.service == "ec2":
        inside = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        return status, {"Content-Type": "text/xml"}, f"<Response>{inside}<RequestID>1</RequestID></Response>".encode()
    if b"Action=" in call.body:
        inside = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return status, {"Content-Type": "text/xml"}, f"<ErrorResponse>{inside}</ErrorResponse>".encode()
    if call.service == "s3":
        inside = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return status, {"Content-Type": "application/xml"}, inside.encode()
    body = json.dumps({"message": message}).encode()
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, body
