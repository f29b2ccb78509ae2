"""Rules about who decides over a key: how the policy delegates to IAM, and whether anybody is left to change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.evaluator.strength import Strength, parts
from auditor.model.access import Role
from auditor.model.actions import KEY_POLICY_EFFECTIVE, mask_of
from auditor.model.arn import account_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import DEFAULT_POLICY, Fact, Key
from auditor.model.policy import Layer, Policy, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.conditions import as_residual, block_strength
from auditor.rules.corrections import statements as corrected
from auditor.rules.corrections import without_actions
from auditor.rules.exposure.strangers import for_everybody
from auditor.rules.hit import Hit, Located, count, given, listing, naming, titled
from auditor.rules.reach import Openness, openness
from auditor.rules.statements import as_written, render
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUT_POLICY_BIT = mask_of(["PutKeyPolicy"]).bit_length() - 1
MANY = 2
"""As many administrators as a key should have."""
USE_AND_READ = (
    *("kms:Describe*", "kms:Get*", "kms:List*"),
    *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
)
ADVICE = {
    "none": "For the record: keep at least two named administrators in the policy, since IAM cannot help.",
    "limited": "For the record: IAM decides about the delegated actions, the key policy about the rest.",
    "full": "Whoever edits IAM controls the key: watch IAM changes, or delegate use only and name two administrators.",
}
MODES = {
    "none": "no Allow names the own account, so identity policies cannot grant anything",
    "limited": "identity policies can grant some actions",
    "full": "identity policies can grant everything: whoever edits IAM controls the key",
}


def delegations(key: Key, view: View) -> list[Located]:
    """The Allow statements that name the key's own account."""
    return [
        located
        for located in view.statements(key)
        if located.statement.effect == "Allow"
        and located.ref.policy == DEFAULT_POLICY
        and any(
            is_account_principal(e.value) and account_of(e.value) == key.account
            for e in located.statement.principals or ()
        )
    ]


def delegated_mask(view: View, key: Key) -> int:
    """The actions that the key policy leaves to identity policies."""
    memo = view.once("delegated-masks", dict[str, int])
    if key.arn not in memo:
        mask = 0
        for located in delegations(key, view):
            mask |= action_mask(located.statement) & KEY_POLICY_EFFECTIVE
        memo[key.arn] = mask
    return memo[key.arn]


def mode_of(key: Key, view: View) -> str:
    """none, limited or full."""
    if not delegated_mask(view, key):
        return "none"
    plain = 0
    for located in delegations(key, view):
        levels = {level for _, level in parts(as_residual(located.statement), view.owner(key))}
        if levels <= {
            Strength.S0,
            Strength.S4,
        }:  # a test of the own account, or of nothing, narrows no delegation to it
            plain |= action_mask(located.statement) & KEY_POLICY_EFFECTIVE
    return "full" if plain == KEY_POLICY_EFFECTIVE else "limited"


def _bypasses(key: Key, view: View) -> list[Located]:
    """Wildcard statements tied to the own account: every identity there may use the key without any IAM permission."""
    return [
        located
        for located in view.statements(key)
        if for_everybody(located.statement) and block_strength(located.statement, view.owner(key)) is Strength.S4
    ]


def _without_iam(bypasses: list[Located]) -> str:
    """That the statements make IAM redundant, as far as their conditions reach."""
    names = listing(titled(located.statement).removeprefix("Statement ") for located in bypasses)
    if len(bypasses) == 1:
        return f"Statement {names} makes IAM redundant: whoever is of the account and meets its condition gets in."
    return f"Statements {names} make IAM redundant: whoever is of the account and meets a condition of theirs gets in."


