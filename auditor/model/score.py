"""The risk score: a number that a reader can recompute by hand from the list of findings.

Works on findings and a few plain numbers only. The worst finding picks the band, all others fill it; harmless objects
never dilute it. Power is what a principal could do, whatever the findings say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.finding import SEVERITY_RANK, Finding, FindingState, Severity
from auditor.model.key import OPTIONAL_FACTS, Fact, Key
from auditor.model.snapshot import Snapshot

BANDS = {
    Severity.CRITICAL: (90, 100),
    Severity.HIGH: (70, 89),
    Severity.MEDIUM: (40, 69),
    Severity.LOW: (10, 39),
    Severity.INFO: (0, 9),
}
WEIGHTS = {Severity.CRITICAL: 0.50, Severity.HIGH: 0.30, Severity.MEDIUM: 0.12, Severity.LOW: 0.04, Severity.INFO: 0.0}
PER_RULE = 3
"""Per rule only so many of the other findings count, so that fifty equal grants do not outweigh another problem."""
TIER_WEIGHTS = {"T1": 0.50, "T2": 0.25, "T3": 0.10, "T4": 0.03}
CONDITIONAL_WEIGHT = 0.7
"""What a power counts whose every way in carries a condition of S2 or stronger; anything weaker, and unknown, is 1."""
Graded = tuple[str, Severity]
COUNTED_STATES = (FindingState.OPEN, FindingState.ACCEPTED, FindingState.UNVERIFIED)
BLINDING = frozenset({Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA, Fact.KEY_LIST, Fact.ACCOUNT, Fact.REGIONS})
"""Without one of these facts somebody may have access that no verdict speaks of: “at least N”."""


class Grade(StrEnum):
    """How much of the estate the verdicts rest on; D prints scores as “at least N”."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class Score:
    """0 to 100. ``inherent`` counts accepted findings, ``residual`` leaves them out; ``at_least`` for grade D."""

    residual: int
    inherent: int
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class PrincipalPower:
    """What a principal could do whatever the findings say: ``reach`` and ``posture`` are 0 to 1, see the functions.

    The score needs the findings as well: ``scores_of_principals``.
    """

    principal: str
    reach: float
    posture: float = 0.0

    @property
    def power(self) -> int:
        """0 to 100: how much is lost if the principal is."""
        return power(self.reach)


def _others(findings: Sequence[Graded]) -> float:
    """The product of (1 - weight) over everything but one instance of the worst severity."""
    worst = min(SEVERITY_RANK[severity] for _, severity in findings)
    candidates = {rule for rule, severity in findings if SEVERITY_RANK[severity] == worst}
    return min(_product(findings, rule, worst) for rule in sorted(candidates))


def _product(findings: Sequence[Graded], removed: str, worst: int) -> float:
    weights: dict[str, list[float]] = {}
    taken = False
    for rule, severity in findings:
        if not taken and rule == removed and SEVERITY_RANK[severity] == worst:
            taken = True
            continue
        weights.setdefault(rule, []).append(WEIGHTS[severity])
    product = 1.0
    for rule in sorted(weights):
        for weight in sorted(weights[rule], reverse=True)[:PER_RULE]:
            product *= 1 - weight
    return product


def _band(findings: Sequence[Graded]) -> tuple[int, int]:
    if not findings:
        return BANDS[Severity.INFO]
    return BANDS[min((severity for _, severity in findings), key=SEVERITY_RANK.__getitem__)]


def others_fill(findings: Sequence[Graded]) -> float:
    """How far the other findings fill the band, 0 to 1."""
    return 1 - _others(findings) if findings else 0.0


def key_score(findings: Sequence[Graded]) -> int:
    """The score of a key from its ``(rule, severity)`` list; the order does not matter."""
    low, high = _band(findings)
    return _floor(low + others_fill(findings) * (high - low))


