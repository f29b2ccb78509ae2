"""Rules about names that policies trust by text: whoever can make or take the name has the access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import common_text, has_wildcard, matches
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.request_keys import never_met
from auditor.evaluator.statements import action_mask
from auditor.model.actions import DESTROY, READ_PLAINTEXT, TAKEOVER
from auditor.model.arn import SERVICE_LINKED_PATH, account_of
from auditor.model.finding import Evidence
from auditor.model.policy import ConditionTest, Layer, Statement, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.acting import acts
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.deputy.trusts import assumed_by_many, guests
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, count, given, listing, naming, titled
from auditor.rules.iam_side import identities_of, may, may_tag, speakers
from auditor.rules.identity.barriers import only_barriers
from auditor.rules.policy.places import Placed, key_statements
from auditor.rules.principals import service_linked
from auditor.rules.statements import Document, render
from auditor.rules.view import View

UNLOCKS = READ_PLAINTEXT | TAKEOVER | DESTROY
FILLER = "x"


def name_tests(statement: Statement) -> list[ConditionTest]:
    """The positive tests on ``aws:PrincipalArn`` of an Allow, or the exempting ones of a Deny."""
    found = []
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator is None or test.key.lower() != "aws:principalarn" or operator.base == "null":
            continue
        if operator.negated == (statement.effect == "Deny"):
            like = operator.base in ("stringlike", "arnlike")
            values = tuple(value for value in test.values if like or not never_met("aws:principalarn", value))
            found.append(replace(test, values=values))
    return found


def candidate(pattern: str, account: str) -> str:
    """A role ARN in ``account`` that the pattern matches: wildcards in the name are filled in."""
    parts = pattern.split(":", 5)
    if len(parts) != 6:
        return ""
    name = parts[5].replace("*", FILLER).replace("?", FILLER)
    resource = name if name.startswith(("role/", "user/")) else f"role/{name}"
    return f"arn:{parts[1].replace('*', 'aws')}:iam::{account}:{resource}"


def creators(view: View, target: str, account: str) -> tuple[list[Principal], list[Principal]]:
    """Identities of the account that may create ``target``: ordinary ones, and account administrators."""
    action = "iam:CreateUser" if ":user/" in target else "iam:CreateRole"
    able = [
        who for who in speakers(view, account, action) if not service_linked(who) and may(view, who, action, target)
    ]
    return _told_apart(view, able)


def _told_apart(view: View, able: list[Principal]) -> tuple[list[Principal], list[Principal]]:
    """Ordinary identities, and account administrators."""
    ordinary = [who for who in able if not view.trust.account_admin(who)]
    return ordinary, [who for who in able if view.trust.account_admin(who)]


def makers(view: View, pattern: str, account: str) -> tuple[list[Principal], list[Principal]]:
    """Those of the account who may create a name that the pattern matches: any, or one that their policies allow."""
    target = candidate(pattern, account)
    ordinary, admins = creators(view, target, account)
    if not target or not has_wildcard(pattern.split(":", 5)[-1]):
        return ordinary, admins
    action = "iam:CreateUser" if ":user/" in target else "iam:CreateRole"
    spelled = ":".join((*target.split(":", 5)[:5], pattern.split(":", 5)[-1]))
    more = [
        who
        for who in speakers(view, account, action)
        if who not in ordinary
        and who not in admins
        and not service_linked(who)
        and any(may(view, who, action, name) for name in _shared_names(who, action, spelled))
    ]
    others, more_admins = _told_apart(view, more)
    return ordinary + others, admins + more_admins


def _shared_names(who: Principal, action: str, pattern: str) -> set[str]:
    """Names that the pattern and a Resource of the identity's Allow statements both match, new ones where possible."""
    found = set()
    for attached in who.identity_policies:
        for statement in attached.policy.statements:
            if statement.effect != "Allow" or not acts(statement, action):
                continue
            for resource in statement.resources or ():
                new = common_text(pattern.replace("*", f"*{FILLER}"), resource)
                found.add(new or common_text(pattern, resource))
    return {name for name in found if ":role/" in name or ":user/" in name}


def _protected(pattern: str) -> bool:
    """Whether only AWS can make a matching role."""
    return SERVICE_LINKED_PATH in pattern or "/aws-reserved/" in pattern


