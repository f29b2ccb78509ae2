"""What the questions share: where the facts come from, and how an answer is printed."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.audit import Auditor, collect_into, newest_snapshot
from auditor.audit.times import as_of_for
from auditor.cli.progress import showing_progress, step
from auditor.cli.settings import COLLECTION, wanted
from auditor.cli.terminal import note, warn
from auditor.errors import UsageError
from auditor.evaluator import Evaluation, evaluate_part
from auditor.model.actions import Action, Capability
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.answers import mask_asked

if TYPE_CHECKING:
    from auditor.store import DecodedShards


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts that a question is about, not yet evaluated; only what a question needs is evaluated."""

    auditor: Auditor
    snapshot: Snapshot
    as_of: str

    @property
    def principals(self) -> tuple[Principal, ...]:
        """Every caller that the facts know."""
        return self.auditor.rows(self.snapshot)

    def about(
        self,
        what: Action | Capability | None = None,
        *,
        keys: Sequence[Key] | None = None,
        principals: Sequence[Principal] | None = None,
    ) -> Evaluation:
        """The part of the matrix for these keys and these callers; None means all.

        With ``what`` nothing but that is decided.
        """
        return evaluate_part(
            self.snapshot,
            as_of=self.as_of,
            keys=None if keys is None else tuple(keys),
            principals=None if principals is None else tuple(principals),
            asked=None if what is None else mask_asked(what),
        )

    def say_unknown(self, *, follows: str = "answers that need what is missing say unknown") -> bool:
        """Say on stderr how much could not be read, and what follows from it; whether there is any such fact."""
        gaps = sum(1 for gap in self.snapshot.gaps if gap.essential)
        if gaps:
            from auditor.report.wording import plural

            note(f"{plural(gaps, 'fact')} that access rests on could not be read; {follows}")
        return gaps > 0

    def say_unlisted(self) -> bool:
        """Say on stderr where there may be keys that an answer about all keys leaves out; whether there may be any."""
        from auditor.questions import unlisted_keys

        places = unlisted_keys(self.snapshot)
        if places:
            warn(f"not listed: keys that could not be read: {places}")
        return bool(places)


def is_pattern(name: str) -> bool:
    """Whether a name may mean any number of keys."""
    return "*" in name or "?" in name


def facts(given: Mapping[str, Any], known: DecodedShards | None = None) -> Asked:
    """The facts that a question is about: --from, else live AWS, else the newest snapshot; ``known`` as in ``load``."""
    run = wanted({name: value for name, value in given.items() if name not in ("formats", "output")})
    auditor = Auditor(run.config)
    live = any(given.get(name) for name in COLLECTION)
    if given.get("source") and live:
        raise UsageError("A snapshot and the AWS options exclude each other.", "Ask a snapshot, or AWS.")
    snapshot = _live(auditor) if live else auditor.load(_source(given, run.output_dir), known)
    return Asked(auditor, snapshot, as_of_for(snapshot, run.as_of))


def _source(given: Mapping[str, Any], output_dir: Path) -> Path:
    source: Path | None = given.get("source")
    if source is None:
        source = newest_snapshot(output_dir)
        step(f"asking {source}")
    return source


def _live(auditor: Auditor) -> Snapshot:
    with tempfile.TemporaryDirectory(prefix="kms-audit-") as folder, showing_progress() as progress:
        return collect_into(Path(folder) / "snapshot", auditor.config.collection, progress=progress)


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """A JSON array, one object per row."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False)


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """CSV with a header; cells that a spreadsheet would run as a formula are guarded, as in the files of a report."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_guarded(_cell(row.get(column, ""))) for column in columns])
    return stream.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


@lru_cache(maxsize=65536)
def _guarded(text: str) -> str:
    """As ``guarded``, which most texts would meet in row after row."""
    from auditor.report.csv_files import guarded

    return str(guarded(text))
