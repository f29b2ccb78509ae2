"""Authorization cases: policies and a request with the outcome that somebody expects, like unit tests for policies.

Reads case files, asks the evaluator, compares. Knows nothing about the command line and decides nothing itself.
"""

from auditor.cases.parsing import CaseSet, load_cases, read_cases
from auditor.cases.running import CaseResult, run_case
from auditor.cases.schema import Case, Expectation

__all__ = ["Case", "CaseResult", "CaseSet", "Expectation", "load_cases", "read_cases", "run_case"]