def principal_score(findings: Sequence[Graded], reach: float, posture: float) -> int:
    """The score of a principal: the band of its worst finding, filled by power, posture and the other findings."""
    low, high = _band(findings)
    fill = 1 - (1 - 0.5 * reach) * (1 - 0.3 * min(posture, 1.0)) * (1 - 0.5 * others_fill(findings))
    return _floor(low + fill * (high - low))


def _floor(value: float) -> int:
    """Floor that does not fall for the last bit of a binary fraction."""
    return math.floor(round(value, 9))


def power(reach: float) -> int:
    """Reach as a whole number from 0 to 100, rounded half up."""
    return math.floor(round(100 * reach, 9) + 0.5)


def posture(
    *,
    long_lived: bool = False,
    without_mfa: bool = False,
    outside: bool = False,
    many: bool = False,
    idle: bool = False,
) -> float:
    """How easily a principal falls into other hands, 0 to 1.

    ``long_lived`` credentials, a person ``without_mfa``, assumable from ``outside``, assumable by ``many`` (more than
    ``max_assumers``), ``idle`` for the whole observation window.
    """
    parts = ((long_lived, 0.3), (without_mfa, 0.2), (outside, 0.3), (many, 0.2), (idle, 0.2))
    return min(round(sum(weight for fact, weight in parts if fact), 9), 1.0)


def scores_of_keys(findings: Iterable[Finding], snapshot: Snapshot) -> dict[str, Score]:
    """Key ARN → its score, from the findings that name the key."""
    found: dict[str, list[Finding]] = {key.arn: [] for key in snapshot.keys if key.customer_managed}
    for finding in findings:
        for arn in finding.keys:
            if arn in found and finding.state in COUNTED_STATES:
                found[arn].append(finding)
    return {
        arn: Score(
            key_score([_graded(item) for item in own if item.state is not FindingState.ACCEPTED]),
            key_score([_graded(item) for item in own]),
            grade_of_key(key) is Grade.D,
        )
        for key in snapshot.keys
        if (own := found.get(arn := key.arn)) is not None
    }


def _graded(finding: Finding) -> Graded:
    return finding.rule, finding.severity


def grade_of_key(key: Key) -> Grade:
    """D where the policy, the grants or the metadata of the key could not be read, else A."""
    blind = key.unread & {Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA}
    return Grade.D if blind else Grade.A


def scores_of_principals(findings: Iterable[Finding], powers: Iterable[PrincipalPower]) -> dict[str, Score]:
    """Principal ARN → its score, for every principal of ``powers``, from the findings that name it."""
    listed = {entry.principal: entry for entry in powers}
    found: dict[str, list[Finding]] = {arn: [] for arn in listed}
    for finding in findings:
        for arn in finding.principals:
            if arn in found and finding.state in COUNTED_STATES:
                found[arn].append(finding)
    return {arn: _principal_score(listed[arn], own) for arn, own in found.items()}


def _principal_score(entry: PrincipalPower, own: Sequence[Finding]) -> Score:
    residual = [_graded(item) for item in own if item.state is not FindingState.ACCEPTED]
    return Score(
        principal_score(residual, entry.reach, entry.posture),
        principal_score([_graded(item) for item in own], entry.reach, entry.posture),
    )


def coverage_grade(snapshot: Snapshot, *, undecided: bool, unevaluated: bool) -> Grade:
    """The grade of a whole run.

    D: a key policy, grants or a whole place is missing. C: another policy layer is, or a verdict is ``undecided``, so
    verdicts are upper bounds. B: optional evidence is missing, so a rule stayed ``unevaluated``. A: everything.
    """
    missing = {gap.fact for gap in snapshot.gaps}
    missing |= {fact for key in snapshot.keys if key.customer_managed for fact in key.unread}
    if missing & BLINDING:
        return Grade.D
    if snapshot.organization_unread or missing - OPTIONAL_FACTS or undecided:
        return Grade.C
    return Grade.B if missing or unevaluated else Grade.A
