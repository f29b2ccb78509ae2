"""Which facts each rule needs, and where they are missing: a rule is never silently passed.

Input names are those of the catalogue. An input is missing as a whole (switched off, or not collected at all) or for
single keys and accounts (a gap); the first makes the rule *not evaluated*, the second is listed as skipped scopes.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.coverage import THE_ORGANIZATION
from auditor.model.finding import SkippedScope
from auditor.model.key import Fact
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Gap, Snapshot
from auditor.rules.catalogue import RuleFacts

KEY_FACTS = {
    "key.metadata": (Fact.KEY_METADATA,),
    "key.policy": (Fact.KEY_POLICY,),
    "key.grants": (Fact.GRANTS,),
    "key.tags": (Fact.TAGS,),
    "key.aliases": (Fact.ALIASES,),
    "key.rotation": (Fact.ROTATION,),
    "key.rotations": (Fact.ROTATIONS,),
    "key.last_usage": (Fact.LAST_USAGE,),
    "access.matrix": (Fact.KEY_POLICY, Fact.GRANTS),
}
"""The matrix is blind where what allows could not be read; where what denies could not, a finding is potential."""
ACCOUNT_FACTS = {
    "key.stores": (Fact.KEY_STORES,),
    "ram.shares": (Fact.SHARES,),
    "iam.identities": (Fact.IDENTITIES,),
    "iam.policies": (Fact.IDENTITIES, Fact.IDENTITY_POLICY),
    "iam.boundaries": (Fact.BOUNDARY,),
    "iam.credentials": (Fact.CREDENTIALS,),
    "iam.last_accessed": (Fact.LAST_ACCESSED,),
    "trail.events": (Fact.KEY_EVENTS,),
    "resource.inventory": (Fact.RESOURCES,),
    "org.tree": (Fact.ORGANIZATION,),
    "org.accounts": (Fact.ORGANIZATION,),
    "org.scps": (Fact.ORGANIZATION, Fact.SCP),
    "org.rcps": (Fact.ORGANIZATION, Fact.RCP),
    "trail.config": (Fact.TRAILS,),
    "alarm.config": (Fact.ALARMS,),
    "analyzer.config": (Fact.ANALYZERS,),
    "access.matrix": (Fact.IDENTITIES, Fact.IDENTITY_POLICY),
}
OF_PLACES = frozenset({Fact.TRAILS, Fact.ANALYZERS, Fact.ALARMS, Fact.SHARES, Fact.KEY_STORES})
"""Facts of a whole account and Region, whatever their gaps are about."""
INSTEAD = {("unused-key-permission", "trail.events"): "iam.last_accessed"}
"""Rule and input → another that does as well for it; what both leave open is told by the rule's blind spots."""
EVERY_DOCUMENT = ("iam.policies", "iam.boundaries", "org.scps", "org.rcps")
ALSO_READ = {
    "abac-alias-hijack": ("iam.boundaries", "org.scps"),
    "abac-principal-tag-self-service": ("iam.boundaries", "org.scps"),
    "abac-tag-escalation": ("iam.boundaries", "org.scps"),
    "access-review-overdue": ("key.tags", "key.metadata"),
    "audit-log-key-at-risk": ("key.metadata",),
    "condition-key-not-applicable": EVERY_DOCUMENT,
    "cross-environment-access": ("access.matrix",),
    "custom-key-store-disconnected": ("key.metadata",),
    "deny-has-gap": EVERY_DOCUMENT,
    "direct-plaintext-without-context": ("key.metadata", "key.aliases"),
    "external-account-access": ("org.accounts", "org.rcps"),
    "external-can-delegate": ("org.accounts",),
    "full-kms-to-non-admin": ("access.matrix",),
    "grant-outlives-policy-removal": ("access.matrix",),
    "iam-kms-admin-all-keys": ("key.metadata",),
    "idle-key": ("key.tags",),
    "imported-material-expiring": ("key.rotations",),
    "indirect-key-access-path": ("iam.boundaries", "org.scps", "org.rcps"),
    "inert-statement": EVERY_DOCUMENT,
    "instant-destruction-capability": ("key.metadata",),
    "key-destruction-by-non-admin": ("key.metadata",),
    "key-substitution-by-non-admin": ("key.metadata",),
    "lockout-bypass-allowed": ("org.rcps",),
    "malformed-statement": EVERY_DOCUMENT,
    "manual-rotation-overdue": ("key.policy",),
    "mfa-not-required-for-destruction": ("key.metadata",),
    "never-true-condition": EVERY_DOCUMENT,
    "no-guardrail-key-destruction": ("org.rcps", "key.metadata"),
    "no-key-administrator": ("org.scps", "org.rcps"),
    "permissive-condition-operator": ("iam.policies",),
    "replica-policy-weaker": ("key.metadata",),
    "replicate-key-unrestricted": ("key.metadata",),
    "rotation-period-too-long": ("key.metadata",),
    "service-principal-without-source": ("org.accounts",),
    "unused-key-permission": ("key.metadata",),
}
"""Rule → inputs that it rests on besides those that the catalogue requires."""
WORDS = {
    "baseline": "no baseline was given",
    "trail.events": "key usage events were not collected (--key-events)",
    "iam.last_accessed": "IAM last-accessed data was not collected (--last-accessed)",
    "resource.inventory": "encrypted resources were not collected (--resources)",
    "attestations": "no access reviews are recorded in the settings",
    "trail.config": "no CloudTrail configuration was collected",
    "alarm.config": "no alarms or event rules were collected",
    "analyzer.config": "no Access Analyzer data was collected",
    "org.tree": "the organization was not read",
    "org.scps": "service control policies were not read",
    "org.rcps": "resource control policies were not read",
    "iam.identities": "no IAM identities were collected",
    "iam.policies": "no IAM identities were collected",
    "iam.boundaries": "no IAM identities were collected",
    "key.last_usage": "key usage was not collected",
    "key.stores": "custom key stores were not collected",
}


