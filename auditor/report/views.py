"""The views of a report as plain tables: findings, access, keys, principals, grants, gaps.

One definition for CSV, XLSX and the counts that compare formats. Formats escape; nothing is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evaluator.reasons import chain_words, condition_words
from auditor.model.actions import ACTIONS, key_type
from auditor.model.grant import Grant
from auditor.model.key import Fact, Key
from auditor.model.moments import instant
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.model.score import scores_of_keys, scores_of_principals
from auditor.report.grid import CAPABILITIES, Grid, grid_of
from auditor.report.wording import evidence_line

Cell = str | int
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A table: ``name`` is the file's stem, ``note`` says in a sentence what is in it and what is left out."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def views_of(report: Report) -> tuple[View, ...]:
    """All views, in the order in which formats show them."""
    return (
        _findings(report),
        _access(report, grid_of(report)),
        _keys(report),
        _principals(report),
        _grants(report),
        _gaps(report),
    )


def _findings(report: Report) -> View:
    rows = tuple(
        (
            str(item.severity),
            item.rule,
            item.code,
            item.title,
            str(item.state),
            str(item.confidence),
            "yes" if item.latent else "no",
            item.subject,
            item.subject_kind,
            item.account,
            item.region,
            item.summary,
            "; ".join(map(evidence_line, item.evidence)),
            item.remediation.summary,
            item.remediation.body,
            " ".join(item.keys),
            " ".join(item.principals),
            "; ".join(f"{m.framework} {m.version} {m.control} ({m.basis})" for m in item.mappings),
            item.category,
            item.first_seen,
            item.was,
            item.fingerprint,
        )
        for item in report.findings
    )
    columns = (
        "severity rule code title state confidence latent subject subject_kind account region summary evidence fix "
        "fix_body keys principals controls category first_seen was fingerprint"
    )
    return View("findings", "Findings", "One row for each finding, worst first.", tuple(columns.split()), rows)


def _access(report: Report, grid: Grid) -> View:
    words = [condition_words(decision) for decision in report.access.decisions]
    why = [chain_words(decision) for decision in report.access.decisions]
    rows = tuple(_access_rows(report, grid, words, why))
    note = (
        "One row for each principal, key and capability that is not denied, with the action of the strongest outcome. "
        "Denied combinations are left out, unless something allows and another layer takes it away again."
    )
    columns = (
        "principal principal_kind principal_account key key_label key_account region capability outcome condition "
        "reason path action why flags"
    )
    return View("access", "Access", note, tuple(columns.split()), rows)


def _access_rows(report: Report, grid: Grid, words: list[str], why: list[str]) -> Iterator[Row]:
    columns = (grid.principal, grid.key, grid.capability, grid.action, grid.decision)
    for principal, key, capability, action, number in zip(*(column.tolist() for column in columns), strict=True):
        decision, one, other = report.access.decisions[number], report.principals[principal], report.snapshot.keys[key]
        yield (
            one.arn,
            str(one.kind),
            one.account or "",
            other.arn,
            other.label,
            other.account,
            other.region,
            CAPABILITIES[capability].label,
            str(decision.outcome),
            words[number],
            decision.reason,
            decision.path,
            ACTIONS[action].name,
            why[number],
            " ".join(decision.flags),
        )


def rotation_words(key: Key) -> str:
    """Automatic rotation of a key in a word or two."""
    if key.rotation is None:
        automatic = key.origin == "AWS_KMS" and key_type(key.spec, key.usage) == "symmetric_encryption"
        return "not known" if automatic and key.customer_managed else "not automatic for this key"
    if not key.rotation.enabled:
        return "off"
    return f"every {key.rotation.period_days} days" if key.rotation.period_days else "on"


def _or_unread(cell: Cell, one: Key | Principal, *facts: Fact) -> Cell:
    """A number or list that could not be read is neither 0 nor empty."""
    return cell if cell or one.unread.isdisjoint(facts) else "not read"


def _keys(report: Report) -> View:
    scores = scores_of_keys(report.findings, report.snapshot)
    rows = tuple(
        (
            key.arn,
            key.label,
            key.account,
            key.region,
            key.manager,
            key.state,
            key.spec,
            key.usage,
            key.origin,
            key.multi_region_key_type or "",
            rotation_words(key),
            key.created or "",
            key.deletion_date or "",
            _or_unread(" ".join(alias.name for alias in key.aliases), key, Fact.ALIASES),
            _or_unread("; ".join(f"{name}={value}" for name, value in key.tags), key, Fact.TAGS),
            _or_unread(len(key.grants), key, Fact.GRANTS),
            (key.last_usage.last_used or "not seen") if key.last_usage else "not known",
            " ".join(sorted(key.unread)),
            key.description,
            scores[key.arn].residual if key.arn in scores else "",
            scores[key.arn].inherent if key.arn in scores else "",
        )
        for key in report.snapshot.keys
    )
    columns = (
        "key label account region manager state spec usage origin multi_region rotation created deletion_date aliases "
        "tags grants last_used unread description score score_with_accepted"
    )
    return View("keys", "Keys", "One row for each key that was read.", tuple(columns.split()), rows)


def _principals(report: Report) -> View:
    powers = {entry.principal: entry.power for entry in report.powers}
    scores = scores_of_principals(report.findings, report.powers)
    rows = tuple(
        (
            one.arn,
            one.name or one.arn,
            str(one.kind),
            one.account or "",
            one.created or "",
            one.last_used or "",
            _or_unread(one.boundary.name if one.boundary else "", one, Fact.IDENTITIES, Fact.BOUNDARY),
            _or_unread(
                " ".join(policy.name for policy in one.identity_policies), one, Fact.IDENTITIES, Fact.IDENTITY_POLICY
            ),
            _or_unread(" ".join(one.groups), one, Fact.IDENTITIES),
            _or_unread("; ".join(f"{name}={value}" for name, value in one.tags), one, Fact.IDENTITIES),
            " ".join(sorted(one.unread)),
            powers.get(one.arn, ""),
            *((scores[one.arn].residual, scores[one.arn].inherent) if one.arn in scores else ("", "")),
        )
        for one in report.principals
    )
    columns = (
        "principal name kind account created last_used boundary policies groups tags unread power score "
        "score_with_accepted"
    )
    note = "One row for each collected principal, and for each one that only a policy or grant mentions."
    return View("principals", "Principals", note, tuple(columns.split()), rows)


def grant_limits(grant: Grant) -> str:
    """The constraints of a grant in words."""
    parts = []
    for title, pairs in (("context is", grant.context_equals), ("context contains", grant.context_subset)):
        if pairs is not None:
            parts.append(f"{title} " + ", ".join(f"{name}={value}" for name, value in pairs))
    if grant.source_arn:
        parts.append(f"on behalf of {grant.source_arn}")
    return "; ".join(parts) or "none"


def grant_age(grant: Grant, as_of: str) -> int | None:
    """Whole days between the creation of a grant and ``as_of``, or None when AWS gave no date."""
    made, now = instant(grant.created), instant(as_of)
    return (now - made).days if made and now else None


def _grants(report: Report) -> View:
    rows = tuple(
        (
            key.arn,
            key.label,
            grant.grant_id,
            grant.name or "",
            grant.grantee or grant.grantee_service or "",
            grant.retiring or grant.retiring_service or "",
            grant.issuing_account or "",
            " ".join(grant.operations),
            grant_limits(grant),
            grant.created or "",
            "" if (age := grant_age(grant, report.as_of)) is None else age,
        )
        for key in report.snapshot.keys
        for grant in key.grants
    )
    columns = "key key_label grant_id name grantee retiring issued_by operations constraints created age_days"
    return View("grants", "Grants", "One row for each grant on a key that was read.", tuple(columns.split()), rows)


def _gaps(report: Report) -> View:
    rows = tuple(
        (
            str(gap.fact),
            gap.account,
            gap.region,
            gap.subject,
            gap.operation,
            gap.code,
            gap.message,
            gap.effect,
            gap.remedy,
            "yes" if gap.essential else "no",
        )
        for gap in report.snapshot.gaps
    )
    columns = "fact account region subject operation code message effect remedy access_rests_on_it"
    return View(
        "gaps", "Gaps", "One row for each fact that was asked for and not obtained.", tuple(columns.split()), rows
    )
