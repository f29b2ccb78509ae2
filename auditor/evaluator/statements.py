"""Compiled statements: an action mask, resource patterns and the condition keys that they need.

A statement is compiled once per document; documents are recognised by their text. Statements without a KMS action are
dropped here, so they cost nothing later.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.name_index import NameIndex, index_of_values
from auditor.evaluator.variables import VARIABLE
from auditor.model.actions import ALL, ON_KEY, mask_of, match_pattern
from auditor.model.arn import account_of, is_unique_id
from auditor.model.policy import AttachedPolicy, Layer, PrincipalValue, Statement, StatementRef

_DATA_KEYS = mask_of(
    [
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPairWithoutPlaintext",
    ]
)


@dataclass(frozen=True, eq=False)
class Compiled:
    """One statement ready for evaluation.

    ``mask``: the KMS actions it is about. ``groups`` splits the mask into parts whose requests carry the same
    condition keys. ``keys``: the lower-case condition keys of its conditions and variables, ``variables``: the latter.
    """

    statement: Statement
    ref: StatementRef
    has_variables: bool
    mask: int
    groups: tuple[int, ...]
    keys: frozenset[str]
    variables: frozenset[str]

    @cached_property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.statement.effect == "Allow"

    @cached_property
    def universal(self) -> bool:
        """Whether it holds for every key, caller and request: no conditions, and Resource ``*``."""
        return self.plain and "*" in (self.statement.resources or ())

    @cached_property
    def plain(self) -> bool:
        """Whether neither conditions nor variables make it depend on the caller, the key or the request."""
        return not self.keys and self.statement.condition_readable

    @cached_property
    def accounts(self) -> frozenset[str | None] | None:
        """The accounts of the callers that the Principal element can name, None among them for services; None alone
        where callers of any account may be named. Long policies name few callers each time."""
        found: set[str | None] = set()
        for entry in self.statement.principals or ():
            if entry.kind == "Service":
                found.add(None)
            elif entry.value == "*" or is_unique_id(entry.value):
                return None
            else:
                found.add(account_of(entry.value))
        return frozenset(found)

    @cached_property
    def named(self) -> NameIndex[PrincipalValue]:
        """The entries of the Principal element."""
        return index_of_values(self.statement.principals or ())

    @cached_property
    def spared(self) -> NameIndex[PrincipalValue]:
        """The entries of the NotPrincipal element."""
        return index_of_values(self.statement.not_principals or ())


_CACHE: dict[tuple[str, Layer, str, str], tuple[Compiled, ...]] = {}
_CACHE_LIMIT = 200_000


def compile_policy(attached: AttachedPolicy, owner: str) -> tuple[Compiled, ...]:
    """The statements of a document that concern KMS. ``owner`` is what citations name; empty: clear from context."""
    identity = (attached.policy.text, attached.layer, attached.name, owner)
    found = _CACHE.get(identity)
    if found is None:
        if len(_CACHE) >= _CACHE_LIMIT:
            _CACHE.clear()
        found = tuple(
            compiled
            for statement in attached.policy.statements
            if (compiled := _compile(statement, attached, owner)) is not None
        )
        _CACHE[identity] = found
    return found


def action_mask(statement: Statement) -> int:
    """The KMS actions that the statement's Action or NotAction covers; 0 when it has neither."""
    if statement.actions is not None:
        mask = 0
        for pattern in statement.actions:
            mask |= match_pattern(pattern)
        return mask
    if statement.not_actions is not None:
        mask = 0
        for pattern in statement.not_actions:
            mask |= match_pattern(pattern)
        return ALL & ~mask
    return 0


def _compile(statement: Statement, attached: AttachedPolicy, owner: str) -> Compiled | None:
    mask = action_mask(statement)
    if statement.effect is None or not mask or (statement.resources is None and statement.not_resources is None):
        return None
    variables = _variables(statement) if attached.policy.has_variables else frozenset()
    keys = variables | {test.key.lower() for test in statement.conditions}
    ref = StatementRef(attached.layer, attached.name, owner, statement.index, statement.sid)
    return Compiled(statement, ref, attached.policy.has_variables, mask, _groups(mask, keys), keys, variables)


def _variables(statement: Statement) -> frozenset[str]:
    texts = [value for test in statement.conditions for value in test.values]
    texts += [*(statement.resources or ()), *(statement.not_resources or ())]
    names = {found.group(1).split(",")[0].strip().lower() for text in texts for found in VARIABLE.finditer(text)}
    return frozenset(names - {"*", "?", "$"})


def _groups(mask: int, keys: frozenset[str]) -> tuple[int, ...]:
    splitters = [ON_KEY]
    for key in keys:
        if key.startswith("kms:") or vocabulary.family_of(key) in ("aws:requesttag/", "aws:tagkeys"):
            splitters.append(vocabulary.carried_by(key))
        if key == "kms:encryptionalgorithm":
            splitters.append(_DATA_KEYS)
    return split([mask], splitters)


def split(groups: list[int], splitters: list[int]) -> tuple[int, ...]:
    """The partition of ``groups`` by every mask of ``splitters``, without empty parts."""
    for splitter in splitters:
        groups = [part for group in groups for part in (group & splitter, group & ~splitter) if part]
    return tuple(groups)


def covers_everything(pattern: str, account: str | None, partition: str = glob.NAME_RUN) -> bool:
    """Whether an identity statement's Resource reaches actions without a key: ``*``, or a KMS pattern for all of the
    ``account`` in some Region of the ``partition``.

    The second form is contested: it counts.
    """
    if set(pattern) == {"*"}:
        return True
    if not pattern.endswith("*") or "/" in pattern:
        return False  # a pattern with a slash is about some keys or aliases
    whole_account = f"arn:{partition}:kms:{glob.NAME_RUN}:{account or ''}:\x00"
    return glob.overlap(pattern, whole_account)
