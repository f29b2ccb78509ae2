"""Pure: questions that people ask of an evaluation, answered from its table and its decisions; nothing is printed here.

Every answer comes from the access table or, for callers that are no row of it, from the same evaluator.
"""

from __future__ import annotations

from auditor.evaluator.reasons import cause_words
from auditor.questions.answers import Answer
from auditor.questions.explain import Explanation, LayerView, explain
from auditor.questions.grant_list import GrantRow, grant_list
from auditor.questions.keys import find_all_keys, find_keys
from auditor.questions.principals import find_principals, principal_named
from auditor.questions.unlisted import unlisted_keys
from auditor.questions.what_can import what_can
from auditor.questions.who_can import infrastructure_grants, who_can, who_can_folded
from auditor.questions.wording import decision_words

__all__ = [
    "Answer",
    "Explanation",
    "GrantRow",
    "LayerView",
    "cause_words",
    "decision_words",
    "explain",
    "find_all_keys",
    "find_keys",
    "find_principals",
    "grant_list",
    "infrastructure_grants",
    "principal_named",
    "unlisted_keys",
    "what_can",
    "who_can",
    "who_can_folded",
]