def reclaimable_principal_name(view: View) -> Iterator[Hit]:
    """Access waits for whoever creates a missing name again.

    A condition on ``aws:PrincipalArn`` keeps the text of a name, so a role that is created anew under it gets the
    access; a Principal element does not. Told when nobody of that name exists and somebody may create it, and for a
    pattern under which others than account administrators may create one more. Accounts that were not collected are
    silent; exemptions of SCPs and RCPs are told by guardrail-exemption-matchable.

    Fix: use a Principal element or a protected path, and deny role creation on that path.
    """
    for placed in key_statements(view):
        statement, key = placed.located.statement, placed.key
        if key is None or statement.effect is None:
            continue
        for test in name_tests(statement):
            for pattern in test.values:
                account = _account_meant(pattern, key.account)
                if (
                    account is None
                    or not identities_of(view, account)
                    or "${" in pattern
                    or pattern.endswith(":root")
                    or _protected(pattern)
                ):
                    continue
                held = _named_by(view, account, pattern)
                if held and not has_wildcard(pattern.split("/", 1)[-1]):
                    continue
                ordinary, admins = makers(view, pattern, account)
                ordinary = [who for who in ordinary if who not in held]
                if ordinary or (admins and not held):
                    yield _reclaim_hit(placed, test, pattern, ordinary, admins, held)


def _named_by(view: View, account: str, pattern: str) -> list[Principal]:
    """The identities of an account that a pattern matches; asked once."""

    def make() -> list[Principal]:
        return [who for who in identities_of(view, account) if matches(pattern, who.iam_arn)]

    return view.commons.of_account(account).once(f"named by {pattern}", make)


def _account_meant(pattern: str, owner: str) -> str | None:
    """The account whose identities a pattern speaks of; with a wildcard there, the key's own is looked at."""
    parts = pattern.split(":")
    if len(parts) > 4 and has_wildcard(parts[4]):
        return owner
    return account_of(pattern)


def _reclaim_hit(
    placed: Placed,
    test: ConditionTest,
    pattern: str,
    ordinary: list[Principal],
    admins: list[Principal],
    held: list[Principal],
) -> Hit:
    statement = placed.located.statement
    able = ordinary or admins
    unlocks = action_mask(statement) & UNLOCKS
    return placed.hit(
        f"{titled(statement)} of {placed.name} trusts the name {pattern}, which "
        f"{'others may take as well' if held else 'nobody has'}: {count(len(able), 'identity')} can create it.",
        more=(
            Evidence("condition", f"{test.operator} {test.key} {pattern}"),
            naming("can create it", (who.arn for who in able)),
        ),
        raised=given((ordinary and unlocks, "what the name unlocks")),
        lowered=given((not ordinary, "only administrators")),
        identity=(meaning(statement), pattern),
        remedy=sealed([pattern]),
        advice="Name the principal in the Principal element, or seal the name: the SCP statement keeps others from it.",
    )


def sealed(patterns: list[str]) -> str:
    """An SCP statement that keeps everybody but those who have the name from creating or changing it."""
    actions = (
        "iam:CreateRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:TagRole",
    )
    statement = {"Sid": "SealedNames", "Effect": "Deny", "Action": list(actions), "Resource": one_or_many(patterns)}
    return render({**statement, "Condition": {"ArnNotLike": {"aws:PrincipalArn": one_or_many(patterns)}}})


def guardrail_exemption_matchable(view: View) -> Iterator[Hit]:
    """A guardrail exempts a name that others can create: the exemption is open to them.

    Looks at Deny statements of SCPs and RCPs that protect keys and spare principals by ``aws:PrincipalArn`` pattern or
    by tag. Asks in every collected account that the SCP binds (callers of an RCP may be anywhere) who is not spared yet
    and may create a matching role, assume one that trusts too many, or set the tag on itself. Account administrators
    alone are medium; a statement that alone keeps another finding from being critical is critical itself.

    Fix: exempt a protected path, and deny creating, changing and passing roles on that path.
    """
    for document in (*view.scps, *view.rcps):
        for located in document.statements:
            statement = located.statement
            if statement.effect != "Deny" or not action_mask(statement):
                continue
            for test in name_tests(statement):
                for pattern in test.values:
                    hit = _exemption(view, document, statement, pattern)
                    if hit is not None:
                        yield hit
            yield from _tag_exemptions(view, document, statement)


