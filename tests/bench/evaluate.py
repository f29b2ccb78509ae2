"""Measures the bulk engine: ``python -m tests.bench.evaluate --accounts 20 --principals 5000 --keys 1000 --seed 1``.

Prints one JSON object: triples decided (rows × keys × key actions), counts by outcome, CPU seconds for compiling and
classifying versus deciding and filling, triples per CPU second over both, peak memory, and a hash of the result.
"""

from __future__ import annotations

import hashlib
import json
import resource
import time

import numpy as np

from auditor.evaluator import evaluate, matrix
from auditor.evaluator.evaluation import Evaluation
from auditor.model.access import AccessTable, Outcome
from auditor.model.actions import ACTIONS
from tests.bench.synthetic_organization import size_options, snapshot_of

KEY_ACTIONS = [action for action in ACTIONS if action.on_key]


def outcome_counts(table: AccessTable) -> dict[str, int]:
    """Triples by outcome, from the interned table."""
    order = list(Outcome)
    per_profile = np.zeros((len(table.profiles), len(order)), dtype=np.int64)
    for number, profile in enumerate(table.profiles):
        for action in KEY_ACTIONS:
            per_profile[number, order.index(table.decisions[profile[action.bit]].outcome)] += 1
    cells = np.bincount(table.cells.ravel(), minlength=len(table.profiles))
    totals = cells @ per_profile
    return {str(outcome): int(total) for outcome, total in zip(order, totals, strict=True)}


def result_hash(evaluation: Evaluation) -> str:
    """SHA-256 over rows, columns, cells, profiles and decisions."""
    table = evaluation.table
    digest = hashlib.sha256()
    for part in (repr((table.principals, table.keys, table.profiles, table.decisions)).encode(), table.cells.tobytes()):
        digest.update(part)
    return digest.hexdigest()


def main() -> None:
    options = size_options(__doc__).parse_args()
    snapshot = snapshot_of(options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    deciding = 0.0
    original = matrix._Filler.fill

    def timed(self: matrix._Filler, columns: list) -> object:
        nonlocal deciding
        begun = time.process_time()
        cells = original(self, columns)
        deciding = time.process_time() - begun
        return cells

    matrix._Filler.fill = timed  # type: ignore[method-assign,assignment]
    started = time.process_time()
    evaluation = evaluate(snapshot, as_of="2026-11-24T00:00:00Z")
    spent = time.process_time() - started
    table = evaluation.table
    triples = len(table.principals) * len(table.keys) * len(KEY_ACTIONS)
    print(
        json.dumps(
            {
                "accounts": options.accounts,
                "rows": len(table.principals),
                "keys": len(table.keys),
                "triples": triples,
                "outcomes": outcome_counts(table),
                "cpu_seconds_compile": round(spent - deciding, 3),
                "cpu_seconds_decide": round(deciding, 3),
                "triples_per_cpu_second": round(triples / spent),
                "profiles": len(table.profiles),
                "decisions": len(table.decisions),
                "table_mib": round(table.cells.nbytes / 2**20, 1),
                "memory_mib_before": round(before / 1024),
                "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "result_sha256": result_hash(evaluation),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
