"""The facts about each rule that are data: title, severities, clauses, mappings, references, remediation examples.

The files under ``data/`` hold one category each. What a rule *does* stands in its function; this module only reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from auditor.model.finding import ControlMapping, Severity

CATEGORIES = (
    "exposure",
    "privilege",
    "grants",
    "deputy",
    "identity",
    "lifecycle",
    "replication",
    "policy",
    "guardrails",
    "detection",
    "inventory",
    "drift",
    "coverage",
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A raise or lower clause: the severity it leads to and the words a finding prints when it applied."""

    to: Severity
    when: str


@dataclass(frozen=True, slots=True)
class Example:
    """The remediation of a rule: a sentence, and a policy or commands with placeholders (see ``remedy.py``)."""

    summary: str
    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A page worth reading."""

    title: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """Everything about one rule that is data. ``required`` and ``optional`` name inputs (see ``inputs.py``)."""

    id: str
    code: str
    title: str
    category: str
    subject: str
    default_severity: Severity
    raise_when: tuple[Clause, ...]
    lower_when: tuple[Clause, ...]
    floor: Severity
    ceiling: Severity
    why: str
    fires_when: tuple[str, ...]
    silent_when: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    parameters: tuple[str, ...]
    example: Example
    mappings: tuple[ControlMapping, ...]
    attack: tuple[str, ...]
    references: tuple[Reference, ...]
    tests: tuple[str, ...]
    former_ids: tuple[str, ...]

    def clause(self, kind: str, words: str) -> Clause:
        """The clause of ``kind`` (raise or lower) that contains ``words``; KeyError unless there is exactly one."""
        clauses = self.raise_when if kind == "raise" else self.lower_when
        found = [clause for clause in clauses if words in clause.when]
        if len(found) != 1:
            raise KeyError(f"{self.id}: {len(found)} {kind} clauses contain “{words}”")
        return found[0]


def _read(name: str) -> dict[str, Any]:
    text = files("auditor.rules").joinpath(f"data/{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _clauses(entries: list[dict[str, str]]) -> tuple[Clause, ...]:
    return tuple(Clause(Severity(entry["to"]), entry["when"]) for entry in entries)


def _example(entry: dict[str, Any]) -> Example:
    body = entry["body"]
    if isinstance(body, list):
        text = "\n".join(body)
    else:
        text = "" if body is None else json.dumps(body, indent=2, ensure_ascii=False)
    return Example(entry["summary"], entry["kind"], text)


def _facts(entry: dict[str, Any], pages: dict[str, Reference]) -> RuleFacts:
    severity = entry["severity"]
    return RuleFacts(
        id=entry["id"],
        code=entry["code"],
        title=entry["title"],
        category=entry["category"],
        subject=entry["subject"],
        default_severity=Severity(entry["default_severity"]),
        raise_when=_clauses(severity["raise_when"]),
        lower_when=_clauses(severity["lower_when"]),
        floor=Severity(severity["floor"]),
        ceiling=Severity(severity["ceiling"]),
        why=entry["why"],
        fires_when=tuple(entry["fires_when"]),
        silent_when=tuple(entry["silent_when"]),
        required=tuple(entry["required"]),
        optional=tuple(entry["optional"]),
        parameters=tuple(entry["parameters"]),
        example=_example(entry["remediation"]),
        mappings=tuple(ControlMapping(**mapping) for mapping in entry["mappings"]),
        attack=tuple(entry["attack"]),
        references=tuple(pages[name] for name in entry["references"]),
        tests=tuple(entry["tests"]),
        former_ids=tuple(entry["former_ids"]),
    )


@cache
def _shared() -> dict[str, Any]:
    return _read("_shared")


@cache
def catalogue() -> dict[str, RuleFacts]:
    """All rules of the catalogue by id, in the order of their categories and codes."""
    pages = {name: Reference(page["title"], page["address"]) for name, page in _shared()["references"].items()}
    entries = [entry for category in CATEGORIES for entry in _read(category)["rules"]]
    return {entry["id"]: _facts(entry, pages) for entry in entries}


def framework_titles() -> dict[str, str]:
    """Framework id → its name."""
    return dict(_shared()["frameworks"])


def aws_accounts() -> frozenset[str]:
    """Accounts through which AWS services write on behalf of customers (load balancer logs, by Region)."""
    return frozenset(_shared()["aws_accounts"])


def catalogue_version() -> str:
    """The version that findings are made under."""
    return str(_shared()["version"])
