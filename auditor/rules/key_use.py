"""Who used which key, as far as CloudTrail's event history was read; silence counts only where it was read whole.

The history of a key's owner holds every call that succeeded; one of another account that was refused stands in the
history of the caller alone. Source: KMS developer guide, Logging AWS KMS API calls with AWS CloudTrail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from auditor.model.actions import CRYPTO, find_action, mask_of
from auditor.model.arn import account_of, parse_arn, session_role_name
from auditor.model.key import Fact, Key
from auditor.model.key_events import EventWindow, KeyCalls
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.rules.view import View

RE_ENCRYPT = mask_of(["ReEncryptFrom", "ReEncryptTo"])
Name = tuple[str, str, str]
"""Account, ``role``, ``user`` or ``root``, and name; for a unique id the id alone."""


class KeyUse:
    """The calls of a snapshot, by the key that they were about."""

    def __init__(self, snapshot: Snapshot) -> None:
        evidence = snapshot.evidence
        self._windows = {
            (window.account, window.region): window
            for window in evidence.event_windows
            if evidence.read(Fact.KEY_EVENTS, window.account, window.region)
        }
        aliases = {alias.arn: key.arn for key in snapshot.keys for alias in key.aliases}
        self._by_key: dict[str, list[KeyCalls]] = {}
        self._by_caller: dict[tuple[str, Name | None], list[KeyCalls]] = {}
        for calls in evidence.key_calls:
            arn = aliases.get(calls.key, calls.key)
            parsed = parse_arn(arn)
            known = parsed is not None and parsed.resource.startswith("key/")
            self._by_key.setdefault(arn if known else "", []).append(calls)
            self._by_caller.setdefault((arn if known else "", caller_of(calls)), []).append(calls)

    def window(self, account: str, region: str) -> EventWindow | None:
        """What was read of an event history, where that is all that was wanted."""
        return self._windows.get((account, region))

    def of_key(self, arn: str) -> tuple[KeyCalls, ...]:
        """The calls about a key, from whatever history: those that two accounts were told of come twice."""
        return tuple(self._by_key.get(arn, ()))

    def told_to_owner(self, arn: str) -> Iterator[KeyCalls]:
        """Those in the history of the key's own account, each once: all that succeeded."""
        parsed = parse_arn(arn)
        return (calls for calls in self.of_key(arn) if parsed is not None and calls.account == parsed.account)

    def by(self, names: Iterable[Name], arn: str) -> Iterator[KeyCalls]:
        """Those about a key by a caller that goes by one of the names."""
        return (calls for name in names for calls in self._by_caller.get((arn, name), ()))

    def unplaced(self, region: str) -> Iterator[KeyCalls]:
        """Failed calls in a Region of which nothing says which key they were about."""
        return (calls for calls in self._by_key.get("", ()) if calls.region == region)


def key_use(view: View) -> KeyUse:
    """The use of the keys of a view, gathered once."""
    return view.once("key-use", lambda: KeyUse(view.snapshot))


@cache
def used(operation: str) -> int:
    """The actions that a call is, as a mask; none for what is no action, such as the deletion that KMS does itself."""
    if operation == "ReEncrypt":
        return RE_ENCRYPT
    action = find_action(operation)
    return 0 if action is None else 1 << action.bit


def of_data(calls: KeyCalls) -> bool:
    """Whether the calls used the key on data, or tried to."""
    return bool(used(calls.operation) & CRYPTO)


def names_of(who: Principal) -> tuple[Name, ...]:
    """What events may call a principal by."""
    return tuple(name for name in (_name(who.iam_arn), _name(who.unique_id or "")) if name is not None)


def rows_by_name(view: View) -> dict[Name | None, list[int]]:
    """Name → the rows of the access table that go by it; gathered once."""
    return view.once("rows-by-name", lambda: _rows(view))


def _rows(view: View) -> dict[Name | None, list[int]]:
    found: dict[Name | None, list[int]] = {}
    for row, who in enumerate(view.reach.principals):
        for name in names_of(who):
            found.setdefault(name, []).append(row)
    return found


def principal_of(view: View, calls: KeyCalls) -> Principal | None:
    """The collected user or role that made the calls."""
    name = caller_of(calls)
    return _collected(view).get(name) if name is not None else None


def names_for(view: View, arn: str) -> tuple[Name, ...]:
    """What events may call the principal of an ARN by, or for a session that of its role; it need not be collected."""
    session, account = session_role_name(arn), account_of(arn)
    name = (account, "role", session[0]) if session and account else _name(arn)
    who = _collected(view).get(name) if name is not None else None
    return names_of(who) if who is not None else (name,) if name is not None else ()


def _collected(view: View) -> dict[Name, Principal]:
    found = ((name, who) for who in view.snapshot.principals for name in names_of(who))
    return view.once("principals-by-name", lambda: dict(found))


def caller_of(calls: KeyCalls) -> Name | None:
    """The principal that made the calls, if they tell: paths of roles are not in every event, names are unique."""
    return _name(calls.caller)


@lru_cache(maxsize=65536)
def _name(text: str) -> Name | None:
    parsed = parse_arn(text)
    if parsed is None:
        return ("", "", text) if text and account_of(text) is None else None
    sort = parsed.resource.split("/", 1)[0]
    return (parsed.account, sort, parsed.name) if parsed.service == "iam" else None


def relatives(key: Key) -> tuple[str, ...]:
    """The key and, of a multi-Region key, all that decrypt what it encrypts, by ARN."""
    return tuple(sorted({key.arn, *key.replica_arns, *([key.primary_arn] if key.primary_arn else [])}))
