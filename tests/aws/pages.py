"""Cuts lists into pages as AWS does and moto does not, and fills in members that moto leaves out."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from tests.aws.wire import Call

KMS_LISTS = {
    "ListKeys": "Keys",
    "ListAliases": "Aliases",
    "ListGrants": "Grants",
    "ListResourceTags": "Tags",
    "ListKeyPolicies": "PolicyNames",
}
DETAILS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
IAM = "https://iam.amazonaws.com/doc/2010-05-08/"


def without_marker(call: Call, tokens: frozenset[str] = frozenset()) -> bytes:
    """The request body that asks moto for everything, without tokens that are not moto's."""
    if tokens and call.json().get("NextToken") in tokens:
        return json.dumps({name: value for name, value in call.json().items() if name != "NextToken"}).encode()
    if call.service != "kms" or call.operation not in KMS_LISTS:
        return call.body
    data = call.json()
    return json.dumps({name: value for name, value in data.items() if name not in ("Marker", "Limit")}).encode()


def paged(call: Call, body: bytes, size: int) -> bytes:
    """The page of an answer that the call asks for."""
    if call.service == "kms" and call.operation in KMS_LISTS:
        return _kms_page(call, body, size)
    if call.action == "organizations:ListRoots":
        return _roots(call, body)
    if call.action == "iam:GetAccountAuthorizationDetails":
        return _details(call, body, size)
    return body


def _kms_page(call: Call, body: bytes, size: int) -> bytes:
    name = KMS_LISTS[call.operation]
    data = json.loads(body)
    items = [filled(call, item) for item in data.get(name, [])]
    start = int(str(call.json().get("Marker", "m0"))[1:])
    more = start + size < len(items)
    page = {name: items[start : start + size], "Truncated": more}
    if more:
        page["NextMarker"] = f"m{start + size}"
    return json.dumps(page).encode()


def filled(call: Call, item: object) -> object:
    """A grant with what AWS sends and moto does not."""
    if call.operation != "ListGrants" or not isinstance(item, dict):
        return item
    arn = f"arn:aws:kms:{call.region}:{call.account}:key/{call.json().get('KeyId')}"
    issuer = f"arn:aws:iam::{call.account}:root"
    return {**item, "KeyId": arn, "IssuingAccount": item.get("IssuingAccount") or issuer, "CreationDate": 1700000000}


def _roots(call: Call, body: bytes) -> bytes:
    """Organizations may answer with an empty page first."""
    if "NextToken" in call.json():
        return body
    return json.dumps({"Roots": [], "NextToken": "second"}).encode()


def _details(call: Call, body: bytes, size: int) -> bytes:
    ElementTree.register_namespace("", IAM)
    root = ElementTree.fromstring(body)
    result = root.find(f"{{{IAM}}}GetAccountAuthorizationDetailsResult")
    if result is None:
        return body
    everything = []
    for name in DETAILS:
        holder = result.find(f"{{{IAM}}}{name}")
        members = list(holder) if holder is not None else []
        everything += [(name, member) for member in members]
    text = call.body.decode()
    start = int(text.split("Marker=m")[1].split("&")[0]) if "Marker=m" in text else 0
    for child in list(result):
        result.remove(child)
    for name in DETAILS:
        holder = ElementTree.SubElement(result, f"{{{IAM}}}{name}")
        holder.extend(member for owner, member in everything[start : start + size] if owner == name)
    more = start + size < len(everything)
    ElementTree.SubElement(result, f"{{{IAM}}}IsTruncated").text = "true" if more else "false"
    if more:
        ElementTree.SubElement(result, f"{{{IAM}}}Marker").text = f"m{start + size}"
    return ElementTree.tostring(root)
