"""``kms-audit rules``: the catalogue, as a list or one rule in full."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import TEXT, answer_format, global_options
from auditor.cli.terminal import result

if TYPE_CHECKING:
    from auditor.rules.catalogue import RuleFacts


@click.group("rules", no_args_is_help=False)
@global_options
def command() -> None:
    """List the rules, or show one."""


@command.command("list")
@click.option("--category", type=TEXT, help="Only this category.")
@answer_format("text", "json")
@global_options
def list_rules(category: str | None, form: str) -> int:
    """Every implemented rule with its category and severity."""
    from auditor.rules.catalogue import CATEGORIES, catalogue
    from auditor.rules.registry import RULES

    if category and category not in CATEGORIES:
        raise click.BadParameter(f"“{category}” is not one of {', '.join(CATEGORIES)}.", param_hint="--category")
    found = [rule for rule in catalogue().values() if rule.id in RULES and category in (None, rule.category)]
    if form == "json":
        result(json.dumps([_brief(rule) for rule in found], indent=2, ensure_ascii=False))
        return 0
    width = max((len(rule.id) for rule in found), default=0)
    lines = [f"{rule.id:{width}}  {rule.category:10}  {rule.default_severity:8}  {rule.title}" for rule in found]
    result("\n".join([*lines, f"{len(found)} rules"]))
    return 0


@command.command("show")
@click.argument("rule")
@answer_format("text", "json")
@global_options
def show(rule: str, form: str) -> int:
    """What RULE (an id or code) looks for, why it matters, how to fix it, and which controls it is evidence about."""
    facts = _find(rule)
    result(json.dumps(_full(facts), indent=2, ensure_ascii=False) if form == "json" else _page(facts))
    return 0


def _find(name: str) -> RuleFacts:
    from difflib import get_close_matches

    from auditor.errors import UnknownNameError
    from auditor.rules.catalogue import catalogue

    for facts in catalogue().values():
        if name.lower() in (facts.id, facts.code.lower(), *facts.former_ids):
            return facts
    near = get_close_matches(name, catalogue(), n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See `kms-audit rules list`."
    raise UnknownNameError(f"There is no rule “{name}”.", hint)


def _brief(facts: RuleFacts) -> dict[str, Any]:
    return {
        "id": facts.id,
        "code": facts.code,
        "title": facts.title,
        "category": facts.category,
        "severity": str(facts.default_severity),
    }


def _full(facts: RuleFacts) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(asdict(facts), default=str))
    return loaded | {"documentation": _documentation(facts)}


def _documentation(facts: RuleFacts) -> str:
    from inspect import getdoc

    from auditor.rules.registry import RULES

    rule = RULES.get(facts.id)
    return (getdoc(rule) or "") if rule is not None else ""


def _page(facts: RuleFacts) -> str:
    head = click.style(f"{facts.code}  {facts.id}", bold=True)
    lines = [head, facts.title, f"{facts.category}, {facts.default_severity}", "", _documentation(facts), ""]
    lines += ["Why", f"  {facts.why}", ""] if facts.why else []
    lines += _block("Fires when", facts.fires_when) + _block("Stays silent when", facts.silent_when)
    lines += _block("Raised to", [f"{item.to}: {item.when}" for item in facts.raise_when])
    lines += _block("Lowered to", [f"{item.to}: {item.when}" for item in facts.lower_when])
    lines += _block("Cases", facts.tests)
    lines += ["Fix", f"  {facts.example.summary}"]
    lines += [f"  {line}" for line in facts.example.body.splitlines()]
    lines += ["", *_block("Settings", facts.parameters)]
    lines += _block("Controls", [f"{m.framework} {m.version} {m.control} ({m.basis})" for m in facts.mappings])
    lines += _block("Read more", [f"{page.title}: {page.address}" for page in facts.references])
    return "\n".join(lines).rstrip()


def _block(title: str, items: Any) -> list[str]:
    return [title, *(f"  - {item}" for item in items), ""] if items else []
