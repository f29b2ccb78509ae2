"""``kms-audit what-can``: what a principal can do."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import TEXT, answer_format, aws_options, from_options, global_options

if TYPE_CHECKING:
    from auditor.model.principal import Principal
    from auditor.questions import Answer


@click.command("what-can")
@click.argument("principals", nargs=-1, required=True, metavar="PRINCIPAL...")
@click.option("--action", "what", type=TEXT, metavar="ACTION|CAPABILITY", help="Only this action or capability.")
@click.option("--key", "keys", multiple=True, metavar="KEY", help="Only these keys (repeatable).")
@answer_format("text", "json", "csv")
@from_options
@aws_options
@global_options
def command(principals: tuple[str, ...], what: str | None, keys: tuple[str, ...], form: str, **given: Any) -> int:
    """What can PRINCIPAL do, and with which keys?

    PRINCIPAL is an ARN (also of a session, or of an account that was not collected), role/NAME, user/NAME, group/NAME
    (its members), a service, or a pattern such as 'role/ci-*'. Permissions that one layer gives and another takes away
    are listed as denied.
    """
    from auditor.cli.asking import as_csv, as_json, facts, is_pattern
    from auditor.cli.terminal import document, result
    from auditor.cli.who_can import COLUMNS, row
    from auditor.model.actions import Action
    from auditor.questions import find_all_keys, find_principals, what_can
    from auditor.questions.answers import asked

    question = asked(what) if what else None
    asking = facts(given)
    wanted = find_all_keys(asking.snapshot, keys) if keys else None
    if isinstance(question, Action) and not question.on_key:
        wanted = ()  # no key plays a part in the answer
    who = tuple({item.arn: item for text in principals for item in find_principals(asking, text)}.values())
    answers = what_can(asking.about(question, keys=wanted, principals=who), who, question)
    asking.say_unknown()
    unlisted = (wanted is None or any(map(is_pattern, keys))) and asking.say_unlisted()
    if form == "text":
        by_principal = {arn: list(group) for arn, group in groupby(answers, key=lambda answer: answer.principal.arn)}
        told = _Headlines()
        none = "nothing, with the keys that could be read" if unlisted else "nothing"
        lines = (_text(by_principal.get(item.arn, []), told) or [f"  {none}"] for item in who)
        result("\n".join(line for item, found in zip(who, lines, strict=True) for line in (_name(item), *found)))
    else:
        rows = [row(answer) for answer in answers]
        document(as_json(rows) if form == "json" else as_csv(rows, COLUMNS))
    return 0


class _Headlines:
    """What is said of answers, put into words once for each decision: many keys share it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[str, Answer]] = {}

    def of(self, answer: Answer) -> str:
        """The headline of an answer."""
        from auditor.cli.who_can import headline

        identity = (id(answer.decision), answer.action.name)
        if identity not in self._known:
            self._known[identity] = (headline(answer), answer)  # the answer keeps its decision, and so the id, alive
        return self._known[identity][0]


def _name(principal: Principal) -> str:
    from auditor.cli.terminal import printable

    return click.style(printable(f"{principal.arn} ({principal.kind})"), bold=True)


def _text(mine: list[Answer], told: _Headlines) -> list[str]:
    """The lines about one principal."""
    from auditor.cli.terminal import printable

    lines = []
    for _, group in groupby(mine, key=lambda answer: answer.key.arn):
        found = list(group)
        if found[0].key.arn:
            lines.append(printable(f"  {found[0].key.label}  {found[0].key.arn}"))
        lines += [f"    {answer.what}: {told.of(answer)}" for answer in found]
    return lines
