"""The Python API: an ``Auditor`` with a configuration, and an ``Evaluation`` that can be asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import __version__, evaluator
from auditor.audit.arguments import check, check_report, check_snapshots, named, objects
from auditor.audit.collecting import collect_into
from auditor.audit.comparing import Compared
from auditor.audit.times import as_of_for
from auditor.config import Config
from auditor.evaluator.mentions import rows
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.userfiles import as_path

if TYPE_CHECKING:
    import pandas as pd

    from auditor.collectors import Progress
    from auditor.escalation import Route
    from auditor.model.report import Report
    from auditor.questions import Answer, Explanation
    from auditor.store import DecodedShards


class Evaluation(evaluator.Evaluation):
    """Who can do what in a snapshot: ``principals`` are the rows and ``snapshot.keys`` the columns of ``table``."""

    __slots__ = ()

    @property
    def as_of(self) -> str:
        """The time (ISO 8601 UTC) that ages and expiry are counted from."""
        return self.surroundings.as_of

    def __repr__(self) -> str:
        return f"<Evaluation of {len(self.snapshot.keys)} keys x {len(self.principals)} principals as of {self.as_of}>"

    def who_can(self, what: str, *keys: str | Key, include_denied: bool = False) -> tuple[Answer, ...]:
        """Who can do ``what`` (an action or a capability) with ``keys``: ids, ARNs, aliases or patterns (``"*"``: all).

        Raises UnknownNameError, which lists candidates; so do the other questions.
        """
        from auditor.questions import find_all_keys, who_can
        from auditor.questions.answers import asked

        names = named(keys, "key", "an alias")
        return who_can(self, asked(what), find_all_keys(self.snapshot, names), include_denied=include_denied)

    def what_can(self, *principals: str | Principal, what: str | None = None) -> tuple[Answer, ...]:
        """What ``principals`` can do: ARNs, ``role/NAME``, ``group/NAME`` (its members), patterns.

        ``what`` limits it to an action or capability.
        """
        from auditor.questions import find_principals, what_can
        from auditor.questions.answers import asked

        names = named(principals, "principal", "role/NAME")
        found = {item.arn: item for text in names for item in find_principals(self, text)}
        return what_can(self, tuple(found.values()), asked(what) if what else None)

    def explain(
        self, principal: str | Principal, action: str, key: str | Key, context: Mapping[str, object] | None = None
    ) -> Explanation:
        """Why, or why not: the whole chain. ``action`` is like ``kms:Decrypt``.

        ``context``: known facts of the request, as condition key → value (or list of values, or None for a key that it
        does not have). Raises UsageError for facts that no request has.
        """
        from auditor.questions import explain, find_keys, principal_named
        from auditor.questions.answers import asked_action
        from auditor.questions.context_keys import stated

        if context is not None:
            check(
                context, Mapping, "context", "It is a mapping such as {'kms:ViaService': 's3.eu-west-1.amazonaws.com'}."
            )
        facts = stated(context or {})
        (caller,), (place,) = named((principal,), "principal", "role/NAME"), named((key,), "key", "an alias")
        (found,) = find_keys(self.snapshot, place, several=False)
        return explain(self, principal_named(self, caller), asked_action(action), found, facts)

    def access_frame(self) -> pd.DataFrame:
        """A pandas view for notebooks: one row per principal, key and capability that is not denied.

        The columns are those of ``access.csv``, all of them text (account ids keep their zeros), empty where nothing is
        to be said: principal, principal_kind, principal_account, key, key_label, key_account, region, capability (such
        as ``decrypt``, ``encrypt / sign``), outcome, condition, reason, path, action, why, flags.
        """
        from auditor.report.tables import access_frame

        return access_frame(bare_report(self))


class Auditor:
    """One configuration, and the steps of a run. Each step may be called alone."""

    def __init__(self, config: Config | None = None) -> None:
        """``config``: of ``auditor.config.load_config(Path("config.yaml"))``, by default the defaults."""
        if config is not None:
            check(config, Config, "configuration", "Read one with load_config.")
        self.config = config or Config()

    def collect(self, folder: Path | str, *, resume: bool = False, progress: Progress | None = None) -> Snapshot:
        """Read the facts from AWS into the snapshot folder ``folder``; see ``collect_into`` for the errors."""
        return collect_into(folder, self.config.collection, resume=resume, progress=progress)

    def load(self, folder: Path | str, known: DecodedShards | None = None) -> Snapshot:
        """A snapshot from disk, checked against its hashes. Raises SnapshotError.

        Snapshots that are loaded with the same ``known`` (``auditor.store.DecodedShards()``) share the objects of the
        shards that are equal in them: loading the second and comparing both takes less.
        """
        from auditor.store import DecodedShards, read_snapshot

        if known is not None:
            check(known, DecodedShards, "DecodedShards", "Make one with auditor.store.DecodedShards().")
        return read_snapshot(as_path(folder), known)

    def evaluate(self, snapshot: Snapshot, as_of: str | date | None = None) -> Evaluation:
        """The whole matrix. ``as_of``: date or time (ISO 8601, UTC), by default the end of the collection."""
        check_snapshots(snapshot)
        found = evaluator.evaluate(snapshot, as_of=as_of_for(snapshot, as_of))
        return Evaluation(found.snapshot, found.surroundings, found.principals, found.table)

    def evaluate_part(
        self,
        snapshot: Snapshot,
        as_of: str | date | None = None,
        *,
        keys: Sequence[Key] | None = None,
        principals: Sequence[Principal] | None = None,
    ) -> Evaluation:
        """Some columns (``keys`` of the snapshot) or rows of the matrix, each decision as in the whole one.

        ``principals`` need not be rows of the whole matrix: sessions and strangers are decided like any other.
        """
        check_snapshots(snapshot)
        found = evaluator.evaluate_part(
            snapshot,
            as_of=as_of_for(snapshot, as_of),
            keys=None if keys is None else objects(keys, Key, "key"),
            principals=None if principals is None else objects(principals, Principal, "principal"),
        )
        return Evaluation(found.snapshot, found.surroundings, found.principals, found.table)

    def rows(self, snapshot: Snapshot) -> tuple[Principal, ...]:
        """Every caller that an evaluation answers for, collected or only mentioned, without evaluating."""
        check_snapshots(snapshot)
        return rows(snapshot)

    def judge(self, evaluation: Evaluation, *, baseline: Report | None = None) -> Report:
        """Run the rules and return the result, findings worst first."""
        from auditor.model.report import Report
        from auditor.rules import judge
        from auditor.rules.catalogue import catalogue_version

        check(evaluation, Evaluation, "evaluation", "Make one with Auditor.evaluate.")
        if baseline is not None:
            check_report(baseline, "baseline")
        judgement = judge(evaluation, self.config.rules, as_of=evaluation.as_of, baseline=baseline)
        return Report(
            snapshot=evaluation.snapshot,
            principals=evaluation.principals,
            access=evaluation.table,
            findings=judgement.findings,
            rules=judgement.rules,
            powers=judgement.powers,
            as_of=evaluation.as_of,
            tool_version=__version__,
            config_hash=config_hash(self.config),
            rules_version=catalogue_version(),
        )

    def routes(
        self, snapshot: Snapshot, *names: str | Key | Principal, as_of: str | date | None = None
    ) -> tuple[Route, ...]:
        """Who could give themselves access, step by step: routes to the keys, and from the principals, in ``names``.

        ``as_of`` as in ``evaluate``. Raises UnknownNameError, which lists candidates.
        """
        from auditor.escalation import in_order, routes_from, routes_to
        from auditor.questions.either import keys_and_principals

        check_snapshots(snapshot)
        wanted = named(names, "key or principal", "an alias or role/NAME")
        keys, principals = keys_and_principals(snapshot, self.rows(snapshot), wanted)
        moment = as_of_for(snapshot, as_of)
        found = routes_to(snapshot, keys, self.config.rules, moment) if keys else ()
        more = routes_from(snapshot, principals, self.config.rules, moment) if principals else ()
        return in_order((*found, *more))

    def compare(
        self, old: Snapshot, new: Snapshot, as_of: str | date | None = None, *, findings: bool = True
    ) -> Compared:
        """What changed from ``old`` to ``new``; ``as_of`` as in ``evaluate``, for both, else each snapshot's own.

        Access is decided, and ``findings`` are judged, only where they can differ.
        """
        from auditor.audit.judged import judged_change
        from auditor.questions.affected import world_of
        from auditor.questions.differences import differences

        check_snapshots(old, new)
        first, second = (world_of(facts, as_of=as_of_for(facts, as_of)) for facts in (old, new))
        if not findings:
            return Compared(differences(first, second), None)
        return judged_change(first, second, self.config.rules)


def bare_report(evaluation: Evaluation) -> Report:
    """A result without judgement, for views of access alone."""
    from auditor.model.report import Report

    return Report(
        snapshot=evaluation.snapshot,
        principals=evaluation.principals,
        access=evaluation.table,
        findings=(),
        as_of=evaluation.as_of,
        tool_version=__version__,
    )


def config_hash(config: Config) -> str:
    """SHA-256 of what shapes a judgement: the rules' settings and the gate, in canonical JSON."""
    text = json.dumps({"rules": asdict(config.rules), "gate": asdict(config.gate)}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
