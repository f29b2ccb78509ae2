"""Statements of identity policies that reach every key of an account, and what they do there for their holders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from auditor.evaluator.glob import has_wildcard, matches
from auditor.evaluator.statements import action_mask
from auditor.model.access import Role
from auditor.model.actions import STORE_BREAKERS, actions_in
from auditor.model.key import Fact, Key
from auditor.model.policy import Layer, Statement, StatementRef
from auditor.model.principal import Principal
from auditor.rules.hit import Located
from auditor.rules.principals import service_linked
from auditor.rules.reach import LIVE, Openness
from auditor.rules.statements import Document
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROBE_KEYS = (
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "mrk-00000000000000000000000000000000",
)
"""Ids of keys that do not exist; a pattern that reaches all of them reaches every key."""


def covers_all_keys(statement: Statement, account: str, regions: tuple[str, ...], partition: str = "aws") -> bool:
    """Whether the Resource patterns reach every key of the account in at least one Region."""
    if statement.not_resources is None and "*" in (statement.resources or ()):
        return True
    return any(
        all(resources_reach(statement, f"arn:{partition}:kms:{region}:{account}:key/{key_id}") for key_id in PROBE_KEYS)
        for region in {*regions, *_written_regions(statement), "us-east-1"}
    )


def resources_reach(statement: Statement, arn: str) -> bool:
    """Whether the Resource or NotResource element covers an ARN."""
    if statement.not_resources is not None:
        return not any(matches(pattern, arn) for pattern in statement.not_resources)
    return any(matches(pattern, arn) for pattern in statement.resources or ())


def _written_regions(statement: Statement) -> set[str]:
    parts = [pattern.split(":") for pattern in statement.resources or ()]
    return {part[3] for part in parts if len(part) > 5 and part[2] == "kms" and not has_wildcard(part[3])}


@dataclass(frozen=True, slots=True)
class Wide:
    """Statements of one document that reach every key, and what they do for its holders.

    ``reached`` are keys on which a holder really has one of the actions of ``mask`` because of these statements,
    ``by_ordinary`` those of them that a holder reaches who is no key administrator. ``guarded_only``: every path
    carries a condition of S2 or stronger. ``unsure``: a fact that could not be read decides about every path, or about
    keys that the statements may reach; ``perhaps`` are the keys of which that is so beside the ``reached`` ones.
    """

    document: Document
    statements: tuple[Located, ...]
    mask: int
    holders: tuple[Principal, ...]
    reached: tuple[Key, ...]
    by_ordinary: tuple[Key, ...]
    guarded_only: bool
    unsure: bool
    perhaps: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """Statements of one document, by their positions in it."""

    document: Document
    indexes: frozenset[int]

    def has(self, statement: StatementRef | None) -> bool:
        """Whether it is one of them."""
        return (
            statement is not None
            and statement.layer is Layer.IDENTITY
            and statement.policy == self.document.name
            and statement.index in self.indexes
        )


def _place(view: View, account: str) -> tuple[tuple[str, ...], str]:
    """The Regions in which the account has keys, and its partition."""
    facts = view.snapshot.account(account)
    regions = view.once("regions-with-keys", lambda: _regions_with_keys(view)).get(account, set())
    return tuple(sorted(regions)), facts.partition if facts else "aws"


def _regions_with_keys(view: View) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in view.snapshot.keys:
        found.setdefault(key.account, set()).add(key.region)
    return found


Relevant = Callable[[Located, Document], int]
"""The actions of a statement that a rule is about, as a mask."""


def wide_documents(view: View, relevant: Relevant, *, administrators: bool) -> Iterator[Wide]:
    """Documents with statements that allow a relevant action on every key of their account.

    ``administrators``: whether those of the account count among the holders.
    """
    for document, covering in view.once("covering-documents", lambda: tuple(_covering(view))):
        holders = tuple(
            holder
            for holder in document.holders
            if not service_linked(holder) and (administrators or not view.trust.account_admin(holder))
        )
        masks = [relevant(located, document) for located in covering] if holders else []
        mask = reduce(or_, masks, 0)
        if mask:
            statements = tuple(located for located, own in zip(covering, masks, strict=True) if own)
            yield reached_by(view, document, statements, holders, mask)


def _covering(view: View) -> Iterator[tuple[Document, tuple[Located, ...]]]:
    """Identity policies with the Allow statements about KMS that reach every key of their account."""
    for document in view.identity_documents:
        statements = tuple(
            located
            for located in document.statements
            if located.statement.effect == "Allow"
            and action_mask(located.statement)
            and covers_all_keys(located.statement, document.account, *_place(view, document.account))
        )
        if statements:
            yield document, statements


def reached_by(
    view: View, document: Document, statements: tuple[Located, ...], holders: tuple[Principal, ...], mask: int
) -> Wide:
    """What the statements reach: every kind of pair of a holder and a key is asked once."""
    rows = [row for holder in holders if (row := view.reach.principal_at.get(holder.arn)) is not None]
    cited = Cited(document, frozenset(located.statement.index for located in statements))
    who, keys, level = _levels(view, rows, mask, cited)
    certain = bool((level > int(Openness.MAYBE)).any())
    through = level > (int(Openness.MAYBE) if certain else 0)
    ordinary = through & ~view.key_admins[who]
    reached = _keys_at(view, keys[through].tolist())
    hidden = [*_keys_at(view, keys[level > 0].tolist()), *_hidden(view, document, statements, rows, mask)]
    return Wide(
        document,
        statements,
        mask,
        holders,
        reached,
        _keys_at(view, keys[ordinary].tolist()),
        bool(through.any()) and bool((level[through] == int(Openness.GUARDED)).all()),
        not certain and bool(hidden),
        _others(hidden, reached),
    )


def _levels(view: View, rows: list[int], mask: int, cited: Cited) -> tuple[NDArray[np.int64], ...]:
    """Rows, keys and openness, side by side, of what the cited statements give on keys and on the stores of keys."""
    import numpy as np

    reach, served = view.reach, view.reach.usable_kinds
    pairs = reach.pairs_of(rows)
    pairs = pairs.select(reach.having(pairs, mask, *LIVE))
    kinds, kind_of = np.unique(pairs.profiles * len(served) + reach.usable_kind[pairs.keys], return_inverse=True)
    found = [_through(view, kind // len(served), mask & served[kind % len(served)], cited) for kind in kinds.tolist()]
    stored = [
        (row, key, level)
        for row in (rows if mask & STORE_BREAKERS else ())
        if (level := _through(view, int(reach.table.account_level[row]), mask & STORE_BREAKERS, cited))
        for key in _stored(view, cited.document.account)
    ]
    more = np.array(stored, dtype=np.int64).reshape(-1, 3).T
    on_keys = (pairs.principals, pairs.keys, np.array(found, dtype=np.int64)[kind_of])
    return tuple(np.concatenate(columns) for columns in zip(on_keys, more, strict=True))


def _stored(view: View, account: str) -> list[int]:
    """The keys of the account in custom key stores: who stops a store stops them, whatever their key policies say."""
    keys = view.keys_by_account.get(account, [])
    return [view.reach.key_at[key.arn] for key in keys if key.custom_key_store_id and key.arn in view.reach.key_at]


def _others(keys: Iterable[Key], known: Iterable[Key]) -> tuple[Key, ...]:
    """The keys, each once, that are not among the known ones."""
    left = {key.arn: key for key in keys}
    for key in known:
        left.pop(key.arn, None)
    return tuple(left[arn] for arn in sorted(left))


def _hidden(view: View, document: Document, statements: tuple[Located, ...], rows: list[int], mask: int) -> list[Key]:
    """The keys of the account that the statements may reach, for all that could be read of their policies, and where
    nothing that was read keeps every holder from them."""
    keys = view.keys_by_account.get(document.account, [])
    unread = (key for key in keys if Fact.KEY_POLICY in key.unread and _open_to(view, rows, key, mask))
    return [key for key in unread if any(resources_reach(located.statement, key.arn) for located in statements)]


def _open_to(view: View, rows: list[int], key: Key, mask: int) -> bool:
    """Whether one of the rows has, or may have, an action of the mask on a key."""
    profiles = set(view.reach.table.cells[rows, view.reach.key_at[key.arn]].tolist())
    return any(view.reach.mask_at(profile, *LIVE, Openness.BLIND) & mask for profile in profiles)


def _keys_at(view: View, positions: list[int]) -> tuple[Key, ...]:
    return tuple(view.reach.keys[position] for position in sorted(set(positions)))


def _through(view: View, profile: int, held: int, cited: Cited) -> Openness:
    """The strongest openness of the actions that the profile holds because of the cited statements."""
    best = Openness.CLOSED
    for action in actions_in(held & view.reach.mask_at(profile, *LIVE)):
        decision = view.reach.decision(profile, action.bit)
        if any(cause.role is Role.ALLOWS and cited.has(cause.statement) for cause in decision.causes):
            best = max(best, Openness(int(view.reach.classes[view.reach.table.profiles[profile][action.bit]])))
    return best
