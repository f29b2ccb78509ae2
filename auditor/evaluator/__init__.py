"""Pure: a snapshot → who can do what, under which conditions, and why.

Source: IAM user guide, policy evaluation logic; KMS developer guide. ``tests/cases`` holds the sentences as cases.
"""

from auditor.evaluator.deciding import decide
from auditor.evaluator.evaluation import Evaluation, evaluate, evaluate_part, surroundings_of
from auditor.evaluator.expressions import only_unsettled
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.evaluator.words import in_words

__all__ = [
    "Context",
    "Evaluation",
    "Surroundings",
    "decide",
    "evaluate",
    "evaluate_part",
    "in_words",
    "only_unsettled",
    "surroundings_of",
]
