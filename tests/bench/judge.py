"""Measures the judgement: ``python -m tests.bench.judge --accounts 20 --principals 5000 --keys 1000 --seed 1``.

Prints one JSON object: CPU seconds of evaluating and of judging with all rules, the slowest rules, and the number of
findings. Judging is meant to take less than evaluating.
"""

from __future__ import annotations

import json
import time

from auditor.evaluator import evaluate
from auditor.model.settings import RuleSettings
from auditor.rules import judge as judging
from auditor.rules import registry
from tests.bench.synthetic_organization import size_options, snapshot_of

AS_OF = "2026-11-22T00:00:00Z"


def timed_rules(spent: dict[str, float]) -> dict[str, registry.Check]:
    """The rules, each adding its CPU seconds to ``spent``."""

    def timed(name: str, check: registry.Check) -> registry.Check:
        def run(view):  # type: ignore[no-untyped-def]
            begun = time.process_time()
            found = view.hits(check)
            spent[name] = spent.get(name, 0.0) + time.process_time() - begun
            return iter(found)

        return run

    return {name: timed(name, check) for name, check in registry.RULES.items()}


def main() -> None:
    options = size_options(__doc__).parse_args()
    snapshot = snapshot_of(options)
    begun = time.process_time()
    evaluation = evaluate(snapshot, as_of=AS_OF)
    evaluated = time.process_time()
    spent: dict[str, float] = {}
    registry.RULES.update(timed_rules(spent))
    judgement = judging(evaluation, RuleSettings(), as_of=AS_OF)
    judged = time.process_time()
    slowest = sorted(spent.items(), key=lambda item: -item[1])[:12]
    print(
        json.dumps(
            {
                "evaluate_cpu_s": round(evaluated - begun, 2),
                "judge_cpu_s": round(judged - evaluated, 2),
                "findings": len(judgement.findings),
                "slowest": {name: round(seconds, 2) for name, seconds in slowest},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
