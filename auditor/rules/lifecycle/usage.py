"""Evidence that a key is needed, or that nobody uses it. “Not known” is never turned into “not used”."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import key_type
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact, Key
from auditor.model.moments import before, instant
from auditor.rules.detection.sinks import log_resources
from auditor.rules.grants.holders import service_held
from auditor.rules.hit import listing, naming
from auditor.rules.lifecycle.events import failed_calls, last_use
from auditor.rules.resources import encrypted_by
from auditor.rules.view import View

NEED_FACTS = frozenset({Fact.LAST_USAGE, Fact.GRANTS, Fact.ALIASES})
NEED_EVIDENCE = frozenset({Fact.TRAILS, Fact.RESOURCES, Fact.KEY_EVENTS})
"""What tells whether a key is needed: facts of the key, and evidence of whatever place in its Region."""
RESTING_PURPOSES = ("archive", "dr", "break-glass")
YOUNG_DAYS = 30


def dependencies(view: View, key: Key) -> list[Evidence]:
    """What shows that something still needs the key: recent use, grants of services, logs that it encrypts, and
    resources that name it."""
    found = []
    used = last_use(view, key)
    if used and used.last_used and _recent(view, key, used.last_used) and not _siblings_stay(view, key):
        found.append(Evidence("last use", f"{used.last_used} ({used.operation or 'operation not recorded'})"))
    found += failed_calls(view, key)
    services = [grant.service or grant.grantee or "" for grant in key.grants if service_held(grant)]
    if services:
        found.append(Evidence("grants of services", f"{len(services)} ({listing(services, 4)})"))
    found += [Evidence("encrypts", name) for name in log_resources(view, key)]
    return [*found, *named_by(view, key)]


def named_by(view: View, key: Key) -> list[Evidence]:
    """The resources that name the key, if there are any that were read."""
    resources = encrypted_by(view, key)
    return [naming("named by", resources)] if resources else []


def unseen_needs(view: View, states: tuple[str, ...]) -> Iterator[SkippedScope]:
    """The keys in one of the states of which nothing shows that they are needed, and what could not be read of that."""
    for key in view.keys:
        if key.state not in states or dependencies(view, key):
            continue
        yield from (SkippedScope(key.arn, fact) for fact in sorted(key.unread & NEED_FACTS))
        hidden = {fact for fact, _, region in view.snapshot.evidence.unread if region in ("", key.region)}
        yield from (SkippedScope(key.arn, fact) for fact in sorted(hidden & NEED_EVIDENCE))


def by_alias_alone(view: View, key: Key) -> list[Evidence]:
    """The evidence of resources that name the key, where all of them name one of its aliases; nothing elsewhere."""
    named = encrypted_by(view, key)
    aliases = {name for alias in key.aliases for name in (alias.name, alias.arn)}
    direct = any(one.key not in aliases for one in view.snapshot.evidence.resources if one.arn in named)
    return [] if direct else named_by(view, key)


def _siblings_stay(view: View, key: Key) -> bool:
    """Whether a replica goes while all related keys stay enabled: they decrypt what was encrypted with it."""
    if not key.state.startswith("Pending") or key.multi_region_key_type != "REPLICA":
        return False
    related = _related(view, key)
    return bool(related) and all(other is not None and other.state == "Enabled" for other in related)


def siblings(key: Key) -> list[Evidence]:
    """The other keys of a multi-Region set, if it is one: what is said of the key is said of them too."""
    arns = _sibling_arns(key)
    return [naming("related keys", arns)] if arns else []


def _sibling_arns(key: Key) -> list[str]:
    return sorted({*key.replica_arns, key.primary_arn or key.arn} - {key.arn})


def _related(view: View, key: Key) -> list[Key | None]:
    """The other keys of a multi-Region set; None for each that was not collected."""
    return [view.key_by_arn.get(arn) for arn in _sibling_arns(key)]


def _recent(view: View, key: Key, used: str) -> bool:
    """Whether the last use is within ``in_use_days`` before the deletion was scheduled, or before now."""
    last = instant(used)
    if last is None:
        return False
    end = instant(key.deletion_date) if key.state.startswith("Pending") else None
    reference = view.as_of
    if end is not None:
        reference = min(reference, before(end, key.pending_window_days or 30))
    return (reference - last).days <= view.settings.in_use_days


def idle_reason(view: View, key: Key) -> str | None:
    """Why the key counts as idle, or None when it is used, or nothing can be said."""
    resting = Fact.TAGS in key.unread or (key.tag("purpose") or "").lower() in RESTING_PURPOSES
    if resting or key.state not in ("Enabled", "Disabled"):
        return None
    if key_type(key.spec, key.usage).startswith("asymmetric"):
        return None
    if any(other is None or _idle(view, other) is None for other in _related(view, key)):
        return None
    return _idle(view, key)


def _idle(view: View, key: Key) -> str | None:
    usage = key.last_usage
    if usage is None or Fact.LAST_USAGE in key.unread:
        return None
    usage = last_use(view, key) or usage
    if usage.last_used is not None:
        days = view.age(usage.last_used)
        return f"last used {days} days ago" if days is not None and days > view.settings.idle_days else None
    created, tracked = instant(key.created), instant(usage.tracking_since)
    if created is None or tracked is None or created < tracked:
        return None
    age = (view.as_of - created).days
    return f"never used in the {age} days since it was created" if age > YOUNG_DAYS else None
