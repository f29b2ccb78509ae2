"""Rules about what the organization's policies leave open in an account, asked of invented callers and keys."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import matches
from auditor.evaluator.synthetic import account_admin, data_role, unused_account
from auditor.model.actions import BY_NAME, mask_of
from auditor.model.arn import parse_arn
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Layer, parse_policy
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.principals import service_linked
from auditor.rules.privilege.power import LIVE
from auditor.rules.reach import Openness, openness
from auditor.rules.view import View, keys_by_account

OPEN_POLICY = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
)
DESTRUCTION = ("ScheduleKeyDeletion", "DisableKey", "DeleteImportedKeyMaterial")
FOREIGN_USE = ("GenerateDataKey", "Encrypt", "ReEncryptTo", "CreateGrant")
STORAGE_WRITES = (
    "s3:PutObject",
    "ec2:CreateVolume",
    "rds:CreateDBInstance",
    "dynamodb:CreateTable",
    "backup:StartCopyJob",
)
BYPASS = {"kms:BypassPolicyLockoutSafetyCheck": ("true",)}


def open_key(account: str, region: str, partition: str = "aws") -> Key:
    """A key that does not exist, whose policy allows everybody everything: only guardrails can say no."""
    arn = f"arn:{partition}:kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", arn, OPEN_POLICY)
    return Key(
        arn=arn, key_id=arn.rsplit("/", 1)[-1], account=account, region=region, origin="EXTERNAL", policies=(policy,)
    )


def _partition(key: Key) -> str:
    arn = parse_arn(key.arn)
    return arn.partition if arn else "aws"


def is_management(view: View, account: str) -> bool:
    """Whether the account is the organization's management account, which no SCP or RCP binds."""
    organization = view.snapshot.organization
    return organization is not None and organization.management_account == account


def _path(view: View, account: str) -> Evidence:
    organization = view.snapshot.organization
    levels = organization.levels(account) if organization else None
    parts = [f"{level.name} ({listing(p.name for p in level.scps or ()) or 'no SCP'})" for level in levels or ()]
    return Evidence("SCP path", " → ".join(parts) or "no organization")


def _hit(
    view: View,
    account: str,
    keys: list[Key],
    summary: str,
    *,
    raised: tuple[str, ...] = (),
    lowered: tuple[str, ...] = (),
    more: tuple[Evidence, ...] = (),
) -> Hit:
    return Hit(
        subject=account,
        kind="account",
        summary=summary,
        account=account,
        region=keys[0].region if keys else "",
        keys=tuple(key.arn for key in keys),
        evidence=(_path(view, account), *more),
        raised=raised,
        lowered=lowered,
    )


def no_guardrail_key_destruction(view: View) -> Iterator[Hit]:
    """Nothing above the account stops its administrators from destroying keys.

    Asks what an administrator without a boundary could do on a key that allows everything: only SCPs and RCPs are left
    to say no, and exemptions for named roles do not help the invented one. Exempt accounts and the management account
    (which no SCP binds) are silent.

    Fix: deny destruction at the OU, with the decommissioning role exempt.
    """
    for account, keys in keys_by_account(view).items():
        if is_management(view, account) or view.trust.account_in(account, view.settings.destroy_exempt_accounts):
            continue
        probe, admin = (
            open_key(account, keys[0].region, _partition(keys[0])),
            account_admin(account, _partition(keys[0])),
        )
        open_actions = [
            name
            for name in DESTRUCTION
            if openness(view.evaluation.decide(admin, probe, f"kms:{name}")) in (Openness.OPEN, Openness.GUARDED)
        ]
        if not open_actions:
            continue
        alone = view.snapshot.organization is None
        yield _hit(
            view,
            account,
            keys,
            f"No guardrail stops {listing(f'kms:{name}' for name in open_actions)} in account {account}.",
            raised=given((not alone and any(view.tier(key) == "T1" for key in keys), "T1 keys")),
            lowered=given(
                (alone, "standalone account"),
                (not alone and all(_guarded(view, key) for key in keys), "own destruction guard"),
            ),
            more=(Evidence("open", listing(open_actions)),),
        )


def _guarded(view: View, key: Key) -> bool:
    from auditor.evaluator.statements import action_mask

    wanted = mask_of(["ScheduleKeyDeletion", "DisableKey"])
    return any(
        located.statement.effect == "Deny" and not wanted & ~action_mask(located.statement)
        for located in view.statements(key)
    )


def no_guardrail_external_principals(view: View) -> Iterator[Hit]:
    """No resource control policy keeps outsiders away from the account's keys.

    Asks whether a stranger could read with a key whose policy is wide open: a mistake in one key policy would then be
    enough. Silent for the management account, where RCPs have no effect, and without an organization.

    Fix: attach an RCP that refuses KMS to principals outside the organization.
    """
    if view.snapshot.organization is None:
        return
    for account, keys in keys_by_account(view).items():
        if is_management(view, account) or account not in view.trust.organization_accounts:
            continue
        decision = view.evaluation.decide(
            view.outsider, open_key(account, keys[0].region, _partition(keys[0])), "kms:Decrypt"
        )
        if openness(decision) is not Openness.OPEN:
            continue
        yield _hit(
            view,
            account,
            keys,
            f"No RCP keeps outsiders away from the {count(len(keys), 'key')} of account {account}.",
            raised=given((any(view.tier(key) == "T1" for key in keys), "account has T1 keys")),
        )


