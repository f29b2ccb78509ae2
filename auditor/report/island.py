"""The data island of the HTML report: access, interned and columnar, as the script in the page reads it.

Arrays, not objects: 1,000 keys × 5,000 principals have to fit in a few megabytes. The layout is described at
``island_of``; ``templates/scripts/`` are its only readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from auditor.evaluator.reasons import condition_words
from auditor.model.access import Cause, Decision, Outcome
from auditor.model.actions import ACTIONS
from auditor.model.key import Fact, Key
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.model.score import Score
from auditor.report.cited import document_for, documents_of
from auditor.report.counts import outside
from auditor.report.grid import CAPABILITIES, Grid
from auditor.report.island_findings import Intern, findings_beyond
from auditor.report.pages import findings_by_place, open_findings
from auditor.report.views import rotation_words
from auditor.report.wording import BASIS

OUTCOMES = tuple(Outcome)


class _Table:
    """Hashable values, each once."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def put(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))

    @property
    def listed(self) -> list[Any]:
        return list(self.places)


class _Causes:
    """Causes and the policy texts that they cite."""

    def __init__(self, report: Report) -> None:
        self._documents = documents_of(report)
        self.texts = _Table()
        self.strings = _Table()
        self.causes = _Table()

    def put(self, cause: Cause) -> int:
        ref = cause.statement
        found = document_for(ref, self._documents) if ref else None
        word = self.strings.put
        return self.causes.put(
            (
                word(cause.layer.value),
                word(cause.role.value),
                word(cause.owner or (ref.owner if ref else "")),
                word(cause.note),
                word(cause.grant or ""),
                word(ref.policy if ref else ""),
                ref.index if ref else -1,
                word((ref.sid or "") if ref else ""),
                self.texts.put(found.policy.text) if found else -1,
            )
        )


def island_of(report: Report, grid: Grid, scores: dict[str, Score], full_findings: int) -> dict[str, Any]:
    """The island.

    ``s`` strings · ``k`` keys [arn, label, account, region, state, spec, rotation, manager, grants, score] · ``p``
    principals [arn, name, kind, account, outsider, power, score, findings]; -1 stands for no number (of grants: not
    read), and for the name that the ARN ends with ·
    ``ke`` key → further facts [usage, origin, multi-Region type, created, deletion date, last use] · ``ku`` and ``pu``
    key and principal → what could not be read, only where there is such ·
    ``f`` findings from position ``full_findings`` on, see ``findings_beyond`` ·
    ``d`` decisions [outcome, reason, condition, path, [causes], [flags]] · ``c`` causes · ``t`` policy texts ·
    ``kt`` and ``pt`` key and principal → (layer, name, text) of its policies, flattened:
    a cause without an owner cites the policy of the key or principal that is asked about ·
    ``v`` what a cell holds: (capability, action, decision) flattened · ``R`` distinct rows: (gap to the next key, cell)
    flattened · ``r`` principal → distinct row. Every text of k, p, d, c is a position in ``s``.
    """
    causes = _Causes(report)
    rows, distinct, cells, used = _rows(len(report.principals), grid)
    word = causes.strings.put
    holders = set(grid.principal.tolist())
    powers = {entry.principal: entry.power for entry in report.powers}
    named = findings_by_place(report, "principals")
    decisions = [_decision(report.access.decisions[number], causes) for number in used]
    return {
        "k": [
            [*map(word, _key_words(k)), -1 if Fact.GRANTS in k.unread else len(k.grants), _score(scores, k.arn)]
            for k in report.snapshot.keys
        ],
        "p": [
            [
                *(word(p.arn), _name(p, word), word(str(p.kind)), word(p.account or ""), int(outside(p))),
                *(powers.get(p.arn, -1), _score(scores, p.arn), open_findings(report, named.get(place, ()))),
            ]
            for place, p in enumerate(report.principals)
        ],
        "ke": [[word(text) for text in _further(key)] for key in report.snapshot.keys],
        "ku": _unread(report.snapshot.keys, word),
        "pu": _unread(report.principals, word),
        "f": findings_beyond(report, full_findings, word),
        "d": decisions,
        "c": [list(cause) for cause in causes.causes.listed],
        "kt": [_texts(key.policies, causes) for key in report.snapshot.keys],
        "pt": [_texts(_own(one), causes) if n in holders else [] for n, one in enumerate(report.principals)],
        "t": causes.texts.listed,
        "v": [list(cell) for cell in cells],
        "R": [list(row) for row in distinct],
        "r": rows,
        "a": [action.name for action in ACTIONS],
        "caps": [capability.label for capability in CAPABILITIES],
        "basis": BASIS,
        "outcomes": [str(outcome) for outcome in OUTCOMES],
        "s": causes.strings.listed,
    }


