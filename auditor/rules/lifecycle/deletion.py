"""Rules about keys on their way out: scheduled for deletion, disabled, or idle."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import WRAP
from auditor.model.arn import account_of
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import LEAVING, Fact, Key, sensitive_use
from auditor.model.principal import PrincipalKind
from auditor.rules.hit import Hit, given
from auditor.rules.lifecycle.events import disabled_by_stranger, done_by, told
from auditor.rules.lifecycle.usage import (
    NEED_FACTS,
    by_alias_alone,
    dependencies,
    idle_reason,
    named_by,
    siblings,
    unseen_needs,
)
from auditor.rules.reach import CERTAIN
from auditor.rules.view import View

STOPPED = ("Disabled", "Unavailable")
SOON_DAYS = 7
WIDE_POPULATION = 25
EVERYBODY = "*"
NOT_SEEN = "not known: look for {} in CloudTrail"


def _days_left(view: View, key: Key) -> int | None:
    age = view.age(key.deletion_date)
    return None if age is None else -age


def _done(view: View, key: Key, label: str, operation: str) -> Evidence:
    return told(label, done_by(view, key, operation), NOT_SEEN.format(operation))


def pending_deletion_in_use(view: View) -> Iterator[Hit]:
    """A key that is waiting for deletion still protects something.

    Evidence: it was used shortly before the deletion was scheduled (``in_use_days``), calls have failed for it since
    (both also by CloudTrail's events, where they were read), AWS services hold grants on it, it encrypts a trail, an
    event data store or a log group, or a resource of the inventory (``--resources``) names it. When the date has
    passed, the data is gone.

    Fix: cancel the deletion now, enable the key again, and find out who scheduled it.
    """
    for key in view.keys_with(Fact.KEY_METADATA):
        proofs = dependencies(view, key) if key.state in LEAVING else []
        if not proofs:
            continue
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} will be deleted on {key.deletion_date or 'an unknown date'} and is still needed.",
            keys=(key.arn,),
            evidence=(
                Evidence("deletion date", key.deletion_date or "unknown"),
                *proofs,
                _done(view, key, "scheduled by", "ScheduleKeyDeletion"),
            ),
        )


def unseen_while_pending(view: View) -> Iterator[SkippedScope]:
    """Keys on their way out that something unread may show to be needed."""
    return unseen_needs(view, LEAVING)


def unseen_while_stopped(view: View) -> Iterator[SkippedScope]:
    """Disabled and unavailable keys that something unread may refer to."""
    return unseen_needs(view, STOPPED)


def pending_deletion(view: View) -> Iterator[Hit]:
    """A key is scheduled for deletion, and nothing shows that it is still needed.

    Deletion cannot be undone once the date has passed. A decommission record in the settings turns the finding into
    information, where the last use and the grants of the key could be read; a short waiting period or a near date
    raises it.

    Fix: match the deletion to an approved change, or cancel it.
    """
    for key in view.keys_with(Fact.KEY_METADATA):
        if key.state not in LEAVING or dependencies(view, key):
            continue
        ticket = view.trust.decommission(key)
        left = _days_left(view, key)
        window = key.pending_window_days
        short = window is not None and window < view.settings.min_deletion_window and view.tier(key) in ("T1", "T2")
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} is scheduled for deletion on {key.deletion_date or 'an unknown date'}.",
            keys=(key.arn,),
            evidence=(
                Evidence("deletion date", key.deletion_date or "unknown"),
                Evidence("waiting period", f"{window} days" if window is not None else "not reported"),
                Evidence("decommission record", ticket or "none"),
            ),
            raised=given(
                (ticket is None and left is not None and left <= SOON_DAYS, "deletion date within 7 days"),
                (short, "below `min_deletion_window`"),
            ),
            lowered=given((ticket and not key.unread & (NEED_FACTS - {Fact.ALIASES}), "decommission record present")),
        )


def disabled_key_still_referenced(view: View) -> Iterator[Hit]:
    """A disabled or unavailable key is still referred to: by grants of AWS services, by a log that it encrypts, or by a
    resource of the inventory (``--resources``) that names it.

    So do calls that it let down in the last 30 days, where events were read. Encrypted resources keep working until
    their data key is needed again, so silence is not proof. Lower where all that refers to it names an alias, which may
    lead to another key by now.

    Fix: enable the key again, or move what depends on it.
    """
    for key in view.keys_with(Fact.KEY_METADATA):
        proofs = dependencies(view, key) if key.state in STOPPED else []
        if not proofs:
            continue
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} is {key.state.lower()} and still referred to.",
            keys=(key.arn,),
            evidence=(Evidence("state", key.state), *proofs, _done(view, key, "disabled by", "DisableKey")),
            raised=given((disabled_by_stranger(view, key), "disabled within 24 hours by a principal")),
            lowered=given((proofs == by_alias_alone(view, key), "reference is an alias plus inventory")),
        )


def idle_key(view: View) -> Iterator[Hit]:
    """Nobody uses the key: its last recorded use is longer ago than ``idle_days``, or there never was one.

    AWS records key usage since April 2026 only; an older key without a record is *unknown*, not idle. Multi-Region keys
    count as idle when all related keys are, and a use that events tell of is one. A disabled key that something still
    refers to is told by disabled-key-still-referenced. Silent for keys tagged ``purpose`` archive, dr or break-glass,
    and for asymmetric keys, whose public half may be in use outside AWS. Resources of the inventory (``--resources``)
    that name the key are evidence: a volume or a table may need it again after years.

    Fix: disable first, watch for failed calls through a full business cycle, then schedule deletion.
    """
    for key in view.keys_with(Fact.KEY_METADATA, Fact.LAST_USAGE):
        reason = idle_reason(view, key)
        if reason is None or (key.state == "Disabled" and dependencies(view, key)):
            continue
        readers = _users(view, key)
        outside = [arn for arn in readers if view.trust.standing(account_of(arn), key.account).foreign]
        wide = outside or EVERYBODY in readers or len(readers) > WIDE_POPULATION
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} is not used: {reason}.",
            keys=(key.arn,),
            evidence=(
                Evidence("last use", (key.last_usage.last_used if key.last_usage else None) or "none recorded"),
                Evidence("tracked since", (key.last_usage.tracking_since if key.last_usage else None) or "unknown"),
                Evidence("may use it", f"{len(readers)} principals"),
                *named_by(view, key),
                *siblings(key),
            ),
            raised=given((wide, "external principal or more than 25")),
        )


def _users(view: View, key: Key) -> list[str]:
    """Identities, ours and outside, that may use the key."""
    reach = view.reach
    position = reach.key_at[key.arn]
    mask = sensitive_use(key) | WRAP
    able = {
        profile
        for profile in set(reach.table.cells[:, position].tolist())
        if reach.held(profile, position, *CERTAIN) & mask
    }
    return [
        who.arn
        for who, profile in zip(reach.principals, reach.table.cells[:, position].tolist(), strict=True)
        if profile in able and who.kind not in (PrincipalKind.ROOT, PrincipalKind.SERVICE)
    ]
