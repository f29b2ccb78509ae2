"""Rules about who answers for a key."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor.model.access import Decision
from auditor.model.actions import CROSS_ACCOUNT_EFFECTIVE
from auditor.model.finding import Evidence
from auditor.model.key import LEAVING, Fact, Key
from auditor.rules.exposure.outside import outside_names, reached
from auditor.rules.exposure.strangers import outsider_access
from auditor.rules.grants.holders import identity_grants_on, standing_of, stopped
from auditor.rules.hit import Hit, given, listing
from auditor.rules.lifecycle.events import last_use
from auditor.rules.reach import Openness
from auditor.rules.resources import keys_of_restricted
from auditor.rules.view import View

SERVICE_PREFIXES = ("alias/aws-controltower", "alias/controltower", "alias/cdk-bootstrap")


def all_denied(decisions: dict[str, Decision]) -> bool:
    """Whether none of the decisions lets anything through."""
    return all(decision.outcome.denied for decision in decisions.values())


def key_without_ownership_metadata(view: View) -> Iterator[Hit]:
    """A key lacks one of the tags in ``required_tags``, or has neither alias nor description.

    Without an owner no access review can be signed, and without a data class every key counts as confidential. Keys
    that are pending deletion and keys that AWS tools create under a documented prefix are silent.

    Fix: tag, describe and alias the key.
    """
    for key in view.keys_with(Fact.TAGS, Fact.ALIASES, Fact.KEY_METADATA):
        if key.state in LEAVING or any(a.name.lower().startswith(SERVICE_PREFIXES) for a in key.aliases):
            continue
        missing = [f"tag {name}" for name in view.settings.required_tags if not key.tag(name)]
        if not key.aliases and not key.description:
            missing.append("alias or description")
        if not missing:
            continue
        outside = _reachable_from_outside(view, key)
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} lacks {listing(missing)}.",
            keys=(key.arn,),
            evidence=(Evidence("missing", listing(missing)),),
            raised=given((outside or _on_restricted_data(view, key), "reachable from outside the organization")),
            remedy=_commands(key, missing),
            remedy_kind="cli",
        )


def _reachable_from_outside(view: View, key: Key) -> bool:
    """Whether strangers, outside accounts that the policy names, or outside grantees can use the key today."""
    if any(
        standing_of(view, held).foreign and not stopped(view, held, CROSS_ACCOUNT_EFFECTIVE)
        for held in identity_grants_on(view, key)
    ):
        return True
    if Fact.KEY_POLICY in key.unread:
        return False
    found = (reached(view, key, account) for account in outside_names(view, key))
    return any(one is not None and one.level is not Openness.LATENT for one in found) or not all_denied(
        outsider_access(view, key)
    )


def _on_restricted_data(view: View, key: Key) -> bool:
    """Whether the key was used on restricted data, by its own class or that of a resource that names it."""
    if key.arn in keys_of_restricted(view):
        return True
    return view.tier(key) == "T1" and last_use(view, key) is not None


def _commands(key: Key, missing: list[str]) -> str:
    """The commands that add what is missing; only the owner knows the values."""
    names = [item.removeprefix("tag ") for item in missing if item.startswith("tag ")]
    lines = []
    if names:
        tags = " ".join(f"TagKey={shlex.quote(name)},TagValue=YOUR-{name.upper()}" for name in names)
        lines.append(f"aws kms tag-resource --key-id {key.arn} --tags {tags}")
    if len(names) < len(missing):
        lines.append(f"aws kms update-key-description --key-id {key.arn} --description 'WHAT IT PROTECTS'")
        lines.append(
            f"aws kms create-alias --alias-name alias/ITS-NAME --target-key-id {key.key_id} --region {key.region}"
        )
    return "\n".join(lines)
