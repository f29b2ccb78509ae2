"""The rule about exemptions of guardrails, by name or by tag, that others than the exempt can get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import has_wildcard, matches
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.statements import action_mask
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.policy import ConditionTest, Layer, Statement, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.corrections import deny, one_or_many
from auditor.rules.deputy.trusts import assumed_by_many, guests
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, count, given, listing, naming
from auditor.rules.iam_side import identities_of, may, may_tag, speakers
from auditor.rules.identity.barriers import only_barriers
from auditor.rules.identity.names import makers, name_tests, named_by, protected, sealed, shared_names, told_apart
from auditor.rules.principals import service_linked
from auditor.rules.privilege.steps import ASSUME, TRUST, step_to, ways_into
from auditor.rules.statements import Document
from auditor.rules.view import View

PREFIX = "aws:principaltag/"
TAGGING = {PrincipalKind.ROLE: "iam:TagRole", PrincipalKind.USER: "iam:TagUser"}
CREATING = {"iam:CreateRole": ("role", "iam:TagRole"), "iam:CreateUser": ("user", "iam:TagUser")}
BY_IDENTITIES = ("account", "principal", "organization", "everyone")
SEAL_ADVICE = "Exempt a protected path instead of a tag, or keep everybody else from setting the tag."


def guardrail_exemption_matchable(view: View) -> Iterator[Hit]:
    """A guardrail exempts a name that others can create: the exemption is open to them.

    Looks at Deny statements of SCPs and RCPs that protect keys and spare principals by ``aws:PrincipalArn`` pattern or
    by tag. Asks in every collected account that the SCP binds (callers of an RCP may be anywhere) who is not spared yet
    and may create a matching role, assume one that trusts too many or whose trust policy it may change, or set the tag
    on itself, on a role that it may assume, or on one that it makes. Account administrators alone are medium; a
    statement that alone keeps another finding from being critical is critical itself.

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
    if protected(pattern) or "${" in pattern:
        return None
    ordinary: list[Principal] = []
    admins: list[Principal] = []
    spared = [value for test in name_tests(statement) for value in test.values]
    for account in sorted(view.trust.collected):
        named = account_of(pattern)
        if named not in (None, account) or not _binds(view, document, account):
            continue
        held = named_by(view, account, pattern)
        ordinary += [guest for who in held if assumed_by_many(view, who) for guest in guests(view, who)]
        ordinary += _trust_changers(view, account, held)
        if not has_wildcard(pattern.split("/", 1)[-1]) and held:
            continue  # the one exact name is taken in this account
        here, there = makers(view, pattern, account)
        ordinary += here
        admins += there
    ordinary, admins = (
        list({who.arn: who for who in able if not any(matches(value, who.iam_arn) for value in spared)}.values())
        for able in (ordinary, admins)
    )
    if not ordinary and not admins:
        return None
    return _exemption_hit(view, document, statement, pattern, ordinary, admins)


def _trust_changers(view: View, account: str, held: list[Principal]) -> list[Principal]:
    """Those of the account that may let themselves into an exempt role by changing its trust policy, administrators of
    the account aside."""
    roles = [role for role in held if role.kind is PrincipalKind.ROLE and not service_linked(role)]
    return [
        who
        for who in (speakers(view, account, TRUST) if roles else ())
        if not (service_linked(who) or view.trust.account_admin(who))
        and any(may(view, who, TRUST, role.arn) for role in roles)
    ]


def _binds(view: View, document: Document, account: str) -> bool:
    """Whether a guardrail is one for callers of the account, as far as is known where the account stands."""
    organization = view.snapshot.organization
    if document.layer is Layer.RCP or organization is None:
        return True
    targets = set(document.owner.split(", "))
    above = any(level.id in targets for level in organization.levels(account) or ())
    return (above or organization.unread(account)) and account != organization.management_account


