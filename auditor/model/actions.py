"""The 58 IAM actions of AWS KMS: names, bits, capabilities and named sets.

Every set of actions is an ``int`` bit mask over ``ACTIONS`` (bit *i* is ``ACTIONS[i]``), so that unions and
intersections over the whole vocabulary cost one machine operation.
Source: ``data/actions.json`` (service authorization data of 2026-10, SDK model of 2026-11); KMS developer guide,
"AWS KMS permissions" and "Key type reference". The named sets are what rules ask about.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from auditor.model.wildcards import expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Capability(StrEnum):
    """What a set of actions means for people, one word per row of the matrix; the value is what one types."""

    ADMINISTER = "administer"
    GRANT = "grant"
    DECRYPT = "decrypt"
    ENCRYPT = "encrypt"
    READ = "read"

    @property
    def label(self) -> str:
        """What every output calls it."""
        return "encrypt / sign" if self is Capability.ENCRYPT else self.value


@dataclass(frozen=True, slots=True)
class Action:
    """One action: ``bit`` is its position in every mask.

    ``on_key``: authorizes against a key; ``key_policy_effective``: a key policy or RCP can decide it;
    ``key_types`` / ``origins`` / ``states``: None means all (states None: not documented).
    """

    name: str
    bit: int
    category: str
    on_key: bool
    on_alias: bool
    key_policy_effective: bool
    rcp_applies: bool
    cross_account: bool
    grantable: bool
    recipient_attestation: bool
    key_types: frozenset[str] | None
    origins: frozenset[str] | None
    states: frozenset[str] | None

    @property
    def short(self) -> str:
        """The name without ``kms:``, as grants and the SDK write it."""
        return self.name[4:]


@cache
def _data() -> dict[str, Any]:
    text = files("auditor.model").joinpath("data/actions.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


_USABLE = dict.fromkeys(
    ("kms:DeriveSharedSecret", "kms:Encapsulate", "kms:Decapsulate", "kms:RotateKeyOnDemand"),
    frozenset({"Enabled", "Updating"}),
)
"""Actions that AWS's table of key states leaves out: their declared exceptions say that the key must be usable."""


def _subset(value: object) -> frozenset[str] | None:
    return frozenset(value) if isinstance(value, list) else None


def _action(bit: int, entry: dict[str, Any]) -> Action:
    return Action(
        name=entry["action"],
        bit=bit,
        category=entry["category"],
        on_key="key" in entry["resource_types"],
        on_alias="alias" in entry["resource_types"],
        key_policy_effective=entry["key_policy"] != "no",
        rcp_applies=entry["rcp_applies"] == "yes",
        cross_account=entry["cross_account"] == "yes",
        grantable=bool(entry["grantable"]),
        recipient_attestation=bool(entry["recipient_attestation_keys"]),
        key_types=_subset(entry["key_types"]),
        origins=_subset(entry["origins"]),
        states=_subset(entry["key_states_ok"]) or _USABLE.get(entry["action"]),
    )


ACTIONS: tuple[Action, ...] = tuple(_action(bit, entry) for bit, entry in enumerate(_data()["actions"]))
BY_NAME: dict[str, Action] = {action.name.lower(): action for action in ACTIONS}
NONEXISTENT: dict[str, str] = dict(_data()["nonexistent_actions_seen_in_policies"])
"""Names seen in policies that are no actions → what was probably meant."""


def find_action(name: str) -> Action | None:
    """The action called ``name`` (with or without ``kms:``, any case), or None."""
    text = name.lower()
    return BY_NAME.get(text) or BY_NAME.get(f"kms:{text}")


def mask_of(names: Iterable[str]) -> int:
    """The mask of the named actions (``Decrypt`` or ``kms:Decrypt``); a name that is no action raises KeyError."""
    mask = 0
    for name in names:
        action = find_action(name)
        if action is None:
            raise KeyError(name)
        mask |= 1 << action.bit
    return mask


