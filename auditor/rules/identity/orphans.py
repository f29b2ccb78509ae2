"""Rules about principals that are gone: what a policy still names, and names that somebody may take again."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.arn import is_unique_id
from auditor.model.finding import Evidence
from auditor.model.key import Fact, Key
from auditor.model.policy import PrincipalValue
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, Located, given, listing, titled
from auditor.rules.privilege.power import PUT_POLICY
from auditor.rules.statements import action_mask, as_written, render
from auditor.rules.view import View


def _orphans(values: tuple[PrincipalValue, ...] | None) -> list[str]:
    return sorted(entry.value for entry in values or () if entry.kind == "AWS" and is_unique_id(entry.value))


def orphaned_principal_in_policy(view: View) -> Iterator[Hit]:
    """A key policy names a principal that was deleted: IAM shows its unique id where the ARN stood.

    The entry grants nothing and does not come back when the name is created again, but any later PutKeyPolicy that
    keeps it is refused, and a Deny whose only principal is gone protects nothing. Unique ids in conditions
    (``aws:userId``) are meant and stay silent; exemptions of a Deny are looked at by notprincipal-deny-trap.

    Fix: remove the id from the statement; remove the statement when nobody else is left in it.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        for located in view.statements(key):
            ids = _orphans(located.statement.principals)
            if ids:
                yield _hit(key, located, ids, view)


def _hit(key: Key, located: Located, ids: list[str], view: View) -> Hit:
    statement = located.statement
    alone = statement.principals is not None and len(ids) == len(statement.principals)
    administers = bool(action_mask(statement) & PUT_POLICY) and statement.effect == "Allow" and alone
    only = administers and not any(
        other.statement.effect == "Allow"
        and action_mask(other.statement) & PUT_POLICY
        and any(not is_unique_id(entry.value) for entry in other.statement.principals or ())
        for other in view.statements(key)
    )
    return Hit(
        subject=key.arn,
        kind="statement",
        summary=f"{titled(statement)} of {key.label} names {listing(ids)}, a principal that no longer exists.",
        keys=(key.arn,),
        evidence=(
            Evidence("statement", str(located.ref), located.ref),
            Evidence("element", "Principal"),
            Evidence("unique id", listing(ids)),
        ),
        raised=given((only, "only administrator"), (statement.effect == "Deny" and alone, "only principal of a Deny")),
        identity=(meaning(statement), *ids),
        remedy="" if alone else _without(key, located, ids),
    )


def _without(key: Key, located: Located, ids: list[str]) -> str:
    """The statement without the deleted principals."""
    policy = next(item.policy for item in key.policies if item.name == located.ref.policy)
    written = as_written(policy, located.statement.index)
    principal = written.get("Principal")
    if not isinstance(principal, dict):
        return ""
    listed = principal.get("AWS")
    kept = [value for value in (listed if isinstance(listed, list) else [listed]) if value not in ids]
    written["Principal"] = {**principal, "AWS": kept[0] if len(kept) == 1 else kept}
    return render(written)
