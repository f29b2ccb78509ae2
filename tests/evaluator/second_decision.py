"""The decision of the second reading: denies, guardrails and paths (IAM user guide, policy evaluation logic)."""

from __future__ import annotations

from tests.evaluator.second_reading import CROSS_ACCOUNT, RETIRE, WITH_ALIAS, Data, Reading

SPARED_BY_SCPS = ("service", "service_linked_role_session")


def decision(reading: Reading) -> str:
    """The word of a case file for the outcome."""
    key_account = reading.key["account"]
    foreign = reading.on_key and not reading.service and reading.account != key_account
    if foreign and reading.action not in CROSS_ACCOUNT:
        return "denied"
    if denied(reading):
        return "explicitly-denied"
    allowed = within_scps(reading) and (by_policies(reading, foreign=foreign) or by_grants(reading))
    return "allowed" if allowed else "implicitly-denied"


def scp_levels(reading: Reading) -> list[list[Data]]:
    organization = reading.case["organization"]
    if organization is None or reading.kind in SPARED_BY_SCPS:
        return []
    if reading.account == organization["management_account"]:
        return []
    levels: list[list[Data]] = organization["scps"].get(reading.account, [])
    return levels


def within_scps(reading: Reading) -> bool:
    return all(reading.allows(level) and reading.allows_alias(level) for level in scp_levels(reading))


def rcps(reading: Reading) -> list[Data]:
    organization, key = reading.case["organization"], reading.key
    spared = reading.kind == "service_linked_role_session" or key["manager"] == "AWS" or reading.action == RETIRE
    if organization is None or spared or not reading.on_key or key["account"] == organization["management_account"]:
        return []
    return [document for level in organization["rcps"].get(key["account"], []) for document in level]


def own_documents(reading: Reading) -> list[Data]:
    caller = reading.principal
    boundary = caller.get("permissions_boundary")
    return [
        *caller.get("identity_policies", []),
        *([boundary] if boundary else []),
        *(caller.get("session_policies") or []),
    ]


def denied(reading: Reading) -> bool:
    scps = [document for level in scp_levels(reading) for document in level]
    if any(reading.denies(document) for document in (*own_documents(reading), *scps, *rcps(reading))):
        return True
    return any(statement["Effect"] == "Deny" and hits(reading, statement) for statement in key_statements(reading))


def hits(reading: Reading, statement: Data) -> bool:
    if "NotPrincipal" not in statement:
        return bool(reading.forms(statement["Principal"]))
    forms = reading.forms(statement["NotPrincipal"])
    role = reading.kind in ("role_session", "service_linked_role_session")
    itself = reading.root or ("role" in forms if role else bool(forms & {"user", "session"}))
    return bool(reading.principal.get("permissions_boundary")) or not itself or "account" not in forms


def key_statements(reading: Reading) -> list[Data]:
    """The statements of all key policies that are about this request, whoever they name."""
    if not reading.on_key or reading.action == RETIRE:
        return []
    return [
        statement
        for document in reading.case["key_policies"].values()
        for statement in document["Statement"]
        if reading.about(statement) and reading.meets(statement, reading.facts)
    ]


def identity(reading: Reading) -> bool:
    return reading.root or reading.allows(reading.principal.get("identity_policies", []))


def limits(reading: Reading, *, alias: bool = False) -> bool:
    """Whether boundary and session policies let the action through."""
    if reading.root:
        return True
    ask = reading.allows_alias if alias else reading.allows
    boundary, session = reading.principal.get("permissions_boundary"), reading.principal.get("session_policies")
    within = ask([boundary]) if boundary else True
    if session:
        return within and ask(session)
    return within and reading.kind != "federated_user"


def by_policies(reading: Reading, *, foreign: bool) -> bool:
    if not reading.on_key:
        return not reading.service and identity(reading) and limits(reading)
    forms: set[str] = set()
    for statement in key_statements(reading):
        if statement["Effect"] == "Allow":
            forms |= reading.forms(statement["Principal"])
    if reading.service:
        return bool(forms) and reading.action not in WITH_ALIAS
    if foreign:
        return bool(forms) and identity(reading) and limits(reading)
    if reading.action in WITH_ALIAS and not of_alias(reading):
        return False
    capped = {"role", "user"} if reading.kind == "federated_user" else {"role"}
    if forms & ({"everybody", "session", "user", "role"} - capped):
        return True
    if forms & capped and limits(reading):
        return True
    return "account" in forms and identity(reading) and limits(reading)


def of_alias(reading: Reading) -> bool:
    own = reading.root or reading.allows_alias(reading.principal.get("identity_policies", []))
    return own and limits(reading, alias=True)


def by_grants(reading: Reading) -> bool:
    return reading.on_key and any(gives(reading, grant) for grant in reading.case["grants"])


def gives(reading: Reading, grant: Data) -> bool:
    """Whether the grant allows the action, or the retirement of itself."""
    if reading.action == RETIRE:
        issued = f"arn:aws:iam::{reading.account}:root" == grant["IssuingAccount"]
        if (issued and as_member(reading)) or holds(reading, grant.get("RetiringPrincipal")):
            return True
    return reading.action in grant["Operations"] and holds(reading, grant["GranteePrincipal"]) and fits(reading, grant)


def as_member(reading: Reading) -> bool:
    return not reading.service and identity(reading) and limits(reading)


def holds(reading: Reading, principal: str | None) -> bool:
    forms = reading.forms({"AWS": principal}) if principal else set()
    if reading.kind == "federated_user" and "user" in forms:  # what its user has, as far as it was passed on
        return reading.allows(reading.principal.get("session_policies") or [])
    return bool(forms - {"account"}) or ("account" in forms and as_member(reading))


def fits(reading: Reading, grant: Data) -> bool:
    if reading.key["usage"] != "ENCRYPT_DECRYPT" or reading.action in ("DescribeKey", RETIRE):
        return True
    names = reading.facts["kms:encryptioncontextkeys"]
    given = {name.lower(): reading.facts[f"kms:encryptioncontext:{name.lower()}"][0] for name in names}
    for constraint, pairs in grant.get("Constraints", {}).items():
        wanted = {name.lower(): value for name, value in pairs.items()}
        if constraint == "EncryptionContextEquals" and given != wanted:
            return False
        if not wanted.items() <= given.items():
            return False
    return True
