"""Rules about what the organization's policies leave open in an account, asked of invented callers and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator import Context
from auditor.evaluator.synthetic import account_admin
from auditor.model.access import Role
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.rules.detection.sinks import log_resources
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.reach import Openness, openness
from auditor.rules.view import View

OPEN_POLICY = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
)
MATERIAL = "DeleteImportedKeyMaterial"
DESTROYING = ("ScheduleKeyDeletion", "DisableKey", MATERIAL)
IN_USE: Context = {"kms:TrailingDaysWithoutKeyUsage": ("0",)}
"""What is known of a request about a key that was used today."""


def open_key(account: str, region: str, partition: str = "aws") -> Key:
    """A key that does not exist, whose policy allows everybody everything: only guardrails can say no."""
    arn = f"arn:{partition}:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", arn, OPEN_POLICY)
    return Key(
        arn=arn, key_id=arn.rsplit("/", 1)[-1], account=account, region=region, origin="EXTERNAL", policies=(policy,)
    )


def how_open(
    view: View, who: Principal, probe: Key, name: str, account: str, context: Context | None = None
) -> Openness:
    """What the guardrails of an account leave of an action (``name`` without ``kms:``): of an invented caller of it on
    an invented key, or of a stranger on an invented key of it. The keys of the estate play no part in that."""
    question, memo = f"{who.arn} {name} {probe.arn} {context or ''}", view.commons.of_account(account)
    return memo.once(question, lambda: openness(view.evaluation.decide(who, probe, f"kms:{name}", context)))


def any_restricted(view: View, keys: list[Key]) -> bool:
    """Whether one of the keys is of tier T1."""
    return any(view.tier(key) == "T1" for key in keys)


def is_management(view: View, account: str) -> bool:
    """Whether the account is the organization's management account, which no SCP or RCP binds."""
    organization = view.snapshot.organization
    return organization is not None and organization.management_account == account


def _path(view: View, account: str, layer: Layer) -> Evidence:
    organization = view.snapshot.organization
    levels = organization.levels(account) if organization else None
    word = "RCP" if layer is Layer.RCP else "SCP"
    parts = []
    for level in levels or ():
        attached = level.rcps if layer is Layer.RCP else level.scps
        parts.append(f"{level.name} ({listing(policy.name for policy in attached or ()) or f'no {word}'})")
    return Evidence(f"{word} path", " → ".join(parts) or "no organization")


def account_hit(
    view: View,
    account: str,
    keys: list[Key],
    summary: str,
    *,
    raised: tuple[str, ...] = (),
    lowered: tuple[str, ...] = (),
    more: tuple[Evidence, ...] = (),
    remedy: str = "",
    layer: Layer = Layer.SCP,
) -> Hit:
    """A hit about an account and its keys, with the guardrails of ``layer`` above it."""
    return Hit(
        subject=account,
        kind="account",
        summary=summary,
        account=account,
        region=keys[0].region if keys else "",
        keys=tuple(key.arn for key in keys),
        evidence=(_path(view, account, layer), *more),
        raised=raised,
        lowered=lowered,
        remedy=remedy,
    )


def no_guardrail_key_destruction(view: View) -> Iterator[Hit]:
    """Nothing above the account stops its administrators from destroying keys.

    Asks what an administrator without a boundary could do on a key that allows everything: only SCPs and RCPs are left
    to say no, and exemptions for named or tagged roles do not help the invented one. The key is one in use: to refuse
    destruction for so many days after the last use is a guardrail, and so is to protect each key by its ARN or tags.
    Exempt accounts and the management account (which no SCP binds) are silent.

    Fix: deny destruction at the OU, with the decommissioning role exempt.
    """
    known = view.commons.once("key-in-use-and-no-principal-tags", lambda: {**_no_tags(view), **IN_USE})
    for account, keys in view.keys_by_account.items():
        if is_management(view, account) or view.trust.account_in(account, view.settings.destroy_exempt_accounts):
            continue
        left = {name: _left(view, account, keys, name, known) for name in DESTROYING}
        certain = [name for name, level in left.items() if level is Openness.OPEN]
        open_actions = certain or [name for name, level in left.items() if level in (Openness.BLIND, Openness.MAYBE)]
        if not open_actions:
            continue
        alone = view.snapshot.organization is None
        hit = account_hit(
            view,
            account,
            keys,
            f"No guardrail stops {listing(f'kms:{name}' for name in open_actions)} in account {account}.",
            raised=given((any_restricted(view, keys), "T1 keys")),
            lowered=given(
                (alone, "standalone account"),
                (not alone and all(_guarded(view, key) for key in keys), "own destruction guard"),
            ),
            more=(Evidence("open", listing(open_actions)),),
        )
        yield hit if certain else replace(hit, confidence=Confidence.POTENTIAL)


