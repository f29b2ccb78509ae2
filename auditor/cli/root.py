"""The root command: finds the command among the options, loads it when it is used, and defaults to ``audit``."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import click

from auditor import __version__
from auditor.cli.options import global_options, takes_value

DEFAULT = "audit"
COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("audit", "Collect, evaluate, judge and report (the default)."),
    "collect": ("collect", "Read the facts from AWS into a snapshot; nothing else."),
    "evaluate": ("evaluate", "Evaluate, judge and report a snapshot, without AWS."),
    "report": ("report", "Render a result again, in any format or by framework."),
    "who-can": ("who_can", "Who can do something with a key?"),
    "what-can": ("what_can", "What can a principal do?"),
    "explain": ("explain", "Why may a principal do something, or why not?"),
    "paths": ("paths", "Who could give themselves access to a key, and how?"),
    "what-if": ("what_if", "The effect of a change before it is made."),
    "diff": ("diff", "What changed between two snapshots."),
    "grants": ("grants", "The grants of a snapshot."),
    "test": ("test", "Check authorization cases: unit tests for policies."),
    "rules": ("rules", "List the rules, or show one."),
    "permissions": ("permissions", "The read-only IAM policy that a run needs."),
    "config": ("config", "Check a configuration, or print its JSON Schema."),
    "demo": ("demo", "A whole run on an embedded, fictional organization."),
}
"""Name → module in this package, and the line of ``--help``; the lines stand here so that help loads no command."""


class Root(click.Group):
    """A group whose commands are loaded on use and whose options may stand before the command's name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of a run."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(f"auditor.cli.{entry[0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a misspelt name lists what is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, n=2)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"{error.message}{meant}", ctx) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the command first, whichever options stand before it; no command means ``audit``."""
        return super().parse_args(ctx, args if ctx.resilient_parsing else command_first(args))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def command_first(args: Sequence[str]) -> list[str]:
    """The arguments with the command's name in front.

    ``--profile prod`` becomes ``audit --profile prod``; ``-v --profile prod collect`` becomes ``collect -v …``.
    Help and version, when nothing else was asked, stay with the root.
    """
    skip = False
    for position, word in enumerate(args):
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-") and word != "-":
            skip = takes_value(word)
        elif position == 0 or word in COMMANDS:
            return [word, *args[:position], *args[position + 1 :]]
        else:
            break  # the value of an option that is not known here; audit will say so
    if args and args[0] in ("--help", "-h", "--version"):
        return list(args)
    return [DEFAULT, *args]


@click.command(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Without a command, kms-audit runs `audit`: `kms-audit --profile prod` is the one-off run. "
    "`kms-audit COMMAND --help` lists the options of a command.",
)
@click.version_option(__version__, prog_name="kms-audit")
@global_options
def root() -> None:
    """Who can do what with every AWS KMS key of an organization, under which conditions, and why."""
