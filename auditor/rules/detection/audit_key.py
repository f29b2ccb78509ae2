"""Rule about the key that protects the audit log: who can stop it, and what else hangs on it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import CONTROL
from auditor.model.finding import Evidence
from auditor.model.key import LEAVING, Key
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.deputy.services import for_own_account, loose_bindings
from auditor.rules.detection.sinks import log_resources
from auditor.rules.doubt import also_in_doubt
from auditor.rules.grants.holders import service_held
from auditor.rules.hit import Hit, count, given, listing, naming
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import given_by
from auditor.rules.privilege.power import power
from auditor.rules.reach import CERTAIN, INSIDE
from auditor.rules.view import View

LOGGING_SERVICES = ("cloudtrail.", "logs.", "delivery.logs.")


@also_in_doubt
def audit_log_key_at_risk(view: View) -> Iterator[Hit]:
    """The key that protects the audit log can be stopped by those whom the log watches.

    A trail whose key is disabled or deleted writes nothing any more. Told when the key is not enabled, when somebody
    outside ``log_admins`` may destroy it or take it over, when services hold grants on it because it protects other
    data as well, and when the statement for the logging service does not say for whose trail it acts.

    Fix: keep a dedicated key in the log account, administered there.
    """
    for key in view.keys:
        logs = log_resources(view, key)
        if not logs:
            continue
        able = _stoppers(view, key)
        loose = [placed for placed in key_statements(view) if placed.key is key and _logs_for_anybody(view, placed)]
        shared = sorted({grant.service or grant.grantee or "" for grant in key.grants if service_held(grant)})
        stopped = key.state != "Enabled"
        reasons = given(
            (stopped, f"is {key.state}"),
            (able, f"{count(len(able), 'principal')} outside log_admins can stop it"),
            (shared, f"protects other data too ({listing(shared, 3)})"),
            (loose, "lets the logging service use it for anybody's trail"),
        )
        if not reasons:
            continue
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{key.label} protects {listing(logs)} and {reasons[0]}.",
            keys=(key.arn,),
            principals=tuple(able),
            evidence=(
                Evidence("log", listing(logs)),
                Evidence("state", key.state),
                naming("can stop it", able, nobody="nobody outside log_admins"),
                *(Evidence("reason", reason) for reason in reasons),
                *given_by(view, able, key, CONTROL),
                *(Evidence("statement", str(placed.located.ref), placed.located.ref) for placed in loose),
            ),
            raised=given((key.state in ("Disabled", *LEAVING), "state is Disabled")),
            identity=tuple(logs),
            remedy=_remedy(view, key, stopped, loose if not able else []),
            remedy_kind="cli" if stopped else "",
            advice="Bring the key back now."
            if stopped
            else "Leave the key of the log to those who administer logs, "
            "give other data a key of its own, and bind the logging service to its trail.",
        )


def _logs_for_anybody(view: View, placed: Placed) -> bool:
    """Whether a statement lets a logging service use the key and demands no source at all."""
    values = [entry.value for entry in placed.located.statement.principals or () if entry.kind == "Service"]
    if not any(value.startswith(LOGGING_SERVICES) for value in values):
        return False
    bindings = loose_bindings(view, placed)
    return bindings is not None and "organization" not in bindings


def _remedy(view: View, key: Key, stopped: bool, loose: list[Placed]) -> str:
    if stopped:
        return _restart(key)
    return for_own_account(loose[0]) if loose else _for_log_admins(view, key)


def _restart(key: Key) -> str:
    """The commands that make a stopped key usable again."""
    lines = [f"aws kms cancel-key-deletion --key-id {key.arn}"] if key.state.startswith("Pending") else []
    return "\n".join([*lines, f"aws kms enable-key --key-id {key.arn}"])


def _for_log_admins(view: View, key: Key) -> str:
    """A Deny for the key policy that leaves stopping and re-permissioning to the log administrators."""
    root = f"arn:{key.arn.split(':')[1]}:iam::{key.account}:root"
    actions = ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateGrant")
    condition = {"ArnNotLike": {"aws:PrincipalArn": one_or_many([*view.settings.log_admins, root])}}
    return deny("LogAdministratorsOnly", actions, condition, in_key_policy=True)


def _stoppers(view: View, key: Key) -> list[str]:
    position = view.reach.key_at[key.arn]
    own = power(view)
    return [
        who.arn
        for row, who in enumerate(view.reach.principals)
        if who.kind in INSIDE
        and not service_linked(who)
        and not view.trust.named(who, view.settings.log_admins)
        and own.held(row, view.reach.profile(row, position), position, *CERTAIN) & CONTROL
    ]