def lockout_bypass_allowed(view: View) -> Iterator[Hit]:
    """Principals may switch off the check that keeps them from locking everybody out of a key.

    ``BypassPolicyLockoutSafetyCheck`` lets a PutKeyPolicy or CreateKey store a policy that nobody can change again.
    Looks for somebody other than account administrators who may call them, and for a guardrail against the bypass.

    Fix: deny the bypass for the organization.
    """
    creators = mask_of(["CreateKey"])
    putters = mask_of(["PutKeyPolicy"])
    able: dict[str, set[str]] = {}
    for position, who in enumerate(view.reach.principals):
        if who.account and view.reach.account_level(position, creators, *LIVE) and _ordinary(view, position):
            able.setdefault(who.account, set()).add(who.arn)
    pairs = view.reach.all_pairs
    putting = pairs.select(view.reach.having(pairs, putters, *LIVE)) if len(pairs) else pairs
    for position, own in putting.by_principal():
        if _ordinary(view, position):
            for column in set(own.keys.tolist()):
                able.setdefault(view.reach.keys[column].account, set()).add(view.reach.principals[position].arn)
    for account, keys in keys_by_account(view).items():
        admin, probe = (
            account_admin(account, _partition(keys[0])),
            open_key(account, keys[0].region, _partition(keys[0])),
        )
        decision = view.evaluation.decide(admin, probe, "kms:PutKeyPolicy", BYPASS)
        if account not in able or openness(decision) is not Openness.OPEN:
            continue
        yield _hit(
            view,
            account,
            keys,
            f"{count(len(able[account]), 'principal')} of account {account} may bypass the lockout safety check.",
            raised=given((any(view.tier(key) == "T1" for key in keys), "T1 keys")),
            more=(Evidence("principals", listing(able[account])),),
        )


def _ordinary(view: View, position: int) -> bool:
    who = view.reach.principals[position]
    from auditor.rules.reach import INSIDE

    return who.kind in INSIDE and not service_linked(who) and not view.trust.account_admin(who)


def foreign_key_encryption_not_blocked(view: View) -> Iterator[Hit]:
    """Identities of the account may encrypt its data under a key of somebody outside the organization.

    Whoever owns that key can then withhold the data: the KMS form of ransomware. Asks an invented storage role against
    an outside key, and looks for a real identity with the same reach.

    Fix: deny KMS use of resources outside the organization by SCP (``aws:ResourceOrgID``).
    """
    foreign_account = unused_account(view.named_accounts)
    for account, keys in keys_by_account(view).items():
        partition = _partition(keys[0])
        probe = open_key(foreign_account, keys[0].region, partition)
        role = data_role(account, partition)
        reachable = [
            name
            for name in FOREIGN_USE
            if openness(view.evaluation.decide(role, probe, BY_NAME[f"kms:{name}".lower()].name)) is Openness.OPEN
        ]
        holders = _writers(view, account, probe.arn) if reachable else []
        if not holders or is_management(view, account):
            continue
        yield _hit(
            view,
            account,
            keys,
            f"{count(len(holders), 'identity')} of account {account} can encrypt data under foreign keys.",
            raised=given((any(view.tier(key) == "T1" for key in keys), "T1 data")),
            more=(Evidence("identities", listing(holders)), Evidence("open", listing(reachable))),
        )


def _writers(view: View, account: str, arn: str) -> list[str]:
    """Identities whose own policies allow both key use on any key and writing to storage."""
    keys_open: set[str] = set()
    storage: set[str] = set()
    for document in view.identity_documents:
        if document.account != account:
            continue
        names = {holder.arn for holder in document.holders if not service_linked(holder)}
        for located in document.statements():
            statement = located.statement
            if statement.effect != "Allow":
                continue
            patterns = statement.actions or ()
            if _names(patterns, ("kms:GenerateDataKey", "kms:Encrypt", "kms:ReEncryptTo")) and _covers(
                statement.resources, arn
            ):
                keys_open |= names
            if _names(patterns, STORAGE_WRITES):
                storage |= names
    return sorted(keys_open & storage)


def _names(patterns: tuple[str, ...], actions: tuple[str, ...]) -> bool:
    return any(matches(pattern.lower(), action.lower()) for pattern in patterns for action in actions)


def _covers(resources: tuple[str, ...] | None, arn: str) -> bool:
    return any(matches(pattern, arn) for pattern in resources or ())


def keys_in_management_account(view: View) -> Iterator[Hit]:
    """Customer managed keys live in the organization's management account, where no SCP or RCP protects them.

    Keys whose alias or id is listed in ``management_key_uses`` are silent: they serve the organization itself.

    Fix: move workload keys to member accounts.
    """
    for account, keys in keys_by_account(view).items():
        uses = view.settings.management_key_uses
        own = [
            key
            for key in keys
            if key.state == "Enabled"
            and not ({key.key_id, key.arn, *(alias.name for alias in key.aliases)} & set(uses))
        ]
        if not is_management(view, account) or not own:
            continue
        yield _hit(
            view,
            account,
            own,
            f"{count(len(own), 'key')} in the management account {account}, out of reach of SCPs and RCPs.",
            raised=given((any(view.tier(key) == "T1" for key in own), "T1 key")),
            more=(Evidence("keys", listing(key.arn for key in own)),),
        )
