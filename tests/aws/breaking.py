"""Collections in which the answers to one action of one account are not as they should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from auditor.model.key import Fact
from tests.aws.collecting import Found, collected
from tests.aws.wire import Call
from tests.aws.written_server import Wire, WrittenAws

MEMBER = "200000000000"
QUICK = {"evidence": False, "last_usage": False, "last_accessed": False, "key_events": 0, "retirable_grants": False}
Change = Callable[[dict[str, Any]], Any]
Made = Callable[[Call, dict[str, Any]], bytes | None]


def found(action: str, made: Made, account: str = MEMBER, **options: object) -> Found:
    """A collection in which calls of an action by one account are answered with what ``made`` makes."""

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        body = made(call, asked) if (call.action, call.account) == (action, account) else None
        return None if body is None else (good[0], good[1], body)

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        return collected(aws, **{**QUICK, **options})


def changed(action: str, change: Change, account: str = MEMBER, **options: object) -> Found:
    """The same with the good answer, changed in place."""

    def garble(call: Call, asked: dict[str, Any], good: Wire) -> Wire | None:
        if (call.action, call.account) != (action, account):
            return None
        data = json.loads(good[2])
        change(data)
        return good[0], good[1], json.dumps(data).encode()

    with WrittenAws((MEMBER,)) as aws:
        aws.garble = garble
        return collected(aws, **{**QUICK, **options})


def gaps(result: Found) -> set[tuple[str, str, Fact, str]]:
    return {(gap.account, gap.region, gap.fact, gap.code) for gap in result.snapshot.gaps}
