"""``kms-audit config``: check a configuration file, or print its JSON Schema."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import FILE, global_options


@click.group("config", no_args_is_help=False)
@global_options
def command() -> None:
    """Check a configuration file, or print its JSON Schema."""


@command.command("check")
@click.argument("file", type=FILE, required=False)
@global_options
def check(file: Path | None) -> int:
    """Check FILE (default: the one of --config) and say what is wrong with it."""
    from auditor.audit.publishing import check_formats
    from auditor.cli.terminal import current, result
    from auditor.config import load_config
    from auditor.errors import UsageError

    path = file or current().config
    if path is None:
        raise UsageError("Which configuration?", "Name it: kms-audit config check FILE.")
    formats = load_config(path).output.formats
    try:
        check_formats(formats)
    except UsageError as error:
        raise UsageError(f"{path}: output.formats: {error.message}", error.remedy) from None
    result(f"{path}: valid")
    return 0


@command.command("schema")
@global_options
def schema() -> int:
    """Print the JSON Schema of the configuration."""
    import json

    from auditor.cli.terminal import result
    from auditor.config import config_schema

    result(json.dumps(config_schema(), indent=2, ensure_ascii=False))
    return 0
