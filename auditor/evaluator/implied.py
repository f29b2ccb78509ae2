"""What one condition key of a request says about another: facts that follow from each other in every request.

Source: IAM and KMS guides, condition keys; the descriptions in ``model/data/condition_keys.json``. A call with
``kms:ViaService`` is a forward access session, as is one that makes a grant for a service's resource; the pairs of an
encryption context are those that its keys name, and on a grant they are its constraint; the tags of a request are those
that its tag keys name; a session without multi-factor authentication has no age of it; a grant has one grantee, and a
service gets none without a source; a request through a VPC endpoint has no public address; key material that does not
expire has no last day; the services of a call stand in order. Nothing here looks at a policy.
"""

from __future__ import annotations

from auditor.evaluator.request_keys import CONSTRAINT_TYPES
from auditor.evaluator.surroundings import Context
from auditor.evaluator.values import ABSENT, KeyValue, Known, RunTime

VIA_AWS_SERVICE = "aws:viaawsservice"
VIA_SERVICE = "kms:viaservice"
CONTEXT_KEYS = "kms:encryptioncontextkeys"
CONTEXT_PAIR = "kms:encryptioncontext:"
TAG_KEYS, TAG_PAIR = "aws:tagkeys", "aws:requesttag/"
SPELLED = {CONTEXT_KEYS: "kms:EncryptionContextKeys", TAG_KEYS: "aws:TagKeys"}
MFA_PRESENT = "aws:multifactorauthpresent"
MFA_AGE = "aws:multifactorauthage"
CALLED_VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
FOR_RESOURCE = "kms:grantisforawsresource"
CONSTRAINT_TYPE = "kms:grantconstrainttype"
SOURCE_ORGANIZATION = ("aws:sourceorgid", "aws:sourceorgpaths")
_OF_SOURCE, _OF_ENDPOINT = ("aws:SourceOrgID", "aws:SourceOrgPaths"), ("aws:VpceOrgID", "aws:VpceOrgPaths")
_OF_PRINCIPAL, _OF_KEY = ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths"), ("aws:ResourceOrgID", "aws:ResourceOrgPaths")
ORGANIZATION_OF = {
    "aws:sourceaccount": _OF_SOURCE,
    "aws:vpceaccount": _OF_ENDPOINT,
    "aws:principalaccount": _OF_PRINCIPAL,
    "kms:calleraccount": _OF_PRINCIPAL,
}
"""Condition key of an account (lower case) → those of the organization that the account is in: its id and the path."""
ACCOUNT_OF = {name.lower(): key for key, names in ORGANIZATION_OF.items() for name in names if key.startswith("aws:")}
PATHS_OF = {name.lower(): paths for name, paths in (_OF_SOURCE, _OF_ENDPOINT, _OF_PRINCIPAL, _OF_KEY)}
ID_OF = {paths.lower(): name for name, paths in (_OF_SOURCE, _OF_ENDPOINT, _OF_PRINCIPAL, _OF_KEY)}
"""Condition key of an organization's id (lower case) → that of the path in it, and the other way round."""
GRANTEES = ("kms:granteeprincipal", "kms:granteeserviceprincipal")
GRANT_SOURCE_ARN = "kms:grantconstraintsourcearn"
EITHER = {GRANTEES[0]: "kms:GranteeServicePrincipal", GRANTEES[1]: "kms:GranteePrincipal"}
"""Keys (lower case) and the one that a request carries which does not carry them."""
OTHER_TIME = {"aws:currenttime": "aws:EpochTime", "aws:epochtime": "aws:CurrentTime"}
"""The two names (lower case) of the time of a request, and the other one of each."""
EXPIRATION, VALID_TO = "kms:expirationmodel", "kms:validto"
_VPC_ENDPOINT = (
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
)
"""Keys of requests through a VPC endpoint, which have no public address."""
_ENDPOINT_NAMES = frozenset(name.lower() for name in _VPC_ENDPOINT)
_OF_EVERY_ENDPOINT = ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:vpceaccount")
"""Those among them (lower case) that a request through a VPC endpoint always carries."""
EXCLUSIVE = {
    "kms:granteeprincipal": ("kms:GranteeServicePrincipal",),
    "kms:granteeserviceprincipal": ("kms:GranteePrincipal",),
    "kms:retiringprincipal": ("kms:RetiringServicePrincipal",),
    "kms:retiringserviceprincipal": ("kms:RetiringPrincipal",),
    "aws:sourceip": _VPC_ENDPOINT,
    **{name.lower(): ("aws:SourceIp",) for name in _VPC_ENDPOINT},
}
"""Keys (lower case) and those that a request with them does not carry: a grant has one grantee, a request
goes through a VPC endpoint or has a public address (IAM reference, global condition keys)."""
_SERVICES = ("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast")
TOGETHER = {
    **{
        name.lower(): tuple(other for other in _VPC_ENDPOINT if other.lower() in _OF_EVERY_ENDPOINT and other != name)
        for name in _VPC_ENDPOINT
    },
    **{name.lower(): tuple(other for other in _SERVICES if other != name) for name in _SERVICES},
    GRANTEES[1]: ("kms:GrantConstraintSourceArn",),
}
"""Keys (lower case) and those that a request with them carries too."""
THROUGH_SERVICE = (VIA_SERVICE, *CALLED_VIA)
"""Keys that only a request carries which a service makes for the caller."""
_TRUE, _FALSE = Known(("true",)), ("false",)