def absent_inputs(facts: RuleFacts, available: frozenset[str]) -> tuple[str, ...]:
    """Why a rule cannot be evaluated at all: its required inputs that are not in ``available``, in words."""
    ways = (tuple(filter(None, (name, INSTEAD.get((facts.id, name))))) for name in facts.required)
    missing = (way for way in ways if way[0] in WORDS and not available & set(way))
    return tuple(dict.fromkeys(", and ".join(WORDS[name] for name in way) for way in missing))


def _alone(facts: RuleFacts) -> tuple[str, ...]:
    """The inputs without which a rule cannot do."""
    return tuple(name for name in facts.required if (facts.id, name) not in INSTEAD)


def inputs_of(facts: RuleFacts) -> tuple[str, ...]:
    """Every input without which a rule cannot do."""
    return (*_alone(facts), *ALSO_READ.get(facts.id, ()))


class Missing:
    """The facts that are missing in a snapshot, each with the key, principal or place; gathered once for all rules.

    ``in_baseline``: it is not the snapshot of the run.
    """

    def __init__(self, snapshot: Snapshot, *, in_baseline: bool = False) -> None:
        def scope(place: str, fact: Fact) -> SkippedScope:
            return SkippedScope(place, fact, in_baseline)

        self._keys = [scope(key.arn, fact) for key in snapshot.keys if key.customer_managed for fact in key.unread]
        self._holders = [scope(who.arn, fact) for who in snapshot.principals for fact in who.unread]
        self._places = [scope(place_of(gap), gap.fact) for gap in snapshot.gaps]
        known = {name for key in snapshot.keys for name in (key.arn, key.key_id)}
        lost = (gap for gap in snapshot.gaps if gap.fact is Fact.KEY_METADATA and gap.subject not in known)
        self._lost = {scope(place_of(gap), gap.fact) for gap in lost}  # listed, and then gone

    def skipped(self, facts: RuleFacts) -> tuple[SkippedScope, ...]:
        """The keys, accounts and principals that a rule could not look at, with the fact that is missing there."""
        required = [name for name in inputs_of(facts) if (facts.category, name) != ("coverage", "access.matrix")]
        scopes = {*self._without(required, {Fact.KEY_LIST, Fact.REGIONS, Fact.ACCOUNT}), *self._lost}
        return tuple(sorted(scopes, key=str))

    def without_optional(self, facts: RuleFacts) -> tuple[SkippedScope, ...]:
        """Where a rule looked, and lacked something that it looks at as well."""
        return self._without(facts.optional, set())

    def _without(self, inputs: Iterable[str], always: set[Fact]) -> tuple[SkippedScope, ...]:
        named = tuple(inputs)
        of_keys = {fact for name in named for fact in KEY_FACTS.get(name, ())}
        of_accounts = {fact for name in named for fact in ACCOUNT_FACTS.get(name, ())}
        anywhere = of_keys | of_accounts | always
        scopes = {one for one in self._keys if one.fact in of_keys}
        scopes |= {one for one in self._holders if one.fact in of_accounts}
        scopes |= {one for one in self._places if one.fact in anywhere}
        return tuple(sorted(scopes, key=str))


def place_of(gap: Gap) -> str:
    """What a rule cannot look at: of what stands around the keys, no single trail or alarm, but all of its place; of
    the organization, all of it where no level or policy is named, and not the account that asked."""
    subject = "" if gap.fact in OF_PLACES else gap.subject
    everywhere = gap.fact in (Fact.SCP, Fact.RCP) or gap.operation.startswith("organizations:ListTags")
    account = "" if everywhere else gap.account
    return subject or "/".join(part for part in (account, gap.region) if part) or THE_ORGANIZATION


def identities_read(snapshot: Snapshot) -> bool:
    """Whether IAM was collected for at least one account."""
    return bool(snapshot.principals) or any(Fact.IDENTITIES not in account.unread for account in snapshot.accounts)


def available_inputs(snapshot: Snapshot, settings: RuleSettings, has_baseline: bool) -> frozenset[str]:
    """The inputs that this run has at all. A standalone account has an empty organization, which is known."""
    found = {"key.metadata", "key.policy", "key.grants", "key.tags", "key.aliases", "key.rotation", "config"}
    found |= {"collector.log", "access.matrix"}
    if has_baseline:
        found.add("baseline")
    if settings.reviews:
        found.add("attestations")
    if not snapshot.organization_unread:
        found |= {"org.tree", "org.scps", "org.rcps", "org.accounts"}
    if identities_read(snapshot):
        found |= {"iam.identities", "iam.policies", "iam.boundaries", "iam.credentials"}
    return frozenset(found) | optional_inputs(snapshot)


def optional_inputs(snapshot: Snapshot) -> frozenset[str]:
    """Optional evidence counts as present when somebody asked for it anywhere, even where the answer was empty."""
    asked = {fact for fact, _, _ in snapshot.evidence.asked}
    names = {
        "iam.last_accessed": Fact.LAST_ACCESSED,
        "trail.events": Fact.KEY_EVENTS,
        "resource.inventory": Fact.RESOURCES,
        "trail.config": Fact.TRAILS,
        "alarm.config": Fact.ALARMS,
        "analyzer.config": Fact.ANALYZERS,
    }
    found = {name for name, fact in names.items() if fact in asked}
    if any(key.last_usage is not None for key in snapshot.keys):
        found.add("key.last_usage")
    # Stores are read together with the keys; the rules about them fall silent by themselves where there are none.
    return frozenset(found | {"key.stores"})
