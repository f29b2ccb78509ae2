"""indirect-key-access-path: what the paths to keys that somebody has no access to come to, and how to cut them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.model.finding import Confidence, Evidence
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.corrections import one_or_many
from auditor.rules.hit import Hit, count, first_of, given, listing
from auditor.rules.principals import reachable_from_outside
from auditor.rules.privilege.central import ASSUME_ROOT, LIFTS
from auditor.rules.privilege.edges import enabling_statements
from auditor.rules.privilege.path import Path
from auditor.rules.privilege.paths import Finder
from auditor.rules.privilege.shared import share_hit
from auditor.rules.privilege.steps import FEDERATION, HAND_ROLE, REMAKING
from auditor.rules.statements import render
from auditor.rules.view import View

CUT = "Cut the first edge: take the permission away, bound it to a path prefix, or pin the trust of the role."
CUT_ROOT = (
    "Allow sts:AssumeRoot for other tasks alone (sts:TaskPolicyArn), or deny everything to root users of member "
    "accounts by an SCP that spares sessions of such tasks (aws:AssumedRoot)."
)
UNREACHED = "No SCP binds the management account."
CUT_LIFT = "Calls that leave the organization or change its policies and units are for its administrators alone."


def indirect_key_access_path(view: View) -> Iterator[Hit]:
    """A principal without access to a key can obtain it in one step, or in ``max_hops``.

    Steps: assuming a role (both sides must agree), rewriting its trust policy, or the metadata of its identity provider
    (also by making it anew), new credentials for a user, passing a role to compute, taking over code that runs under a
    role, giving itself a policy (directly, through a group, or by a new version of a managed policy) or somebody whom
    it then becomes, making a role or user of its own without a permissions boundary, from the management account
    assigning people to permission sets and becoming the root user of a member account, joining a group, and taking away
    its boundary, a Deny in a policy of its own, or the SCPs and RCPs that stop it (leaving the organization; from the
    management account also detaching, rewriting or disabling them, and moving or removing accounts). What an SCP,
    boundary or trust policy forbids is no step. Account administrators are told once per account, as information.

    Also who may give other accounts a key through AWS RAM, where nothing denies it kms:PutKeyPolicy: potential, as AWS
    does not document what RAM asks of keys. That is not told of account administrators.

    Fix: cut the cheapest edge: pin the role's trust, or bound the IAM permission to a path prefix.
    """
    finder = view.once("paths", lambda: Finder(view))
    found = finder.paths()
    admins: dict[str, dict[str, tuple[Principal, list[Path]]]] = {}
    for who in finder.candidates:
        paths = [path for path in found.get(who.arn, ()) if not path.shared]
        if view.trust.account_admin(who):
            if paths:
                admins.setdefault(who.account or "", {})[who.arn] = (who, paths)
            continue
        yield from _hits(view, who, paths)
        if shared := [path for path in found.get(who.arn, ()) if path.shared]:
            yield share_hit(view, who, shared)
    for account, holders in sorted(admins.items()):
        people = [who for who, _ in holders.values()]
        yield _grouped(account, people, {arn: paths for arn, (_, paths) in holders.items()})


def _hits(view: View, who: Principal, paths: list[Path]) -> Iterator[Hit]:
    """What an identity can obtain, and apart from it what it perhaps can."""
    certain = [path for path in paths if path.certain]
    sure = frozenset[str]().union(*(path.keys for path in certain))
    rest = [replace(path, keys=path.keys - sure) for path in paths if not path.certain and not path.keys <= sure]
    if certain:
        yield _hit(view, who, certain)
    if rest:
        hit = _hit(view, who, rest)
        beside = ("not certain",) if certain else ()
        yield replace(hit, confidence=Confidence.POTENTIAL, identity=(*hit.identity, *beside))


def _hit(view: View, who: Principal, paths: list[Path]) -> Hit:
    keys = sorted(frozenset().union(*(path.keys for path in paths)))
    exposed = who.kind is PrincipalKind.USER or reachable_from_outside(who, view.trust)
    far = all(path.hops > 1 or path.needs for path in paths)
    what = view.key_by_arn[keys[0]].label if len(keys) == 1 else count(len(keys), "key")
    organization = view.snapshot.organization
    bound = organization is None or organization.management_account != who.account
    through = listing((path.via[0] if path.via else path.words.split(" → ")[1] for path in paths), 3)
    return Hit(
        subject=who.arn,
        kind="principal",
        summary=f"{who.arn} has no access to {what} of its own and gets it through {through}.",
        account=who.account or "",
        keys=tuple(keys),
        principals=(who.arn, *(arn for path in paths for arn in path.via)),
        evidence=(
            *first_of([Evidence("path", path.words) for path in paths]),
            *enabling_statements([path.words for path in paths[:10]], view.principal_by_arn),
            *(
                Evidence("must also be the case", need)
                for need in dict.fromkeys(need for p in paths for need in p.needs)
            ),
            Evidence("keys reached", listing(keys)),
        ),
        raised=given((exposed and view.restricted(keys), "T1 key and P")),
        lowered=given((far, "two hops")),
        identity=(who.unique_id or who.arn, *(path.words for path in paths)),
        remedy=_cut(who, paths) if bound else "",
        advice=f"{_advice(paths)} The SCP statement does it at once." if bound else f"{_advice(paths)} {UNREACHED}",
        bare=not bound,
    )


def _advice(paths: list[Path]) -> str:
    """How to cut the paths, by the actions on them."""
    taken = {action for path in paths for edge in path.words.split(" → ")[1::2] for action in edge.split(" + ")}
    rest = taken - LIFTS - {ASSUME_ROOT}
    return " ".join(given((rest, CUT), (ASSUME_ROOT in taken, CUT_ROOT), (taken & LIFTS, CUT_LIFT)))


def _cut(who: Principal, paths: list[Path]) -> str:
    """An SCP statement that stops the first steps of the paths, for this identity alone."""
    edges = {path.words.split(" → ")[1] for path in paths}
    actions = {action for edge in edges for action in edge.split(" + ")[:1]}
    targets = {path.via[0] for path in paths if path.via}
    # What runs already, and an identity provider, are no roles: such a step is stopped wherever it is taken.
    aimed = all(path.via for path in paths) and actions.isdisjoint((FEDERATION, *REMAKING))
    aimed = aimed and (actions == {HAND_ROLE} or not any(path.needs for path in paths))
    statement = {
        "Sid": "NoDetourToKeys",
        "Effect": "Deny",
        "Action": one_or_many(actions),
        "Resource": one_or_many(targets) if aimed else "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": who.iam_arn}},
    }
    return render(statement)


def _grouped(account: str, holders: list[Principal], found: dict[str, list[Path]]) -> Hit:
    certain = {arn: [path for path in paths if path.certain] for arn, paths in found.items()}
    sure = any(certain.values())
    holders = [who for who in holders if certain[who.arn] or not sure]
    found = certain if sure else found
    keys = sorted({arn for ways in found.values() for path in ways for arn in path.keys})
    paths = [path for ways in found.values() for path in ways]
    return Hit(
        subject=account,
        kind="account",
        summary=(
            f"{count(len(holders), 'administrator')} of account {account} can obtain {count(len(keys), 'key')} "
            "to which they have no access of their own."
        ),
        account=account,
        keys=tuple(keys),
        principals=tuple(who.arn for who in holders),
        evidence=(
            *first_of([Evidence("path", path.words, names=path.via) for path in paths]),
            Evidence("keys reached", listing(keys)),
        ),
        lowered=("account administrator",),
        advice="For the record: whoever administers the account can reach these keys; watch changes of IAM and keys.",
        bare=True,
        confidence=Confidence.CONFIRMED if sure else Confidence.POTENTIAL,
        identity=tuple(who.unique_id or who.arn for who in holders),
    )
