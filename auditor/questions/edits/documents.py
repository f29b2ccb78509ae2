"""Policy documents for edits: read from text, or found in the snapshot by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.errors import UnknownNameError, UsageError
from auditor.evaluator.operators import parse_operator
from auditor.evaluator.reasons import LAYER_WORDS
from auditor.model.key import Key
from auditor.model.policy import VARIABLES_VERSION, AttachedPolicy, Layer, Policy, PolicyProblem, Statement
from auditor.model.policy_document import parse_policy
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.kinds import Edit, EditKind

REFUSED = "AWS takes no such document there."
NO_OPERATOR = "There is none of that name; AWS takes no such document."
NOTHING_READ = "Write the JSON of a policy, with Version and Statement."
REFUSED_PROBLEMS = ("duplicate-element", "unknown-version", "wrong-type", "both-elements", "unknown-principal-type")
FULL_RCP = "RCPFullAWSAccess"
"""AWS's own RCP, on every root, OU and account, which nobody can detach."""
ADMINISTRATOR = re.compile(r"arn:[a-z-]+:iam::aws:policy/AdministratorAccess")
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
"""AWS's own policy for administrators says this since 2015; others of its policies change from time to time."""
ATTACHED_BY_NAME = {
    EditKind.ATTACH_POLICY: (Layer.IDENTITY, Layer.BOUNDARY),
    EditKind.BOUNDARY: (Layer.IDENTITY, Layer.BOUNDARY),
    EditKind.ATTACH_SCP: (Layer.SCP,),
    EditKind.ATTACH_RCP: (Layer.RCP,),
}
"""Edits that take a document known by its name, and where it may be attached already."""


def document(layer: Layer, name: str, owner: str, text: str) -> AttachedPolicy:
    """A policy document in its place. Raises UsageError for a text that is no policy of this layer."""
    policy = readable(LAYER_WORDS[layer], owner, text, names_callers=layer in (Layer.KEY_POLICY, Layer.RCP))
    if layer is Layer.RCP and name != FULL_RCP:
        _check_rcp(f"The new RCP for {owner}", policy)
    return AttachedPolicy(layer, name, owner, policy)


def _check_rcp(new: str, policy: Policy) -> None:
    """Raises UsageError for what AWS refuses in an RCP of one's own (Organizations user guide, RCP syntax)."""
    for statement in policy.statements:
        if statement.effect != "Deny":
            raise UsageError(f"{new}: {statement.label} is no Deny.", "An RCP only takes away.")
        if [entry.value for entry in statement.principals or ()] != ["*"] or statement.not_actions is not None:
            told = 'An RCP denies an Action to the Principal "*"; its Condition says to whom.'
            raise UsageError(f"{new}: {statement.label} has another Principal than “*”, or NotAction.", told)


def readable(kind: str, owner: str, text: str, *, names_callers: bool) -> Policy:
    """The policy of a text. Raises UsageError where there is none, and where AWS would refuse it because it names
    callers, or does not, which tells a key policy from an identity policy."""
    policy, new = parse_policy(text), f"The new {kind} for {owner}"
    if not policy.readable:
        problem = policy.problems[0].message if policy.problems else "it is not a policy document."
        raise UsageError(f"{new} cannot be read: {problem}", NOTHING_READ)
    refused = next((problem for problem in policy.problems if _refused(problem)), None)
    if refused is not None:
        raise UsageError(f"{new}: {refused.message}", REFUSED)
    for statement in policy.statements:
        if statement.effect is None:
            raise UsageError(f"{new}: the Effect of {statement.label} is not “Allow” or “Deny”.", REFUSED)
        _check_words(new, statement)
        if (statement.principals or statement.not_principals) is None and names_callers:
            raise UsageError(f"{new}: {statement.label} names no Principal.", REFUSED)
        if (statement.principals or statement.not_principals) is not None and not names_callers:
            raise UsageError(f"{new}: {statement.label} has a Principal.", REFUSED)
    return policy


def _refused(problem: PolicyProblem) -> bool:
    """Whether it is against the grammar of policies. An element that resembles none may be somebody's note."""
    return problem.code in REFUSED_PROBLEMS or (problem.code == "unknown-element" and bool(problem.suggestion))


def _check_words(new: str, statement: Statement) -> None:
    """Raises UsageError for actions and condition operators that cannot be any (IAM reference, policy grammar)."""
    actions = statement.actions if statement.actions is not None else statement.not_actions
    if actions is None:
        raise UsageError(f"{new}: {statement.label} has no Action.", REFUSED)
    bare = next((action for action in actions if action != "*" and ":" not in action), None)
    if bare is not None:
        raise UsageError(f"{new}: “{bare}” in {statement.label} names no service, such as kms:{bare}.", REFUSED)
    for test in statement.conditions:
        if parse_operator(test.operator) is None:
            raise UsageError(f"{new}: {statement.label} has the condition operator “{test.operator}”.", NO_OPERATOR)


def default_key_policy(key: Key) -> str:
    """The policy that AWS gives a key without one: the account delegates to IAM."""
    root = f"arn:{key.partition}:iam::{key.account}:root"
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": VARIABLES_VERSION, "Id": "key-default-1", "Statement": [statement]})


def known_document(snapshot: Snapshot, layers: tuple[Layer, ...], name: str) -> AttachedPolicy:
    """The document that the snapshot knows by a managed policy's name or ARN, or an organization policy's name.

    Raises UnknownNameError when there is none, or when the name means different documents.
    """
    found: dict[tuple[str, Policy], AttachedPolicy] = {}
    for item in _attached(snapshot, layers):
        if is_called(item, name):
            found.setdefault((item.name, item.policy), item)
    if not found and Layer.IDENTITY in layers and ADMINISTRATOR.fullmatch(name):
        return AttachedPolicy(Layer.IDENTITY, name, "", parse_policy(EVERYTHING))
    if not found:
        raise UnknownNameError(
            f"The document of “{name}” is not in the snapshot.", "Only policies that are attached somewhere are."
        )
    if len(found) > 1:
        names = ", ".join(sorted({listed for listed, _ in found}))
        raise UnknownNameError(f"“{name}” means {len(found)} policies.", f"Choose one: {names}.")
    return next(iter(found.values()))


def with_document(snapshot: Snapshot, edit: Edit) -> Edit | None:
    """The edit with the document that ``snapshot`` knows by its name; None when it needs none, or there is none."""
    layers = ATTACHED_BY_NAME.get(edit.kind, ())
    of_organization = edit.kind in (EditKind.ATTACH_SCP, EditKind.ATTACH_RCP)
    name = edit.target if of_organization else edit.name
    if edit.text is not None or not layers or not name:
        return None
    try:
        known = known_document(snapshot, layers, name)
    except UnknownNameError:
        return None
    return replace(edit, name=edit.name if of_organization else known.name, text=known.policy.text)


def is_called(item: AttachedPolicy, name: str) -> bool:
    """Whether a policy goes by ``name``: its full name or ARN, or the last part of it."""
    return name in (item.name, item.name.rsplit("/", 1)[-1])


def _attached(snapshot: Snapshot, layers: tuple[Layer, ...]) -> Iterator[AttachedPolicy]:
    if Layer.IDENTITY in layers or Layer.BOUNDARY in layers:
        for principal in snapshot.principals:
            yield from (item for item in principal.identity_policies if item.name.startswith("arn:"))
            if principal.boundary is not None:
                yield principal.boundary
    for target in snapshot.organization.targets if snapshot.organization else ():
        yield from (item for item in (*(target.scps or ()), *(target.rcps or ())) if item.layer in layers)
