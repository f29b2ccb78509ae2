"""The risk score: a number that a reader can recompute by hand from the list of findings (catalogue section 6).

Works on findings and a few plain numbers only. The worst finding picks the band, all others fill it; harmless objects
never dilute it. Power is what a principal could do, whatever the findings say.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.access import AccessTable, Outcome
from auditor.model.actions import DESTROY, FORGE, NEW_DATA_KEYS, READ_PLAINTEXT, TAKEOVER, mask_of, usable_mask
from auditor.model.finding import SEVERITY_RANK, Finding, FindingState, Severity
from auditor.model.key import OPTIONAL_FACTS, Fact, Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.settings import RuleSettings
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
WITHOUT_UNDO = DESTROY & ~mask_of(["ScheduleKeyDeletion", "DisableKey"])
Graded = tuple[str, Severity]


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


def reach_of(keys: Iterable[tuple[str, float]]) -> float:
    """1 minus the product over ``(tier, power on the key)``: saturates, and does not depend on the estate's size."""
    product = 1.0
    for tier, power in sorted(keys):
        product *= 1 - TIER_WEIGHTS.get(tier, TIER_WEIGHTS["T2"]) * power
    return 1 - product


def power(reach: float) -> int:
    """Reach as a whole number from 0 to 100, rounded half up."""
    return math.floor(round(100 * reach, 9) + 0.5)


def _weight(outcomes: Iterable[Outcome]) -> float:
    found = set(outcomes)
    if found & {Outcome.ALLOWED, Outcome.UNKNOWN}:
        return 1.0
    return CONDITIONAL_WEIGHT if Outcome.CONDITIONAL in found else 0.0


def key_power(table: AccessTable, profile: int, key: Key) -> float:
    """What one profile can do with one key, 0 to 1: reading, takeover, destruction, new data keys."""
    usable = usable_mask(key.spec, key.usage, key.origin)
    row = table.profiles[profile]

    def held(mask: int) -> float:
        bits = mask & usable
        return _weight(table.decisions[row[bit]].outcome for bit in range(bits.bit_length()) if bits >> bit & 1)

    destroying = max(3 * held(WITHOUT_UNDO), 2 * held(DESTROY & ~WITHOUT_UNDO))
    total = 3 * held(READ_PLAINTEXT | FORGE) + 3 * held(TAKEOVER) + destroying + held(NEW_DATA_KEYS)
    return total / 10


def posture(principal: Principal, *, outside: bool, assumers: int, settings: RuleSettings, idle: bool) -> float:
    """How easily the principal falls into other hands, 0 to 1."""
    facts = principal.credentials
    user = principal.kind is PrincipalKind.USER
    total = 0.3 if user and (facts is None or any(key.active for key in facts.access_keys)) else 0.0
    total += 0.2 if user and facts is not None and facts.password_enabled and not facts.mfa else 0.0
    total += 0.3 if outside else 0.0
    total += 0.2 if assumers > settings.max_assumers else 0.0
    return min(total + (0.2 if idle else 0.0), 1.0)


def scores_of_keys(findings: Iterable[Finding], snapshot: Snapshot) -> dict[str, Score]:
    """Key ARN → its score, from the findings that name the key."""
    found: dict[str, list[Finding]] = {key.arn: [] for key in snapshot.keys if key.customer_managed}
    for finding in findings:
        for arn in finding.keys:
            if arn in found and finding.state in (FindingState.OPEN, FindingState.ACCEPTED, FindingState.UNVERIFIED):
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


def coverage_grade(snapshot: Snapshot, table: AccessTable) -> Grade:
    """The grade of a whole run: D a key policy or grants, C a policy layer, B optional evidence, A everything."""
    missing = {gap.fact for gap in snapshot.gaps}
    missing |= {fact for key in snapshot.keys if key.customer_managed for fact in key.unread}
    if missing & {Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA, Fact.KEY_LIST}:
        return Grade.D
    if snapshot.organization_unread or missing - OPTIONAL_FACTS:
        return Grade.C
    unknown = any(decision.outcome is Outcome.UNKNOWN for decision in table.decisions)
    return Grade.B if missing or unknown else Grade.A
