"""Rules about statements that allow or deny by exception: NotAction, NotPrincipal, and denials with a hole."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.model.access import Role
from auditor.model.actions import (
    ABAC_TAMPER,
    ALL,
    DESTROY,
    NEW_DATA_KEYS,
    READ_PLAINTEXT,
    STORE_BREAKERS,
    TAKEOVER,
    actions_in,
    mask_of,
)
from auditor.model.arn import account_of, is_unique_id
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Layer, Statement
from auditor.model.principal import Principal
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, titled
from auditor.rules.policy.places import Placed, key_statements, placed_statements
from auditor.rules.reach import Openness, Pairs
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

POWERFUL = READ_PLAINTEXT | TAKEOVER | DESTROY
PUT_POLICY = mask_of(["PutKeyPolicy"])
FAMILIES = {
    "plaintext": READ_PLAINTEXT | NEW_DATA_KEYS,
    "takeover": TAKEOVER,
    "destruction": DESTROY & ~STORE_BREAKERS,
    "naming": ABAC_TAMPER & ~mask_of(["UntagResource", "DeleteAlias"]),
}


def notaction_allow(view: View) -> Iterator[Hit]:
    """An Allow with NotAction or NotResource sweeps in powerful KMS permissions.

    NotAction allows everything but the list, and silently widens whenever AWS adds an operation. Told when reading,
    takeover or destruction is among what remains. Silent when kms:* is excluded, and for account administrators.

    Fix: list the actions.
    """
    for document in view.identity_documents:
        holders = [holder for holder in document.holders if not view.trust.account_admin(holder)]
        if document.name.startswith("arn:") and ":iam::aws:" in document.name:
            continue
        for located in document.statements():
            if holders and _sweeps(located.statement):
                yield _sweep_hit(view, Placed(located, document.policy, document=document), holders)
    for placed in key_statements(view):
        if _sweeps(placed.located.statement):
            yield _sweep_hit(view, placed, [])


def _sweeps(statement: Statement) -> bool:
    excepts = statement.not_actions is not None or statement.not_resources is not None
    return statement.effect == "Allow" and excepts and bool(action_mask(statement) & POWERFUL)


def _sweep_hit(view: View, placed: Placed, holders: list[Principal]) -> Hit:
    statement = placed.located.statement
    mask = action_mask(statement) & POWERFUL
    restricted = False
    for holder in holders:
        row = view.reach.principal_at.get(holder.arn)
        for position, key in enumerate(view.reach.keys):
            if row is not None and key.customer_managed and view.tier(key) == "T1":
                held = view.reach.held(view.reach.profile(row, position), position, Openness.OPEN, Openness.GUARDED)
                restricted = restricted or bool(held & mask)
    element = "NotAction" if statement.not_actions is not None else "NotResource"
    return placed.hit(
        f"{titled(statement)} of {placed.name} allows by {element} and sweeps in "
        f"{listing((action.name for action in actions_in(mask)), 4)}.",
        more=(
            Evidence("element", element),
            Evidence("swept in", listing((action.name for action in actions_in(mask)), 12)),
            Evidence("held by", listing(holder.arn for holder in holders) or "the principals of the key policy"),
        ),
        raised=given((placed.key is not None or restricted, "statement is in a key policy")),
        identity=(meaning(statement),),
    )


def _pairs_of(view: View, key: Key) -> Pairs | None:
    """The pairs of one key, grouped once per view."""
    grouped = view.once("pairs-by-key", lambda: dict(view.reach.all_pairs.by_key()))
    return grouped.get(view.reach.key_at[key.arn])


def _spoken_of(placed: Placed, who: Principal) -> bool:
    """Whether the Deny's Principal element names the caller; SCPs, RCPs and boundaries speak of everybody below."""
    if placed.key is None:
        return True
    values = {entry.value for entry in placed.located.statement.principals or ()}
    accounts = {account_of(value) for value in values if is_account_principal(value)}
    return "*" in values or who.arn in values or who.iam_arn in values or who.account in accounts


def deny_has_gap(view: View) -> Iterator[Hit]:
    """A Deny protects one action of a family and leaves its twin open to those it speaks of.

    Families: plaintext (Decrypt and ReEncryptFrom, data keys), takeover, destruction, naming. A Deny on Decrypt with
    ReEncryptFrom left open still lets its target read everything. Told only when a target really holds the twin.

    Fix: complete the family in the same statement.
    """
    for placed in placed_statements(view):
        statement = placed.located.statement
        if (
            statement.effect != "Deny"
            or statement.not_principals is not None
            or placed.located.ref.layer is Layer.IDENTITY
        ):
            continue
        denied = action_mask(statement)
        for name, family in FAMILIES.items():
            covered, uncovered = denied & family, family & ~denied
            if covered and uncovered and denied != ALL:
                hit = _gap_hit(view, placed, name, covered, uncovered)
                if hit is not None:
                    yield hit