def iam_delegation_mode(view: View) -> Iterator[Hit]:
    """How the key policy delegates to IAM: not at all, for some actions, or for everything (the default).

    A fact that auditors ask for; low on restricted keys with full delegation. Also told: a wildcard principal tied to
    the own account (for example by ``kms:ViaService`` and ``kms:CallerAccount``) makes IAM redundant, because every
    identity of the account may then use the key that way without any permission of its own.

    Fix: choose the mode on purpose; replace the wildcard by the account principal where IAM should decide.
    """
    for key in view.keys_with(Fact.KEY_POLICY):
        mode = mode_of(key, view)
        bypasses = _bypasses(key, view)
        summary = f"{key.label}: {MODES[mode]}."
        if bypasses:
            summary += f" {_without_iam(bypasses)}"
        cited = [*delegations(key, view), *bypasses]
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=summary,
            keys=(key.arn,),
            evidence=(
                Evidence("mode", mode),
                *(Evidence("statement", str(located.ref), located.ref) for located in cited),
            ),
            raised=given((mode == "full" and view.tier(key) == "T1", "mode full on a T1 key")),
            identity=(mode, "bypass" if bypasses else ""),
            remedy=_mode_remedy(view, key, mode, bypasses),
            advice=ADVICE[mode] if not bypasses else "Let IAM decide: name the account instead of everybody.",
            bare=not bypasses and not (mode == "full" and view.tier(key) == "T1"),
        )


def _mode_remedy(view: View, key: Key, mode: str, bypasses: list[Located]) -> str:
    """The statement that ends a bypass, or the full delegation of a restricted key."""
    if bypasses:
        return _to_account(key, bypasses[0])
    if mode != "full" or view.tier(key) != "T1":
        return ""
    written = as_written(_policy_of(key, delegations(key, view)[0]), delegations(key, view)[0].statement.index)
    return corrected(_administrators(view, key), without_actions(written, (), USE_AND_READ))


def _administrators(view: View, key: Key) -> dict[str, Any]:
    """The statement without which a limited delegation leaves nobody who can change the policy."""
    fixed = [name for name in view.settings.key_admins if account_of(name) == key.account and not has_wildcard(name)]
    to_name = [f"arn:{key.partition}:iam::{key.account}:role/NAME-OF-AN-ADMINISTRATOR-{n}" for n in (1, 2)]
    who = {"Sid": "KeyAdministrators", "Effect": "Allow", "Principal": {"AWS": (sorted(fixed) + to_name)[:MANY]}}
    return {**who, "Action": "kms:*", "Resource": "*"}


def _policy_of(key: Key, located: Located) -> Policy:
    return next(attached.policy for attached in key.policies if attached.name == located.ref.policy)


def _to_account(key: Key, located: Located) -> str:
    """The wildcard statement with the account principal instead, so that IAM decides."""
    written = as_written(_policy_of(key, located), located.statement.index)
    written.pop("NotPrincipal", None)
    written["Principal"] = {"AWS": f"arn:{key.partition}:iam::{key.account}:root"}
    return render(written)


def no_key_administrator(view: View) -> Iterator[Hit]:
    """Nobody of the owning account can change the key policy any more, or one deletion away from it.

    Counts every identity of the account and the root user that may call PutKeyPolicy, also conditionally. A last one
    is told where no account statement lets another take its place. When the identities could not all be read and the
    policy delegates to IAM, nothing is concluded.

    Fix: only AWS Support can restore access; keep an account statement or two administrator roles in every policy.
    """
    import numpy as np

    reach = view.reach
    level = reach.classes[reach.rows[:, PUT_POLICY_BIT]] if len(reach.rows) else np.zeros(0, dtype=np.int8)
    able = np.isin(level, (int(Openness.OPEN), int(Openness.GUARDED), int(Openness.MAYBE)))
    unsure = np.isin(level, (int(Openness.MAYBE), int(Openness.BLIND)))
    members: dict[str, list[int]] = {}
    for row, who in enumerate(reach.principals):
        if who.account and who.kind is not PrincipalKind.SESSION:
            members.setdefault(who.account, []).append(row)
    for key in view.keys_with(Fact.KEY_POLICY):
        facts = view.snapshot.account(key.account)
        if facts is None or (Fact.IDENTITIES in facts.unread and delegations(key, view)):
            continue
        rows = np.array(members.get(key.account, []), dtype=np.int64)
        column = reach.table.cells[rows, reach.key_at[key.arn]]
        holders = [reach.principals[row] for row in rows[able[column]][:MANY].tolist()]
        root = any(reach.principals[row].kind is PrincipalKind.ROOT for row in rows[able[column]].tolist())
        if holders and delegated_mask(view, key) >> PUT_POLICY_BIT & 1:
            continue  # whoever is missed can be made anew: the account statement is no name
        if not root and len(holders) < MANY and (holders or not unsure[column].any()):
            yield _lockout(view, key, holders, () if holders else _guardrails(view, key, rows))