def actions_in(mask: int) -> Iterator[Action]:
    """The actions of ``mask``, in order of their bits."""
    return iter(_actions_in(mask))


@lru_cache(maxsize=65536)
def _actions_in(mask: int) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if mask >> action.bit & 1)


@lru_cache(maxsize=16384)
def match_pattern(pattern: str) -> int:
    """The mask of the KMS actions that an Action element value matches; ``*`` and ``?`` are wildcards, case is ignored.

    Source: IAM reference, Action element. ``kms:ReEncrypt`` without a wildcard matches nothing.
    """
    lowered = pattern.lower()
    if lowered in ("*", "kms:*", "*:*"):
        return ALL
    if "*" not in lowered and "?" not in lowered:
        action = BY_NAME.get(lowered)
        return 1 << action.bit if action else 0
    regex = expression(lowered)
    return sum(1 << action.bit for action in ACTIONS if regex.fullmatch(action.name.lower()))


def _where(attribute: str) -> int:
    return sum(1 << action.bit for action in ACTIONS if getattr(action, attribute))


ALL = (1 << len(ACTIONS)) - 1
ON_KEY = _where("on_key")
"""Actions that authorize against a key."""
ACCOUNT_LEVEL = ALL & ~ON_KEY
"""Actions without a key: identity policies, boundary, session policy and SCPs alone decide them."""
KEY_POLICY_EFFECTIVE = _where("key_policy_effective") & ON_KEY
RCP_APPLIES = _where("rcp_applies") & KEY_POLICY_EFFECTIVE
CROSS_ACCOUNT = _where("cross_account")
GRANTABLE = _where("grantable")
GRANT_OPERATIONS = tuple(action.short for action in ACTIONS if action.grantable)
"""The operations that a grant can hold, as CreateGrant writes them."""
RETIRE_GRANT = mask_of(["RetireGrant"])
CREATE_GRANT = mask_of(["CreateGrant"])
CREATE_KEY = mask_of(["CreateKey"])
ALIAS_ACTIONS = mask_of(["CreateAlias", "UpdateAlias", "DeleteAlias"])
"""They need the permission on the alias (never by key policy) and on the key (developer guide, alias access)."""

READ_PLAINTEXT = mask_of(["Decrypt", "ReEncryptFrom", "DeriveSharedSecret", "Decapsulate"])
NEW_DATA_KEYS = mask_of(["GenerateDataKey", "GenerateDataKeyPair"])
FORGE = mask_of(["Sign", "GenerateMac"])
WRAP = mask_of(
    [
        "Encrypt",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPairWithoutPlaintext",
        "ReEncryptTo",
        "Encapsulate",
        "GetPublicKey",
        "Verify",
        "VerifyMac",
    ]
)
CRYPTO = (READ_PLAINTEXT | NEW_DATA_KEYS | FORGE | WRAP) & ~mask_of(["GetPublicKey"])
TAKEOVER = mask_of(["PutKeyPolicy", "CreateGrant", "ReplicateKey"])
STORE_BREAKERS = mask_of(["DisconnectCustomKeyStore", "UpdateCustomKeyStore"])
DESTROY = mask_of(["ScheduleKeyDeletion", "DisableKey", "DeleteImportedKeyMaterial"]) | STORE_BREAKERS
ABAC_TAMPER = mask_of(["TagResource", "UntagResource", "CreateAlias", "UpdateAlias", "DeleteAlias"])
META = mask_of(
    [
        "DescribeKey",
        "GetKeyPolicy",
        "ListKeyPolicies",
        "ListGrants",
        "ListResourceTags",
        "GetKeyRotationStatus",
        "ListKeyRotations",
        "GetKeyLastUsage",
        "GetParametersForImport",
        "ListKeys",
        "ListAliases",
        "ListRetirableGrants",
        "DescribeCustomKeyStores",
    ]
)
USE = READ_PLAINTEXT | FORGE
"""What a stolen key is used for: to read, and to sign in its name."""
CONTROL = TAKEOVER | DESTROY
"""What decides over a key, whether or not its holder uses it."""
POWER = USE | TAKEOVER
SENSITIVE = USE | CONTROL
SENSITIVE_CLASSES = {"read": READ_PLAINTEXT, "forge": FORGE, "takeover": TAKEOVER, "destroy": DESTROY}
CROSS_ACCOUNT_EFFECTIVE = CROSS_ACCOUNT & ON_KEY