def _key_words(key: Key) -> tuple[str, ...]:
    return (key.arn, key.label, key.account, key.region, key.state, key.spec, rotation_words(key), key.manager)


def _further(key: Key) -> tuple[str, ...]:
    used = key.last_usage
    last = (used.last_used or f"not seen since {used.tracking_since or 'tracking began'}") if used else _not_used(key)
    kind = key.multi_region_key_type or "no"
    return (key.usage, key.origin, kind, key.created or "not known", key.deletion_date or "", last)


def _not_used(key: Key) -> str:
    return "could not be read" if Fact.LAST_USAGE in key.unread else "not asked"


def _unread(entities: Iterable[Key | Principal], word: Intern) -> dict[int, int]:
    return {place: word(", ".join(sorted(one.unread))) for place, one in enumerate(entities) if one.unread}


def _name(one: Principal, word: Intern) -> int:
    return -1 if one.name and one.name == one.arn.rsplit("/", 1)[-1] else word(one.name or one.arn)


def _score(scores: dict[str, Score], arn: str) -> int:
    return scores[arn].residual if arn in scores else -1


def _own(principal: Principal) -> tuple[AttachedPolicy, ...]:
    boundary = (principal.boundary,) if principal.boundary else ()
    return (*principal.identity_policies, *boundary, *(principal.session_policies or ()))


def _texts(policies: tuple[AttachedPolicy, ...], causes: _Causes) -> list[int]:
    word = causes.strings.put
    return [
        number
        for item in policies
        for number in (word(item.layer.value), word(item.name), causes.texts.put(item.policy.text))
    ]


def _decision(decision: Decision, causes: _Causes) -> list[Any]:
    word = causes.strings.put
    return [
        OUTCOMES.index(decision.outcome),
        word(decision.reason),
        word(condition_words(decision)),
        word(decision.path),
        [causes.put(cause) for cause in decision.causes],
        [word(flag) for flag in decision.flags],
    ]


def _rows(principals: int, grid: Grid) -> tuple[list[int], list[Any], list[Any], list[int]]:
    """(row of each principal, distinct rows, distinct cells, decisions in use in the order of their new numbers)."""
    numbers, cells = _Table(), _Table()
    by_principal: list[dict[int, list[int]]] = [{} for _ in range(principals)]
    columns = (grid.principal, grid.key, grid.capability, grid.action, grid.decision)
    for principal, key, capability, action, decision in zip(*(column.tolist() for column in columns), strict=True):
        cell = by_principal[principal].setdefault(key, [])
        cell += (capability, action, numbers.put(decision))
    frequent = Counter(tuple(cell) for held in by_principal for cell in held.values())
    for cell, _ in sorted(frequent.items(), key=lambda item: (-item[1], item[0])):
        cells.put(cell)  # the most frequent ones get the shortest numbers
    distinct = _Table()
    rows = []
    for held in by_principal:
        flat: list[int] = []
        before = 0
        for key, cell in held.items():
            flat += (key - before, cells.put(tuple(cell)))
            before = key
        rows.append(distinct.put(tuple(flat)))
    return rows, distinct.listed, cells.listed, numbers.listed
