"""The statements that make the steps of a path possible, for the evidence of a finding."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import matches
from auditor.model.finding import Evidence
from auditor.model.policy import Layer, Statement, StatementRef
from auditor.model.principal import Principal
from auditor.rules.acting import acts

ARROW = " → "
LISTED = 12


def enabling_statements(paths: list[str], known: dict[str, Principal]) -> tuple[Evidence, ...]:
    """The Allow statements behind the steps of paths in words (``who → action → target → action → …``), each once."""
    found: dict[tuple[str, StatementRef], Evidence] = {}
    for words in paths:
        parts = words.split(ARROW)
        for position in range(0, len(parts) - 2, 2):
            who = known.get(parts[position])
            for action in parts[position + 1].split(" + ") if who is not None else ():
                for ref in _allowing(who, action, parts[position + 2]) if who is not None else ():
                    text = f"{action} of {parts[position]}: {ref}"
                    found.setdefault((parts[position], ref), Evidence("enabling statement", text, ref))
    return tuple(found.values())[:LISTED]


def _allowing(who: Principal, action: str, target: str) -> Iterator[StatementRef]:
    for attached in who.identity_policies:
        for statement in attached.policy.statements:
            if statement.effect == "Allow" and acts(statement, action) and _about(statement, target):
                yield StatementRef(Layer.IDENTITY, attached.name, attached.owner, statement.index, statement.sid)


def _about(statement: Statement, target: str) -> bool:
    """Whether the statement may speak of the target: of another resource than an identity it is taken to."""
    if statement.resources is None or not target.startswith("arn:"):
        return True
    other = not any(":iam:" in pattern for pattern in statement.resources)
    return other or any(matches(pattern, target) for pattern in statement.resources)
