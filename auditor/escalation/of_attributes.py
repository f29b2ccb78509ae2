"""Routes through an attribute that policies trust: a tag or alias of a key, a tag of the caller."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.escalation.route import Route, RouteKind
from auditor.model.finding import Evidence
from auditor.rules.hit import Hit
from auditor.rules.privilege.aliases import abac_alias_hijack
from auditor.rules.privilege.self_service import abac_principal_tag_self_service
from auditor.rules.privilege.tags import abac_tag_escalation
from auditor.rules.view import View

CHANGES = "changes the attribute"
TRUSTED = "what the policy opens to the attribute"


def attribute_routes(view: View) -> Iterator[Route]:
    """The routes by tagging or naming keys: right about accounts whose callers and keys all are in the view."""
    for hit in (*view.hits(abac_tag_escalation), *view.hits(abac_alias_hijack)):
        actions = sorted({item.value.split(" of ")[0] for item in hit.evidence if item.label == CHANGES})
        attribute = next((item for item in hit.evidence if item.label in ("tag", "alias pattern")), None)
        target = f"{attribute.label} {attribute.value}" if attribute else "the attribute"
        yield _route(hit, hit.subject, " or ".join(actions) or "changing it", target)


def own_tag_routes(view: View) -> Iterator[Route]:
    """The routes by a tag that callers can give themselves: right about the keys in the view."""
    for hit in view.hits(abac_principal_tag_self_service):
        how, tag = (_value(hit, label) for label in ("how", "tag"))
        yield from (_route(hit, who, how, f"principal tag {tag}") for who in hit.principals)


def _route(hit: Hit, principal: str, action: str, target: str) -> Route:
    return Route(
        kind=RouteKind.ATTRIBUTE,
        principal=principal,
        steps=(principal, action, target),
        keys=tuple(sorted(hit.keys)),
        gains=_value(hit, "actions gained") or TRUSTED,
        evidence=tuple(_stated(hit)),
    )


def _stated(hit: Hit) -> Iterator[Evidence]:
    return (item for item in hit.evidence if item.label in (CHANGES, "depends on it", "trusted by"))


def _value(hit: Hit, label: str) -> str:
    return next((item.value for item in hit.evidence if item.label == label), "")
