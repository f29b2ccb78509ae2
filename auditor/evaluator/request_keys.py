"""What is usual of the request's own condition keys, whoever asks about whichever key: few values, or always there.

Source: the descriptions in ``model/data/condition_keys.json``. It speaks of requests that can carry the key at all;
what the key or the caller settles is the business of ``facts`` and ``callers``.
"""

from __future__ import annotations

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.values import ALWAYS_PRESENT, ANY, BOOLEAN, OPTIONAL_BOOLEAN, RunTime
from auditor.model.actions import GRANT_OPERATIONS

CONSTRAINT_TYPES = ("EncryptionContextEquals", "EncryptionContextSubset")
KEY_USAGES = ("ENCAPSULATE_DECAPSULATE", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "SIGN_VERIFY")
ORIGINS = ("AWS_CLOUDHSM", "AWS_KMS", "EXTERNAL", "EXTERNAL_KEY_STORE")
_FEW_VALUES = {
    "kms:keyusage": RunTime(KEY_USAGES, may_be_absent=False),
    "kms:keyorigin": RunTime(ORIGINS, may_be_absent=False),
    "kms:grantoperations": RunTime(GRANT_OPERATIONS, may_be_absent=False),
    "kms:reencryptonsamekey": BOOLEAN,
    "kms:viaservice": RunTime(forms=("*.*.amazonaws.com",)),
    "aws:sourcevpc": RunTime(forms=("vpc-*",)),
    "aws:sourcevpce": RunTime(forms=("vpce-*",)),
    "kms:messagetype": RunTime(("DIGEST", "EXTERNAL_MU", "RAW"), may_be_absent=False),
    "kms:policyname": RunTime(("AWS_RAM", "default"), may_be_absent=False),
    "kms:multiregion": BOOLEAN,  # of the key that CreateKey makes
    "kms:grantconstrainttype": RunTime(CONSTRAINT_TYPES),
    "kms:expirationmodel": RunTime(("KEY_MATERIAL_DOES_NOT_EXPIRE", "KEY_MATERIAL_EXPIRES")),
    "kms:grantisforawsresource": OPTIONAL_BOOLEAN,
    "kms:bypasspolicylockoutsafetycheck": OPTIONAL_BOOLEAN,
    "kms:schedulekeydeletionpendingwindowindays": RunTime(tuple(map(str, range(7, 31)))),
    "aws:viaawsservice": BOOLEAN,
    "aws:multifactorauthpresent": OPTIONAL_BOOLEAN,
}
_OF_EVERY_REQUEST = (
    "kms:datakeypairspec",
    "kms:replicaregion",
    "kms:primaryregion",
    "kms:wrappingalgorithm",
    "kms:wrappingkeyspec",
    "kms:encryptionalgorithm",
    "kms:signingalgorithm",
    "kms:macalgorithm",
    "kms:keyspec",
    "kms:customermasterkeyspec",
    "kms:customermasterkeyusage",
    "kms:trailingdayswithoutkeyusage",
    "kms:calleraccount",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:currenttime",
    "aws:epochtime",
)
"""Keys that no request for an action that takes them leaves out."""
_LITERAL = frozenset(
    {"kms:calleraccount", "kms:viaservice", "aws:principalaccount", "aws:principalarn", "aws:userid", "aws:username"}
    | {"aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename", "aws:sourceidentity"}
    | {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpc", "aws:sourcevpce"}
    | {
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
    }
    | {"kms:granteeprincipal", "kms:granteeserviceprincipal", "kms:retiringprincipal", "kms:retiringserviceprincipal"}
    | {"kms:primaryregion", "kms:replicaregion", "kms:keyspec", "kms:keyusage", "kms:keyorigin", "kms:datakeypairspec"}
)
"""Keys whose values never hold ``*`` or ``?``, as no tag of a user or role does: an operator that compares letter by
letter never meets a wildcard."""
_USUAL = {**dict.fromkeys(_OF_EVERY_REQUEST, ALWAYS_PRESENT), **_FEW_VALUES}


def usual(name: str) -> RunTime:
    """What is known of the key ``name`` (lower case) in a request that nothing else is known of."""
    return _USUAL.get(name, ANY)


def never_met(name: str, value: str) -> bool:
    """Whether no request carries this value of the condition key (lower case) letter by letter."""
    literal = name in _LITERAL or name.startswith("aws:principaltag/")
    return literal and has_wildcard(value) and "${" not in value
