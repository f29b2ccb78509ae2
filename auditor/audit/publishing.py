"""Report → files: whole folders or one file, all of them or none, private to the user."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.audit.arguments import check_report, several, texts
from auditor.audit.places import make_private
from auditor.audit.staging import staged, write_private
from auditor.errors import OutputError, UsageError
from auditor.userfiles import as_path

if TYPE_CHECKING:
    from auditor.model.report import Report

DEFAULT_FORMATS = ("html", "csv", "json")
SUFFIXES = {
    ".html": "html",
    ".csv": "csv",
    ".json": "json",
    ".xlsx": "xlsx",
    ".sarif": "sarif",
    ".md": "markdown",
}
SUMS = "SHA256SUMS"
BATCH_FOLDER = "asff"
BATCH_NAME = re.compile(r"\d{12}-[a-z0-9-]{3,40}-\d+\.json")


def format_of(path: Path) -> str:
    """The format that a file's suffix means. Raises UsageError for an unknown suffix."""
    name = path.name.lower()
    for ending, form in ((".ocsf.json", "ocsf"), (".asff.json", "asff"), (".sarif.json", "sarif")):
        if name.endswith(ending):
            return form
    form = SUFFIXES.get(path.suffix.lower(), "")
    if not form:
        raise UsageError(f"{path}: no format has this suffix.", f"Use {', '.join(SUFFIXES)}, or name it with -f.")
    return form


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """The formats, each once. Raises UsageError for one that does not exist."""
    from auditor.report import FORMATS

    wanted = tuple(dict.fromkeys(texts(formats, "format"))) or DEFAULT_FORMATS
    for form in wanted:
        if form not in FORMATS:
            raise UsageError(f"There is no format “{form}”.", f"Choose among {', '.join(sorted(FORMATS))}.")
    return wanted


def publish(
    report: Report, folder: Path | str, formats: Iterable[str] = DEFAULT_FORMATS, *, attested: bool = False
) -> tuple[Path, ...]:
    """Write the files of ``formats`` into ``folder``, all or none, and return their paths, sorted; ``attested``: with
    ``SHA256SUMS`` over them. Raises OutputError.

    Batches of an earlier ASFF result in the folder that this one does not have are removed: they would be imported too.
    """
    from auditor.report import render

    check_report(report)
    wanted, place = check_formats(formats), as_path(folder)
    make_private(place)
    with staged() as files:
        for form in wanted:
            for name, content in render(report, form).items():
                files.add(place / name, content)
        written = tuple(sorted(files.digests))
        if attested:
            files.add(place / SUMS, _sums(files.digests, place))
    if "asff" in wanted:
        _remove_stale_batches(place / BATCH_FOLDER, frozenset(written))
    return (*written, place / SUMS) if attested else written


def _remove_stale_batches(folder: Path, current: frozenset[Path]) -> None:
    """Remove what is named like a batch and is none of this result; anything else in the folder is not ours."""
    try:
        stale = [path for path in folder.glob("*.json") if BATCH_NAME.fullmatch(path.name) and path not in current]
        for path in stale:
            path.unlink()
    except OSError as error:
        raise OutputError(
            f"{folder}: batches of an earlier result cannot be removed: {error.strerror or error}.",
            "Remove them before you import the folder.",
        ) from None


def publish_framework(report: Report, framework: str, folder: Path, output: Path | None = None) -> tuple[Path, ...]:
    """Write the pages of a framework into ``folder``, or the one that fits the suffix of ``output``."""
    from auditor.audit.frameworks import framework_files

    files = framework_files(report, framework)
    if output is None:
        with staged() as pages:
            for name, page in sorted(files.items()):
                pages.add(folder / name, page)
        return tuple(pages.digests)
    content = files.get(f"{framework}{output.suffix.lower()}")
    if content is None:
        raise UsageError(f"{output}: a framework is written as .html or .csv.")
    return (write_private(output, content),)


def render_one(report: Report, form: str) -> bytes:
    """One format as one file; a format of several files gives its first (CSV: the findings). Raises UsageError."""
    from auditor.report import render

    check_report(report)
    (wanted,) = check_formats([form])
    return next(iter(render(report, wanted).values()))


def render_as(report: Report, form: str, name: str) -> bytes:
    """One format as the file ``name``: of several files (CSV) the one of that name, else the first."""
    from auditor.report import render

    (wanted,) = check_formats([form])
    files = render(report, wanted)
    return files.get(name) or next(iter(files.values()))


def attest(files: Iterable[Path | str], folder: Path | str) -> Path:
    """Write ``SHA256SUMS`` over the files, in the form that ``sha256sum -c`` reads, and return its path."""
    place = as_path(folder)
    paths = [as_path(file) for file in several(files, "file")]
    if outside := next((path for path in paths if not path.is_relative_to(place)), None):
        raise UsageError(f"{outside}: is not below {place}.", "Name the folder that all the files are in.")
    try:
        digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be read: {error.strerror or error}.") from None
    return write_private(place / SUMS, _sums(digests, place))


def _sums(digests: Mapping[Path, str], folder: Path) -> bytes:
    lines = [f"{digests[path]}  {path.relative_to(folder).as_posix()}" for path in sorted(digests)]
    return ("\n".join(lines) + "\n").encode()
