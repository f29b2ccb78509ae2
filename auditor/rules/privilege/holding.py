"""One principal with a power over keys, and how certain that is: what the rules of this room make findings of."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.access import Decision
from auditor.model.actions import actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.rules.cited import meanings
from auditor.rules.hit import listing
from auditor.rules.reach import CERTAIN, COUNTED, LIVE, Openness, Pairs
from auditor.rules.view import View


@dataclass(frozen=True, slots=True)
class Holding:
    """One principal and the keys over which it holds a power, at the strongest openness found.

    ``mask`` are the actions that make the power; ``sample`` the decision that shows the path. ``beside``: over other
    keys it holds the power for certain, which another holding tells.
    """

    principal: Principal
    keys: tuple[Key, ...]
    level: Openness
    mask: int
    sample: Decision
    pairs: Pairs
    beside: bool = False

    @property
    def levels(self) -> tuple[Openness, ...]:
        """How open the actions that make the power may be: what is certain never rests on what is not."""
        return COUNTED if self.latent else LIVE if self.level is Openness.MAYBE else CERTAIN

    @property
    def latent(self) -> bool:
        """Whether something outside the allow path stops it today."""
        return self.level is Openness.LATENT

    @property
    def confidence(self) -> Confidence:
        """Potential where a fact that could not be read may still forbid it."""
        return Confidence.POTENTIAL if self.level is Openness.MAYBE else Confidence.CONFIRMED

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of the keys."""
        return tuple(key.arn for key in self.keys)

    @property
    def on_what(self) -> str:
        """The keys in words: the label of one, the number of many."""
        return self.keys[0].label if len(self.keys) == 1 else f"{len(self.keys)} keys"

    @property
    def them(self) -> str:
        """The pronoun for ``on_what``."""
        return "it" if len(self.keys) == 1 else "them"

    def identity(self, view: View) -> tuple[str, ...]:
        """Fingerprint parts: the principal's unique id and what gives it the power."""
        who = self.principal.unique_id or self.principal.arn
        return (who, *meanings(view, self.sample.causes, self.principal), *(("not certain",) if self.beside else ()))

    def evidence(self) -> tuple[Evidence, ...]:
        """Principal, keys, actions, and the path of one of them."""
        why = tuple(
            Evidence(
                f"path: {cause.role}",
                cause.note or str(cause.statement or cause.grant or cause.layer),
                cause.statement,
                cause.grant,
            )
            for cause in self.sample.causes
        )
        return (
            Evidence("keys", listing(self.arns)),
            Evidence("actions", listing((action.name for action in actions_in(self.mask)), 12)),
            *why,
        )
