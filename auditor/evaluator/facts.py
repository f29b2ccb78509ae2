"""The value of every condition key for one principal, key and action (IAM global and KMS condition keys).

Each function answers with ``Known``, ``RunTime`` or ``Unsettled``; nothing here looks at a policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.evaluator import vocabulary
from auditor.evaluator.callers import organization_value, principal_value
from auditor.evaluator.implied import ACCOUNT_OF, from_context
from auditor.evaluator.request_keys import usual
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.evaluator.values import ABSENT, ALWAYS_PRESENT, ANY, BOOLEAN, KeyValue, Known, RunTime, Unsettled, known
from auditor.model.actions import GRANTABLE, Action, actions_in, encryption_algorithms, key_type, signing_algorithms
from auditor.model.key import ALIAS_QUOTA, Fact, Key, usable_on
from auditor.model.moments import instant
from auditor.model.policy import Layer
from auditor.model.principal import Principal, PrincipalKind

UNDOCUMENTED_LAYERS = {Layer.KEY_POLICY: "a key policy", Layer.RCP: "an RCP"}
_UNDOCUMENTED = {Fact.TAGS: "effect of a tag", Fact.ALIASES: "effect of an alias"}
"""Where the effect of tag and alias conditions of the key is not documented."""
ALIKE = "effect of tags whose keys differ in case alone"
"""A condition key of a tag is read without regard to case, and matches one of them: which one, AWS does not say (IAM
user guide, global condition keys)."""
_COULD = {Fact.TAGS: ANY, Fact.ALIASES: RunTime(forms=("alias/*",))}
_OF_EVERY_KEY = {"kms:multiregion": BOOLEAN, "kms:multiregionkeytype": RunTime(("PRIMARY", "REPLICA"))}
"""What holds of tags, aliases and metadata that could not be read; other facts of a key are always there."""
_DATA_KEY_ACTIONS = ("GenerateDataKey", "GenerateDataKeyPair")
_CONSTANT = {"kms:keyagreementalgorithm": "ECDH", "kms:encapsulationalgorithm": "ML_KEM"}


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a condition key's value can depend on."""

    surroundings: Surroundings
    principal: Principal
    key: Key
    action: Action
    layer: Layer
    context: Context

    def value(self, name: str) -> KeyValue:
        """What is known of the condition key ``name`` (any case)."""
        lowered = name.lower()
        for given, values in self.context.items():
            if given.lower() == lowered:
                return ABSENT if values is None else Known(tuple(values))
        value = self._unasked(lowered)
        if self.context and isinstance(value, RunTime):
            return self._implied(lowered) or value
        return value

    def _implied(self, lowered: str) -> KeyValue | None:
        """What the other facts of the request say; keys that requests for the action never carry say nothing."""
        carried = {
            name: values
            for name, values in self.context.items()
            if not name.lower().startswith("kms:") or vocabulary.carried_by(name) >> self.action.bit & 1
        }
        if lowered in ACCOUNT_OF and (found := self._organization_of(lowered, carried)) is not None:
            return found
        return from_context(lowered, carried)

    def _organization_of(self, name: str, context: Context) -> KeyValue | None:
        """The organization of an account that the request names (the source that a service acts for, the owner of a
        VPC endpoint), where that account is known."""
        given = {key.lower(): values for key, values in context.items()}
        if ACCOUNT_OF[name] not in given:
            return None
        account = (given[ACCOUNT_OF[name]] or (None,))[0]
        if account is None:
            return ABSENT
        if self.surroundings.organization is None and not self.surroundings.organization_unread:
            return ABSENT if account == self.key.account else None
        return organization_value(account, self.surroundings, path=name.endswith("orgpaths"))

    def _unasked(self, lowered: str) -> KeyValue:
        """What is known without any fact about the request."""
        if lowered.startswith("kms:"):
            return self._kms(lowered)
        if lowered.startswith("aws:"):
            return self._aws(lowered)
        if lowered in vocabulary.SESSION_KEYS:
            return principal_value(lowered, self.principal, self.surroundings)
        if vocabulary.of_another_service(lowered):
            return ABSENT
        # The rest may travel with a session (saml:…, an OIDC sub): never absent for sure.
        return ANY

    def _kms(self, name: str) -> KeyValue:
        if not vocabulary.carried_by(name) >> self.action.bit & 1:
            return ABSENT
        if name == "kms:calleraccount":
            return self._account_of_caller()
        if name in vocabulary.RESOURCE_KEYS:
            return self._resource(name)
        family = vocabulary.family_of(name)
        if family in ("kms:encryptioncontext:", "kms:encryptioncontextkeys", "kms:grantconstrainttype"):
            symmetric = key_type(self.key.spec, self.key.usage) == "symmetric_encryption"
            return usual(name) if symmetric or Fact.KEY_METADATA in self.key.unread else ABSENT
        if name in _CONSTANT:
            return Known((_CONSTANT[name],))
        return self._request(name)

    def _request(self, name: str) -> KeyValue:
        match name:
            case "kms:viaservice":
                return ABSENT if self.principal.kind is PrincipalKind.SERVICE else usual(name)
            case "kms:requestalias":
                return self._request_alias()
            case "kms:encryptionalgorithm":
                return self._encryption_algorithm()
            case "kms:signingalgorithm":
                known_here = self.key.signing_algorithms or signing_algorithms(self.key.spec)
                return RunTime(known_here or None, may_be_absent=False)
            case "kms:macalgorithm":
                return self._mac_algorithm()
            case "kms:grantoperations":
                return RunTime(tuple(one.short for one in actions_in(grantable_on(self.key))), may_be_absent=False)
            case "kms:trailingdayswithoutkeyusage":
                return self._trailing_days()
        return usual(name)

    def _resource(self, name: str) -> KeyValue:
        if not self.action.on_key:  # CreateKey: the value of the request, with a default when omitted
            return usual(name)
        if name == "kms:resourcealiases":
            return self._tag_or_alias(Fact.ALIASES, tuple(alias.name for alias in self.key.aliases))
        if Fact.KEY_METADATA in self.key.unread:
            return Unsettled("key metadata", _OF_EVERY_KEY.get(name, ALWAYS_PRESENT))
        match name:
            case "kms:keyspec" | "kms:customermasterkeyspec":
                return Known((self.key.spec,))
            case "kms:keyusage" | "kms:customermasterkeyusage":
                return Known((self.key.usage,))
            case "kms:keyorigin":
                return Known((self.key.origin,))
            case "kms:multiregion":
                return Known(("true" if self.key.multi_region else "false",))
        return known(self.key.multi_region_key_type if self.key.multi_region else None)

    def _tag_or_alias(self, fact: Fact, values: tuple[str, ...]) -> KeyValue:
        if self.layer in UNDOCUMENTED_LAYERS:
            return self._undocumented(fact, values)
        if fact in self.key.unread:
            return Unsettled(str(fact), _COULD[fact])
        if fact is Fact.TAGS and len(values) > 1:
            return Unsettled(ALIKE, RunTime(values, may_be_absent=False))
        return Known(values)

    def _undocumented(self, fact: Fact, values: tuple[str, ...]) -> KeyValue:
        """A condition on tags or aliases where AWS does not say that it works. AWS's own examples of RCPs exempt keys
        by tag: there it reads what the key has, or nothing, and a key that has nothing is one case."""
        what = f"{_UNDOCUMENTED[fact]} condition in {UNDOCUMENTED_LAYERS[self.layer]}"
        if self.layer is not Layer.RCP:
            return Unsettled(what)
        if fact in self.key.unread:
            return Unsettled(what, _COULD[fact])
        return Unsettled(what, RunTime(values)) if values else ABSENT

    def _request_alias(self) -> KeyValue:
        if Fact.ALIASES in self.key.unread:
            return Unsettled("aliases", _COULD[Fact.ALIASES])
        return RunTime(tuple(sorted(alias.name for alias in self.key.aliases))) if self.key.aliases else ABSENT

    def _encryption_algorithm(self) -> KeyValue:
        if self.action.short.startswith(_DATA_KEY_ACTIONS):
            return Known(("SYMMETRIC_DEFAULT",))
        if Fact.KEY_METADATA in self.key.unread:
            return Unsettled("key metadata", ALWAYS_PRESENT)
        if key_type(self.key.spec, self.key.usage) == "symmetric_encryption":
            return Known(("SYMMETRIC_DEFAULT",))
        known_here = self.key.encryption_algorithms or encryption_algorithms(self.key.spec)
        return RunTime(known_here or None, may_be_absent=False)

    def _mac_algorithm(self) -> KeyValue:
        if len(self.key.mac_algorithms) == 1:
            return Known(self.key.mac_algorithms)
        if Fact.KEY_METADATA in self.key.unread:
            return Unsettled("key metadata", ALWAYS_PRESENT)
        if self.key.spec.startswith("HMAC_"):
            return Known((f"HMAC_SHA_{self.key.spec[5:]}",))
        return RunTime(self.key.mac_algorithms or None, may_be_absent=False)

    def _trailing_days(self) -> KeyValue:
        usage = self.key.last_usage
        since = (
            (usage.last_used or max(filter(None, (usage.tracking_since, self.key.created)), default=None))
            if usage
            else None
        )
        if Fact.LAST_USAGE in self.key.unread:
            return Unsettled("last usage", ALWAYS_PRESENT)
        now, then = instant(self.surroundings.as_of), instant(since)
        if now is None or then is None:
            return ALWAYS_PRESENT  # nobody asked: it stays a condition on the day of the request
        return Known((str(max(0, (now - then).days)),))

    def _aws(self, name: str) -> KeyValue:
        family = vocabulary.family_of(name)
        if family == "aws:resourcetag/":
            if not self.action.on_key:
                return ABSENT
            return self._tag_or_alias(Fact.TAGS, self.key.tag_values(name[len(family) :]))
        if family == "aws:requesttag/" or name == "aws:tagkeys":
            return ANY if vocabulary.carried_by(family) >> self.action.bit & 1 else ABSENT
        match name:
            case "aws:principalaccount":
                return self._account_of_caller()
            case "aws:requestedregion":
                return Known((self.key.region,)) if self.action.on_key else ALWAYS_PRESENT
            case "aws:resourceaccount":
                return Known((self.key.account,)) if self.action.on_key else ABSENT
            case "aws:resourceorgid" | "aws:resourceorgpaths":
                return self._resource_organization(name)
            case "aws:securetransport":
                return Known(("true",))
            case "aws:currenttime" | "aws:epochtime":
                return usual(name)
        return principal_value(name, self.principal, self.surroundings)

    def _account_of_caller(self) -> KeyValue:
        """A service calls from an account of AWS, never from that of the key."""
        if self.principal.kind is PrincipalKind.SERVICE:
            return RunTime(may_be_absent=False, not_value=self.key.account)
        return principal_value("aws:principalaccount", self.principal, self.surroundings)

    def _resource_organization(self, name: str) -> KeyValue:
        if not self.action.on_key:
            return ABSENT
        world = self.surroundings
        if world.organization is None and not world.organization_unread:
            return ABSENT
        return organization_value(self.key.account, world, path=name == "aws:resourceorgpaths")


def over_alias_quota(key: Key) -> bool:
    """Whether access that rests on kms:ResourceAliases fails because the key has too many aliases."""
    return len(key.aliases) > ALIAS_QUOTA


def grantable_on(key: Key) -> int:
    """The operations that a grant on the key can have: KMS makes none with operations that do not suit the key."""
    suitable = usable_on(key)
    return GRANTABLE & suitable
