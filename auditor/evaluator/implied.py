"""What one condition key of a request says about another: facts that follow from each other in every request.

Source: kms-authorization.md sections 11.2 and 12; the descriptions in ``model/data/condition_keys.json``. A call with
``kms:ViaService`` is a forward access session, as is one that makes a grant for a service's resource; the pairs of an
encryption context are those that its keys name; a session without multi-factor authentication has no age of it; a grant
has one grantee; a request through a VPC endpoint has no public address. Nothing here looks at a policy.
"""

from __future__ import annotations

from auditor.evaluator.surroundings import Context
from auditor.evaluator.values import ABSENT, KeyValue, Known, RunTime

VIA_AWS_SERVICE = "aws:viaawsservice"
VIA_SERVICE = "kms:viaservice"
CONTEXT_KEYS = "kms:encryptioncontextkeys"
CONTEXT_PAIR = "kms:encryptioncontext:"
MFA_PRESENT = "aws:multifactorauthpresent"
MFA_AGE = "aws:multifactorauthage"
CALLED_VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
FOR_RESOURCE = "kms:grantisforawsresource"
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
EXCLUSIVE = {
    "kms:granteeprincipal": ("kms:GranteeServicePrincipal",),
    "kms:granteeserviceprincipal": ("kms:GranteePrincipal",),
    "kms:retiringprincipal": ("kms:RetiringServicePrincipal",),
    "kms:retiringserviceprincipal": ("kms:RetiringPrincipal",),
    "aws:sourceip": _VPC_ENDPOINT,
    **{name.lower(): ("aws:SourceIp",) for name in _VPC_ENDPOINT},
}
"""Keys (lower case) and those that a request with them does not carry: a grant has one grantee (section 10), a request
goes through a VPC endpoint or has a public address (IAM reference, global condition keys)."""
THROUGH_SERVICE = (VIA_SERVICE, *CALLED_VIA)
"""Keys that only a request carries which a service makes for the caller."""
_TRUE, _FALSE = Known(("true",)), ("false",)


def from_context(name: str, context: Context) -> KeyValue | None:
    """What the known request facts say about the condition key ``name`` (lower case), or None where they are silent."""
    given = {key.lower(): values for key, values in context.items()}
    if name == VIA_AWS_SERVICE:
        through = any(given.get(key) for key in THROUGH_SERVICE) or _lowered(given.get(FOR_RESOURCE)) == _TRUE.values
        return _TRUE if through else (Known(_FALSE) if _direct(given) else None)
    if name in THROUGH_SERVICE:
        return ABSENT if _direct(given) else None
    if name == FOR_RESOURCE:
        return RunTime(domain=_FALSE) if _direct(given) else None
    if name in EXCLUSIVE:
        return ABSENT if any(given.get(other.lower()) for other in EXCLUSIVE[name]) else None
    if name == MFA_PRESENT:
        return _TRUE if given.get(MFA_AGE) else None
    if name == MFA_AGE:
        without = MFA_PRESENT in given and _lowered(given[MFA_PRESENT]) in ((), _FALSE)
        return ABSENT if without else None
    if name == CONTEXT_KEYS:
        pairs = tuple(key[len(CONTEXT_PAIR) :] for key in context if key.lower().startswith(CONTEXT_PAIR))
        carried = tuple(pair for pair in pairs if given[CONTEXT_PAIR + pair.lower()])
        return RunTime(may_be_absent=False, includes=carried) if carried else None
    if name.startswith(CONTEXT_PAIR) and CONTEXT_KEYS in given:
        carried = _lowered(given[CONTEXT_KEYS])
        return RunTime(may_be_absent=False) if name[len(CONTEXT_PAIR) :] in carried else ABSENT
    return None


def _direct(given: Context) -> bool:
    """Whether the caller itself is known to make the request, by names in lower case."""
    return _lowered(given.get(VIA_AWS_SERVICE)) == _FALSE or given.get(VIA_SERVICE, ("",)) is None


def _lowered(values: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(value.lower() for value in values or ())
