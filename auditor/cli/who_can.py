"""``kms-audit who-can``: who can do something with a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import answer_format, aws_options, from_options, global_options

if TYPE_CHECKING:
    from auditor.model.actions import Action, Capability
    from auditor.model.key import Key
    from auditor.model.principal import Principal
    from auditor.questions import Answer
    from auditor.questions.answers import Folded

COLUMNS = (
    "key",
    "alias",
    "what",
    "principal",
    "kind",
    "outcome",
    "action",
    "condition",
    "path",
    "reason",
    "why",
    "flags",
)
SHOWN = 8


@click.command("who-can")
@click.argument("what", metavar="ACTION|CAPABILITY")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@click.option("--include-denied", is_flag=True, help="Also who cannot, and what stops them.")
@answer_format("text", "json", "csv")
@from_options
@aws_options
@global_options
def command(what: str, keys: tuple[str, ...], include_denied: bool, form: str, **given: Any) -> int:
    """Who can do ACTION (kms:Decrypt), or has a CAPABILITY (administer, grant, decrypt, encrypt, read), on KEY?

    KEY is an id, an ARN, an alias or an alias pattern. Lists callers of every kind: collected principals, root users,
    sessions, other accounts, services, holders of grants, everyone. Equal access is folded into one line.
    """
    from auditor.cli.asking import as_csv, as_json, facts, is_pattern
    from auditor.cli.terminal import document, result
    from auditor.errors import UsageError
    from auditor.model.actions import Action
    from auditor.questions import find_all_keys, who_can, who_can_folded
    from auditor.questions.answers import asked

    question = asked(what)
    if isinstance(question, Action) and not question.on_key:
        raise UsageError(f"{question.name} is about no key.", f"Ask what-can PRINCIPAL --action {question.name}.")
    asking = facts(given)
    wanted = find_all_keys(asking.snapshot, keys)
    evaluation = asking.about(question, keys=wanted)
    asking.say_unknown()
    if any(map(is_pattern, keys)):
        asking.say_unlisted()
    if form == "text":
        for key, folded in who_can_folded(evaluation, question, wanted, include_denied=include_denied):
            result("\n".join(_text(key, folded, question)))
    else:
        rows = [row(answer) for answer in who_can(evaluation, question, wanted, include_denied=include_denied)]
        document(as_json(rows) if form == "json" else as_csv(rows, COLUMNS))
    return 0


def row(answer: Answer) -> dict[str, Any]:
    """An answer as the plain row of JSON and CSV."""
    from auditor.evaluator.reasons import chain_words, condition_words

    decision = answer.decision
    return {
        "key": answer.key.arn,
        "alias": answer.key.label,
        "what": answer.what,
        "principal": answer.principal.arn,
        "kind": str(answer.principal.kind),
        "outcome": str(decision.outcome),
        "action": answer.action.name,
        "condition": condition_words(decision),
        "path": decision.path,
        "reason": decision.reason,
        "why": chain_words(decision),
        "flags": list(decision.flags),
    }


def _text(key: Key, answers: Sequence[Folded], question: Action | Capability) -> list[str]:
    """The lines about one key."""
    from auditor.cli.terminal import printable
    from auditor.model.actions import Action
    from auditor.questions import infrastructure_grants
    from auditor.questions.wording import cannot_do
    from auditor.report.wording import plural

    lines = [click.style(printable(f"{key.label}  {key.arn}"), bold=True)]
    if isinstance(question, Action):
        lines += [printable(f"  note: {note}") for note in cannot_do(key, question)]
    told: dict[str, list[Principal]] = {}
    counted: Counter[str] = Counter()
    for folded in answers:
        told.setdefault(headline(folded.first), []).extend(folded.principals)
        counted[str(folded.first.decision.outcome)] += len(folded.principals)
    for words, principals in told.items():
        lines.append(f"  {words}")
        lines += [f"    {printable(name)}" for name in _names(principals)]
    lines.append(f"  {', '.join(f'{number} {outcome}' for outcome, number in counted.items()) or 'nobody'}")
    if held_by_aws := infrastructure_grants(key, question):
        grants = plural(held_by_aws, "grant")
        lines.append(f"  and {grants} of AWS infrastructure, such as volumes of instances (kms-audit grants KEY)")
    return lines


def headline(answer: Answer) -> str:
    """Outcome, condition, path and the statement that decides, in one line."""
    from auditor.cli.terminal import printable
    from auditor.questions import cause_words, decision_words

    words = printable(decision_words(answer.decision))
    outcome, _, rest = words.partition(":")
    text = click.style(outcome, bold=True) + (f":{rest}" if rest else "")
    denied = answer.decision.outcome.denied
    allows = [cause_words(cause) for cause in answer.decision.causes if cause.role == "allows"]
    via = f" [{answer.decision.path}]" if answer.decision.path else ""
    why = ""
    if allows:
        first = f" although {allows[0]}" if denied else f" {allows[0].removeprefix('allowed ')}"
        why = first + (f" and {len(allows) - 1} more" if len(allows) > 1 else "")
    return f"{text}{via}{printable(why)} ({answer.action.name})"


def _names(principals: Sequence[Principal]) -> list[str]:
    names = [f"{item.arn} ({item.kind})" for item in principals[:SHOWN]]
    hidden = len(principals) - SHOWN
    return names if hidden <= 0 else [*names, f"and {hidden} more (-f json lists all)"]
