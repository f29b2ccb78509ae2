"""The advice of ``explain``, followed to the letter with the changes that ``what-if`` knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from auditor.evaluator import Evaluation, surroundings_of
from auditor.evaluator.matrix import build_table
from auditor.evaluator.mentions import rows
from auditor.evaluator.reasons import source_words
from auditor.model.access import Cause, Decision, Role
from auditor.model.actions import Action, actions_in, match_pattern
from auditor.model.grant import Grant
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, StatementRef
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.questions import explain, principal_named
from auditor.questions.edits import Edit, EditKind, apply_edits

TURN = "turn"
Ways = list[list[Edit]]


def undecided(snapshot: Snapshot, as_of: str) -> Evaluation:
    """A world to ask single questions of; its table is empty."""
    surroundings = surroundings_of(snapshot, as_of=as_of)
    return Evaluation(snapshot, surroundings, rows(snapshot), build_table((), (), surroundings))


@dataclass(frozen=True)
class Case:
    """A caller, an action and a key of a world."""

    evaluation: Evaluation
    caller: Principal
    action: Action
    key: Key

    @property
    def snapshot(self) -> Snapshot:
        return self.evaluation.snapshot

    @property
    def decision(self) -> Decision:
        return self.evaluation.decide(self.caller, self.key, self.action.name)

    def after(self, edits: list[Edit]) -> Case:
        """The same case in the world after the edits."""
        changed = undecided(apply_edits(self.snapshot, edits), self.evaluation.surroundings.as_of)
        key = next(item for item in changed.snapshot.keys if item.arn == self.key.arn)
        return Case(changed, principal_named(changed, self.caller.arn), self.action, key)


def advice(case: Case) -> tuple[str, ...]:
    return explain(case.evaluation, case.caller, case.action, case.key).turning


def documents(case: Case) -> Iterator[tuple[AttachedPolicy, Edit]]:
    """The documents that play a part, each with the edit that replaces it; its text is still to be filled in."""
    for item in case.key.policies:
        yield item, Edit(EditKind.KEY_POLICY, case.key.arn)
    for item in case.caller.identity_policies:
        managed = Edit(EditKind.MANAGED_POLICY, item.name)
        yield item, managed if item.name.startswith("arn:") else Edit(EditKind.IDENTITY_POLICY, item.owner, item.name)
    if case.caller.boundary is not None:
        yield case.caller.boundary, Edit(EditKind.BOUNDARY, case.caller.iam_arn)
    organization = case.snapshot.organization
    for account, kind in ((case.caller.account, EditKind.SCP), (case.key.account, EditKind.RCP)):
        for level in (organization.levels(account) if organization and account else None) or ():
            for item in (level.scps if kind is EditKind.SCP else level.rcps) or ():
                yield item, Edit(kind, item.name, level.id)


def without(case: Case, sentence: str) -> list[Edit]:
    """The edits that take the action out of every statement, and revoke every grant, that a sentence names."""
    edits = []
    for item, edit in documents(case):
        data = json.loads(item.policy.text)
        listed = data["Statement"] if isinstance(data["Statement"], list) else [data["Statement"]]
        kept, hit = [], False
        for statement, parsed in zip(listed, item.policy.statements, strict=True):
            refs = [StatementRef(item.layer, item.name, owner, parsed.index, parsed.sid) for owner in {item.owner, ""}]
            words = [source_words(Cause(item.layer, Role.ALLOWS, ref)) for ref in refs]
            named = any(re.search(re.escape(word) + r"(?=[.;]|$)", sentence) for word in words)
            hit |= named
            kept.append(_less(statement, case.action) if named else statement)
        if hit:
            text = json.dumps({**data, "Statement": kept})
            edits.append(Edit(edit.kind, edit.target, edit.name, text))
    grants = [item.grant_id for item in case.key.grants if re.search(rf"grant {re.escape(item.grant_id)}\b", sentence)]
    return edits + [Edit(EditKind.REVOKE_GRANT, name) for name in grants]


def _less(statement: dict[str, Any], action: Action) -> dict[str, Any]:
    """The statement without the action; one that has no other stays, so that the others keep their numbers."""
    if "NotAction" in statement:
        spared = statement["NotAction"]
        return {**statement, "NotAction": [*([spared] if isinstance(spared, str) else spared), action.name]}
    patterns = statement["Action"]
    mask = 0
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        mask |= match_pattern(pattern)
    names = [one.name for one in actions_in(mask) if one != action]
    return {**statement, "Action": names or "s3:GetObject"}


def principal_element(caller: Principal) -> Any:
    if caller.kind is PrincipalKind.EVERYONE:
        return "*"
    return {"Service" if caller.kind is PrincipalKind.SERVICE else "AWS": caller.arn}


def _with(case: Case, kind: EditKind, statement: dict[str, Any], base: AttachedPolicy | None) -> str:
    data = json.loads(base.policy.text) if base else {"Version": "2012-10-17", "Statement": []}
    listed = data["Statement"] if isinstance(data["Statement"], list) else [data["Statement"]]
    return json.dumps({**data, "Statement": [*listed, statement]})


def in_key_policy(case: Case, effect: str, principal: Any) -> list[Edit]:
    statement = {"Effect": effect, "Principal": principal, "Action": case.action.name, "Resource": "*"}
    base = next((item for item in case.key.policies if item.name == "default"), None)
    return [Edit(EditKind.KEY_POLICY, case.key.arn, text=_with(case, EditKind.KEY_POLICY, statement, base))]


def in_identity(case: Case, effect: str) -> list[Edit]:
    statement = {"Effect": effect, "Action": case.action.name, "Resource": "*"}
    return [
        Edit(
            EditKind.IDENTITY_POLICY, case.caller.iam_arn, TURN, _with(case, EditKind.IDENTITY_POLICY, statement, None)
        )
    ]


def in_boundary(case: Case) -> list[Edit]:
    statement = {"Effect": "Allow", "Action": case.action.name, "Resource": "*"}
    return [
        Edit(
            EditKind.BOUNDARY, case.caller.iam_arn, text=_with(case, EditKind.BOUNDARY, statement, case.caller.boundary)
        )
    ]


def in_scp(case: Case, effect: str, level: str) -> list[Edit]:
    statement = {"Effect": effect, "Action": case.action.name, "Resource": "*"}
    return [Edit(EditKind.SCP, f"{TURN}-{effect}", level, _with(case, EditKind.SCP, statement, None))]


def granted(case: Case) -> list[Edit]:
    who = case.caller
    arn = f"arn:{case.key.partition}:iam::{who.arn}:root" if who.kind is PrincipalKind.EXTERNAL_ACCOUNT else who.arn
    return [
        Edit(
            EditKind.GRANT,
            case.key.arn,
            grant=Grant(grant_id=TURN, key_arn="", grantee=arn, operations=(case.action.short,)),
        )
    ]


def ways(case: Case, sentence: str) -> Ways:
    """Each way to do what one sentence of a denial's advice asks for; empty for a sentence that asks for nothing."""
    who = case.caller
    account = {"AWS": f"arn:{case.key.partition}:iam::{who.account}:root"}
    if sentence.startswith("Remove or narrow "):
        return [without(case, sentence)]
    if sentence.startswith("Make the caller the retiring principal"):
        made = Grant(
            grant_id=TURN, key_arn="", grantee=f"arn:aws:iam::{case.key.account}:root", operations=("DescribeKey",)
        )
        return [[Edit(EditKind.GRANT, case.key.arn, grant=replace(made, **_retiring(case)))]]
    named = in_key_policy(case, "Allow", principal_element(who))
    delegated = in_key_policy(case, "Allow", account)
    if sentence.startswith("Name the caller"):
        return [named, *([delegated] if "delegate to the account" in sentence else [])]
    if not sentence.startswith("Allow "):
        return []
    place = sentence.partition(" in ")[2]
    if place.startswith("the key policy"):
        found = [named]
        found += [granted(case)] if re.search("or by a grant[.,]", place) else []
        found += [[*delegated, *in_identity(case, "Allow")]] if "delegate to IAM" in place else []
        return found
    if place.startswith(("the identity policy", "an identity policy")):
        return [in_identity(case, "Allow")]
    if place.startswith("the permissions boundary"):
        return [in_boundary(case)]
    if place.startswith("the SCP"):
        level = place.removeprefix("the SCP of ").rstrip(".")
        return [in_scp(case, "Allow", level)]
    raise AssertionError(sentence)


def _retiring(case: Case) -> dict[str, str]:
    who = case.caller
    if who.kind is PrincipalKind.SERVICE:
        return {"retiring_service": who.arn}
    return {"retiring": f"arn:aws:iam::{who.arn}:root" if who.kind is PrincipalKind.EXTERNAL_ACCOUNT else who.arn}


def denials(case: Case, sentence: str) -> Ways:
    """Each way to do what one sentence of an access's advice asks for."""
    if sentence.startswith(("Take ", "Revoke ")):
        return [without(case, sentence)]
    found = []
    if "the key policy" in sentence:
        found.append(in_key_policy(case, "Deny", principal_element(case.caller)))
    if "an SCP" in sentence:
        found.append(in_scp(case, "Deny", str(case.caller.account)))
    if "an identity policy" in sentence:
        found.append(in_identity(case, "Deny"))
    return found


def followed(case: Case, sentences: tuple[str, ...], pick: int = 0) -> Case:
    """The case after every sentence was done, one after the other; of several ways the one numbered ``pick``, else the
    first."""
    for sentence in sentences:
        found = ways(case, sentence)
        if found:
            case = case.after(found[pick] if pick < len(found) else found[0])
    return case
