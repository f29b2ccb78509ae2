"""Finds the policy document that a citation points at, so that reports show the text beside the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.policy import AttachedPolicy, StatementRef
from auditor.model.report import Report

Place = tuple[str, str, str]


def documents_of(report: Report) -> dict[Place, AttachedPolicy]:
    """(layer, policy name, owner) → document, over every layer of the snapshot."""
    return {(item.layer.value, item.name, item.owner): item for item in _attached(report)}


def document_for(ref: StatementRef, documents: dict[Place, AttachedPolicy]) -> AttachedPolicy | None:
    """The document of a citation, or None when it is not in the snapshot."""
    return documents.get((ref.layer.value, ref.policy, ref.owner))


def _attached(report: Report) -> Iterator[AttachedPolicy]:
    for key in report.snapshot.keys:
        yield from key.policies
    for principal in report.principals:
        yield from principal.identity_policies
        yield from principal.session_policies or ()
        if principal.boundary is not None:
            yield principal.boundary
    if report.snapshot.organization is not None:
        for target in report.snapshot.organization.targets:
            yield from target.scps or ()
            yield from target.rcps or ()
