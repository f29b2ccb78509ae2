"""A Failure → the Gap that it leaves, with what remains unknown and what the reader can do about it."""

from __future__ import annotations

from auditor.collectors.failures import Cause, Failure
from auditor.model.key import Fact
from auditor.model.snapshot import Gap

_EFFECTS = {
    Fact.ACCOUNT: "Nothing of this account was read: its keys and principals are missing from every verdict.",
    Fact.REGIONS: "Regions that were not looked at may hold keys.",
    Fact.KEY_LIST: "Keys that may exist here are missing from every verdict.",
    Fact.KEY_METADATA: "The key's type, state and origin are unknown.",
    Fact.KEY_POLICY: "Every verdict on the key that is not an explicit deny elsewhere is unknown.",
    Fact.GRANTS: "Access through grants on the key is unknown.",
    Fact.TAGS: "Verdicts that depend on the tags are unknown.",
    Fact.ALIASES: "Verdicts that depend on aliases are unknown; keys may be shown without their names.",
    Fact.ROTATION: "Whether the key is rotated is unknown.",
    Fact.ROTATIONS: "When the key was rotated is unknown.",
    Fact.LAST_USAGE: "Whether the key is in use is unknown.",
    Fact.LAST_ACCESSED: "Whether the principal has called KMS lately is unknown.",
    Fact.KEY_EVENTS: "That a call is not among those read proves nothing here.",
    Fact.KEY_STORES: "The state of custom key stores is unknown.",
    Fact.RETIRABLE_GRANTS: "Grants on foreign keys that principals of this account may retire are unknown.",
    Fact.SHARES: "Which keys are shared through AWS RAM is known from key policies only.",
    Fact.IDENTITIES: "What IAM allows the principals of this account is unknown.",
    Fact.IDENTITY_POLICY: "What the principals that carry this policy are allowed is unknown.",
    Fact.BOUNDARY: "Whether a permissions boundary limits the principal is unknown.",
    Fact.CREDENTIALS: "Ages of access keys and MFA are unknown.",
    Fact.PROVIDERS: "Federation into this account is known from trust policies only.",
    Fact.ORGANIZATION: "Organization limits (SCPs, RCPs) and membership are unknown.",
    Fact.SCP: "Whether a service control policy takes access away is unknown.",
    Fact.RCP: "Whether a resource control policy takes access away is unknown.",
    Fact.TRAILS: "Whether KMS calls are logged is unknown.",
    Fact.ANALYZERS: "Whether Access Analyzer watches this Region is unknown.",
    Fact.ALARMS: "Whether anybody is alerted to key changes is unknown.",
    Fact.RESOURCES: "Which resources the keys encrypt, and which of them use a key of AWS, is not known in full.",
}

_OF_A_BRANCH = "Where accounts that were not found elsewhere belong, and which SCPs and RCPs bind them, is unknown."

_RESUME = "Go on with `kms-audit collect --resume`"
_REMEDIES = {
    Cause.THROTTLED: f"{_RESUME} at a quieter time, with fewer workers or a smaller quota share.",
    Cause.NOT_SUPPORTED: "Update boto3 if it is older than the operation; some endpoints do not offer it.",
    Cause.EXPIRED: f"Renew the credentials (for SSO: aws sso login). {_RESUME}.",
    Cause.CREDENTIALS: "Check the credentials, the clock, and whether the Region is enabled for the account. "
    f"{_RESUME}.",
    Cause.TIMEOUT: f"Check the network path to the endpoint. {_RESUME}.",
    Cause.UNREACHABLE: f"Check the network path to the endpoint. {_RESUME}.",
    Cause.NOT_FOUND: "It was probably deleted while the collection ran; resume it to read what there is now.",
    Cause.NOT_ENABLED: "Enable the Region for the account, or take it out of the scope.",
    Cause.OTHER_PARTITION: "Ask for Regions of its partition too, or leave its profile out.",
    Cause.NO_REPORT: "Make one (aws iam generate-credential-report) and collect again: the auditor creates nothing.",
    Cause.MALFORMED: "Resume the collection; if it stays, something between here and AWS changes the answers.",
    Cause.LIMIT: "Raise collection.key_event_pages, or ask for fewer days (--key-events).",
    Cause.SERVER: f"AWS answered with an internal error. {_RESUME} later.",
    Cause.OTHER: "See the message; if it is not understood, report it with the operation and code.",
}


def remedy(failure: Failure, action: str, fact: Fact) -> str:
    """What the reader can do about a failure of ``action``."""
    if failure.cause is not Cause.DENIED:
        return _REMEDIES.get(failure.cause, _REMEDIES[Cause.OTHER])
    if failure.guardrail:
        return f"A {failure.guardrail} denies {action}; exempt the audit role, or take the Region out of the scope."
    if fact is Fact.RESOURCES:
        return f"Allow {action} to the auditor; `kms-audit permissions --resources` prints what the inventory takes."
    if fact is Fact.ORGANIZATION or action.startswith("organizations:"):
        return f"Allow {action}, and run from the management account or a delegated administrator account."
    if fact in (Fact.KEY_POLICY, Fact.GRANTS, Fact.KEY_METADATA, Fact.TAGS, Fact.ROTATION, Fact.ROTATIONS):
        return f"Allow {action} to the auditor; a key that does not delegate to IAM must name it in its key policy."
    if fact is Fact.ACCOUNT:
        return f"Make sure that the role exists in the account and trusts the auditor, and allow {action}."
    return f"Allow {action} to the auditor."


def gap_of(failure: Failure, fact: Fact, action: str, *, account: str, region: str, subject: str = "") -> Gap:
    """The Gap that a failure leaves."""
    code = failure.code if failure.cause is Cause.OTHER and failure.code else failure.cause.value
    branch = fact is Fact.ORGANIZATION and bool(subject)
    return Gap(
        fact=fact,
        account=account,
        region=region,
        subject=subject,
        operation=action,
        code=code,
        message=failure.message,
        remedy=remedy(failure, action, fact),
        effect=_OF_A_BRANCH if branch else _EFFECTS.get(fact, ""),
    )
