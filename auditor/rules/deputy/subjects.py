"""Whom the trust in an identity provider lets in: subjects and audiences of OIDC providers, and SAML's audience."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.operators import parse_operator
from auditor.model.policy import Statement
from auditor.rules.hit import listing
from auditor.rules.principals import Admission, condition_values

PUBLIC_PROVIDERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "oidc.circleci.com",
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "www.amazon.com",
)
WEB_PROVIDERS = ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")
"""Providers that tell their customers apart by the audience alone."""


def looseness(way: Admission) -> str:
    """What the trust of a federated provider leaves open, or an empty text."""
    if way.kind == "saml":
        return "" if condition_values(way.statement, "saml:aud") else "SAML:aud is not checked"
    provider = way.value.split("oidc-provider/", 1)[-1].lower()
    subjects = _demanded(way.statement, f"{provider}:sub")
    if provider in WEB_PROVIDERS:
        audience = condition_values(way.statement, *(f"{provider}:{claim}" for claim in ("aud", "app_id", "oaud")))
        return "" if audience or subjects else "no audience is checked"
    if not subjects:
        return "no subject is checked"
    unowned = [value for value in subjects if _unowned(value)]
    if unowned:
        return f"the subject {listing(unowned)} leaves the owner open"
    loose = [value for value in subjects if has_wildcard(_project(value))]
    return f"the subject {listing(loose)} leaves the {_project_word(loose[0])} open" if loose else ""


def _demanded(statement: Statement, name: str) -> tuple[str, ...]:
    """The values that a claim is asked for; a wildcard that StringEquals takes for a letter is quoted away."""
    found = []
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        like = operator is not None and operator.base == "stringlike"
        for value in condition_values(replace(statement, conditions=(test,)), name):
            found.append(value if like else value.replace("*", "").replace("?", "") or "-")
    return tuple(found)


def _parts(value: str) -> list[str]:
    """The claims of a subject: ``repo:OWNER/NAME:…``, ``system:serviceaccount:NAMESPACE:NAME``, or one bare name; of
    CircleCI ``org/OWNER/project/NAME/…``, of Bitbucket, whose provider has the workspace in its name, ``{NAME}:…``."""
    if value.startswith("system:serviceaccount:"):
        return [*value.split(":")[2:4], ""]
    if value.startswith("org/"):
        pieces = [*value.split("/"), "*", "*"]  # what a short pattern leaves out is open
        return [pieces[1], pieces[3], *pieces[4:]]
    parts = value.split(":")
    if value.startswith("{"):
        return [parts[0], parts[0], *parts[1:]]
    owner, _, name = (parts[1] if len(parts) > 1 else parts[0]).partition("/")
    return [owner, name, *parts[2:]]


def _unowned(value: str) -> bool:
    """Whether a subject fits names of any owner: nothing fixed, or a wildcard in the organization or namespace."""
    return set(value) <= set("*?") or has_wildcard(_parts(value)[0])


def _project(value: str) -> str:
    """The repository, project or service account of a subject; later claims (branch, environment) may be patterns."""
    return _parts(value)[1]


def _project_word(value: str) -> str:
    return "service account" if value.startswith("system:") else "repository"


def claims(way: Admission) -> dict[str, str]:
    """The claims that the trust should ask for; what only the owner of the pipeline knows is left to be named."""
    if way.kind == "saml":
        return {"SAML:aud": "https://signin.aws.amazon.com/saml"}
    provider = way.value.split("oidc-provider/", 1)[-1]
    if provider.lower() in WEB_PROVIDERS:
        return {f"{provider}:aud": "ID-OF-YOUR-APPLICATION"}
    if provider == "token.actions.githubusercontent.com":
        return {f"{provider}:sub": "repo:OWNER/REPOSITORY:ref:refs/heads/main"}
    return {f"{provider}:sub": "SUBJECT-OF-YOUR-WORKLOAD"}