def from_context(name: str, context: Context) -> KeyValue | None:
    """What the known request facts say about the condition key ``name`` (lower case), or None where they are silent.

    ``context`` holds no keys that requests for the action never carry: their absence says nothing.
    """
    given = {key.lower(): values for key, values in context.items()}
    if name in CALLED_VIA:
        return ABSENT if _direct(given) else _called_via(name, given)
    if name in (VIA_AWS_SERVICE, VIA_SERVICE, FOR_RESOURCE):
        return _through_service(name, given)
    if name == GRANT_SOURCE_ARN or name in GRANTEES:
        return _of_grantee(name, given)
    if name in EXCLUSIVE:
        return ABSENT if any(given.get(other.lower()) for other in EXCLUSIVE[name]) else _of_endpoint(name, given)
    if name in (MFA_PRESENT, MFA_AGE):
        return _of_mfa(name, given)
    if name in OTHER_TIME:
        return Known(values) if (values := given.get(OTHER_TIME[name].lower())) else None
    if name == VALID_TO:
        return ABSENT if given.get(EXPIRATION) == ("KEY_MATERIAL_DOES_NOT_EXPIRE",) else None
    if name == CONSTRAINT_TYPE:
        return _constraint_type(given)
    if name == CONTEXT_KEYS or name.startswith(CONTEXT_PAIR):
        return _of_context(name, context, given)
    if name == TAG_KEYS or name.startswith(TAG_PAIR):
        return _of_pairs(name, context, given, (TAG_KEYS, TAG_PAIR))
    return None


def _through_service(name: str, given: Context) -> KeyValue | None:
    """Whether a service makes the request for the caller, and whether for a resource of its own."""
    direct = _direct(given)
    if name == VIA_AWS_SERVICE:
        through = any(given.get(key) for key in THROUGH_SERVICE) or _lowered(given.get(FOR_RESOURCE)) == _TRUE.values
        return _TRUE if through else (Known(_FALSE) if direct else None)
    if not direct:
        return None
    return RunTime(domain=_FALSE) if name == FOR_RESOURCE else ABSENT


def _called_via(name: str, given: Context) -> KeyValue | None:
    """The services in between: the first and the last are ends of one list."""
    every, first, last = CALLED_VIA
    if any(key in given and not given[key] for key in CALLED_VIA):
        return ABSENT
    services = given.get(every)
    if services:
        return Known((services[0] if name == first else services[-1],))
    ends = tuple(dict.fromkeys(value for key in (first, last) for value in given.get(key) or ()))
    return RunTime(may_be_absent=False, includes=ends if name == every else ()) if ends else None


def _of_endpoint(name: str, given: Context) -> KeyValue | None:
    """A key of requests through a VPC endpoint by those that all such requests carry; of any other key, nothing."""
    if name not in _ENDPOINT_NAMES:
        return None
    if any(key in given and not given[key] for key in _OF_EVERY_ENDPOINT):
        return ABSENT
    through = name in _OF_EVERY_ENDPOINT and any(given.get(key.lower()) for key in _VPC_ENDPOINT)
    return RunTime(may_be_absent=False) if through else None


def _of_mfa(name: str, given: Context) -> KeyValue | None:
    if name == MFA_PRESENT:
        return _TRUE if given.get(MFA_AGE) else None
    return ABSENT if MFA_PRESENT in given and _lowered(given[MFA_PRESENT]) in ((), _FALSE) else None


def _constraint_type(given: Context) -> KeyValue | None:
    """Whether a grant has a constraint on the encryption context: what the keys of that context say of a grant."""
    if any(given[key] for key in given if key == CONTEXT_KEYS or key.startswith(CONTEXT_PAIR)):
        return RunTime(CONSTRAINT_TYPES, may_be_absent=False)
    return ABSENT if CONTEXT_KEYS in given else None


def _of_grantee(name: str, given: Context) -> KeyValue | None:
    """A grant has a principal or a service as grantee; the service's has a constraint on the source."""
    person, service = GRANTEES
    without_source = GRANT_SOURCE_ARN in given and not given[GRANT_SOURCE_ARN]
    if name == GRANT_SOURCE_ARN:
        return RunTime(may_be_absent=False) if given.get(service) or given.get(person, ("",)) is None else None
    if given.get(EITHER[name].lower()) or (name == service and without_source):
        return ABSENT
    missing = EITHER[name].lower() in given or (name == person and without_source)
    return RunTime(may_be_absent=False) if missing else None


def _of_context(name: str, context: Context, given: Context) -> KeyValue | None:
    """The keys of the encryption context by its pairs, and a pair by the keys."""
    if CONSTRAINT_TYPE in given and not given[CONSTRAINT_TYPE]:
        return ABSENT
    found = _of_pairs(name, context, given, (CONTEXT_KEYS, CONTEXT_PAIR))
    present = name == CONTEXT_KEYS and found is None and given.get(CONSTRAINT_TYPE)
    return RunTime(may_be_absent=False) if present else found


def _of_pairs(name: str, context: Context, given: Context, keys: tuple[str, str]) -> KeyValue | None:
    """The names of pairs by the pairs, and a pair by the names; ``keys``: that of the names, and what the pairs' begin
    with."""
    names, prefix = keys
    if name == names:
        pairs = tuple(key[len(prefix) :] for key in context if key.lower().startswith(prefix))
        carried = tuple(pair for pair in pairs if given[prefix + pair.lower()])
        return RunTime(may_be_absent=False, includes=carried) if carried else None
    if names not in given:
        return None
    return RunTime(may_be_absent=False) if name[len(prefix) :] in _lowered(given[names]) else ABSENT


def _direct(given: Context) -> bool:
    """Whether the caller itself is known to make the request, by names in lower case."""
    return _lowered(given.get(VIA_AWS_SERVICE)) == _FALSE or given.get(VIA_SERVICE, ("",)) is None


def _lowered(values: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(value.lower() for value in values or ())