def _exemption(view: View, document: Document, statement: Statement, pattern: str) -> Hit | None:
    if _protected(pattern) or "${" in pattern:
        return None
    ordinary: list[Principal] = []
    admins: list[Principal] = []
    spared = [value for test in name_tests(statement) for value in test.values]
    for account in sorted(view.trust.collected):
        named = account_of(pattern)
        if named not in (None, account) or not _binds(view, document, account):
            continue
        held = _named_by(view, account, pattern)
        ordinary += [guest for who in held if assumed_by_many(view, who) for guest in guests(view, who)]
        if not has_wildcard(pattern.split("/", 1)[-1]) and held:
            continue  # the one exact name is taken in this account
        here, there = makers(view, pattern, account)
        ordinary += here
        admins += there
    ordinary, admins = (
        [who for who in able if not any(matches(value, who.iam_arn) for value in spared)] for able in (ordinary, admins)
    )
    if not ordinary and not admins:
        return None
    return _exemption_hit(view, document, statement, pattern, ordinary, admins)


def _binds(view: View, document: Document, account: str) -> bool:
    """Whether a guardrail is one for callers of the account, as far as is known where the account stands."""
    organization = view.snapshot.organization
    if document.layer is Layer.RCP or organization is None:
        return True
    targets = set(document.owner.split(", "))
    above = any(level.id in targets for level in organization.levels(account) or ())
    return (above or organization.unread(account)) and account != organization.management_account


def _tag_exemptions(view: View, document: Document, statement: Statement) -> Iterator[Hit]:
    """Exemptions by a tag of the caller that ordinary identities may set on themselves."""
    prefix = "aws:principaltag/"
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator is None or not operator.negated or not test.key.lower().startswith(prefix):
            continue
        tag = test.key[len(prefix) :]
        able = [
            who
            for who in view.snapshot.principals
            if not service_linked(who)
            and _binds(view, document, who.account or "")
            and may_tag(view, who, _TAGS.get(who.kind, "iam:TagRole"), who.arn, tag, test.values)
        ]
        ordinary = [who for who in able if not view.trust.account_admin(who)]
        if able:
            hit = _exemption_hit(view, document, statement, f"the tag {tag}={listing(test.values)}", ordinary, able)
            yield replace(hit, remedy=_sealed_tag(view, tag), advice=SEAL_ADVICE)


def _sealed_tag(view: View, tag: str) -> str:
    """An SCP statement that leaves a tag of principals to those who administer the account."""
    condition = {
        "ForAnyValue:StringEquals": {"aws:TagKeys": tag},
        "ArnNotLike": {"aws:PrincipalArn": one_or_many(view.settings.account_admins)},
    }
    actions = ("iam:TagRole", "iam:TagUser", "iam:CreateRole", "iam:CreateUser", "sts:TagSession")
    return deny("ExemptingTagIsSealed", actions, condition, in_key_policy=False)


SEAL_ADVICE = "Exempt a protected path instead of a tag, or keep everybody else from setting the tag."
_TAGS = {PrincipalKind.USER: "iam:TagUser"}


def _exemption_hit(
    view: View,
    document: Document,
    statement: Statement,
    pattern: str,
    ordinary: list[Principal],
    admins: list[Principal],
) -> Hit:
    able = ordinary or admins
    layer = Layer.SCP if document.layer is Layer.SCP else Layer.RCP
    ref = StatementRef(layer, document.name, document.owner, statement.index, statement.sid)
    return Hit(
        subject=document.arn,
        kind="org-policy",
        summary=f"{document.name} exempts {pattern}; {count(len(able), 'identity')} can become such a principal.",
        account=document.account,
        principals=tuple(who.arn for who in able),
        evidence=(
            Evidence("statement", str(ref), ref),
            Evidence("exempt pattern", pattern),
            naming("can become it", (who.arn for who in able)),
        ),
        raised=given((ordinary and str(ref) in only_barriers(view), "only barrier of a latent critical")),
        lowered=given((not ordinary, "only account administrators")),
        identity=(meaning(statement), pattern),
        remedy=sealed([pattern]) if pattern.startswith("arn:") else "",
    )
