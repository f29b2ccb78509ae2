"""Answers as AWS spells them on the wire, made from the shapes of the SDK's own models."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree

from botocore.session import get_session

XML = ("query", "ec2", "rest-xml")


@cache
def model(service: str) -> Any:
    """The SDK's model of a service, by its name on the wire."""
    names = {"access-analyzer": "accessanalyzer", "monitoring": "cloudwatch", "elasticfilesystem": "efs"}
    return get_session().get_service_model(names.get(service, service))


def protocol(service: str) -> str:
    """The protocol that the installed SDK speaks with a service."""
    return str(model(service).resolved_protocol)


def spelt(service: str, operation: str, answer: dict[str, Any]) -> tuple[str, bytes]:
    """Content type and body of an answer given as boto3 would return it."""
    shape = model(service).operation_model(operation).output_shape
    spoken = protocol(service)
    if spoken not in XML:
        return "application/x-amz-json-1.1", json.dumps(_plain(shape, answer, spoken)).encode()
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "string":
        return "application/json", answer[payload].encode()
    if payload:
        shape, answer = shape.members[payload], answer[payload]
    root = ElementTree.Element(f"{operation}Response")
    wrapper = shape.serialization.get("resultWrapper")
    _fill(ElementTree.SubElement(root, wrapper) if wrapper else root, shape, answer)
    return "text/xml", ElementTree.tostring(root)


def _plain(shape: Any, value: Any, spoken: str) -> Any:
    if shape.type_name == "structure":
        members = shape.members
        return {
            members[name].serialization.get("name", name): _plain(members[name], item, spoken)
            for name, item in value.items()
        }
    if shape.type_name == "list":
        return [_plain(shape.member, item, spoken) for item in value]
    if shape.type_name == "timestamp":
        iso = shape.serialization.get("timestampFormat", "") == "iso8601"
        return value if iso else datetime.fromisoformat(value).timestamp()
    return base64.b64encode(value).decode() if shape.type_name == "blob" else value


def _fill(element: ElementTree.Element, shape: Any, value: Any) -> None:
    if shape.type_name == "structure":
        for name, item in value.items():
            member = shape.members[name]
            each = item if member.serialization.get("flattened") else [item]
            for one in each:
                inner = member.member if member.serialization.get("flattened") else member
                _fill(ElementTree.SubElement(element, member.serialization.get("name", name)), inner, one)
    elif shape.type_name == "map":
        for key, item in value.items():
            entry = ElementTree.SubElement(element, "entry")
            _fill(ElementTree.SubElement(entry, shape.key.serialization.get("name", "key")), shape.key, key)
            _fill(ElementTree.SubElement(entry, shape.value.serialization.get("name", "value")), shape.value, item)
    elif shape.type_name == "list":
        for item in value:
            _fill(ElementTree.SubElement(element, shape.member.serialization.get("name", "member")), shape.member, item)
    elif shape.type_name == "boolean":
        element.text = "true" if value else "false"
    else:
        element.text = base64.b64encode(value).decode() if shape.type_name == "blob" else str(value)
