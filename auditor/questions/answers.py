"""What who-can and what-can answer with: one decided access, and equal ones folded together."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import UnknownNameError, no_kind
from auditor.model.access import Decision
from auditor.model.actions import BY_NAME, CAPABILITY_MASKS, NONEXISTENT, Action, Capability, find_action
from auditor.model.key import Key
from auditor.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Answer:
    """One principal and one key: ``action`` has the strongest decision among those that were asked about.

    ``what`` is the question: an action's name, or the label of a capability.
    """

    principal: Principal
    key: Key
    what: str
    action: Action
    decision: Decision


@dataclass(frozen=True, slots=True)
class Folded:
    """Answers that differ in the principal alone."""

    first: Answer
    principals: tuple[Principal, ...]


OR_CAPABILITY = f"A capability would do as well: {', '.join(Capability)}."
ONE_ACTION = "Name one action, such as kms:Decrypt."


def asked(text: str, otherwise: str = OR_CAPABILITY) -> Action | Capability:
    """The action or capability called ``text``; ``decrypt`` is the capability, ``Decrypt`` the action.

    Raises UnknownNameError with the nearest names, ``otherwise`` where there are none.
    """
    from difflib import get_close_matches

    if not isinstance(text, str):
        raise UnknownNameError(no_kind(text, "KMS action"), "Give a name such as kms:Decrypt.")
    if text in list(Capability):
        return Capability(text)
    action = find_action(text)
    if action is not None:
        return action
    named = next((one for one in Capability if text.lower() in (one, one.label)), None)
    if named is not None:
        return named
    names = {name.removeprefix("kms:"): found.name for name, found in BY_NAME.items()}
    near = [names[name] for name in get_close_matches(text.lower().removeprefix("kms:"), names, n=3)]
    hint = f"Did you mean {' or '.join(near)}?" if near and "/" not in text else otherwise
    wrong = f"kms:{text.lower().removeprefix('kms:')}"
    meant = {name.lower(): right for name, right in NONEXISTENT.items()}.get(wrong)
    if meant:
        hint = f"What was meant is probably {meant}."
    raise UnknownNameError(f"“{text}” is no KMS action.", hint)


def mask_asked(what: Action | Capability) -> int:
    """The actions that a question is about."""
    return 1 << what.bit if isinstance(what, Action) else CAPABILITY_MASKS[what]


def asked_action(text: str) -> Action:
    """The action called ``text``. Raises UnknownNameError, also for a capability."""
    found = asked(text, ONE_ACTION)
    if isinstance(found, Action):
        return found
    raise UnknownNameError(f"“{text}” is a capability.", ONE_ACTION)
