"""What a decision cites, as its documents have it: the statement, how it is written, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from auditor.evaluator.caller_side import cited_owner
from auditor.model.access import Cause
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Layer, Policy, Statement, StatementRef
from auditor.model.principal import Principal
from auditor.rules.fingerprint import meaning
from auditor.rules.statements import Document, as_written
from auditor.rules.view import View


def cited_statement(view: View, ref: StatementRef, who: Principal, key: Key | None = None) -> Statement | None:
    """The statement that a decision about ``who`` cites; without ``key``, none of a key policy."""
    documents = _cited(view, ref, who, key)
    return next((one for policy in documents for one in policy.statements if one.index == ref.index), None)


def _cited(view: View, ref: StatementRef, who: Principal, key: Key | None) -> Iterator[Policy]:
    """The documents that a citation may mean: several callers have policies of one name, and so do their groups."""
    places: dict[Layer, tuple[AttachedPolicy | Document | None, ...]] = {
        Layer.KEY_POLICY: key.policies if key else (),
        Layer.IDENTITY: tuple(item for item in who.identity_policies if cited_owner(item, who) == ref.owner),
        Layer.BOUNDARY: (who.boundary,),
        Layer.SCP: view.scps,
        Layer.RCP: view.rcps,
    }
    return (item.policy for item in places.get(ref.layer, ()) if item is not None and item.name == ref.policy)


def cited_as_written(view: View, ref: StatementRef, holder: str, key: Key) -> dict[str, Any]:
    """A cited statement as its document has it: of the key's policy, or of an identity policy of ``holder``."""
    who = view.principal_by_arn.get(holder)
    if who is None or ref.layer not in (Layer.KEY_POLICY, Layer.IDENTITY):
        return {}
    found = next(_cited(view, ref, who, key), None)
    return as_written(found, ref.index) if found is not None else {}


def meanings(view: View, causes: Iterable[Cause], who: Principal) -> tuple[str, ...]:
    """The fingerprint parts of the grants, and of the statements outside key policies, that let ``who`` in."""
    found = set()
    for cause in causes:
        statement = cited_statement(view, cause.statement, who) if cause.statement else None
        if statement is not None:
            found.add(meaning(statement))
        if cause.grant:
            found.add(cause.grant)
    return tuple(sorted(found))
