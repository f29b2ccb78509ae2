"""Authorization cases: policies and a request with the outcome that somebody expects, like unit tests for policies.

Reads case files, asks the evaluator, compares. Knows nothing about the command line and decides nothing itself.
"""

from auditor.cases.parsing import load_cases
from auditor.cases.running import CaseResult, run_case
from auditor.cases.schema import Case, Expectation

__all__ = ["Case", "CaseResult", "Expectation", "load_cases", "run_case"]
