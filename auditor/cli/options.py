"""The option groups that commands share: GLOBAL, AWS, OUTPUT and GATE; and which options take a value."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import click

from auditor.cli.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]
SEVERITIES = ("none", "low", "medium", "high", "critical")
FORMATS = ("html", "csv", "json", "xlsx", "sarif", "ocsf", "asff", "markdown")
FORMAT_HELP = f"One of {', '.join(FORMATS)} (repeatable; default: html, csv and json)."


class _Place(click.Path):
    """A path that can be one: an empty text, as of a variable that is not set, would mean the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("a path is missing: the text is empty.", param, ctx)
        if "\0" in str(value):
            self.fail("a path holds no character NUL.", param, ctx)
        if not self.file_okay and Path(value).exists() and not Path(value).is_dir():
            self.fail(f"“{value}” is no folder.", param, ctx)
        return super().convert(value, param, ctx)


class _Text(click.types.StringParamType):
    """A text that says something: an empty one, as of a variable that is not set, would mean none was given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("the text is empty.", param, ctx)
        return super().convert(value, param, ctx)


TEXT = _Text()
FILE = _Place(exists=True, dir_okay=False, path_type=Path)
FOLDER = _Place(file_okay=False, path_type=Path)
ANY_PATH = _Place(path_type=Path)
SNAPSHOT = _Place(exists=True, file_okay=False, path_type=Path)


def _into(field: str, ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Stores a global option in the terminal when it was given at this level."""
    if value is None or value is False or value == 0 or ctx.resilient_parsing:
        return
    terminal = ctx.find_object(Terminal)
    if terminal is None:
        return
    if field == "quiet":
        terminal.verbosity = -1
    elif field == "no_progress":
        terminal.progress = False
    else:
        setattr(terminal, field, value)


def _global(*names: str, field: str, **settings: Any) -> Decorator:
    return click.option(*names, expose_value=False, callback=partial(_into, field), **settings)


GLOBAL: tuple[Decorator, ...] = (
    _global("-c", "--config", field="config", type=FILE, help="YAML configuration; see config.example.yaml."),
    _global("-v", "--verbose", field="verbosity", count=True, help="Say more (-vv: with tracebacks)."),
    _global("-q", "--quiet", field="quiet", is_flag=True, help="Only results, warnings and errors."),
    _global("--no-progress", field="no_progress", is_flag=True, help="No progress on stderr."),
    _global(
        "--color",
        field="color",
        type=click.Choice(["auto", "always", "never"]),
        help="Colours; auto honours NO_COLOR and whether stdout is a terminal.",
    ),
    _global("--log-format", field="log_format", type=click.Choice(["text", "json"]), help="Log lines on stderr."),
)
AWS: tuple[Decorator, ...] = (
    click.option("--profile", "profiles", multiple=True, help="AWS profile (repeatable; default: the SDK's chain)."),
    click.option("--region", "regions", multiple=True, help="Region or glob (repeatable; default: all enabled)."),
    click.option("--org", is_flag=True, help="All accounts of the organization; needs --role-name."),
    click.option("--account", "accounts", multiple=True, help="Account id or glob (repeatable; default: all)."),
    click.option("--role-name", type=TEXT, metavar="NAME", help="Role to assume in each account."),
    click.option(
        "--external-id", type=TEXT, metavar="ID", help="External id for assuming the role; never logged or stored."
    ),
    click.option("--endpoint-url", type=TEXT, metavar="URL", help="Replaces every AWS endpoint (for tests)."),
    click.option("--max-workers", type=click.IntRange(1, 256), metavar="N", help="Concurrent requests."),
    click.option("--last-usage", is_flag=True, help="Ask when each key was last used (slow: 5 requests a second)."),
    click.option("--last-accessed", is_flag=True, help="Ask IAM when each principal last called KMS (slow)."),
    click.option(
        "--key-events",
        type=click.IntRange(1, 90),
        metavar="DAYS",
        help="Read who used each key, and through what, in CloudTrail's event history (slow).",
    ),
    click.option("--resources", is_flag=True, help="Read what is encrypted in S3, SQS, RDS …, and with which key."),
)
OUTPUT: tuple[Decorator, ...] = (
    click.option("-f", "--format", "formats", multiple=True, metavar="FORMAT", help=FORMAT_HELP),
    click.option("--output-dir", type=FOLDER, help="Where report folders go (default: reports/)."),
    click.option("-o", "--output", type=ANY_PATH, help="One file instead; format by suffix, `-` is stdout."),
    click.option("--as-of", metavar="TIME", help="Date or time (UTC) that ages count from; default: the snapshot's."),
    click.option("--attest", is_flag=True, help="Also write SHA256SUMS over all report files."),
)
GATE: tuple[Decorator, ...] = (
    click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit 3 when an open finding is this bad or worse."),
    click.option("--strict", is_flag=True, help="Exit 4 when facts that access rests on could not be read."),
    click.option("--baseline", type=FILE, metavar="RESULT", help="result.json of an earlier run: new or known?"),
    click.option("--suppressions", type=FILE, help="YAML register of accepted findings."),
)
FROM: tuple[Decorator, ...] = (
    click.option("--from", "source", type=SNAPSHOT, metavar="SNAPSHOT", help="Default: the newest complete one."),
    click.option("--output-dir", type=FOLDER, help="Where to look for the newest snapshot (default: reports/)."),
    click.option("--as-of", metavar="TIME", help="Date or time (UTC); default: the snapshot's."),
)


def _apply(options: tuple[Decorator, ...], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def global_options(function: F) -> F:
    """-c -v -q --no-progress --color --log-format: accepted by every command; they land in the ``Terminal``."""
    return _apply(GLOBAL, function)


def aws_options(function: F) -> F:
    """The AWS group."""
    return _apply(AWS, function)


def output_options(function: F) -> F:
    """The OUTPUT group."""
    return _apply(OUTPUT, function)


def gate_options(function: F) -> F:
    """The GATE group."""
    return _apply(GATE, function)


def from_options(function: F) -> F:
    """Where a question takes its snapshot from."""
    return _apply(FROM, function)


def place_options(function: F) -> F:
    """--output-dir and --as-of, for questions that name their snapshot as an argument."""
    return _apply(FROM[1:], function)


def answer_format(*formats: str) -> Decorator:
    """``-f`` of a question: one of ``formats``, the first is the default."""
    return click.option("-f", "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True)


def takes_value(word: str) -> bool:
    """Whether an option that may stand before the command's name is followed by its value."""
    if word.startswith("--"):
        return "=" not in word and word in _with_values()
    return len(word) == 2 and word in _with_values()


@cache
def _with_values() -> frozenset[str]:
    @partial(_apply, (*GLOBAL, *AWS, *OUTPUT, *GATE, *FROM))
    def probe() -> None:
        """Collects the options."""

    parameters: list[click.Parameter] = probe.__click_params__  # type: ignore[attr-defined]
    valued = [item for item in parameters if isinstance(item, click.Option) and not (item.is_flag or item.count)]
    return frozenset(name for item in valued for name in item.opts)