def _tag_exemptions(view: View, document: Document, statement: Statement) -> Iterator[Hit]:
    """Exemptions by a tag of the caller that identities may set: on themselves, on a role that they may assume, or on
    one that they make."""
    for test in statement.conditions:
        values = _exempting(test)
        if values is None or not test.key.lower().startswith(PREFIX):
            continue
        tag = test.key[len(PREFIX) :]
        able = [who for account in _bound_accounts(view, document) for who in _taggers(view, account, tag, values)]
        ordinary, _ = told_apart(view, able)
        if able:
            named = f"the tag {tag}={listing(values)}" if values else f"the tag {tag}"
            hit = _exemption_hit(view, document, statement, named, ordinary, able)
            yield replace(hit, remedy=_sealed_tag(view, tag), advice=SEAL_ADVICE)


def _exempting(test: ConditionTest) -> tuple[str, ...] | None:
    """The values of a condition key that a Deny spares, none for any value; None for a test that spares nobody."""
    operator = parse_operator(test.operator)
    if operator is None:
        return None
    if operator.base == "null":
        return () if [value.lower() for value in test.values] == ["true"] else None
    return test.values if operator.negated else None


def _bound_accounts(view: View, document: Document) -> Iterator[str]:
    accounts = sorted({who.account or "" for who in view.snapshot.principals})
    return (account for account in accounts if _binds(view, document, account))


def _taggers(view: View, account: str, tag: str, values: tuple[str, ...]) -> list[Principal]:
    """The identities of an account without the tag that can become a principal with it; asked once."""

    def make() -> list[Principal]:
        others = (who for who in identities_of(view, account) if not service_linked(who))
        return [who for who in others if not _tagged(who, tag, values) and _may_get(view, who, tag, values)]

    return view.commons.of_account(account).once(f"taggers {tag.lower()} {values}", make)


def _tagged(who: Principal, tag: str, values: tuple[str, ...]) -> bool:
    held = [value for name, value in who.tags if name.lower() == tag.lower()]
    return any(not values or any(matches(one, value) for one in values) for value in held)


def _may_get(view: View, who: Principal, tag: str, values: tuple[str, ...]) -> bool:
    if may_tag(view, who, TAGGING.get(who.kind, "iam:TagRole"), who.arn, tag, values):
        return True
    if _speaks(view, who, "iam:TagRole") and any(
        role.arn != who.arn and may_tag(view, who, "iam:TagRole", role.arn, tag, values) and _becomes(view, who, role)
        for role in _open_roles(view, who.account or "")
    ):
        return True
    return any(
        may_tag(view, who, action, name, tag, values) and may_tag(view, who, tagging, name, tag, values)
        for action, (word, tagging) in CREATING.items()
        if _speaks(view, who, action) and _speaks(view, who, tagging)
        for name in shared_names(who, action, f"{who.arn.rpartition(':')[0]}:{word}/*")
    )


def _speaks(view: View, who: Principal, action: str) -> bool:
    """Whether a policy of the identity allows the action on anything."""
    account = who.account or ""

    def make() -> frozenset[str]:
        return frozenset(one.arn for one in speakers(view, account, action))

    return who.arn in view.commons.of_account(account).once(f"arns that speak of {action}", make)


def _open_roles(view: View, account: str) -> tuple[Principal, ...]:
    """The roles of an account whose trust policies let in more than services and providers."""

    def make() -> tuple[Principal, ...]:
        roles = (one for one in identities_of(view, account) if one.kind is PrincipalKind.ROLE)
        return tuple(one for one in roles if any(way.kind in BY_IDENTITIES for way in ways_into(one)))

    return view.commons.of_account(account).once("roles that identities enter", make)


def _becomes(view: View, who: Principal, role: Principal) -> bool:
    step = step_to(view, who, role, ways_into(role), frozenset({ASSUME}))
    return step is not None and step.action == ASSUME


def _sealed_tag(view: View, tag: str) -> str:
    """An SCP statement that leaves a tag of principals to those who administer the account."""
    condition = {
        "ForAnyValue:StringEquals": {"aws:TagKeys": tag},
        "ArnNotLike": {"aws:PrincipalArn": one_or_many(view.settings.account_admins)},
    }
    actions = ("iam:TagRole", "iam:TagUser", "iam:CreateRole", "iam:CreateUser", "sts:TagSession")
    return deny("ExemptingTagIsSealed", actions, condition, in_key_policy=False)


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