def _guardrails(view: View, key: Key, rows: NDArray[np.int64]) -> tuple[StatementRef, ...]:
    """The statements of SCPs and RCPs that keep those from changing the policy whom the key policy lets."""
    found = set()
    for profile in set(view.reach.table.cells[rows, view.reach.key_at[key.arn]].tolist()):
        decision = view.reach.decision(profile, PUT_POLICY_BIT)
        if openness(decision) is Openness.LATENT:
            denying = (cause for cause in decision.causes if cause.role is Role.DENIES)
            found |= {cause.statement for cause in denying if cause.statement and cause.layer in (Layer.SCP, Layer.RCP)}
    return tuple(sorted(found, key=str))


def _lockout(view: View, key: Key, able: list[Principal], guardrails: tuple[StatementRef, ...]) -> Hit:
    last = view.age(key.last_usage.last_used) if key.last_usage is not None else None
    used = last is not None and last <= view.settings.in_use_days
    if able:
        summary = f"Only {able[0].arn} can change the policy of {key.label}: one deletion away from lockout."
    else:
        summary = f"Nobody can change the policy of {key.label} any more."
    if guardrails:
        summary = f"Nobody can change the policy of {key.label} while {listing(map(str, guardrails), 2)} stands."
    advice = "Exempt a role that exists from what stops everybody; the key policy itself still lets the account."
    if able:
        advice = "Add a second way to change the policy while there still is one: the account, or another role."
    return Hit(
        subject=key.arn,
        kind="key",
        summary=summary,
        keys=(key.arn,),
        principals=tuple(who.arn for who in able),
        evidence=(
            naming("can call kms:PutKeyPolicy", (who.arn for who in able), nobody="nobody"),
            Evidence("statements of the policy", count(len(view.statements(key)), "statement")),
            *(_unmatched(view, key) or [Evidence("reason", "no statement allows kms:PutKeyPolicy")]),
            *(Evidence("stops everybody", str(ref), ref) for ref in guardrails),
        ),
        raised=given((not able and used, "key is in use")),
        lowered=given((able, "exactly one non-root")),
        # A key of AWS has no administrator of its own, and only its description tells whose it is.
        confidence=Confidence.POTENTIAL if Fact.KEY_METADATA in key.unread else Confidence.CONFIRMED,
        identity=tuple(who.unique_id or who.arn for who in able),
        remedy=_second(key) if able else "",
        advice=advice if able or guardrails else "",
        bare=bool(guardrails),
    )


def _unmatched(view: View, key: Key) -> list[Evidence]:
    """The statements that decide about PutKeyPolicy, with whom they speak of."""
    found = []
    for located in view.statements(key):
        statement = located.statement
        if not action_mask(statement) >> PUT_POLICY_BIT & 1:
            continue
        listed = statement.principals if statement.principals is not None else statement.not_principals
        word = "allows" if statement.effect == "Allow" else "denies"
        but = "" if statement.principals is not None else "everybody but "
        under = " under a condition" if statement.conditions else ""
        whom = listing((entry.value for entry in listed or ()), 4) or "nobody"
        found.append(Evidence("reason", f"{located.ref} {word} it to {but}{whom}{under}", located.ref))
    return found


def _second(key: Key) -> str:
    """A statement that lets the account's administrators change the policy as well."""
    root = f"arn:{key.partition}:iam::{key.account}:root"
    actions = ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:EnableKey", "kms:CancelKeyDeletion"]
    allow = {"Sid": "AccountCanRecover", "Effect": "Allow", "Principal": {"AWS": root}}
    return render({**allow, "Action": actions, "Resource": "*"})
