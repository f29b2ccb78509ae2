"""Measures the HTML report: ``python -m tests.bench.report``.

1,000 keys × 5,000 principals, 200,000 cells of access, 3,000 findings. Prints one JSON object: cells, findings, bytes
of the page, CPU seconds of rendering, peak memory in MiB; with ``--browser`` also milliseconds until the page is ready
and for one filter of the findings and one of the heat map, in headless Chromium.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from auditor.evaluator import evaluate
from auditor.model.access import AccessTable, Outcome
from auditor.model.finding import Evidence, Finding, Remediation, Severity
from auditor.model.report import Report
from auditor.report import render
from tests.bench.synthetic_organization import synthetic_snapshot

AS_OF = "2026-11-24T00:00:00Z"


def spread(table: AccessTable, wanted: int, seed: int) -> AccessTable:
    """The table with copies of its granting profiles scattered until ``wanted`` cells of it give access."""
    grants = np.array(
        [any(not table.decisions[n].outcome.denied for n in set(profile)) for profile in table.profiles], dtype=bool
    )
    have = np.argwhere(grants[table.cells])
    missing = wanted - len(have)
    if missing <= 0:
        return table
    generator = np.random.default_rng(seed)
    cells = table.cells.copy()
    free = np.flatnonzero(~grants[cells].ravel())
    chosen = generator.choice(free, size=missing, replace=False)
    profiles = table.cells[tuple(have[generator.integers(0, len(have), missing)].T)]
    cells.ravel()[chosen] = profiles
    return replace(table, cells=cells)


def findings(report: Report, number: int, seed: int) -> tuple[Finding, ...]:
    """Made-up findings about real keys and principals."""
    random = Random(seed)
    levels = list(Severity)
    made = []
    for index in range(number):
        key, who = random.choice(report.snapshot.keys), random.choice(report.principals)
        made.append(
            Finding(
                rule=f"rule-{index % 40}",
                code=f"RUL-{index % 40:02}",
                title=f"Something is wide open in way {index % 40}",
                category="exposure",
                severity=levels[index % 5],
                subject=key.arn,
                subject_kind="key",
                summary=f"{who.arn} may use {key.label} in a way that nobody needs.",
                fingerprint=f"{index:020x}",
                account=key.account,
                region=key.region,
                keys=(key.arn,),
                principals=(who.arn,),
                evidence=(Evidence("statement", "AllowEverything in the key policy"),),
                remediation=Remediation("Take the permission away.", "command", f"aws kms … {key.arn}"),
            )
        )
    return tuple(sorted(made, key=lambda one: levels.index(one.severity)))


def large_report(keys: int = 1000, principals: int = 5000, cells: int = 200_000, number: int = 3000) -> Report:
    """The report that is measured."""
    snapshot = synthetic_snapshot(20, principals, keys, 1)
    evaluation = evaluate(snapshot, as_of=AS_OF)
    bare = Report(
        snapshot=snapshot,
        principals=evaluation.principals,
        access=spread(evaluation.table, cells, 1),
        findings=(),
        as_of=AS_OF,
        tool_version="bench",
    )
    return replace(bare, findings=findings(bare, number, 1))


def in_browser(page: Path) -> dict[str, float]:
    """Milliseconds until the page is ready, and for filtering findings and the heat map."""
    from tests.report.chromium import browser

    with browser() as driver:
        driver.get(page.as_uri())
        ready = driver.execute_script(
            "return performance.getEntriesByType('navigation')[0].loadEventEnd || performance.now()"
        )
        driver.execute_script("location.hash = '#findings'")
        driver.execute_script("return new Promise(done => setTimeout(done, 1500))")
        filtered = driver.execute_script(
            "const f=document.getElementById('finding-filters');const t=performance.now();"
            "f.elements.q.value='alias';f.elements.severity.selectedIndex=1;f.dispatchEvent(new Event('input'));"
            "const said=()=>document.getElementById('finding-count').textContent;"
            "return new Promise(d=>{const w=()=>said().startsWith('3000 of')?"
            "requestAnimationFrame(w):requestAnimationFrame(()=>d(performance.now()-t));w()})"
        )
        driver.execute_script("location.hash = '#access'")
        driver.execute_script("return new Promise(done => setTimeout(done, 1500))")
        heat = driver.execute_script(
            "const f=document.getElementById('heat-filters');const t=performance.now();"
            "const said=()=>document.getElementById('heat-note').textContent;const before=said();"
            "f.elements.q.value='alias/';f.elements.outcome.selectedIndex=2;f.dispatchEvent(new Event('input'));"
            "return new Promise(d=>{const w=()=>said()===before?"
            "requestAnimationFrame(w):requestAnimationFrame(()=>d(performance.now()-t));w()})"
        )
    return {"ready_ms": round(ready), "filter_ms": round(filtered), "heat_ms": round(heat)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    report = large_report()
    denied = [
        decision.outcome in (Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED)
        for decision in report.access.decisions
    ]
    grants = np.array([any(not denied[n] for n in set(profile)) for profile in report.access.profiles])
    begun = time.process_time()
    page = render(report, "html")["report.html"]
    result: dict[str, float] = {
        "cells": int(grants[report.access.cells].sum()),
        "findings": len(report.findings),
        "bytes": len(page),
        "cpu_seconds": round(time.process_time() - begun, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if options.browser:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            path.write_bytes(page)
            result |= in_browser(path)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
