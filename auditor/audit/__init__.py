"""The use case and the Python API: collect or load, evaluate, judge, write. Joins the rooms; decides nothing itself.

    from auditor.audit import Auditor

    auditor = Auditor()
    snapshot = auditor.load("reports/o-example/20261124T070000Z/snapshot")
    evaluation = auditor.evaluate(snapshot)
    frame = evaluation.access_frame()          # pandas: one row per principal, key and capability
    answers = evaluation.who_can("kms:Decrypt", "alias/app")
    report = auditor.judge(evaluation)         # findings, worst first

No click, no printing: whoever calls decides what to show. Errors are those of ``auditor.errors``.
"""

from __future__ import annotations

from auditor.audit.api import Auditor, Evaluation
from auditor.audit.collecting import collect_into, request_of
from auditor.audit.comparing import Compared
from auditor.audit.gates import Verdict, verdict
from auditor.audit.places import newest_snapshot, report_folder
from auditor.audit.publishing import DEFAULT_FORMATS, attest, publish, render_one
from auditor.audit.times import parse_as_of

__all__ = [
    "DEFAULT_FORMATS",
    "Auditor",
    "Compared",
    "Evaluation",
    "Verdict",
    "attest",
    "collect_into",
    "newest_snapshot",
    "parse_as_of",
    "publish",
    "render_one",
    "report_folder",
    "request_of",
    "verdict",
]
