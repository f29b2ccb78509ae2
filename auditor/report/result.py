"""``result.json``: the whole Report, versioned, verbatim enough to render every format again without judging.

The published JSON Schema is ``result.schema.json`` beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auditor.heap import collector_at_rest
from auditor.model.actions import ACTIONS
from auditor.model.finding import Finding, RuleStatus
from auditor.model.principal import Principal
from auditor.model.report import RESULT_SCHEMA, Report
from auditor.model.score import PrincipalPower
from auditor.model.snapshot import Snapshot
from auditor.report.access_codec import read_access, write_access
from auditor.report.codec import Texts, decode, encode
from auditor.report.counts import counts_of

KIND = "kms-audit result"
SCOPE = re.compile(r"(?P<place>.*) \((?P<fact>[^()]*?)(?P<baseline> in the baseline)?\)", re.DOTALL)
"""How results of earlier versions spell a scope that a rule could not look at."""
NAMED = "evidence_names"
"""The field that says that evidence carries the names it speaks of; results of earlier versions have them as text."""
NAMES = re.compile(r"arn:[^\s,;()“”\"']+|(?<!\d)\d{12}(?!\d)")
"""ARNs and account ids in a text."""


def write_result(report: Report) -> bytes:
    """The report as UTF-8 JSON; the same report gives the same bytes."""
    with collector_at_rest():
        return _written(report)


def _written(report: Report) -> bytes:
    """Section by section, so that the whole document is never in memory as values, text and bytes at once."""
    sections = b",".join(_json(name) + b":" + _json(value) for name, value in _sections(report))
    return b"{" + sections + b"}\n"


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # half a surrogate pair cannot be written as UTF-8; the replacement spells it as JSON does
    return text.encode("utf-8", "backslashreplace")


def _sections(report: Report) -> Iterator[tuple[str, Any]]:
    """Name and value of each part of the document; the policies come last, when all that cite them are written."""
    policies = Texts()
    yield "kind", KIND
    yield "schema", RESULT_SCHEMA
    yield "as_of", report.as_of
    yield "tool_version", report.tool_version
    yield "config_hash", report.config_hash
    yield "rules_version", report.rules_version
    yield "notes", list(report.notes)
    yield NAMED, True
    yield "counts", counts_of(report).as_dict()
    yield "findings", encode(report.findings, policies)
    yield "rules", encode(report.rules, policies)
    yield "powers", encode(report.powers, policies)
    yield "actions", [action.name for action in ACTIONS]
    yield "snapshot", encode(report.snapshot, policies)
    yield "principals", encode(report.principals, policies)
    yield "access", write_access(report.access)
    yield "policies", policies.listed


def read_result(content: bytes) -> Report:
    """The Report of a ``result.json``. Raises ValueError that names the place for anything else."""
    try:
        with collector_at_rest():
            document = json.loads(content.decode("utf-8-sig", "surrogatepass"))
            _check_document(document)
            return _report(document)
    except KeyError as error:
        raise ValueError(f"{error} is missing") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f"it is damaged ({error})") from None


def _check_document(document: Any) -> None:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ValueError("the file is not a result of kms-audit")
    if document["schema"] != RESULT_SCHEMA:
        raise ValueError(
            f"schema {document['schema']} is not {RESULT_SCHEMA}; render it with the version that wrote it"
        )
    if document["actions"] != [action.name for action in ACTIONS]:
        raise ValueError("the result was made with another list of KMS actions; evaluate its snapshot again")
    document.setdefault("rules_version", "")  # results of earlier versions do not have it
    for status in filter(_skipped_something, _listed(document["rules"])):
        status["skipped"] = [_scope(item) for item in status["skipped"]]
    if document.get(NAMED) is not True:
        for finding in filter(_is_object, _listed(document["findings"])):
            finding["evidence"] = [_with_names(item) for item in _listed(finding.get("evidence"))]
    for name in ("as_of", "tool_version", "config_hash", "rules_version"):
        if not isinstance(document[name], str):
            raise ValueError(f"{name}: expected str, found {type(document[name]).__name__}")
    datetime.fromisoformat(document["as_of"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _skipped_something(status: Any) -> bool:
    return isinstance(status, dict) and bool(_listed(status.get("skipped")))


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _with_names(item: Any) -> Any:
    """Evidence of an earlier version, with the names in its text as a field."""
    text = item.get("value") if isinstance(item, dict) else None
    found = sorted(set(NAMES.findall(text))) if isinstance(text, str) else []
    return item | {"names": found} if found else item


def _scope(item: Any) -> Any:
    found = SCOPE.fullmatch(item) if isinstance(item, str) else None
    if found is None:
        return item
    return {"place": found["place"], "fact": found["fact"]} | ({"in_baseline": True} if found["baseline"] else {})


def _report(document: dict[str, Any]) -> Report:
    policies = _of(tuple[str, ...], document, "policies", [])
    snapshot: Snapshot = _of(Snapshot, document, "snapshot", policies)
    principals = _of(tuple[Principal, ...], document, "principals", policies)
    return Report(
        snapshot=snapshot,
        principals=principals,
        access=read_access(
            document["access"], tuple(one.arn for one in principals), tuple(key.arn for key in snapshot.keys)
        ),
        findings=_of(tuple[Finding, ...], document, "findings", policies),
        rules=_of(tuple[RuleStatus, ...], document, "rules", policies),
        powers=_of(tuple[PrincipalPower, ...], {"powers": []} | document, "powers", policies),
        as_of=document["as_of"],
        tool_version=document["tool_version"],
        config_hash=document["config_hash"],
        rules_version=document["rules_version"],
        notes=_of(tuple[str, ...], document, "notes", policies),
    )


def _of(kind: Any, document: dict[str, Any], name: str, policies: Any) -> Any:
    try:
        return decode(kind, document[name], policies)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