def _left(view: View, account: str, keys: list[Key], name: str, known: Context) -> Openness:
    """What guardrails leave to an administrator of the account on one of its keys: where an invented key of the Region
    is open, each is looked at, as guardrails may protect keys by ARN, alias or tag."""
    found = Openness.CLOSED
    for probe in probes(account, keys):
        admin = account_admin(account, probe.partition)
        if how_open(view, admin, probe, name, account, known) is not Openness.OPEN:
            continue
        for key in keys:
            if key.region == probe.region and (name != MATERIAL or key.origin == "EXTERNAL"):
                found = max(found, openness(view.evaluation.decide(admin, _opened(key), f"kms:{name}", known)))
            if found is Openness.OPEN:
                return found
    return found


def probes(account: str, keys: list[Key]) -> list[Key]:
    """An invented key that is open to everybody in each Region that has keys of the account."""
    places = dict.fromkeys((key.region, key.partition) for key in keys)
    return [open_key(account, region, partition) for region, partition in places]


def _opened(key: Key) -> Key:
    """The key as if its policy allowed everybody everything."""
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", key.arn, OPEN_POLICY)
    return replace(key, policies=(policy,), grants=(), unread=key.unread - {Fact.KEY_POLICY, Fact.GRANTS})


def _no_tags(view: View) -> Context:
    """The tags of principals that guardrails look at, known to be absent: no exemption is for the invented caller."""
    tests = [
        test
        for document in (*view.scps, *view.rcps)
        for statement in document.policy.statements
        for test in statement.conditions
    ]
    return {test.key: None for test in tests if test.key.lower().startswith("aws:principaltag/")}


def _guarded(view: View, key: Key) -> bool:
    """Whether a Deny of the key's own policy keeps an administrator of the account from destroying it."""
    admin = account_admin(key.account, key.partition)
    names = ("kms:ScheduleKeyDeletion", "kms:DisableKey")
    decisions = [view.evaluation.decide(admin, key, name, IN_USE) for name in names]
    return all(
        openness(decision) is not Openness.OPEN
        and any(cause.role is Role.DENIES and cause.layer is Layer.KEY_POLICY for cause in decision.causes)
        for decision in decisions
    )


def keys_in_management_account(view: View) -> Iterator[Hit]:
    """Customer managed keys live in the organization's management account, where no SCP or RCP protects them.

    Keys whose alias or id is listed in ``management_key_uses`` are silent: they serve the organization itself.

    Fix: move workload keys to member accounts.
    """
    for account, keys in view.keys_by_account.items():
        uses = view.settings.management_key_uses
        own = [
            key
            for key in keys
            if key.state == "Enabled"
            and Fact.KEY_METADATA not in key.unread
            and not ({key.key_id, key.arn, *(alias.name for alias in key.aliases)} & set(uses))
        ]
        if not is_management(view, account) or not own:
            continue
        yield account_hit(
            view,
            account,
            own,
            f"{count(len(own), 'key')} in the management account {account}, out of reach of SCPs and RCPs.",
            raised=given((any_restricted(view, own), "T1 key")),
            lowered=given((all(log_resources(view, key) and _guarded(view, key) for key in own), "organization trail")),
            more=(Evidence("keys", listing(key.arn for key in own)),),
        )
