"""A stateless AWS stand-in for benchmarks: an organization of any size, answering at once or with latency and quotas.

It runs as a process of its own, so that its CPU time is not the collector's.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import ClassVar
from urllib.parse import parse_qs

from tests.aws.faults import Quotas
from tests.aws.wire import Accounts, call_of, error_answer

REGIONS = ("eu-central-1", "eu-north-1", "eu-west-1", "us-east-1")
KMS_QUOTAS = {
    "kms:ListGrants": 100,
    "kms:ListKeyPolicies": 100,
    "kms:ListKeyRotations": 100,
    "kms:GetKeyPolicy": 1000,
    "kms:GetKeyRotationStatus": 1000,
    "kms:DescribeKey": 2000,
    "kms:ListResourceTags": 2000,
}
METADATA = {"KeyManager": "CUSTOMER", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeySpec": "SYMMETRIC_DEFAULT"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}]})


@dataclass(frozen=True)
class Shape:
    """``latency`` in seconds for each answer; ``quotas``: answer ThrottlingException above AWS's quotas."""

    accounts: int
    keys: int
    latency: float = 0.0
    quotas: bool = False

    def ids(self) -> list[str]:
        return [f"{100000000000 + number}" for number in range(self.accounts)]


def _kms(operation: str, data: dict, account: str, region: str, shape: Shape) -> dict:
    key_id = str(data.get("KeyId", ""))
    prefix = f"arn:aws:kms:{region}:{account}:key/"
    names = [f"{number:08d}-0000-0000-0000-000000000000" for number in range(shape.keys)]
    grant = {"GrantId": "a" * 64, "GranteePrincipal": f"arn:aws:iam::{account}:role/app", "Operations": ["Decrypt"]}
    answers = {
        "ListKeys": lambda: {"Keys": [{"KeyId": name, "KeyArn": prefix + name} for name in names]},
        "ListAliases": lambda: {"Aliases": []},
        "DescribeKey": lambda: {"KeyMetadata": {"KeyId": key_id, "Arn": prefix + key_id, **METADATA}},
        "ListKeyPolicies": lambda: {"PolicyNames": ["default"]},
        "GetKeyPolicy": lambda: {"Policy": POLICY},
        "ListGrants": lambda: {"Grants": [grant]},
        "ListResourceTags": lambda: {"Tags": []},
        "GetKeyRotationStatus": lambda: {"KeyRotationEnabled": True},
        "ListKeyRotations": lambda: {"Rotations": []},
    }
    return answers[operation]()


def _organizations(operation: str, data: dict, shape: Shape) -> dict:
    account = {"Status": "ACTIVE", "Name": "member"}
    answers = {
        "DescribeOrganization": {"Organization": {"Id": "o-bench", "MasterAccountId": "123456789012"}},
        "ListRoots": {"Roots": [{"Id": "r-1", "Name": "Root", "PolicyTypes": []}]},
        "ListOrganizationalUnitsForParent": {"OrganizationalUnits": []},
        "ListAccountsForParent": {"Accounts": [{"Id": name, **account} for name in shape.ids()]},
    }
    return answers.get(operation, {"Tags": [], "Policies": []})


def _xml(operation: str, body: bytes, accounts: Accounts, call: object) -> bytes:
    if operation == "AssumeRole":
        account = parse_qs(body.decode())["RoleArn"][0].split(":")[4]
        inside = (
            f"<Credentials><AccessKeyId>KEY{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        )
    elif operation == "GetCallerIdentity":
        inside = "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/bench</Arn>"
    elif operation == "DescribeRegions":
        items = "".join(f"<item><regionName>{region}</regionName></item>" for region in REGIONS)
        return f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>".encode()
    else:
        inside = "<IsTruncated>false</IsTruncated><UserDetailList/><GroupDetailList/><RoleDetailList/><Policies/>"
    result = f"<{operation}Response><{operation}Result>{inside}</{operation}Result></{operation}Response>".encode()
    if operation == "AssumeRole":
        accounts.learn(call, result)  # type: ignore[arg-type]
    return result


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shape: ClassVar[Shape]
    quotas: ClassVar[Quotas]
    accounts: ClassVar[Accounts]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = call_of(self.path, dict(self.headers.items()), body, self.accounts)
        if self.shape.latency:
            time.sleep(self.shape.latency)
        status, kind = 200, "application/x-amz-json-1.1"
        if self.quotas.exceeded(call):
            status, _, content = error_answer(call, "ThrottlingException", "Rate exceeded", 400)
        elif call.service == "kms":
            answer = _kms(call.operation, call.json(), call.account, call.region, self.shape)
            content = json.dumps(answer).encode()
        elif call.service == "organizations":
            content = json.dumps(_organizations(call.operation, call.json(), self.shape)).encode()
        elif b"Action=" in body:
            kind, content = "text/xml", _xml(call.operation, body, self.accounts, call)
        else:
            status, _, content = error_answer(call, "AccessDeniedException", "no", 403)
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content)

    do_GET = do_POST = _serve  # noqa: N815 - the names that http.server asks for

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _run(shape: Shape, door: Connection) -> None:
    quotas = Quotas()
    quotas.limits = dict(KMS_QUOTAS) if shape.quotas else {}
    handler = type("Bound", (_Handler,), {"shape": shape, "quotas": quotas, "accounts": Accounts()})
    server = _Server(("127.0.0.1", 0), handler)
    door.send(server.server_address[1])
    server.serve_forever(0.05)


@contextmanager
def stub_aws(shape: Shape) -> Iterator[str]:
    """Runs the stub for the length of the block and yields its URL."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(shape, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)
