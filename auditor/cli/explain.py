"""``kms-audit explain``: why a principal may do something, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import answer_format, aws_options, from_options, global_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.questions import Explanation, LayerView

OUTCOMES = ("allowed", "conditional", "unknown", "denied", "implicitly-denied", "explicitly-denied")
FAILED = 3
SHOWN = 10


@click.command("explain")
@click.argument("principal")
@click.argument("action")
@click.argument("key")
@click.option(
    "--context",
    "context",
    multiple=True,
    metavar="KEY=VALUE",
    help="A known fact of the request, such as kms:ViaService=s3.eu-west-1.amazonaws.com (repeatable; KEY= is absent).",
)
@click.option("--expect", type=click.Choice(OUTCOMES), help="Exit 3 unless this is the outcome.")
@answer_format("text", "json", "csv")
@from_options
@aws_options
@global_options
def command(principal: str, action: str, key: str, expect: str | None, form: str, **given: Any) -> int:
    """Why may PRINCIPAL do ACTION with KEY, or why not?

    Tells each layer with the statements that match or nearly match, the condition that remains, and what would have to
    change for the opposite outcome. Understands sessions, root users, services and principals that were not collected.
    """
    from auditor.cli.asking import as_csv, as_json, facts
    from auditor.cli.terminal import document, result, warn
    from auditor.questions import explain, find_keys, principal_named
    from auditor.questions.answers import asked_action

    wanted = asked_action(action)
    known = _context(given.pop("context"))
    asking = facts(given)
    (found,) = find_keys(asking.snapshot, key, several=False)
    caller = principal_named(asking, principal)
    answer = explain(asking.about(keys=[found], principals=[caller]), caller, wanted, found, known)
    asking.say_unknown()
    for fact in answer.impossible:
        warn(f"{fact} (--context)")
    if form == "text":
        result("\n".join(_text(answer)))
    else:
        document(as_json([_json(answer)]) if form == "json" else as_csv(_rows(answer), tuple(_rows(answer)[0])))
    outcome = answer.decision.outcome
    if expect and expect != str(outcome) and not (expect == "denied" and outcome.denied):
        warn(f"expected {expect}, got {outcome} (--expect)")
        return FAILED
    return 0


def _context(pairs: tuple[str, ...]) -> dict[str, tuple[str, ...] | None]:
    """Repeated names make several values; an empty value says that the key is absent. Warns of what is perhaps misspelt
    and cannot be refused: names that are others' to give."""
    from auditor.cli.terminal import warn
    from auditor.evaluator.vocabulary import meant
    from auditor.questions.context_keys import stated

    given: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"“{pair}” is not KEY=VALUE.", param_hint="--context")
        given.setdefault(name, []).append(value)
    found = stated(given)
    for name in found:
        if probably := meant(name):
            warn(f"“{name}” is no known condition key; {probably} was probably meant (--context)")
    return found


def _text(answer: Explanation) -> list[str]:
    from auditor.cli.terminal import printable
    from auditor.evaluator.reasons import LAYER_WORDS
    from auditor.questions import decision_words

    decision = answer.decision
    lines = [
        printable(f"{answer.principal.arn} ({answer.principal.kind})"),
        printable(f"{answer.action.name} on {answer.key.label}  {answer.key.arn}"),
        click.style(printable(decision_words(decision)), bold=True),
        f"reason: {decision.reason}{f', path: {decision.path}' if decision.path else ''}",
    ]
    lines += [printable(f"note: {note}") for note in answer.notes]
    for view in answer.layers:
        lines.append(f"{LAYER_WORDS[view.layer]}: {view.note}" if view.note else f"{LAYER_WORDS[view.layer]}:")
        lines += [printable(line) for line in _evidence(view)]
    lines.append("to turn it:")
    return [*lines, *(printable(f"  {sentence}") for sentence in answer.turning)]


def _evidence(view: LayerView) -> Iterator[str]:
    """What matches, and the first few of what does not."""
    missed = sum(1 for item in view.evidence if not item.matched)
    for item in view.evidence[: len(view.evidence) - max(0, missed - SHOWN)]:
        effect = f"{item.effect} " if item.effect else ""
        yield f"  {'+' if item.matched else '-'} {effect}{item.source}: {item.match}"
    if missed > SHOWN:
        yield f"  and {missed - SHOWN} more that do not apply (-f json lists all)"


def _json(answer: Explanation) -> dict[str, Any]:
    from dataclasses import asdict

    from auditor.evaluator.reasons import condition_words
    from auditor.model.residual import to_json
    from auditor.questions import cause_words

    decision = answer.decision
    return {
        "principal": answer.principal.arn,
        "kind": str(answer.principal.kind),
        "action": answer.action.name,
        "key": answer.key.arn,
        "outcome": str(decision.outcome),
        "reason": decision.reason,
        "path": decision.path,
        "flags": list(decision.flags),
        "notes": list(answer.notes),
        "condition": condition_words(decision),
        "residual": to_json(decision.residual) if decision.residual is not None else None,
        "causes": [cause_words(cause) for cause in decision.causes],
        "layers": [asdict(view) for view in answer.layers],
        "turning": list(answer.turning),
    }


def _rows(answer: Explanation) -> list[dict[str, Any]]:
    head = {name: value for name, value in _json(answer).items() if isinstance(value, str)}
    rows = [
        head
        | {
            "layer": str(view.layer),
            "source": item.source,
            "effect": item.effect,
            "matched": str(item.matched).lower(),
            "match": item.match,
        }
        for view in answer.layers
        for item in view.evidence
    ]
    return rows or [head | {"layer": "", "source": "", "effect": "", "matched": "", "match": ""}]
