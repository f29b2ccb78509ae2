"""Options and configuration file → one ``Config`` and where to write; options win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.audit.times import parse_as_of
from auditor.cli.logs import start_logging
from auditor.cli.terminal import current
from auditor.config import Config, check_names, load_config
from auditor.config.sections import FailOn
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.model.report import Report
    from auditor.suppressions import Suppression

COLLECTION = (
    "profiles",
    "regions",
    "org",
    "accounts",
    "role_name",
    "external_id",
    "endpoint_url",
    "max_workers",
    "last_usage",
    "last_accessed",
    "key_events",
    "resources",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one run shall write and how it is gated; ``baseline`` and ``accepted`` are filled in by ``prepare``."""

    config: Config
    output_dir: Path
    output: Path | None = None
    formats: tuple[str, ...] = ()
    as_of: str | None = None
    attest: bool = False
    baseline: Report | None = None
    accepted: tuple[Suppression, ...] | None = None


def read_config() -> Config:
    """The configuration named by --config, or the defaults; starts logging on the way."""
    terminal = current()
    start_logging(terminal.verbosity, terminal.log_format)
    return load_config(terminal.config) if terminal.config else Config()


def wanted(given: Mapping[str, Any]) -> Wanted:
    """Merge the options of a command with the configuration. Raises UsageError for combinations that cannot be."""
    config = with_options(read_config(), given)
    formats = tuple(given.get("formats") or config.output.formats)
    output = given.get("output")
    check_one_file(output, given.get("formats") or ())
    if output is not None and given.get("attest"):
        raise UsageError("--attest signs a folder of files, not one.", "Use --output-dir instead of -o.")
    as_of = given.get("as_of")
    return Wanted(
        config=config,
        output_dir=given.get("output_dir") or Path(config.output.dir),
        output=output,
        formats=formats,
        as_of=parse_as_of(as_of) if as_of is not None else None,
        attest=bool(given.get("attest")),
    )


def check_one_file(output: Path | None, formats: tuple[str, ...]) -> None:
    """Raises UsageError when ``output`` cannot take what is asked for: one file of one format."""
    if output is not None and len(formats) > 1:
        raise UsageError("-o writes one file, but several formats were asked for.", "Use --output-dir, or one -f.")
    if output is not None and output.is_dir():
        raise UsageError(f"-o {output}: is a folder.", "Name a file, or use --output-dir.")


def with_options(config: Config, given: Mapping[str, Any]) -> Config:
    """The configuration with the options of the AWS and GATE groups laid over it."""
    collection = replace(config.collection, **{name: given[name] for name in COLLECTION if given.get(name)})
    check_names(collection)
    if collection.org and not collection.role_name:
        raise UsageError("--org needs --role-name.", "Name the role to assume in each account.")
    gate = config.gate
    if given.get("fail_on"):
        gate = replace(gate, fail_on=FailOn(given["fail_on"]))
    if given.get("strict"):
        gate = replace(gate, strict=True)
    if given.get("suppressions"):
        gate = replace(gate, suppressions=str(given["suppressions"]))
    if given.get("baseline"):
        gate = replace(gate, baseline=str(given["baseline"]))
    return replace(config, collection=collection, gate=gate)
