"""The policies of IAM groups, as far as somebody is in them: who joins one gets what it gives."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal
from auditor.rules.view import View

ByAccount = dict[str, dict[str, tuple[AttachedPolicy, ...]]]


def policies_of_groups(view: View, members: Iterable[Principal]) -> ByAccount:
    """Account → ARN of a group → its policies, read from its members; found once for all views of an estate."""

    def make() -> ByAccount:
        found: ByAccount = {}
        for who in members:
            for attached in who.identity_policies:
                if ":group/" in attached.owner:
                    groups = found.setdefault(who.account or "", {})
                    known = groups.setdefault(attached.owner, ())
                    if attached not in known:
                        groups[attached.owner] = (*known, attached)
        return found

    return view.commons.once("iam-groups", make)
