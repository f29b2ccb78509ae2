"""What condition keys carry: for which actions and policies AWS supplies them, and which sort of value they have."""

from __future__ import annotations

from auditor.evaluator.facts import UNDOCUMENTED_LAYERS
from auditor.evaluator.glob import NAME_RUN, overlap
from auditor.evaluator.operators import parse_operator, passes_when_absent
from auditor.evaluator.request_keys import CONSTRAINT_TYPES
from auditor.evaluator.vocabulary import canonical, carried_by, meant, misspelt, nameless
from auditor.model.actions import actions_in
from auditor.model.policy import ConditionTest, Layer
from auditor.rules.conditions import IDENTITY_ONLY
from auditor.rules.hit import listing

LEGACY = {"kms:customermasterkeyspec": "kms:KeySpec", "kms:customermasterkeyusage": "kms:KeyUsage"}
ALIAS_KEYS = ("kms:requestalias", "kms:resourcealiases")
ORG_PATHS = "aws:principalorgpaths"
CALLERS = tuple(
    f"arn:{NAME_RUN}:{service}::{NAME_RUN}:{resource}"
    for service, resource in (("iam", "role/*"), ("iam", "user/*"), ("iam", "root"), ("sts", "federated-user/*"))
)
"""The forms of ``aws:PrincipalArn``, for ``overlap``."""
TRUST_ONLY = ("sts:externalid", "sts:rolesessionname")


def not_supplied(test: ConditionTest, mask: int, layer: Layer) -> tuple[int, str] | None:
    """The actions of ``mask`` whose requests do not carry the key, and why; None when there are none."""
    name = test.key.lower()
    if name in LEGACY:
        return mask, f"{canonical(test.key)} is a legacy name; write {LEGACY[name]}"
    if layer in UNDOCUMENTED_LAYERS and name.startswith(IDENTITY_ONLY) and not _exempts(test, layer):
        where = UNDOCUMENTED_LAYERS[layer]
        return mask, f"{canonical(test.key)} is documented for identity policies only, not for {where}"
    if nameless(name):
        return mask, f"{canonical(test.key)} lacks the name of a {'pair' if name.startswith('kms:') else 'tag'}"
    if name in TRUST_ONLY:
        return mask, f"{test.key} exists in role trust policies only"
    if misspelt(name):
        hint = f"; meant was probably {meant(name)}" if meant(name) else ""
        return mask, f"there is no condition key {test.key}{hint}"
    if name.startswith("kms:"):
        missing = mask & ~carried_by(name)
        if missing:
            names = listing((action.name for action in actions_in(missing)), 4)
            return missing, f"{canonical(test.key)} is not sent with {names}"
    return None


def _exempts(test: ConditionTest, layer: Layer) -> bool:
    """Whether a test in an RCP takes keys out of its Deny, as AWS's examples do: reading nothing, it denies more."""
    operator = parse_operator(test.operator)
    return layer is Layer.RCP and operator is not None and passes_when_absent(operator)


def wrong_sort(test: ConditionTest) -> str:
    """Why the values are of a sort that the condition key never has; empty where they may be right."""
    name = test.key.lower()
    if name in ALIAS_KEYS and not all(map(names_aliases, test.values)):
        return f"{canonical(test.key)} holds alias names (alias/…), never ARNs or bare names"
    if name == "aws:principalarn" and test.values and not any(map(_names_caller, test.values)):
        if all(map(names_session, test.values)):
            return f"{canonical(test.key)} is the ARN of the role, never that of its session"
        return f"{canonical(test.key)} is the ARN of a role, user or root user, never {listing(test.values)}"
    if name == "kms:grantconstrainttype" and test.values and not set(test.values) & set(CONSTRAINT_TYPES):
        return f"{canonical(test.key)} is {' or '.join(CONSTRAINT_TYPES)}, never {listing(test.values)}"
    return ""


def other_mistake(test: ConditionTest, layer: Layer) -> str:
    """What is wrong with a test whose key is supplied: its values, or that it always says the same; empty: nothing."""
    name = test.key.lower()
    if wrong := wrong_sort(test):
        return wrong
    if layer is Layer.SCP and (name == "aws:principalorgid" or (name == ORG_PATHS and all(map(_whole, test.values)))):
        return f"{canonical(test.key)} in an SCP always names the own organization: SCPs bind nobody else"
    return ""


def _whole(path: str) -> bool:
    """Whether a value of ``aws:PrincipalOrgPaths`` names an organization and nothing below it."""
    return not path.partition("/")[2].strip("*/")


def _names_caller(value: str) -> bool:
    """Whether a value of ``aws:PrincipalArn`` may match a role, a user, a root user or a federated user."""
    return "${" in value or any(overlap(value, form) for form in CALLERS)


def names_session(value: str) -> bool:
    """Whether a value is the ARN of a role's session, or a pattern of such."""
    return ":sts:" in value and ":assumed-role/" in value


def role_of(value: str) -> str:
    """The ARN of the role of a session, as far as its ARN tells: it has no path."""
    return "/".join(value.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/").split("/")[:2])


def names_aliases(value: str) -> bool:
    """Whether the value of an alias condition may match an alias name at all."""
    return "${" in value or overlap(value, f"alias/{NAME_RUN}")


def alias_name(value: str) -> str:
    """The alias name that was probably meant by an alias ARN or a bare name."""
    return value if names_aliases(value) else f"alias/{value.rsplit('alias/', 1)[-1]}"
