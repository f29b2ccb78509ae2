"""What would have to change for the opposite outcome, as sentences that name the statement, grant or layer."""

from __future__ import annotations

from auditor.model.access import Decision, Outcome, Role
from auditor.model.actions import Action
from auditor.questions.wording import LAYER_WORDS, source_words

FIXED = {
    "action_not_cross_account": "Nothing can allow it: this action works inside the key's own account only.",
    "unknown_action": "Nothing can allow it: there is no such action.",
    "action_not_authorized_by_key_policy": "Allow it in an identity policy: key policies cannot give this action.",
    "no_delegation": "Name the caller in the key policy, or let the key policy delegate to the account.",
}


def turning_points(decision: Decision, action: Action) -> tuple[str, ...]:
    """The changes that give access where it is denied, and take it away where it is given."""
    if decision.outcome is Outcome.UNKNOWN:
        notes = [cause.note or LAYER_WORDS[cause.layer] for cause in decision.causes if cause.role is Role.UNREAD]
        return tuple(f"Read what is missing: {note}." for note in dict.fromkeys(notes))
    if not decision.outcome.denied:
        allows = [source_words(cause) for cause in decision.causes if cause.role is Role.ALLOWS]
        removals = [f"Take {action.name} away from {words}." for words in dict.fromkeys(allows)]
        return (*removals, f"Or deny {action.name} explicitly for this caller, in the key policy or an SCP.")
    found = [f"Remove or narrow {source_words(c)}." for c in decision.causes if c.role is Role.DENIES]
    if decision.reason in FIXED:
        return (*found, FIXED[decision.reason])
    found += [
        f"Allow {action.name} in the {LAYER_WORDS[cause.layer]}{f' of {cause.owner}' if cause.owner else ''}."
        for cause in decision.causes
        if cause.role is Role.MISSING
    ]
    if decision.reason == "no_allow":
        found.append(f"Allow {action.name} in the key policy, or by a grant, or delegate to IAM and allow it there.")
    return tuple(dict.fromkeys(found))