ADMINISTER_CATEGORIES = ("administer", "delete", "policy", "attribute")
CAPABILITY_MASKS: dict[Capability, int] = {
    Capability.ADMINISTER: sum(1 << a.bit for a in ACTIONS if a.category in ADMINISTER_CATEGORIES)
    | mask_of(["ReplicateKey", "RevokeGrant"]),
    Capability.GRANT: CREATE_GRANT,
    Capability.DECRYPT: READ_PLAINTEXT | NEW_DATA_KEYS,
    Capability.ENCRYPT: (CRYPTO & ~READ_PLAINTEXT),
    Capability.READ: (META & ON_KEY) | mask_of(["GetPublicKey"]),
}
"""Capability → actions. Data keys in plaintext count for both decrypt and encrypt; RetireGrant only ends access and
belongs to none."""


def key_type(spec: str, usage: str) -> str:
    """The key type of ``data/actions.json`` that a KeySpec and KeyUsage make (developer guide, key type reference)."""
    if usage == "GENERATE_VERIFY_MAC" or spec.startswith("HMAC_"):
        return "hmac"
    if usage == "SIGN_VERIFY":
        return "asymmetric_sign_verify"
    if usage == "KEY_AGREEMENT":
        return "asymmetric_key_agreement"
    if usage == "ENCAPSULATE_DECAPSULATE":
        return "asymmetric_encapsulate_decapsulate"
    return "symmetric_encryption" if spec in ("SYMMETRIC_DEFAULT", "") else "asymmetric_encrypt_decrypt"


_RSA_SIGNING = tuple(
    f"RSASSA_{padding}_SHA_{size}" for padding in ("PKCS1_V1_5", "PSS") for size in ("256", "384", "512")
)
_SIGNING = {
    "ECC_NIST_P256": ("ECDSA_SHA_256",),
    "ECC_NIST_P384": ("ECDSA_SHA_384",),
    "ECC_NIST_P521": ("ECDSA_SHA_512",),
    "ECC_SECG_P256K1": ("ECDSA_SHA_256",),
    "ECC_NIST_EDWARDS25519": ("ED25519_PH_SHA_512", "ED25519_SHA_512"),
    "SM2": ("SM2DSA",),
}


def signing_algorithms(spec: str) -> tuple[str, ...]:
    """The signing algorithms of a KeySpec (developer guide, key type reference); empty where it has none."""
    if spec.startswith("RSA_"):
        return _RSA_SIGNING
    return ("ML_DSA_SHAKE_256",) if spec.startswith("ML_DSA_") else _SIGNING.get(spec, ())


def encryption_algorithms(spec: str) -> tuple[str, ...]:
    """The encryption algorithms of a KeySpec (developer guide, key type reference); empty where it has none."""
    if spec.startswith("RSA_"):
        return ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
    return {"SYMMETRIC_DEFAULT": ("SYMMETRIC_DEFAULT",), "SM2": ("SM2PKE",)}.get(spec, ())


@lru_cache(maxsize=256)
def usable_mask(spec: str, usage: str, origin: str) -> int:
    """The actions that can ever succeed on a key of this type and origin; authorization does not look at this."""
    kind = key_type(spec, usage)
    return sum(
        1 << action.bit
        for action in ACTIONS
        if action.on_key
        and (action.key_types is None or kind in action.key_types)
        and (action.origins is None or origin in action.origins)
    )


def state_blocks(action: Action, state: str) -> bool:
    """Whether the call fails in this key state although it is authorized (developer guide, key states)."""
    return action.states is not None and bool(state) and state not in action.states
