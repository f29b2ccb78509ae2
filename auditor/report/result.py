"""``result.json``: the whole Report, versioned, verbatim enough to render every format again without judging.

The published JSON Schema is ``result.schema.json`` beside this file.
"""

from __future__ import annotations

import json
from typing import Any

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


def write_result(report: Report) -> bytes:
    """The report as UTF-8 JSON; the same report gives the same bytes."""
    policies = Texts()
    document: dict[str, Any] = {
        "kind": KIND,
        "schema": RESULT_SCHEMA,
        "as_of": report.as_of,
        "tool_version": report.tool_version,
        "config_hash": report.config_hash,
        "notes": list(report.notes),
        "counts": counts_of(report).as_dict(),
        "findings": encode(report.findings, policies),
        "rules": encode(report.rules, policies),
        "powers": encode(report.powers, policies),
        "actions": [action.name for action in ACTIONS],
        "snapshot": encode(report.snapshot, policies),
        "principals": encode(report.principals, policies),
        "access": write_access(report.access),
    }
    document["policies"] = policies.listed
    return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "surrogatepass")


def read_result(content: bytes) -> Report:
    """The Report of a ``result.json``. Raises ValueError, KeyError or TypeError for anything else."""
    document = json.loads(content.decode("utf-8", "surrogatepass"))
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ValueError("the file is not a result of kms-audit")
    if document["schema"] != RESULT_SCHEMA:
        raise ValueError(
            f"schema {document['schema']} is not {RESULT_SCHEMA}; render it with the version that wrote it"
        )
    if document["actions"] != [action.name for action in ACTIONS]:
        raise ValueError("the result was made with another list of KMS actions; evaluate its snapshot again")
    policies = document["policies"]
    snapshot: Snapshot = decode(Snapshot, document["snapshot"], policies)
    principals = decode(tuple[Principal, ...], document["principals"], policies)
    return Report(
        snapshot=snapshot,
        principals=principals,
        access=read_access(
            document["access"], tuple(one.arn for one in principals), tuple(key.arn for key in snapshot.keys)
        ),
        findings=decode(tuple[Finding, ...], document["findings"], policies),
        rules=decode(tuple[RuleStatus, ...], document["rules"], policies),
        powers=decode(tuple[PrincipalPower, ...], document.get("powers", []), policies),
        as_of=document["as_of"],
        tool_version=document["tool_version"],
        config_hash=document["config_hash"],
        notes=tuple(document["notes"]),
    )