def _gap_hit(view: View, placed: Placed, name: str, covered: int, uncovered: int) -> Hit | None:
    pairs = _pairs_of(view, placed.key) if placed.key is not None else view.reach.all_pairs
    if pairs is None or not len(pairs):
        return None
    open_twin = view.reach.having(pairs, uncovered, Openness.OPEN, Openness.GUARDED)
    hit = pairs.select(open_twin & view.reach.having(pairs, covered, Openness.LATENT))
    still: dict[str, int] = {}
    touched: set[str] = set()
    for row, own in hit.by_principal():
        who = view.reach.principals[row]
        if not _spoken_of(placed, who):
            continue
        for profile, position in set(zip(own.profiles.tolist(), own.keys.tolist(), strict=True)):
            held = view.reach.held(profile, position, Openness.OPEN, Openness.GUARDED) & uncovered
            if _cites(view, profile, covered, placed):
                still[who.arn] = still.get(who.arn, 0) | held
                touched.add(view.reach.keys[position].arn)
    if not still:
        return None
    open_mask = 0
    for mask in still.values():
        open_mask |= mask
    statement = placed.located.statement
    written = as_written(placed.policy, statement.index)
    if statement.actions is not None:
        written["Action"] = [*statement.actions, *(action.name for action in actions_in(open_mask))]
    return placed.hit(
        f"{titled(statement)} of {placed.name} denies {listing(a.name for a in actions_in(covered))} "
        f"and leaves {listing(a.name for a in actions_in(open_mask))} open.",
        more=(
            Evidence("family", name),
            Evidence("still allowed", listing(f"{arn}" for arn in still)),
        ),
        raised=given((view.restricted(touched), "T1 key, or SCP")),
        identity=(meaning(statement), name),
        remedy=render(written),
    )


def _cites(view: View, profile: int, covered: int, placed: Placed) -> bool:
    """Whether this very statement is what stops one of the covered actions."""
    ref = placed.located.ref
    memo = view.once("deny-citations", dict[int, frozenset[tuple[str, int]]])
    if profile not in memo:
        memo[profile] = frozenset(
            (cause.statement.policy, cause.statement.index)
            for action in actions_in(ALL)
            for cause in view.reach.decision(profile, action.bit).causes
            if cause.role is Role.DENIES and cause.statement is not None
        )
    return (ref.policy, ref.index) in memo[profile]


def notprincipal_deny_trap(view: View) -> Iterator[Hit]:
    """A Deny with NotPrincipal locks out more than it says.

    IAM denies an exempted role that carries any permissions boundary all the same, and an exempted role needs its
    account listed next to it. Where every exemption works as written the finding is information.

    Fix: rewrite it as Principal * with ArnNotEquals on ``aws:PrincipalArn``.
    """
    for placed in key_statements(view):
        statement = placed.located.statement
        if statement.effect == "Deny" and statement.not_principals is not None:
            yield _trap_hit(view, placed, [entry.value for entry in statement.not_principals])


def _trap_hit(view: View, placed: Placed, exempt: list[str]) -> Hit:
    statement = placed.located.statement
    accounts = {account_of(value) for value in exempt if is_account_principal(value)}
    problems = []
    for value in sorted(exempt):
        who = view.principal_by_arn.get(value)
        if who is not None and who.boundary is not None:
            problems.append(f"{value} carries a permissions boundary and is denied all the same")
        elif is_unique_id(value):
            problems.append(f"{value} was deleted")
        elif not is_account_principal(value) and value != "*" and account_of(value) not in accounts:
            problems.append(f"{value} is listed without its account principal")
    covers = bool(action_mask(statement) & PUT_POLICY)
    position = view.reach.key_at[placed.key.arn] if placed.key else 0
    column = view.reach.table.cells[:, position]
    able = covers and any(
        view.reach.held(int(profile), position, Openness.OPEN, Openness.GUARDED) & PUT_POLICY
        for profile in set(column.tolist())
    )
    written = as_written(placed.policy, statement.index)
    written.pop("NotPrincipal", None)
    condition = dict(written.get("Condition") or {})
    condition["ArnNotEquals"] = {"aws:PrincipalArn": sorted(exempt)}
    said = problems[0] if problems else "every exemption works as written"
    return placed.hit(
        f"{titled(statement)} of {placed.name} denies everybody but its exemptions: {said}.",
        more=(Evidence("exempted", listing(exempt)), *(Evidence("trap", text) for text in problems)),
        raised=given((problems and covers and not able, "covers kms:PutKeyPolicy")),
        lowered=given((not problems, "works as written")),
        identity=(meaning(statement),),
        remedy=render({**written, "Principal": {"AWS": "*"}, "Condition": condition}),
    )
